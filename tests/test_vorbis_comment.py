"""Comments put into FLAC and OGG files that libsndfile wrote, read back by mutagen and libsndfile."""

import io

import mutagen.flac
import mutagen.oggvorbis
import numpy as np
import pytest
import soundfile

from musicgen.vorbis_comment import OggTagger, tag_flac

N_SAMPLES = 30_011


def encode(container: str) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(2).uniform(-0.1, 0.1, (N_SAMPLES, 2))
    soundfile.write(file, noise, 44_100, format=container)
    return file.getvalue()


@pytest.fixture(scope="module")
def ogg() -> bytes:
    return encode("OGG")


@pytest.fixture(scope="module")
def flac() -> bytes:
    return encode("FLAC")


def tag_ogg(file: bytes, fields: dict[str, str], piece_length: int = 1_000) -> bytes:
    tagger = OggTagger(fields)
    return b"".join(tagger.tag(file[start : start + piece_length]) for start in range(0, len(file), piece_length))


FIELDS = [
    {},
    {"TITLE": "Night Train"},
    {"PROMPT": "東京 😀\nsecond line", "EMPTY": ""},
    # On both sides of what fits into one OGG page beside the setup header, and many pages.
    *({"PROMPT": "x" * length} for length in (250, 255, 256, 50_000, 60_000, 61_000, 65_000, 65_025, 65_100, 300_000)),
]


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: str(sum(map(len, fields.values()))))
def test_ogg_keeps_fields_and_sound(ogg: bytes, fields: dict[str, str]) -> None:
    tagged = tag_ogg(ogg, fields)
    found = mutagen.oggvorbis.OggVorbis(io.BytesIO(tagged))
    assert dict(found.tags.as_dict()) == {name.lower(): [text] for name, text in fields.items()}
    assert found.info.length == N_SAMPLES / 44_100
    # libsndfile checks the sum of every page and drops those that fail.
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(tagged))[0], soundfile.read(io.BytesIO(ogg))[0])


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: str(sum(map(len, fields.values()))))
def test_flac_keeps_fields_and_sound(flac: bytes, fields: dict[str, str]) -> None:
    tagged = tag_flac(flac, fields)
    found = mutagen.flac.FLAC(io.BytesIO(tagged))
    assert dict(found.tags.as_dict()) == {name.lower(): [text] for name, text in fields.items()}
    assert found.info.total_samples == N_SAMPLES
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(tagged))[0], soundfile.read(io.BytesIO(flac))[0])


def test_ogg_pages_are_whole(ogg: bytes) -> None:
    file = io.BytesIO(tag_ogg(ogg, {"PROMPT": "x" * 100_000}))
    pages = []
    while file.tell() < len(file.getvalue()):
        pages.append(mutagen.ogg.OggPage(file))
    assert [page.sequence for page in pages] == list(range(len(pages)))
    assert len({page.serial for page in pages}) == 1
    assert pages[0].first and pages[-1].last
    start = 0
    for page in pages:
        # mutagen computes the sum anew when it writes.
        assert page.write() == file.getvalue()[start : start + page.size]
        start += page.size


def test_the_vendor_stays(ogg: bytes, flac: bytes) -> None:
    assert "libVorbis" in mutagen.oggvorbis.OggVorbis(io.BytesIO(tag_ogg(ogg, {}))).tags.vendor
    assert "libFLAC" in mutagen.flac.FLAC(io.BytesIO(tag_flac(flac, {}))).tags.vendor


def test_ogg_no_longer_depends_on_the_clock() -> None:
    assert tag_ogg(encode("OGG"), {"TITLE": "a"}) == tag_ogg(encode("OGG"), {"TITLE": "a"})


@pytest.mark.parametrize("piece_length", [1, 26, 27, 28, 4_000, 10**9])
def test_the_pieces_that_a_stream_comes_in_make_no_difference(ogg: bytes, piece_length: int) -> None:
    fields = {"PROMPT": "x" * 70_000}
    assert tag_ogg(ogg, fields, piece_length) == tag_ogg(ogg, fields)
