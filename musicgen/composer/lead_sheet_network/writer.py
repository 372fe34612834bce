"""The way in: load the weights once, then ask for sections. Knows nothing of prompts, styles or arrangement."""

import threading
from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import ThreadpoolController

from musicgen.composer.lead_sheet_network.cursor import MELODY_STYLE
from musicgen.composer.lead_sheet_network.figures import rank
from musicgen.composer.lead_sheet_network.network import LeadSheetNetwork
from musicgen.composer.lead_sheet_network.sampling import Sampler, SamplingOptions
from musicgen.composer.lead_sheet_network.section import Section, SectionRequest
from musicgen.composer.lead_sheet_network.weights_file import Targets, WeightsFile

WEIGHTS = Path(__file__).parent / "weights" / "lead_sheets.safetensors"


class LeadSheetWriter:
    """Writes sections of lead sheets, several candidates at a time."""

    def __init__(self, network: LeadSheetNetwork, targets: Targets) -> None:
        self._sampler = Sampler(network)
        self._targets = targets
        self._threads = ThreadpoolController()
        self._alone = threading.Lock()  # the limit on threads holds for the whole process: two would undo each other's

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "LeadSheetWriter":
        """Read a weights file.

        Raises:
            FileNotFoundError: there is no such file.
        """
        file = WeightsFile.load(path)
        return cls(LeadSheetNetwork(file.shape, file.weights), file.targets)

    def write(
        self,
        requests: Sequence[SectionRequest],
        n_candidates: int = 8,
        options: SamplingOptions = SamplingOptions(),  # noqa: B008  frozen
    ) -> list[list[Section]]:
        """Write candidates for every request, the best first.

        Equal arguments give equal sections however many threads numpy may use: sums are made on one, since those of
        several are rounded differently.

        Raises:
            ValueError: a chord has an unknown quality.
        """
        with self._alone, self._threads.limit(limits=1, user_api="blas"):
            drawn = self._sampler.draw(requests, n_candidates, options)
        return [
            rank(sections, self._targets[style_of_targets(request)], request.centre)
            for request, sections in zip(requests, drawn, strict=True)
        ]


def style_of_targets(request: SectionRequest) -> str:
    """Name the style whose figures candidates are ranked by."""
    style = request.controls.style or "pop"
    return MELODY_STYLE.get(style, style)
