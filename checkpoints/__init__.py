"""From a name or a file to a StyleGAN2 generator.

    checkpoint = load("face128")                  # or a safetensors, `.pkl` or `.pt` file
    latent = checkpoint.encoder(picture)          # W+ `[N, num_ws, w_dim]`; some checkpoints have no encoder
    picture = checkpoint.generator.synthesis(latent)

Pictures are `[N, 3, R, R]` float32 in [-1, 1]. No code in a file is run, and loading downloads nothing.
"""

from typing import TYPE_CHECKING

from checkpoints.lazy import names_from

if TYPE_CHECKING:
    from .architecture import Architecture
    from .bundled import BUNDLED, DEFAULT
    from .checkpoint import Checkpoint, Codes, Motions, load
    from .drawing import Drawer
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
    "Drawer",
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

_HOMES = {
    ".architecture": "Architecture",
    ".bundled": "BUNDLED DEFAULT",
    ".checkpoint": "Checkpoint Codes Motions load",
    ".drawing": "Drawer",
    ".encoder": "Encoder",
    ".errors": "CapacityError CheckpointError DamagedFileError DownloadError UnknownModelError "
    "UnsupportedModelError",
    ".labels": "parse_label",
    ".models": "backbone",
    ".network": "Generator",
    ".synthesis": "Block SynthesisNetwork",
    ".truncated": "TruncatedSynthesis fast_dtype",
}
"""The names of each module, which is imported when one of them is first asked for: errors and settings are
there without torch."""

if not TYPE_CHECKING:
    __getattr__, __dir__ = names_from(__name__, _HOMES)
