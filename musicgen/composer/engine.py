"""The composer as an engine: a composition, played, mixed and mastered, with its MIDI file."""

from collections.abc import Iterator
from functools import partial

from musicgen.composer.card import CARD, SOUND_FONTS
from musicgen.composer.checkpoint import asking
from musicgen.composer.composition import compose, decide, describe, understood
from musicgen.composer.midi import write_midi
from musicgen.composer.music_xml import write_music_xml
from musicgen.composer.plan_document import write_document
from musicgen.composer.score import Score
from musicgen.composer.sound.rendering import TrackAudio
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.stems import render_stems
from musicgen.engine import MIDI_FORMAT, MUSIC_XML_FORMAT, EngineSettings, OnProgress, PlannedTrack, Rendering
from musicgen.options import GenerationOptions
from musicgen.waveform import AudioStream, Waveform

SAMPLE_RATE = 44_100
# Share of the work that progress reports when the notes are written: a round figure, since lengths and styles differ.
COMPOSED = 0.15


class ComposerEngine:
    """The built-in engine; see `musicgen.engine.Engine`."""

    name = CARD.name
    sample_rate = SAMPLE_RATE

    def __init__(self) -> None:
        self._sampler: Sampler | None = None
        self._device = "cpu"

    def load(self, settings: EngineSettings) -> None:
        """Read the sound fonts; notes are rendered on the processor when they are needed, and added up on a device."""
        self._device = settings.device
        self._sampler = Sampler(SOUND_FONTS)

    def plan(self, options: GenerationOptions) -> PlannedTrack:
        """Plan one track; see `musicgen.engine.PlanningEngine`.

        Raises:
            InvalidOptions: the options' plan cannot be played.
        """
        brief, plan, progression = decide(options)
        return PlannedTrack(write_document(plan, progression), brief.title, understood(brief, plan), brief.notes)

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        """Compose, play and master one track.

        Raises:
            InvalidOptions: the options' plan cannot be played.
            RuntimeError: `load` was not called before.
        """
        if self._sampler is None:
            raise RuntimeError("the composer was asked to generate before load()")
        on_progress("compose", 0.0)
        with asking(lambda: on_progress("compose", 0.0)):
            composition = compose(options)
        on_progress("render", COMPOSED)
        audio = TrackAudio(composition.score, self._sampler, options.seed, self._device)
        blocks = audio.blocks(lambda done: on_progress("render", COMPOSED + done * (1 - COMPOSED)))
        plan = composition.plan
        return Rendering(
            audio=AudioStream(audio.n_samples, SAMPLE_RATE, blocks),
            title=composition.brief.title,
            tempo=plan.tempo,
            key=str(plan.key),
            time_signature=str(plan.time_signature),
            scores={
                MIDI_FORMAT: partial(write_midi, composition.score, composition.brief.title),
                MUSIC_XML_FORMAT: partial(write_music_xml, plan, composition.sheet, composition.brief.title),
            },
            understanding=describe(composition),
            notes=composition.brief.notes,
            plan=write_document(plan, composition.progression),
            stems=_stems(composition.score, self._sampler, audio, self._device, on_progress) if options.stems else (),
            loudness=audio.meter.integrated_loudness,
        )


def _stems(
    score: Score, sampler: Sampler, audio: TrackAudio, device: str, on_progress: OnProgress
) -> Iterator[tuple[str, Waveform]]:
    # Begins when the first is taken: then the track's peak is known.
    yield from render_stems(score, sampler, audio.sum_peak, lambda: on_progress("stems", 1.0), device)
