"""A composition: everything that is decided before a sound is made. prompt -> Brief -> Plan -> LeadSheet -> Score."""

from dataclasses import dataclass, replace
from typing import Any

from musicgen.composer.arrangement import arrange
from musicgen.composer.brief import Brief, understand
from musicgen.composer.checkpoint import checkpoint
from musicgen.composer.extension import extend_document
from musicgen.composer.lead_sheet import LeadSheet, write_lead_sheet
from musicgen.composer.plan import Plan, make_plan
from musicgen.composer.plan_document import read_document
from musicgen.composer.production import changes, produce
from musicgen.composer.progression import Progression, write_progression
from musicgen.composer.score import Score
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions


@dataclass(frozen=True, slots=True)
class Composition:
    """Everything that is decided before a sound is made."""

    brief: Brief
    plan: Plan
    progression: Progression
    sheet: LeadSheet
    score: Score


def decide(options: GenerationOptions) -> tuple[Brief, Plan, Progression]:
    """Read the prompt and plan the piece: as the options' own plan says, or anew. Equal options give equal plans.

    Raises:
        InvalidOptions: the options' plan cannot be played.
    """
    brief = understand(options, {name: style.words for name, style in all_styles().items()})
    document = options.plan
    if options.extends is not None:
        document = extend_document(options.extends, brief, options.duration, _stream(options))
    if document is not None:
        return brief, *read_document(document, brief, options.duration, _stream(options))
    plan = make_plan(brief, options.duration, _stream(options))
    return brief, plan, write_progression(plan, _stream(options))


def compose(options: GenerationOptions) -> Composition:
    """Turn options into a score; equal options give equal scores. There are checkpoints on the way.

    Raises:
        InvalidOptions: the options' plan cannot be played.
    """
    brief, plan, progression = decide(options)
    checkpoint()
    sheet = write_lead_sheet(plan, progression, _stream(options))
    score = arrange(plan, sheet, _stream(options))
    return Composition(brief, plan, progression, sheet, replace(score, mix=produce(score.mix, brief)))


def _stream(options: GenerationOptions) -> str:
    """Name the streams of randomness by seed and prompt, so that two prompts of one style are two pieces."""
    return f"{options.seed}/{options.prompt}"


def describe(composition: Composition) -> dict[str, Any]:
    """Say what was understood and decided, as JSON values: the words, the sections with their chords, the band."""
    plan = composition.plan
    quarter_s = 60 / plan.tempo
    return understood(composition.brief, plan) | {
        "style": plan.style.name,
        "sections": [
            {
                "name": section.name,
                "start_s": round(section.first_bar * plan.time_signature.bar_quarters * quarter_s, 3),
                "bars": section.bars,
                "energy": section.energy,
                "key": str(plan.key_of(section)),
            }
            for section in plan.sections
        ],
        "chords": [
            {"start_s": round(span.onset * quarter_s, 3), "chord_symbol": span.symbol}
            for span in composition.sheet.chords
        ],
        "instruments": [{"name": part.name, "role": part.role} for part in composition.score.parts],
    }


def understood(brief: Brief, plan: Plan) -> dict[str, Any]:
    """Say what was understood, as JSON values: the brief, and what its words change in the mix of the style."""
    return {"brief": asked_for(brief), "mix": changes(plan.style.mix, brief)}


def asked_for(brief: Brief) -> dict[str, Any]:
    """Tell what the prompt and the request asked for, and which words said so; leave out what nobody asked for."""
    sources = {field: source for field, source in brief.sources.items() if source != "default"}
    told = {field: value for field, value in brief.to_json().items() if field in sources or field == "key"}
    return {field: value for field, value in told.items() if value is not None} | {"sources": sources}
