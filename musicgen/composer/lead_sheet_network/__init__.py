"""Writes lead sheets, chords and melody, section by section, with a small transformer. See weights/MODEL_CARD.md."""
