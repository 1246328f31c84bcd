"""NVIDIA's PyTorch generators (stylegan2-ada-pytorch, and the StyleGAN2 of the stylegan3 repository)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..architecture import Architecture, infer_architecture
from ..errors import UnsupportedModelError
from .networks import Network, TensorReader, as_mapping
from .refusals import refuse_oblong

_SKIPPED = ("num_batches_tracked",)


def matches(network: Network) -> bool:
    """Whether the tensors have NVIDIA's names."""
    return "synthesis.b4.const" in network.tensors


def read(network: Network, read_tensor: TensorReader) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The generator's tensors under NVIDIA's names, and its arguments."""
    arguments = stored_arguments(network)
    arch = infer_architecture(network.shapes, arguments, "it")
    _check_shape(network, arch)
    tensors = {
        name: read_tensor(tensor)
        for name, tensor in network.tensors.items()
        if name.startswith(("mapping.", "synthesis.")) and not name.endswith(_SKIPPED)
    }
    return {**silent_noise(network.tensors, arch), **tensors}, arguments


def stored_arguments(network: Network) -> dict[str, Any]:
    """Constructor arguments, corrected by what the layers themselves remember."""
    arguments: dict[str, Any] = {}
    root = network.attributes.get("", {})
    stored = as_mapping(root.get("_init_kwargs")) or {}
    for group in (
        stored,
        as_mapping(stored.get("mapping_kwargs")),
        as_mapping(stored.get("synthesis_kwargs")),
    ):
        arguments.update((key, value) for key, value in (group or {}).items() if _plain(value))
    for module, attribute, name in (
        ("synthesis.b4.conv1", "conv_clamp", "conv_clamp"),
        ("synthesis.b4.conv1", "activation", "activation"),
        ("synthesis.b4", "architecture", "architecture"),
        ("mapping.fc0", "bias_gain", "mapping_lr_multiplier"),
    ):
        state = network.attributes.get(module, {})
        if attribute in state and _plain(state[attribute]):
            arguments[name] = state[attribute]
    return arguments


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _check_shape(network: Network, arch: Architecture) -> None:
    """Refuse pictures that are not square, and layers that differ in what must be the same for all."""
    refuse_oblong(network.tensors["synthesis.b4.const"].shape, len(arch.channels))
    clamps = {
        state["conv_clamp"]
        for module, state in network.attributes.items()
        if module.startswith("synthesis.b") and _plain(state.get("conv_clamp", []))
    }
    if len(clamps) > 1:
        raise UnsupportedModelError(f"its layers clamp at different values ({clamps}); use another generator")


def silent_noise(names: Mapping[str, object], arch: Architecture) -> dict[str, Tensor]:
    """Noise of strength zero for a generator that was trained without noise inputs and stores none."""
    if "synthesis.b4.conv1.noise_strength" in names:
        return {}
    tensors: dict[str, Tensor] = {}
    for resolution in arch.channels:
        for layer in ("conv1",) if resolution == 4 else ("conv0", "conv1"):
            prefix = f"synthesis.b{resolution}.{layer}"
            tensors[f"{prefix}.noise_const"] = torch.zeros(resolution, resolution)
            tensors[f"{prefix}.noise_strength"] = torch.zeros(())
    return tensors
