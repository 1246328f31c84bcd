"""Name or file -> StyleGAN2 generator: network, formats and the bundled default weights."""

from .architecture import Architecture
from .checkpoint import BUNDLED, DEFAULT, Checkpoint, Codes, load
from .encoder import Encoder
from .errors import CheckpointError, UnknownModelError
from .network import Generator
from .synthesis import Block, SynthesisNetwork

__all__ = [
    "BUNDLED",
    "DEFAULT",
    "Architecture",
    "Block",
    "Checkpoint",
    "CheckpointError",
    "Codes",
    "Encoder",
    "Generator",
    "SynthesisNetwork",
    "UnknownModelError",
    "load",
]
