"""The file of voices: what it must hold, and what is said about what does not fit."""

import re
from pathlib import Path

import pytest

from musicgen.composer.instruments import PERCUSSION, all_instruments
from musicgen.composer.sound.synthesis.voice import Kit, WaveVoice
from musicgen.composer.sound.synthesis.voice_file import (
    InvalidVoice,
    all_voices,
    follows_length,
    hits_of,
    read_voices,
    voice_named,
)

SAW = '[saw]\nkind = "wave"\noscillators = [{ shape = "saw" }]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_instrument_has_its_voice_and_every_voice_is_used() -> None:
    wanted = {instrument.voice for instrument in all_instruments().values() if instrument.voice}
    assert wanted <= set(all_voices())
    pitches = (0, *PERCUSSION.values())
    parts = {hit.voice for voice in all_voices().values() for pitch in pitches for hit in hits_of(voice, pitch)}
    assert set(all_voices()) == wanted | parts


def test_a_drum_kit_is_played_by_a_kit_and_a_tune_by_none() -> None:
    for instrument in all_instruments().values():
        if instrument.voice:
            assert isinstance(voice_named(instrument.voice), Kit) == instrument.is_drum_kit


def test_a_plain_voice_has_sensible_defaults(tmp_path: Path) -> None:
    voice = read_voices(written(tmp_path, SAW))["saw"]
    assert isinstance(voice, WaveVoice)
    assert (voice.unison, voice.drive, voice.low_pass, voice.amplitude.sustain) == (1, 0.0, None, 1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[saw]\nkind = "organ"', r"mine.toml: saw.kind: 'organ' is no kind of voice; choose one of wave, fm"),
        ("[saw]\n", "mine.toml: saw.kind: None is no kind of voice"),
        ("[saw", "mine.toml: "),
        ('[saw]\nkind = "wave"', "mine.toml: saw.oscillators: Missing data"),
        (SAW.replace('saw" }', 'sow" }'), "mine.toml: saw.oscillators.0.shape: Must be one of: sine, saw"),
        (SAW + "colour = 3", "mine.toml: saw.colour: Unknown field"),
        (SAW + "amplitude = { attack_s = 0.0 }", "mine.toml: saw.amplitude.attack_s: Must be greater than"),
        (SAW + "low_pass = { poles = 3, cutoff_hz = 100 }", "mine.toml: saw.low_pass.poles: Must be one of: 2, 4"),
        (SAW + '[both]\nkind = "stack"\nhits = [{ voice = "sax" }]', "mine.toml: both.voice: 'sax' is no wave"),
        (
            SAW + '[kit]\nkind = "kit"\n[kit.drums]\ngong = [{ voice = "saw" }]',
            "mine.toml: kit.drums.gong.key: Must",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_file_key_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InvalidVoice, match=reason):
        read_voices(written(tmp_path, text))


def test_a_voice_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no synthesised voice 'theremin'; there are supersaw"):
        follows_length("theremin")


def test_the_example_of_the_documentation_is_a_voice(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "styles.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(\[hollow_bass\].*?)```", page, re.DOTALL)
    assert isinstance(read_voices(written(tmp_path, example))["hollow_bass"], WaveVoice)
