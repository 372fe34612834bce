"""Files of a track that are made when somebody first asks for them: other audio formats, peaks, pictures.

A file once made stays beside the others and goes with its track. Knows neither HTTP nor how anything is encoded or
drawn.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from musicgen import __version__, track_files
from musicgen.audio_export import AUDIO_FORMATS, convert_audio
from musicgen.database import Track, db, ensure_prepared
from musicgen.digests import sha256
from musicgen.errors import InvalidOptions, SoundNotKept, TrackNotFound
from musicgen.follow_ups import asked_of
from musicgen.music_model import music_model
from musicgen.options import GenerationOptions
from musicgen.sound_pictures import draw_spectrogram, draw_waveform
from musicgen.stage_watch import StageWatch
from musicgen.track_export import export_track, tags_of
from musicgen.waveform_peaks import peaks_document, read_outline

# What a track is edited in.
LOSSLESS = "wav"
PEAKS, WAVEFORM, SPECTROGRAM = "peaks.json", "waveform.png", "spectrogram.png"

_FILE_NAME = re.compile(r"([0-9a-f]{32})\.(.+)")


def _peaks(path: Path) -> bytes:
    return json.dumps(peaks_document(read_outline(path)), separators=(",", ":")).encode()


# What shows a track's sound: how the file's name ends, and what makes its content of an audio file.
VIEWS: Mapping[str, Callable[[Path], bytes]] = {
    PEAKS: _peaks,
    WAVEFORM: draw_waveform,
    SPECTROGRAM: draw_spectrogram,
}


def formats_of(track: Track) -> dict[str, str]:
    """Return format -> file name of everything that can be had: the files that exist, and what can be made of them."""
    folder = track_files.output_dir()
    names = {name: track_files.file_name(track.id, name) for name in AUDIO_FORMATS} | track.formats
    return {
        name: file_name
        for name, file_name in names.items()
        if (folder / file_name).is_file() or (name in AUDIO_FORMATS and _can_be_made(track, name))
    }


def views_of(track: Track) -> dict[str, str]:
    """Return ending -> file name of the peaks and pictures that can be had."""
    return {view: track_files.file_name(track.id, view) for view in VIEWS} if _kept_sound(track) else {}


def with_original(options: GenerationOptions) -> GenerationOptions:
    """Put a lossless file of the track that `options` edit into them; other options stay as they are.

    Raises:
        TrackNotFound: it has been deleted.
        SoundNotKept, StorageFull, EngineUnavailable, DeviceUnavailable, GenerationBusy: see `make`.
    """
    if options.of is None:
        return options
    track = _done_track(options.of)
    if track is None:
        raise TrackNotFound(options.of)
    kept = _kept_sound(track, lossless=True)
    if kept is None:
        name = track_files.file_name(track.id, LOSSLESS)
        make(name)
        kept = track_files.output_dir() / name
    if not kept.is_file():
        raise SoundNotKept(track.id, "its files are gone", "nothing")
    return replace(options, original=str(kept))


def make(file_name: str) -> None:
    """Make a file that is asked for, if it is one that can be made; otherwise, or where it exists, do nothing.

    Where two ask at once, in whichever processes, the second waits and finds it made.

    Raises:
        SoundNotKept: it is a lossless format, of which there is no way to make it.
        StorageFull: there is no room for it.
        EngineUnavailable, DeviceUnavailable, GenerationBusy: the sound would have to be made again, and cannot now.
    """
    match = _FILE_NAME.fullmatch(file_name)
    kind = match[2] if match else ""
    if not match or (kind not in AUDIO_FORMATS and kind not in VIEWS):
        return
    path = track_files.output_dir() / file_name
    if path.is_file():
        return
    track = _done_track(match[1])
    if track is None or not _kept_sound(track):
        return
    track_files.check_free_space()
    with _lock(track.id):
        if path.is_file():
            return
        try:
            _make(track, kind)
        finally:
            # Also those of a process that died here.
            track_files.remove_partial_files(track.id)
    # Whoever deleted the track meanwhile removed what was there at that time.
    if db.session.scalar(sa.select(Track.id).where(Track.id == track.id)) is None:
        track_files.remove_files(track.id)


def _done_track(track_id: str) -> Track | None:
    """Read a track and let go of the database, which must not be held while a file is made."""
    ensure_prepared()
    track = db.session.get(Track, track_id)
    if track is None or track.status != "done":
        return None
    db.session.expunge(track)
    db.session.rollback()
    return track


@contextmanager
def _lock(track_id: str) -> Iterator[None]:
    from filelock import FileLock

    path = track_files.lock_path(track_id)
    with FileLock(path):
        try:
            yield
        finally:
            # Those who wait for it notice that it is another file by now.
            path.unlink(missing_ok=True)


def _make(track: Track, kind: str) -> None:
    partial = track_files.partial_path(track.id, kind)
    source = _kept_sound(track, lossless=kind in AUDIO_FORMATS and AUDIO_FORMATS[kind].lossless)
    if source is None:
        _make_again(track, kind)
    elif kind in VIEWS:
        partial.write_bytes(VIEWS[kind](source))
    else:
        convert_audio(source, partial, tags_of(track, music_model.card(track.model)), kind)
    track_files.complete(partial)


def _kept_sound(track: Track, *, lossless: bool = False) -> Path | None:
    """Find the best file of a track's sound; lossy ones only if stored, for the others are made of these."""
    if track.status != "done":
        return None
    folder = track_files.output_dir()
    names = [name for name, audio_format in AUDIO_FORMATS.items() if audio_format.lossless]
    if not lossless:
        names += [name for name in AUDIO_FORMATS if name in track.formats and name not in names]
    paths = (folder / track_files.file_name(track.id, name) for name in names)
    return next((path for path in paths if path.is_file()), None)


