"""TensorFlow pickles of 2019/2020 (`dnnlib.tflib.network.Network`): StyleGAN2 is converted, StyleGAN1
refused.

The networks are the same as NVIDIA's later PyTorch ones. Variables have other names; kernels are stored as
[height, width, in, out]; the kernel of the upsampling convolution is mirrored, because TensorFlow's version
applied it as a correlation to the zero-filled input; and a style's bias is stored without the 1 that is added
to it.
"""

import math
import re
from typing import Any, Final

import torch
from torch import Tensor

from ..errors import DamagedFileError, UnsupportedModelError
from ..inert.tensors import MAX_DIMENSIONS, LazyTensor, Storage, describe_tensor
from ..inert.torchfile import as_bytes
from ..inert.values import Call, Global
from .networks import TensorReader, as_mapping, class_name
from .refusals import refuse_oblong

_DENSE: Final = re.compile(r"mapping/Dense(\d{1,4})/(weight|bias)")
_NOISE: Final = re.compile(r"synthesis/noise(\d{1,4})")
_LAYER: Final = re.compile(r"synthesis/(\d{1,4})x\1/(Conv|Conv0_up|Conv1|ToRGB)/(\w+)")
_LAYERS: Final = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb"}
_PARTS: Final = {
    "weight": "weight",
    "bias": "bias",
    "mod_weight": "affine.weight",
    "mod_bias": "affine.bias",
    "noise_strength": "noise_strength",
}
_DTYPES: Final = {"f2": torch.float16, "f4": torch.float32, "f8": torch.float64}


def matches(root: Any) -> bool:
    """Whether a pickle's value is a TensorFlow network, or a collection with one."""
    return _find(root) is not None


def _find(root: Any) -> Call | None:
    """The averaged generator: the last network of a tuple (G, D, Gs), or the one under that name."""
    values = [root]
    if isinstance(root, tuple | list):
        values = list(root[:8])
    elif mapping := as_mapping(root):
        values = [mapping[name] for name in ("G", "D", "Gs", "G_ema") if name in mapping]
    networks = [value for value in values if class_name(value).endswith("network.Network")]
    return networks[-1] if networks else None


def read(root: Any, read_tensor: TensorReader) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The generator's tensors under NVIDIA's PyTorch names, and its arguments. Raises CheckpointError."""
    network = _find(root)
    variables, arguments = _collect(network)
    if any("StyleMod" in name or name.endswith("Const/Bias") for name in variables):
        raise UnsupportedModelError(
            "it is a StyleGAN1 generator, which has no skip outputs to drag with; use a StyleGAN2 one"
        )
    if not any(name.endswith("4x4/Const/const") for name in variables):
        raise UnsupportedModelError(
            "it is a TensorFlow network, but no StyleGAN2 generator; use a StyleGAN2 checkpoint"
        )
    if any("Label" in name for name in variables):
        raise UnsupportedModelError(
            "it is a conditional TensorFlow generator; convert it with NVIDIA's legacy.py first"
        )
    tensors: dict[str, Tensor] = {}
    for name, lazy in variables.items():
        converted = _convert(name, lazy, read_tensor)
        if converted is not None:
            tensors[converted[0]] = converted[1]
    if "synthesis.b4.const" not in tensors:
        raise UnsupportedModelError(
            "it is a TensorFlow network without StyleGAN2's constant; use another file"
        )
    blocks = sum(re.fullmatch(r"synthesis\.b\d+\.conv1\.weight", name) is not None for name in tensors)
    refuse_oblong(tensors["synthesis.b4.const"].shape, blocks)
    _add_filters(tensors, arguments.get("resample_kernel", [1, 3, 3, 1]))
    kept = ("architecture", "conv_clamp")
    return tensors, {name: arguments[name] for name in kept if name in arguments}


def _collect(network: Any) -> tuple[dict[str, LazyTensor], dict[str, Any]]:
    """Variables of the network and its components (`mapping/...`, `synthesis/...`), and arguments."""
    state = as_mapping(getattr(network, "state", None))
    if state is None:
        raise DamagedFileError("it is a TensorFlow network without its state")
    variables: dict[str, LazyTensor] = {}
    arguments = dict(as_mapping(state.get("static_kwargs")) or {})
    parts = {"": state}
    for name, component in (as_mapping(state.get("components")) or {}).items():
        inner = as_mapping(getattr(component, "state", None))
        if inner is not None:
            parts[f"{name}/"] = inner
            arguments.update(as_mapping(inner.get("static_kwargs")) or {})
    for prefix, part in parts.items():
        pairs = part.get("variables")
        for pair in pairs if isinstance(pairs, list) else []:
            if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str):
                array = _array(pair[1])
                if array is not None:
                    variables[prefix + pair[0]] = array
    return variables, arguments


def _convert(name: str, lazy: LazyTensor, read_tensor: TensorReader) -> tuple[str, Tensor] | None:
    """NVIDIA's PyTorch name and tensor of a variable, or None where the generator has no such thing."""
    if name == "dlatent_avg":
        return "mapping.w_avg", read_tensor(lazy).float()
    if match := _DENSE.fullmatch(name):
        return f"mapping.fc{match[1]}.{match[2]}", _turned(read_tensor(lazy).float())
    if match := _NOISE.fullmatch(name):
        index = min(int(match[1]), 32)
        resolution = 4 << (index + 1) // 2
        tensor = read_tensor(lazy, 4).float()
        return f"synthesis.b{resolution}.conv{(index + 1) % 2}.noise_const", tensor[0, 0].clone()
    if name == "synthesis/4x4/Const/const":
        return "synthesis.b4.const", read_tensor(lazy).float().squeeze(0)
    match = _LAYER.fullmatch(name)
    if not match or match[3] not in _PARTS:
        return None
    kernel = match[3] == "weight"
    tensor = _turned(read_tensor(lazy, *((4,) if kernel else (0, 1, 2))).float())
    if match[2] == "Conv0_up" and kernel:
        tensor = tensor.flip(2, 3)
    if match[3] == "mod_bias":
        tensor = tensor + 1
    return f"synthesis.b{match[1]}.{_LAYERS[match[2]]}.{_PARTS[match[3]]}", tensor.contiguous()


