"""Measure how loud each instrument of the sound font is, so that `gain_db` in a style means the same for all of them.

    python -m musicgen.composer.training.instrument_levels

Every pitched instrument plays the same calm line in the middle of its range, every drum kit the same beat. Prints the
`level_db` for `instruments.toml` that brings each to `REFERENCE_LUFS`.
"""

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.instruments import PERCUSSION, Instrument, all_instruments
from musicgen.composer.score import Note, Part, Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mixing import Band, finished, in_room
from musicgen.composer.sound.sampler import Sampler
from musicgen.loudness import integrated_loudness
from musicgen.notation import Key, TimeSignature
from musicgen.waveform import AudioStream

REFERENCE_LUFS = -22.0
LINE = (0, 4, 7, 5, 2, 4, -1, 0)  # semitones around the middle of the range, a quarter note each
BEAT = (("kick", 0.0), ("hat", 0.0), ("hat", 0.5), ("snare", 1.0), ("hat", 1.0), ("hat", 1.5))
BARS = 4
VELOCITY = 88


def main() -> None:
    """Print one line for each instrument."""
    sampler = Sampler(SOUND_FONTS)
    for instrument in all_instruments().values():
        part = Part(
            instrument.title,
            "melody",
            instrument.bank,
            instrument.program,
            _line(instrument),
            reverb_db=-60.0,
            voice=instrument.voice,
        )
        score = Score(100.0, Key(0, "major"), TimeSignature(4, 4), 22.0, (part,))
        band = Band(score, score.parts, sampler)
        mix = finished(in_room(band.play(band.windows), score.mix.reverb_s), score.mix, band.n_samples)
        loudness = integrated_loudness(AudioStream(band.n_samples, SAMPLE_RATE, mix).collect())
        print(f"{instrument.name:20} level_db = {REFERENCE_LUFS - loudness:.1f}")


def _line(instrument: Instrument) -> tuple[Note, ...]:
    if instrument.is_drum_kit:
        onsets = [(voice, beat + 2 * half) for half in range(BARS * 2) for voice, beat in BEAT]
        return tuple(Note(onset, 0.25, PERCUSSION[voice], VELOCITY) for voice, onset in onsets)
    middle = (instrument.lowest + instrument.highest) // 2
    return tuple(Note(float(i), 0.95, middle + LINE[i % len(LINE)], VELOCITY) for i in range(BARS * 8))


if __name__ == "__main__":
    main()
