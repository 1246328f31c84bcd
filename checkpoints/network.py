"""A StyleGAN2 generator (Karras et al. 2020, arXiv 1912.04958) with NVIDIA's tensor names and semantics."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .architecture import Architecture
from .errors import CheckpointError
from .mapping import MappingNetwork
from .memory import require_memory, synthesis_bytes
from .synthesis import NoiseMode, SynthesisNetwork


class Generator(nn.Module):
    """z -> ws -> image, features and partial images. Tensors in and out are float32.

    `mapping_network` and `synthesis_network` are the two modules; their parameters are named as in NVIDIA's
    files once `mapping_network.` reads `mapping.` and `synthesis_network.` reads `synthesis.` (see
    `state_from_nvidia`).
    """

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.arch = arch
        self.mapping_network: MappingNetwork = MappingNetwork(arch)
        self.synthesis_network = SynthesisNetwork(arch)

    @property
    def z_dim(self) -> int:
        """Length of z."""
        return self.arch.z_dim

    @property
    def w_dim(self) -> int:
        """Length of one style vector w."""
        return self.arch.w_dim

    @property
    def c_dim(self) -> int:
        """Length of the label, 0 for an unconditional generator."""
        return self.arch.c_dim

    @property
    def num_ws(self) -> int:
        """Number of style vectors in W+."""
        return self.arch.num_ws

    @property
    def resolution(self) -> int:
        """Height and width of the full image in pixels."""
        return self.arch.resolution

    @property
    def channels(self) -> Mapping[int, int]:
        """Feature channels of each block, by resolution."""
        return self.arch.channels

    @property
    def w_avg(self) -> Tensor:
        """Mean of w over z [w_dim]."""
        return self.mapping_network.w_avg

    def mapping(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """z [N, z_dim] ~ N(0, 1) and label [N, c_dim] (conditional generators alone) -> ws [N, num_ws,
        w_dim].

        truncation: psi of the truncation trick, 1 = none, 0 = always the mean w.
        Raises CheckpointError where a label is missing, superfluous or of another length.
        """
        if z.ndim != 2 or z.shape[1] != self.z_dim:
            raise ValueError(f"z has shape {list(z.shape)}, not [N, {self.z_dim}]")
        self._check_label(label, z.shape[0])
        w: Tensor = self.mapping_network(z, label)
        if truncation != 1.0:
            w = self.w_avg.lerp(w, truncation)
        return w[:, None].expand(-1, self.num_ws, -1).clone()  # [N, num_ws, w_dim]

    @torch.no_grad()
    def mean_w(self, label: Tensor | None = None, *, samples: int = 1024, seed: int = 0) -> Tensor:
        """The mean of w [w_dim] over `samples` random z, for one label [1, c_dim] where conditional.

        `w_avg` is the mean over all labels; this is the place to start from for one of them.
        """
        rng = torch.Generator().manual_seed(seed)
        z = torch.randn(samples, self.z_dim, generator=rng).to(self.w_avg.device)
        labels = None if label is None else label.to(z.device).expand(samples, -1)
        return self.mapping(z, labels)[:, 0].mean(dim=0)

    def synthesis(self, ws: Tensor, noise: NoiseMode = "const") -> Tensor:
        """ws [N, num_ws, w_dim] -> image [N, 3, R, R], about [-1, 1], not clipped."""
        return self.image_at(ws, self.resolution, noise)

    def image_at(self, ws: Tensor, resolution: int, noise: NoiseMode = "const") -> Tensor:
        """The skip sum up to the block of `resolution`: the image at a lower resolution [N, 3, r, r].

        Raises CapacityError where the batch would not fit into memory, before anything is computed.
        """
        self._check_ws(ws, resolution, picture=True)
        image: Tensor = self.synthesis_network(ws, noise, resolution)
        return image

    def features(self, ws: Tensor, upto: int | None = None, noise: NoiseMode = "const") -> dict[int, Tensor]:
        """What each block up to resolution `upto` (default: all) returns, {r: [N, C, r, r]}; no image.

        Raises CapacityError where the batch would not fit into memory, before anything is computed.
        """
        self._check_ws(ws, upto)
        return self.synthesis_network.features(ws, noise, upto)

    def block_ws(self, resolution: int) -> slice:
        """Which of the num_ws feed the block of `resolution`: its convolutions', then its toRGB's."""
        return self.synthesis_network.block_ws(resolution)

    def _check_ws(self, ws: Tensor, upto: int | None, *, picture: bool = False) -> None:
        if ws.ndim != 3 or ws.shape[1:] != (self.num_ws, self.w_dim):
            raise ValueError(f"ws has shape {list(ws.shape)}, not [N, {self.num_ws}, {self.w_dim}]")
        gradients = torch.is_grad_enabled() and (ws.requires_grad or self.synthesis_network.trainable)
        size = synthesis_bytes(self.arch, len(ws), upto=upto, gradients=gradients, picture=picture)
        require_memory(size, ws.device, f"A batch of {ws.shape[0]}")

    def _check_label(self, label: Tensor | None, n: int) -> None:
        if label is None:
            if self.c_dim:
                raise CheckpointError(
                    f"This generator is conditional: give a label of {self.c_dim} numbers "
                    f"(or a class from 0 to {self.c_dim - 1})."
                )
        elif not self.c_dim:
            raise CheckpointError("This generator takes no label; leave the label out.")
        elif tuple(label.shape) != (n, self.c_dim):
            raise CheckpointError(
                f"The label has shape {list(label.shape)}, but this generator needs {[n, self.c_dim]}."
            )


def state_from_nvidia(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under NVIDIA's names -> the state of `Generator`: float32, channels-last copies."""
    state = {}
    for name, tensor in tensors.items():
        head, _, rest = name.partition(".")
        state[f"{head}_network.{rest}"] = own_copy(tensor)
    return state


