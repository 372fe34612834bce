"""Synthesised voices: what samples do badly is computed, note by note. Knows no scores, parts or styles.

`voices.toml` describes every voice as data, `voice` says what the words mean, `voice_file` reads and checks the file:
these make no sound. `spectra` and `oscillators` make tones, `wave_voice`, `fm_voice` and `noise_voice` make notes of
them, with the slow `curves` that move them; `rendering` is the door to all of it.

NumPy, as the rest of the path on a processor: a note is too short a piece of work for torch to be worth its start
(docs/decisions/0006-synthesised-voices-in-numpy.md). One thread makes a note, so its bits depend on nothing else.
"""
