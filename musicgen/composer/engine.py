"""The composer as an engine: a composition, played, mixed and mastered, with its MIDI file."""

from collections.abc import Iterable

from musicgen.composer.card import CARD, SOUND_FONTS
from musicgen.composer.composition import compose, decide, describe, understood
from musicgen.composer.midi import write_midi
from musicgen.composer.music_xml import write_music_xml
from musicgen.composer.plan_document import write_document
from musicgen.composer.sound.mastering import master
from musicgen.composer.sound.mixing import render_score
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.stems import render_stems
from musicgen.engine import OnProgress, PlannedTrack, Rendering
from musicgen.options import GenerationOptions
from musicgen.waveform import AudioStream, Waveform

SAMPLE_RATE = 44_100
# Share of the work that progress reports at the end of each stage: round figures, since lengths and styles differ.
COMPOSED, RENDERED = 0.15, 0.85


class ComposerEngine:
    """The built-in engine; see `musicgen.engine.Engine`."""

    name = CARD.name
    sample_rate = SAMPLE_RATE

    def __init__(self) -> None:
        self._sampler: Sampler | None = None

    def load(self, device: str) -> None:
        """Read the sound font; its notes are rendered on the processor as they are needed, whatever `device` is."""
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
        composition = compose(options)
        on_progress("render", COMPOSED)
        mix = render_score(
            composition.score,
            self._sampler,
            options.seed,
            lambda done: on_progress("render", COMPOSED + done * (RENDERED - COMPOSED)),
        )
        on_progress("master", RENDERED)
        waveform = master(mix.waveform)
        on_progress("master", 1.0)
        stems: Iterable[tuple[str, Waveform]] = ()
        if options.stems:
            stems = render_stems(composition.score, self._sampler, mix.sum_peak, lambda: on_progress("stems", 1.0))
        plan = composition.plan
        return Rendering(
            audio=AudioStream.of(waveform),
            title=composition.brief.title,
            tempo=plan.tempo,
            key=str(plan.key),
            time_signature=str(plan.time_signature),
            midi=write_midi(composition.score, composition.brief.title),
            understanding=describe(composition),
            notes=composition.brief.notes,
            music_xml=write_music_xml(plan, composition.sheet, composition.brief.title),
            plan=write_document(plan, composition.progression),
            stems=stems,
        )
