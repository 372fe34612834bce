"""The arrangement: a plan and a lead sheet become every note of every player.

One module a job: `drums`, `bass` (a change to how bass lines are read goes there, a change to the bass of reggae into
`styles/reggae.toml`), `comping` for rhythm chords and arpeggios, `sustained` for pads, counter-lines and the melody,
`second_line` for a player who joins the melody, `voicing` for how chords are spread, `boundaries` for what all do where
sections meet, `timeline` for who plays when, `performance` for what a human would do to the written notes.
"""

from musicgen.composer.arrangement.band import arrange

__all__ = ["arrange"]