def _turned(tensor: Tensor) -> Tensor:
    """From TensorFlow's order of axes ([in, out] and [height, width, in, out]) to ours."""
    if tensor.ndim == 2:
        return tensor.t().contiguous()
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor


def _add_filters(tensors: dict[str, Tensor], taps: Any) -> None:
    if not isinstance(taps, list | tuple) or not 0 < len(taps) < 16:
        raise DamagedFileError("its low-pass filter is no list of numbers")
    row = torch.tensor([float(t) if isinstance(t, int | float) else math.nan for t in taps])
    fir = torch.outer(row, row)
    fir = fir / fir.sum()
    prefixes = {name.rsplit(".", 1)[0] for name in tensors if name.endswith("noise_strength")}
    prefixes |= {prefix.rsplit(".", 1)[0] for prefix in prefixes}
    tensors.update({f"{prefix}.resample_filter": fir for prefix in prefixes})


def _array(value: Any) -> LazyTensor | None:
    """A NumPy array or scalar of floats in a pickle; None for anything else."""
    if not isinstance(value, Call) or not isinstance(value.function, Global):
        return None
    if not value.function.module.endswith(("core.multiarray", "core.numeric")):
        return None
    if value.function.name == "scalar" and isinstance(value.args, tuple) and len(value.args) == 2:
        dtype, data = value.args
        shape: tuple[Any, ...] = ()
        fortran = False
    elif value.function.name == "_reconstruct" and isinstance(value.state, tuple) and len(value.state) == 5:
        _, shape, dtype, fortran, data = value.state
    else:
        return None
    kind = _dtype(dtype)
    if kind is None or not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS:
        return None
    if not all(type(n) is int and 0 <= n < 1 << 48 for n in shape):
        return None
    order = range(len(shape)) if fortran else range(len(shape) - 1, -1, -1)
    strides, step = [0] * len(shape), 1
    for axis in order:
        strides[axis] = step
        step *= shape[axis]
    return describe_tensor(Storage(kind, as_bytes(data)), 0, shape, tuple(strides))


def _dtype(value: Any) -> torch.dtype | None:
    if not isinstance(value, Call) or value.function != Global("numpy", "dtype"):
        return None
    name = value.args[0] if isinstance(value.args, tuple) and value.args else None
    order = value.state[1] if isinstance(value.state, tuple) and len(value.state) > 1 else "<"
    if order == ">":
        raise UnsupportedModelError("it was saved on a big-endian machine; save it again on a common one")
    return _DTYPES.get(name) if isinstance(name, str) else None
