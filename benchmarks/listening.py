"""What a listener hears, measured on the finished audio by tools that know nothing of the composer.

librosa finds the tempo again, Krumhansl's profiles the key, a checkerboard kernel (Foote 2000) the changes of section;
a stem is audible where it stands out from the other stems in some band of hearing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import librosa
import numpy as np
from numpy.typing import NDArray

from musicgen.notation import RELATIVE_MAJOR, Key
from musicgen.waveform import Waveform

Floats = NDArray[np.floating]

SAMPLE_RATE = 22_050
# Krumhansl and Kessler's probe-tone profiles (1982), from the tonic up.
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
MEL_HOP, MEL_BANDS = 4096, 40
# A stem is heard in a frame where some band of it has at least this share of the others' power there, and lies no more
# than this far below the piece's loudest band.
AUDIBLE_SHARE, AUDIBLE_RANGE_DB = 0.3, 55.0
NOVELTY_FRAME_S, NOVELTY_SIDE = 0.5, 8  # frames of half a second, four seconds each side
TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What was measured on one track.

    Attributes:
        tempo: quarter notes a minute that the beat tracker found.
        keys: the keys that fit the chroma best, best first, major and minor only.
        features: (d,) timbre, harmony and rhythm of the whole, for distances between tracks.
        novelty: (n,) how much the music changes, one value each `NOVELTY_FRAME_S`.
        longest_silence_s: longest stretch 60 dB below the loudest frame, before the last second.
    """

    tempo: float
    keys: tuple[Key, ...]
    features: Floats
    novelty: Floats
    longest_silence_s: float


def listen(waveform: Waveform) -> Heard:
    """Measure a finished track."""
    mono = _mono(waveform)
    onsets = librosa.onset.onset_strength(y=mono, sr=SAMPLE_RATE)
    chroma = librosa.feature.chroma_cqt(y=mono, sr=SAMPLE_RATE)
    mfcc = librosa.feature.mfcc(y=mono, sr=SAMPLE_RATE, n_mfcc=14)[1:]
    level = librosa.feature.rms(y=mono)[0]
    tempo, _ = librosa.beat.beat_track(onset_envelope=onsets, sr=SAMPLE_RATE)
    return Heard(
        tempo=float(np.atleast_1d(tempo)[0]),
        keys=fitting_keys(chroma.mean(axis=1)),
        features=_features(onsets, chroma, mfcc),
        novelty=novelty_curve(np.vstack([mfcc, 12 * _equal_length(chroma, mfcc), 20 * _decibels(level)[None] / 10])),
        longest_silence_s=_longest_silence_s(level),
    )


def tempo_ratio(found: float, asked: float) -> float:
    """Divide two tempos and fold the ratio into the octave around 1: half and double time are the same beat."""
    ratio = found / asked
    return float(ratio / 2 ** np.round(np.log2(ratio)))


def fitting_keys(chroma: Floats) -> tuple[Key, ...]:
    """Order all major and minor keys by how well they fit a mean chroma, (12,), best first."""
    scores = {
        Key(tonic, mode): np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]
        for mode, profile in (("major", MAJOR_PROFILE), ("minor", MINOR_PROFILE))
        for tonic in range(12)
    }
    return tuple(sorted(scores, key=lambda key: -scores[key]))


def spellings_of(key: Key) -> tuple[Key, ...]:
    """List the major and minor keys that an estimator may rightly give for a key; church modes have two each."""
    if key.mode in ("major", "minor"):
        return (key,)
    relative = Key((key.tonic + RELATIVE_MAJOR[key.mode]) % 12, "major")
    parallel = Key(key.tonic, "major" if key.mode in ("lydian", "mixolydian") else "minor")
    return parallel, relative