def _can_be_made(track: Track, format: str) -> bool:
    if _kept_sound(track, lossless=AUDIO_FORMATS[format].lossless):
        return True
    return _kept_sound(track) is not None and _why_not_again(track) is None


def _why_not_again(track: Track) -> str | None:
    """Say why the engine cannot make a track's sound again; None where it can."""
    try:
        card = music_model.card(track.model)
    except InvalidOptions:
        return f"the model {track.model} is not here to make it again"
    if track.version != __version__:
        made_by = f"musicgen {track.version}" if track.version else "an earlier musicgen"
        return f"{made_by} made it, of which {__version__} cannot make the same sound"
    if not card.supports_seed:
        return f"{card.name} makes other sound every time"
    reason = music_model.why_not_ready(card) or _why_not_edited(track)
    return f"{card.name} cannot make it again: {reason}" if reason else None


def _why_not_edited(track: Track) -> str | None:
    """Say what an edit misses of the track that it was made of; None for other tracks."""
    track_id = asked_of(track).get("of")
    if track_id is None:
        return None
    original = db.session.get(Track, track_id)
    if original is None:
        return f"the track {track_id!r}, of which it is an edit, has been deleted"
    return None if _can_be_made(original, LOSSLESS) else f"the track {track_id!r}, of which it is an edit, has no sound"


def _make_again(track: Track, format: str) -> None:
    """Make a track's sound once more, and leave it in `format` under its partial name.

    Raises:
        SoundNotKept: it cannot be made, or is not what it was.
    """
    reason = _why_not_again(track)
    if reason:
        raise SoundNotKept(track.id, reason, ", ".join(track.formats))
    main_format = track.main_format or format
    options = with_original(GenerationOptions(**asked_of(track)))
    with music_model.place_in_line(), music_model.generation(options, _ignore) as rendering:
        watch = StageWatch(lambda *_: None)
        # The track may have another title by now, which would make another file. The row is not ours to change: this
        # one is detached from the session.
        track.title = options.title or rendering.title
        paths = export_track(track, rendering, {main_format, format}, music_model.card(track.model), watch).paths
    if sha256(paths[main_format]) != track.sha256:
        reason = f"made again on this machine ({music_model.device}) it does not sound the same to the bit"
        raise SoundNotKept(track.id, reason, ", ".join(track.formats))


def _ignore(_stage: str, _fraction: float) -> None:
    pass
