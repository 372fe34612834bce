"""Which torch device this machine has. Imports torch only where it may have more than a processor."""

import importlib.metadata

from musicgen.errors import DeviceUnavailable


def pick_device(wanted: str) -> str:
    """Name the torch device for MUSICGEN_DEVICE: "cuda", "mps" or "cpu".

    Raises:
        DeviceUnavailable: this machine does not have the wanted one.
    """
    # The processor is always there; seconds of importing torch would only confirm it.
    if wanted == "cpu" or (wanted == "auto" and _torch_is_for_cpu_only()):
        return "cpu"
    import torch

    is_present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    available = [device for device, present in is_present.items() if present]
    if wanted == "auto":
        return available[0]
    if wanted not in available:
        raise DeviceUnavailable(wanted, available)
    return wanted


def _torch_is_for_cpu_only() -> bool:
    """Whether the installed torch is a build without accelerators, which its version says without importing it."""
    return importlib.metadata.version("torch").endswith("+cpu")
