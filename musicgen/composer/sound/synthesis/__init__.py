"""Synthesised voices: what samples do badly is computed, note by note. Knows no scores, parts or styles.

`voices.toml` describes every voice as data, `voice` says what the words mean, `voice_file` reads and checks the file:
these need no torch. `spectra` and `oscillators` make tones, `wave_voice`, `fm_voice` and `noise_voice` make notes of
them, with the slow `curves` that move them; `rendering` is the door to all of it.

A note has the same bits on one thread or several: torch only adds, multiplies and looks up, where the order of the work
cannot matter, in blocks so short that it shares none of it out. Exponentials, sines and Fourier transforms, which are
needed once in many samples, are NumPy's and SciPy's.
"""
