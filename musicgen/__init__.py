"""musicgen: a text prompt becomes a finished music track, on your own machine."""

__version__ = "0.1.0"
