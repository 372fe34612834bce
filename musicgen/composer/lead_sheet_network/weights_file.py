"""The weights file: safetensors with the network's shape and the ranking targets in its header.

Matrices are kept as int8 with one float32 scale a row, so that each row's largest weight is 127; what has one dimension
is kept as float16. Knows nothing of how the weights are used.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from musicgen.composer.lead_sheet_network.network import NetworkShape

Targets = Mapping[str, Mapping[str, Sequence[float]]]  # style -> figure -> (mean, standard deviation)
SCALE = ".scale"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """What the file holds.

    Attributes:
        shape: of the network.
        weights: by name, float32.
        targets: the figures of people's sections, by which candidates are ranked.
    """

    shape: NetworkShape
    weights: Mapping[str, NDArray[np.float32]]
    targets: Targets

    @classmethod
    def load(cls, path: Path) -> "WeightsFile":
        """Read a weights file.

        Raises:
            FileNotFoundError: there is no such file.
        """
        with safe_open(str(path), framework="np") as file:
            header = file.metadata()
            stored = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        shape = NetworkShape(*(int(header[name]) for name in ("channels", "layers", "heads")))
        weights = {name: values for name, values in stored.items() if not name.endswith(SCALE)}
        for name, values in weights.items():
            if name + SCALE in stored:
                values *= stored[name + SCALE][:, None]
        return cls(shape, weights, json.loads(header["targets"]))

    def save(self, path: Path) -> None:
        """Write the file, matrices rounded to int8."""
        stored: dict[str, NDArray[np.generic]] = {}
        for name, values in self.weights.items():
            if values.ndim == 2:
                scale = np.maximum(np.abs(values).max(axis=1), 1e-12) / 127
                stored[name] = np.rint(values / scale[:, None]).astype(np.int8)
                stored[name + SCALE] = scale.astype(np.float32)
            else:
                stored[name] = values.astype(np.float16)
        save_file(stored, str(path), self.shape.as_metadata() | {"targets": json.dumps(self.targets)})
