"""The files that DiffRhythm needs and nobody may ship: where they lie, where they come from, what to say without them.

Does not read them. In MUSICGEN_WEIGHTS_DIR/diffrhythm each repository of the Hugging Face hub has a folder of its own
name, with the files as the hub has them; two assets of the source repository lie beside the folders:

    DiffRhythm-1_2/cfm_model.pt           network, 95 s                     Apache-2.0
    DiffRhythm-1_2-full/cfm_model.pt      network, 96 to 285 s              Apache-2.0
    DiffRhythm-vae/vae_model.pt           sound codec                       Stability AI Community License
    MuQ-MuLan-large/config.json           style encoder, whose weights      CC-BY-NC 4.0
    MuQ-MuLan-large/pytorch_model.bin       hold those of its back bones
    MuQ-large-msd-iter/config.json        shape of its audio back bone      CC-BY-NC 4.0
    xlm-roberta-base/config.json          shape of its text back bone       MIT
    xlm-roberta-base/tokenizer.json       words to token ids                MIT
    vocal.npy                             the negative style                Apache-2.0
    vocab.json                            phones to token ids               MIT
"""

from dataclasses import dataclass
from pathlib import Path

from musicgen.errors import EngineUnavailable

ENGINE_NAME = "diffrhythm"
INSTALL_EXTRA = "pip install 'musicgen[diffrhythm]'"
FETCH_COMMAND = f"flask models fetch {ENGINE_NAME}"
SOURCE_COMMIT = "28ad63c0f096fe2ee258bcabbcf081d5d9366afd"  # of github.com/ASLP-lab/DiffRhythm

APACHE = "Apache-2.0"
STABILITY = "Stability AI Community License"
NON_COMMERCIAL = "CC-BY-NC 4.0"
MIT = "MIT"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file that a person downloads.

    Attributes:
        repository: owner/name, on the hub or, where `source_path` is set, on GitHub.
        name: of the file, on the hub and here.
        licence: its short name.
        source_path: where the file lies in a GitHub repository; None for the files of the hub.
    """

    repository: str
    name: str
    licence: str
    source_path: str | None = None

    def path_in(self, folder: Path) -> Path:
        """Say where the file lies in the engine's weights folder."""
        if self.source_path is not None:
            return folder / self.name
        return folder / self.repository.split("/")[-1] / self.name

    @property
    def page(self) -> str:
        """Say on which page a person finds the file."""
        if self.source_path is not None:
            return f"github.com/{self.repository}/blob/{SOURCE_COMMIT[:7]}/{self.source_path}"
        return f"huggingface.co/{self.repository}"

    @property
    def origin(self) -> str:
        """Say where a person finds the file."""
        if self.source_path is not None:
            return f"{self.source_path} of github.com/{self.repository}"
        return f"{self.name} of huggingface.co/{self.repository}"


BASE_NETWORK = WeightsFile("ASLP-lab/DiffRhythm-1_2", "cfm_model.pt", APACHE)
FULL_NETWORK = WeightsFile("ASLP-lab/DiffRhythm-1_2-full", "cfm_model.pt", APACHE)
VAE = WeightsFile("ASLP-lab/DiffRhythm-vae", "vae_model.pt", STABILITY)
STYLE_CONFIG = WeightsFile("OpenMuQ/MuQ-MuLan-large", "config.json", NON_COMMERCIAL)
STYLE_WEIGHTS = WeightsFile("OpenMuQ/MuQ-MuLan-large", "pytorch_model.bin", NON_COMMERCIAL)
LISTENER_CONFIG = WeightsFile("OpenMuQ/MuQ-large-msd-iter", "config.json", NON_COMMERCIAL)
READER_CONFIG = WeightsFile("FacebookAI/xlm-roberta-base", "config.json", MIT)
TOKENIZER = WeightsFile("FacebookAI/xlm-roberta-base", "tokenizer.json", MIT)
NEGATIVE_STYLE = WeightsFile("ASLP-lab/DiffRhythm", "vocal.npy", APACHE, "infer/example/vocal.npy")
VOCABULARY = WeightsFile("ASLP-lab/DiffRhythm", "vocab.json", MIT, "g2p/g2p/vocab.json")

# One of the networks is enough; all of the others are needed.
NETWORKS = (BASE_NETWORK, FULL_NETWORK)
OTHER_FILES = (
    VAE,
    STYLE_CONFIG,
    STYLE_WEIGHTS,
    LISTENER_CONFIG,
    READER_CONFIG,
    TOKENIZER,
    NEGATIVE_STYLE,
    VOCABULARY,
)
FILES = (*NETWORKS, *OTHER_FILES)


def local_path(folder: Path, file: WeightsFile) -> Path | None:
    """Return where the file is on this machine, in `folder` or in huggingface_hub's cache; None where it is not."""
    path = file.path_in(folder)
    return path if path.is_file() else _cached(file)


def is_here(folder: Path, file: WeightsFile) -> bool:
    """Say whether the file is on this machine, see `local_path`."""
    return local_path(folder, file) is not None


def _cached(file: WeightsFile) -> Path | None:
    if file.source_path is not None:
        return None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    path = try_to_load_from_cache(file.repository, file.name)
    return Path(path) if isinstance(path, str) else None


def find_file(folder: Path, file: WeightsFile) -> Path:
    """Return the file's path, see `local_path`. Never downloads: its licence is for a person to agree to.

    Args:
        folder: MUSICGEN_WEIGHTS_DIR/diffrhythm.

    Raises:
        EngineUnavailable: it is not there; says what it is, where it belongs and which command gets it.
    """
    path = local_path(folder, file)
    if path is not None:
        return path
    place = f"MUSICGEN_WEIGHTS_DIR/{ENGINE_NAME}/{file.path_in(Path()).as_posix()}"
    raise EngineUnavailable(
        ENGINE_NAME, f"{place} is missing; it is {file.origin} ({file.licence}). `{FETCH_COMMAND}` gets it."
    )


def unusable(path: Path, reason: str) -> EngineUnavailable:
    """Make the error for a file that is there and is not what it should be."""
    return EngineUnavailable(ENGINE_NAME, f"{path.parent.name}/{path.name} cannot be used: {reason}")
