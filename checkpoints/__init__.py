"""Name or file -> StyleGAN2 generator: network, formats and the bundled default weights."""

from .architecture import Architecture
from .bundled import BUNDLED, DEFAULT
from .checkpoint import Checkpoint, Codes, Motions, load
from .encoder import Encoder
from .errors import (
    CapacityError,
    CheckpointError,
    DamagedFileError,
    DownloadError,
    UnknownModelError,
    UnsupportedModelError,
)
from .labels import parse_label
from .models import backbone
from .network import Generator
from .synthesis import Block, SynthesisNetwork
from .truncated import TruncatedSynthesis, fast_dtype

__all__ = [
    "BUNDLED",
    "DEFAULT",
    "Architecture",
    "Block",
    "CapacityError",
    "Checkpoint",
    "CheckpointError",
    "Codes",
    "DamagedFileError",
    "DownloadError",
    "Encoder",
    "Generator",
    "Motions",
    "SynthesisNetwork",
    "TruncatedSynthesis",
    "UnknownModelError",
    "UnsupportedModelError",
    "backbone",
    "fast_dtype",
    "load",
    "parse_label",
]
