"""What a request means for DiffRhythm: which network, how many frames, what is sung; and what is refused at once."""

import base64
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from musicgen.diffrhythm import phonemes
from musicgen.diffrhythm.request import SongRequest, joined, read_recording, read_request, title_of
from musicgen.diffrhythm.weights import BASE_NETWORK, FULL_NETWORK, WeightsFile
from musicgen.errors import EngineUnavailable, InvalidOptions
from musicgen.options import GenerationOptions

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="the program espeak-ng is not installed")

LRC = "[00:01.00]Hello world\n[00:04.50]Rain is falling"
Place = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Make a folder that holds some networks, as far as their names go."""

    def put(*files: WeightsFile) -> Path:
        for file in files:
            file.path_in(tmp_path).parent.mkdir(parents=True, exist_ok=True)
            file.path_in(tmp_path).touch()
        return tmp_path

    return put


@pytest.fixture
def folder(place: Place) -> Path:
    return place(BASE_NETWORK, FULL_NETWORK)


def ask(duration: float = 30.0, **asked: Any) -> GenerationOptions:
    return GenerationOptions("slow rain", duration=duration, seed=1, **asked)


def refusal(options: GenerationOptions, folder: Path) -> tuple[str, str]:
    """Return the one field that is refused, and why."""
    with pytest.raises(InvalidOptions) as caught:
        read_request(options, folder)
    ((field, (message, *_)),) = caught.value.errors.items()
    return field, message


def recording(
    file_format: str = "WAV", n_samples: int = 4410, sample_rate: int = 44_100, subtype: str | None = None
) -> str:
    """Make a base64 file of a tone, in both channels."""
    tone = 0.1 * np.sin(np.arange(n_samples) / 20)
    file = io.BytesIO()
    soundfile.write(file, np.stack([tone, tone], axis=1), sample_rate, format=file_format, subtype=subtype)
    return base64.b64encode(file.getvalue()).decode()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


# What the networks make: 2048 frames, or whole seconds of 44100 / 2048 frames each, rounded down.
@pytest.mark.parametrize(
    ("duration", "network", "n_frames"),
    [
        (5, BASE_NETWORK, 2048),
        (60.25, BASE_NETWORK, 2048),
        (95, BASE_NETWORK, 2048),
        (95.5, FULL_NETWORK, 2067),
        (96, FULL_NETWORK, 2067),
        (120.5, FULL_NETWORK, 2605),
        (285, FULL_NETWORK, 6136),
    ],
)
def test_the_duration_chooses_network_and_frames(
    folder: Path, duration: float, network: WeightsFile, n_frames: int
) -> None:
    request = read_request(ask(duration), folder)
    assert (request.network, request.n_frames) == (network, n_frames)
    assert request.n_samples == round(duration * 44_100)


@pytest.mark.parametrize(("duration", "n_frames"), [(5, 2067), (95, 2067), (285, 6136)])
def test_the_long_network_alone_makes_every_song(place: Place, duration: float, n_frames: int) -> None:
    request = read_request(ask(duration), place(FULL_NETWORK))
    assert (request.network, request.n_frames) == (FULL_NETWORK, n_frames)


@pytest.mark.parametrize("duration", [95.01, 96, 285])
def test_the_base_network_alone_refuses_long_songs_with_a_way_out(place: Place, duration: float) -> None:
    field, message = refusal(ask(duration), place(BASE_NETWORK))
    assert field == "duration"
    assert f"{duration:g} s" in message and "flask models fetch diffrhythm" in message


def test_a_song_is_all_that_was_asked_for(folder: Path) -> None:
    assert read_request(ask(), folder) == SongRequest(BASE_NETWORK, 2048, 30 * 44_100, "slow rain", (), [], ())


def test_tempo_key_and_bar_are_said_in_words_and_noted(folder: Path) -> None:
    request = read_request(ask(tempo=92.5, key="D minor", time_signature="3/4", instrumental=True), folder)
    assert request.style_text == "slow rain, 92.5 bpm, in D minor, 3/4 time, instrumental"
    (note,) = request.notes
    assert "tempo and key and time signature" in note and "roughly" in note


@needs_espeak
def test_lyrics_become_lines_by_time(folder: Path) -> None:
    request = read_request(ask(lyrics=LRC), folder)
    assert [(line.start_s, line.text) for line in request.lines] == [(1.0, "Hello world"), (4.5, "Rain is falling")]
    assert request.notes == ()


@needs_espeak
@pytest.mark.parametrize("language", ["en", "en-GB", "EN", None])
def test_english_is_sung(folder: Path, language: str | None) -> None:
    assert len(read_request(ask(lyrics=LRC, language=language), folder).lines) == 2


@needs_espeak
def test_what_is_said_of_lyrics_is_noted(folder: Path) -> None:
    request = read_request(ask(3.0, lyrics=LRC, tempo=90.0), folder)
    assert len(request.lines) == 1
    assert ["tempo" in request.notes[0], "not sung" in request.notes[1]] == [True, True]


def test_an_instrumental_leaves_lyrics_in_any_language_away_and_says_so(folder: Path) -> None:
    request = read_request(ask(lyrics="雨が降る", language="ja", instrumental=True), folder)
    assert request.lines == ()
    assert "not sung" in request.notes[0]


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"lyrics": "雨水落在屋顶"}, "lyrics", "Chinese"),
        ({"lyrics": "Привет, мир"}, "lyrics", "Write it in English"),
        ({"lyrics": "Regen fällt", "language": "de"}, "language", "'de'"),
        ({"lyrics": "[00:40.00]Too late"}, "lyrics", "after the end at 30 s"),
        ({"lyrics": "[00:77]Hello"}, "lyrics", "Line 1"),
        ({"lyrics": "hello world " * 400}, "lyrics", "too much for 30 s"),
    ],
)
def test_words_that_cannot_be_sung_are_refused(folder: Path, asked: dict[str, Any], field: str, words: str) -> None:
    named, message = refusal(ask(**asked), folder)
    assert named == field
    assert words in message


def test_lyrics_without_espeak_are_refused_and_an_instrumental_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phonemes.shutil, "which", lambda _name: None)
    with pytest.raises(EngineUnavailable, match="espeak-ng"):
        read_request(ask(lyrics=LRC), folder)
    assert read_request(ask(lyrics=LRC, instrumental=True), folder).lines == ()
    assert read_request(ask(language="de"), folder).lines == ()


def test_parts_to_regenerate_come_by_time_and_apart(folder: Path) -> None:
    asked = ask(of="x", regenerate=[[20, 25], [3, 5], [4, 8.5], [8.5, 9]])
    assert read_request(asked, folder).segments == [(3.0, 9.0), (20.0, 25.0)]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([], []),
        ([[1, 2]], [(1.0, 2.0)]),
        ([[1, 9], [2, 3]], [(1.0, 9.0)]),
        ([[5, 6], [1, 2]], [(1.0, 2.0), (5.0, 6.0)]),
        ([[1, 2], [1, 2], [2, 3]], [(1.0, 3.0)]),
    ],
)
def test_segments_that_meet_are_one(segments: list[list[float]], expected: list[tuple[float, float]]) -> None:
    assert joined(segments) == expected


@pytest.mark.parametrize("file_format", ["WAV", "FLAC", "OGG", "MP3"])
def test_recordings_of_every_format_are_read(folder: Path, file_format: str) -> None:
    text = recording(file_format)
    samples, sample_rate = read_recording(text)
    assert (samples.dtype, sample_rate) == (np.float32, 44_100)
    assert samples.shape[0] == 2 and samples.shape[1] >= 4410
    (note,) = read_request(ask(style_audio=text, tempo=90.0), folder).notes
    assert "recording" in note


def test_ten_seconds_in_the_middle_of_a_recording_are_read() -> None:
    n_samples = 12 * 8000
    samples, sample_rate = read_recording(recording("WAV", n_samples, 8000, "FLOAT"))
    assert samples.shape == (2, 10 * sample_rate)
    first = sample_rate
    assert samples[0, 0] == pytest.approx(0.1 * np.sin(first / 20), abs=1e-6)


def test_an_hour_of_silence_is_not_unpacked() -> None:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 44_100, 1, format="FLAC") as writer:
        for _ in range(60):
            writer.write(np.zeros(60 * 44_100, np.int16))
    samples, _ = read_recording(encoded(file.getvalue()))
    assert samples.shape == (1, 441_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not base64!", "not base64"),
        ("é", "not base64"),
        ("AAA", "not base64"),
        ("", "not an audio file"),
        (encoded(b"hello"), "not an audio file"),
        (encoded(base64.b64decode(recording())[:20]), "not an audio file"),
        (encoded(b"%PDF-1.7 " + os.urandom(1000)), "not an audio file"),
        (recording(n_samples=0), "no sound"),
        (recording(sample_rate=7_999), "7,999 samples a second"),
        (recording(sample_rate=2_000_000_000), "2,000,000,000 samples a second"),
    ],
)
def test_what_is_no_recording_is_refused_and_names_the_field(folder: Path, text: str, words: str) -> None:
    field, message = refusal(ask(style_audio=text), folder)
    assert field == "style_audio"
    assert words in message and "WAV, FLAC, OGG or MP3" in message


def test_a_recording_of_undefined_numbers_is_refused(folder: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.full((100, 2), np.nan), 44_100, format="WAV", subtype="FLOAT")
    assert refusal(ask(style_audio=encoded(file.getvalue())), folder)[0] == "style_audio"


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("slow rain", "Slow Rain"),
        ("don't stop, 120 bpm", "Don't Stop"),
        ("EDM anthem\nwith a drop", "EDM Anthem"),
        ("\n, rain", "Rain"),
        ("?!", "?!"),
        (", ,", "Untitled"),
        ("one two three four five six seven eight", "One Two Three Four Five Six Seven"),
        ("x" * 200, "X" + "x" * 79),
        ("雨の夜", "雨の夜"),
    ],
)
def test_a_title_is_the_begin_of_the_prompt(prompt: str, title: str) -> None:
    assert title_of(replace(ask(), prompt=prompt)) == title
