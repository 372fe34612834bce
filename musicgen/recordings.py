"""Recordings that a request brings: the middle of an audio file, which is all that is heard of one.

A small file may hold days of silence, or claim any sample rate: nothing of either is unpacked.
"""

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

HEARD_S = 10
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000


def read_middle(file: Path | BinaryIO) -> tuple[NDArray[np.float32], int]:
    """Read the 10 s in the middle of an audio file (WAV, FLAC, OGG, MP3), all of a shorter one.

    Returns:
        (channels, n) float32, and the sample rate in Hz.

    Raises:
        ValueError: it is not one, has no sound, or an absurd sample rate; a clause that says which.
    """
    import soundfile

    try:
        with soundfile.SoundFile(file) as sound:
            sample_rate = sound.samplerate
            if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
                raise ValueError(f"it has {sample_rate:,} samples a second, not {LOWEST_RATE:,} to {HIGHEST_RATE:,}")
            sound.seek(max(0, (sound.frames - HEARD_S * sample_rate) // 2))
            samples = sound.read(HEARD_S * sample_rate, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise ValueError("it is not an audio file that can be read") from error
    if not samples.size or not np.isfinite(samples).all():
        raise ValueError("there is no sound in it")
    return samples.T, sample_rate


def middle_as_flac(path: Path) -> bytes:
    """Write the middle of an audio file as a FLAC file, to be sent with a request: less than 2 MB.

    Raises:
        ValueError: see `read_middle`.
    """
    import soundfile

    samples, sample_rate = read_middle(path)
    file = io.BytesIO()
    soundfile.write(file, samples.T, sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