def audible_shares(stems: Sequence[Waveform]) -> list[float]:
    """Return in which share of the frames in which it plays each stem, at its level in the mix, can be heard."""
    powers = np.stack([_mel_power(stem) for stem in stems])  # (stems, bands, frames)
    total, loudest = powers.sum(axis=0), powers.sum(axis=0).max()
    shares = []
    for power in powers:
        playing = power.sum(axis=0) > power.sum(axis=0).max() * 1e-3
        heard = (power > AUDIBLE_SHARE * (total - power)) & (power > loudest * 10 ** (-AUDIBLE_RANGE_DB / 10))
        shares.append(float(heard.any(axis=0)[playing].mean()) if playing.any() else 0.0)
    return shares


def novelty_curve(features: Floats) -> Floats:
    """Slide a checkerboard kernel along the diagonal of the self-similarity of `features`, (d, n)."""
    hop_s = 512 / SAMPLE_RATE
    n_frames = int(features.shape[1] * hop_s / NOVELTY_FRAME_S)
    edges = np.linspace(0, features.shape[1], n_frames + 1).astype(int)
    frames = np.stack([features[:, a:b].mean(axis=1) for a, b in pairwise(edges)])
    frames = (frames - frames.mean(axis=0)) / (frames.std(axis=0) + 1e-9)
    distance = np.linalg.norm(frames[:, None] - frames[None], axis=2)
    similarity = np.pad(np.exp(-distance / np.median(distance)), NOVELTY_SIDE, mode="reflect")
    ramp = np.arange(-NOVELTY_SIDE, NOVELTY_SIDE) + 0.5
    taper = np.exp(-((ramp / (0.5 * NOVELTY_SIDE)) ** 2))
    kernel = np.outer(np.sign(ramp) * taper, np.sign(ramp) * taper)
    size = 2 * NOVELTY_SIDE
    return np.array([(similarity[i : i + size, i : i + size] * kernel).sum() for i in range(n_frames)])


def novelty_rank(novelty: Floats, at_s: float) -> float:
    """Rank the largest change within `TOLERANCE_S` of a time among all such stretches, 0 to 1; chance is 0.5."""
    reach = round(TOLERANCE_S / NOVELTY_FRAME_S)
    padded = np.pad(novelty, reach, mode="edge")
    peaks = np.array([padded[i : i + 2 * reach + 1].max() for i in range(len(novelty))])
    place = min(round(at_s / NOVELTY_FRAME_S), len(peaks) - 1)
    return float((peaks < peaks[place]).mean() + 0.5 * (peaks == peaks[place]).mean())


def _mono(waveform: Waveform) -> Floats:
    mono: Floats = librosa.resample(
        waveform.samples.mean(axis=0), orig_sr=waveform.sample_rate, target_sr=SAMPLE_RATE, res_type="polyphase"
    )
    return mono


def _mel_power(stem: Waveform) -> Floats:
    power: Floats = librosa.feature.melspectrogram(
        y=stem.samples.mean(axis=0), sr=stem.sample_rate, n_fft=4096, hop_length=MEL_HOP, n_mels=MEL_BANDS
    )
    return power


def _features(onsets: Floats, chroma: Floats, mfcc: Floats) -> Floats:
    rhythm = librosa.feature.tempogram(onset_envelope=onsets, sr=SAMPLE_RATE).mean(axis=1)
    lags = np.geomspace(8, len(rhythm) - 1, 24).astype(int)
    density = [onsets.mean(), onsets.std()]
    return np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1), chroma.mean(axis=1), rhythm[lags], density])


def _equal_length(curves: Floats, like: Floats) -> Floats:
    fitted: Floats = librosa.util.fix_length(curves, size=like.shape[1])
    return fitted


def _decibels(level: Floats) -> Floats:
    return np.asarray(20 * np.log10(np.maximum(level, 1e-5)))


def _longest_silence_s(level: Floats) -> float:
    hop_s = 512 / SAMPLE_RATE
    silent = level[: -round(1 / hop_s)] < level.max() * 1e-3
    longest = run = 0
    for frame in silent:
        run = run + 1 if frame else 0
        longest = max(longest, run)
    return longest * hop_s
