"""From score to sound: the sound font, the cached-note sampler, the mix and the master. Knows no style and no prompt.

`soundfont` reads a file and `sound_bank` takes several as one, `voicing`, `articulation` and `resampling` make single
notes, `sampler` keeps them, `part_rendering` adds them up (on CUDA devices `batch_player`; `players` chooses), `mixing`
(with `reverb` and `colour`) and `mastering` finish the track.
"""
