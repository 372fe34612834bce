"""What can go wrong, in the domain's words.

Every failure that a caller can act on is a subclass of `MusicgenError` that carries its data. Nothing here knows
HTTP or exit codes: `web/error_handlers.py` and `cli.py` translate, each in one place.
"""


class MusicgenError(Exception):
    """A failure with a message meant for the person who made the request."""


class InvalidOptions(MusicgenError):
    """A request asks for something that cannot be done; `errors` maps the field's name to its messages."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        self.errors = errors
        super().__init__(" ".join(f"{field}: {text}" for field, texts in errors.items() for text in texts))


class TrackNotFound(MusicgenError):
    """No track has the id `track_id`."""

    def __init__(self, track_id: str) -> None:
        self.track_id = track_id
        super().__init__(f"There is no track {track_id!r}.")


class EngineUnavailable(MusicgenError):
    """The engine `name` exists but cannot run here, for `reason`."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"The engine {name!r} is not ready: {reason}")


class DeviceUnavailable(MusicgenError):
    """The torch device `device` was asked for and this machine does not have it."""

    def __init__(self, device: str, available: list[str]) -> None:
        self.device = device
        self.available = available
        super().__init__(
            f"The device {device!r} is not available here; set MUSICGEN_DEVICE to auto or {', '.join(available)}."
        )


class GenerationBusy(MusicgenError):
    """The worker generates and its waiting line is full; try again in `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"All generators are busy and the waiting line is full. Try again in {retry_after_s} s.")


class RequestKeyReused(MusicgenError):
    """The Idempotency-Key `key` stands for another request."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"The Idempotency-Key {key!r} came with another request before. Send this one with a new key.")


class RequestStillRunning(MusicgenError):
    """The request with the Idempotency-Key `key` is being worked on; ask again in `retry_after_s` seconds."""

    def __init__(self, key: str, retry_after_s: int) -> None:
        self.key = key
        self.retry_after_s = retry_after_s
        super().__init__(
            f"The first request with the Idempotency-Key {key!r} is still being worked on. "
            f"Ask again in {retry_after_s} s for its track."
        )


class SoundNotKept(MusicgenError):
    """A lossless file of the track `track_id` was not kept and cannot be made again, because of `reason`."""

    def __init__(self, track_id: str, reason: str, kept: str) -> None:
        self.track_id = track_id
        super().__init__(f"No lossless file of the track {track_id!r} was kept, and {reason}. There is: {kept}.")


class StorageFull(MusicgenError):
    """The output folder's disk has less free space than the operator wants kept."""


class GenerationCancelled(MusicgenError):
    """The person who asked for the generation no longer wants it."""


class GenerationFailed(MusicgenError):
    """A generation ended without a track; `job_id` names the record that holds the reason."""

    def __init__(self, job_id: str, reason: str) -> None:
        self.job_id = job_id
        self.reason = reason
        super().__init__(f"The track could not be generated: {reason} (job {job_id})")


class DatabaseUnavailable(MusicgenError):
    """The database cannot be used, for `reason`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The database cannot be used: {reason}")