def own_copy(tensor: Tensor) -> Tensor:
    """A float32 copy, channels-last where it has four dimensions (a third faster on CPUs, measured).

    Copied even where it is float32 already: what a file maps has any alignment, and results should not depend
    on the file's layout (nor break when the file is replaced).
    """
    layout = torch.channels_last if tensor.ndim == 4 else torch.contiguous_format
    return torch.empty_like(tensor, dtype=torch.float32, memory_format=layout).copy_(tensor)


def build_generator(arch: Architecture, tensors: Mapping[str, Tensor], source: str) -> Generator:
    """A frozen generator in eval mode from tensors under NVIDIA's names (float16 or float32; kept as
    float32).

    Nothing is allocated but float32 copies of the tensors. Raises CheckpointError where tensors are missing,
    left over or of a wrong shape; source names the file.
    """
    with torch.device("meta"):
        generator = Generator(arch)
    found = {name: tuple(t.shape) for name, t in tensors.items()}
    check_tensors(found, _nvidia_shapes(generator), source)
    generator.load_state_dict(state_from_nvidia(tensors), assign=True)
    return generator.eval().requires_grad_(False)


def expected_shapes(arch: Architecture) -> dict[str, tuple[int, ...]]:
    """The shapes of a generator's tensors, by NVIDIA's names; allocates nothing."""
    with torch.device("meta"):
        return _nvidia_shapes(Generator(arch))


def _nvidia_shapes(generator: Generator) -> dict[str, tuple[int, ...]]:
    state = generator.state_dict()
    return {name.replace("_network.", ".", 1): tuple(t.shape) for name, t in state.items()}


def check_tensors(
    found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]], source: str
) -> None:
    """Raise CheckpointError at the first difference of names or shapes."""
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    for names, verb in ((missing, "lacks"), (extra, "has the unknown")):
        if names:
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise CheckpointError(
                f"{source} {verb} tensor {names[0]:.100}{others}; use a complete StyleGAN2 generator file."
            )
    for name, shape in expected.items():
        if found[name] != shape:
            raise CheckpointError(
                f"{source} has {name} of shape {list(found[name])} where {list(shape)} fits; take another."
            )
