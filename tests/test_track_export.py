"""Stems: written one after the other while the engine is still ours, and gone when something fails."""

import pytest
import soundfile

from musicgen import service, track_files
from musicgen.errors import GenerationCancelled, GenerationFailed
from musicgen.music_model import music_model
from musicgen.options import GenerationOptions
from musicgen.service import generate_track
from tests.asking import files_in_output, only_track, stop_at

pytestmark = pytest.mark.usefixtures("database")


def ask_for_stems(prompt: str = "rain") -> GenerationOptions:
    return GenerationOptions(prompt, duration=5.0, seed=1, model="parted", stems=True)


def test_stems_are_files_of_their_own_beside_the_formats() -> None:
    track = generate_track(ask_for_stems(), formats=["wav"])
    assert track.stems == {name: f"{track.id}.{name}.wav" for name in ("melody", "bass")}
    assert files_in_output() == sorted([*track.formats.values(), *track.stems.values()])
    with soundfile.SoundFile(track_files.output_dir() / track.stems["bass"]) as stem:
        assert (stem.frames, stem.title) == (5 * 44_100, f"{track.title} (bass)")


def test_a_stem_is_made_after_the_one_before_is_written_and_in_the_same_turn() -> None:
    seen = []

    def look(progress: service.Progress) -> None:
        seen.append((progress.stage, music_model.state, len(files_in_output())))

    generate_track(ask_for_stems(), formats=["wav"], on_progress=look)
    assert [entry for entry in seen if "stem" in entry[0]] == [
        ("stems", "generating", 2),  # the WAV and the MIDI file
        ("second stem", "generating", 3),
    ]


@pytest.mark.parametrize("stage", ["stems", "second stem", "export", "store"])
def test_cancelling_between_stems_leaves_no_file(stage: str) -> None:
    with pytest.raises(GenerationCancelled):
        generate_track(ask_for_stems(), on_progress=stop_at(stage, GenerationCancelled("enough")))
    assert (only_track().status, only_track().stems, files_in_output()) == ("cancelled", {}, [])
    assert music_model.state == "ready"
    assert generate_track(ask_for_stems(), on_progress=service.ignore_progress).status == "done"


def test_a_stem_that_fails_takes_the_others_along() -> None:
    with pytest.raises(GenerationFailed, match="the second string broke"):
        generate_track(ask_for_stems("break"))
    assert (only_track().status, only_track().stems, files_in_output()) == ("failed", {}, [])
    assert music_model.state == "ready"
