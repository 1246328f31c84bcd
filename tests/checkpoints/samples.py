"""Checkpoint files in other people's formats, written from a random generator of ours."""

import argparse
import io
import math
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from checkpoints import Generator

SOURCE = 'raise RuntimeError("embedded source executed")\n'


def nvidia_tensors(generator: Generator) -> dict[str, Tensor]:
    """The generator's tensors under NVIDIA's names."""
    state = generator.state_dict()
    return {name.replace("_network.", ".", 1): t.clone().contiguous() for name, t in state.items()}


@contextmanager
def module(name: str, **content: Any) -> Iterator[types.ModuleType]:
    """A module that exists as long as the context, so that pickle can refer to it."""
    made = types.ModuleType(name)
    parents = [name.rsplit(".", i)[0] for i in range(1, name.count(".") + 1)]
    added = [n for n in [name, *parents] if n not in sys.modules]
    for parent in parents:
        sys.modules.setdefault(parent, types.ModuleType(parent))
    sys.modules[name] = made
    for key, value in content.items():
        if isinstance(value, type) or callable(value):
            value.__module__, value.__qualname__ = name, key
        setattr(made, key, value)
    try:
        yield made
    finally:
        for key in added:
            del sys.modules[key]


class _Persistent:
    """Pickles as NVIDIA's persistent classes do."""

    rebuild: Any = None

    def __init__(self, class_name: str, state: dict[str, Any]) -> None:
        self.record = dict(type="class", version=6, module_src=SOURCE, class_name=class_name, state=state)

    def __reduce__(self) -> Any:
        return type(self).rebuild, (self.record,)


def _tree(tensors: dict[str, Tensor], prefix: str, attributes: dict[str, dict[str, Any]]) -> _Persistent:
    own = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    leaves = {n: t for n, t in own.items() if "." not in n}
    children = dict.fromkeys(n.partition(".")[0] for n in own if "." in n)
    name = prefix.rstrip(".")
    state = {
        "training": False,
        "_parameters": OrderedDict(
            (n, torch.nn.Parameter(t))
            for n, t in leaves.items()
            if n in ("weight", "bias", "const", "noise_strength")
        ),
        "_buffers": OrderedDict(
            (n, t) for n, t in leaves.items() if n not in ("weight", "bias", "const", "noise_strength")
        ),
        "_modules": OrderedDict((n, _tree(tensors, f"{prefix}{n}.", attributes)) for n in children),
        **attributes.get(name, {}),
    }
    return _Persistent(name or "Generator", state)


def nvidia_pickle(
    generator: Generator,
    protocol: int = 4,
    *,
    extra: dict[str, Any] | None = None,
    clamp: float | None = None,
    architecture: str = "skip",
    key: str = "G_ema",
    tensors: dict[str, Tensor] | None = None,
) -> bytes:
    """A pickle with the structure of NVIDIA's."""
    attributes: dict[str, dict[str, Any]] = {
        "": {"_init_kwargs": {"z_dim": generator.z_dim, "synthesis_kwargs": {"conv_clamp": clamp}}},
        "synthesis.b4": {"architecture": architecture},
        "synthesis.b4.conv1": {"conv_clamp": clamp, "activation": "lrelu"},
        "mapping.fc0": {"bias_gain": 0.01},
    }

    def _reconstruct_persistent_obj(record: Any) -> None:
        raise AssertionError("called")

    with module("torch_utils.persistence", _reconstruct_persistent_obj=_reconstruct_persistent_obj):
        _Persistent.rebuild = staticmethod(_reconstruct_persistent_obj)
        root = {
            "training_set_kwargs": {"path": "/data/ffhq.zip"},
            "D": None,
            key: _tree(tensors or nvidia_tensors(generator), "", attributes),
            **(extra or {}),
        }
        return pickle.dumps(root, protocol)


def torch_module_file(generator: Generator, *, zipped: bool) -> bytes:
    """What `torch.save` writes of a persistent module, as PTI does."""
    out = io.BytesIO()

    def _reconstruct_persistent_obj(record: Any) -> None:
        raise AssertionError("called")

    with module("torch_utils.persistence", _reconstruct_persistent_obj=_reconstruct_persistent_obj):
        _Persistent.rebuild = staticmethod(_reconstruct_persistent_obj)
        tree = _tree(nvidia_tensors(generator), "", {})
        torch.save(tree, out, _use_new_zipfile_serialization=zipped)
    return out.getvalue()


def rosinality_state(generator: Generator) -> "OrderedDict[str, Tensor]":
    """The generator's tensors under rosinality's names, with its scales."""
    source = nvidia_tensors(generator)
    state: OrderedDict[str, Tensor] = OrderedDict()
    for i in range(len(generator.arch.mapping_widths)):
        for part in ("weight", "bias"):
            state[f"style.{i + 1}.{part}"] = source[f"mapping.fc{i}.{part}"]
    state["input.input"] = source["synthesis.b4.const"][None]
    for level, resolution in enumerate(sorted(generator.channels)):
        block = f"synthesis.b{resolution}"
        names = ["conv1"] if level == 0 else [f"convs.{2 * level - 2}", f"convs.{2 * level - 1}"]
        for name, layer in zip(names, ["conv1"] if level == 0 else ["conv0", "conv1"], strict=True):
            weight = source[f"{block}.{layer}.weight"]
            state[f"{name}.conv.weight"] = weight[None] * math.sqrt(weight[0].numel())
            state[f"{name}.conv.modulation.weight"] = source[f"{block}.{layer}.affine.weight"]
            state[f"{name}.conv.modulation.bias"] = source[f"{block}.{layer}.affine.bias"]
            state[f"{name}.noise.weight"] = source[f"{block}.{layer}.noise_strength"][None]
            state[f"{name}.activate.bias"] = source[f"{block}.{layer}.bias"]
            if layer == "conv0":
                state[f"{name}.conv.blur.kernel"] = source[f"{block}.{layer}.resample_filter"] * 4
            index = 0 if level == 0 else 2 * level - (layer == "conv0")
            state[f"noises.noise_{index}"] = source[f"{block}.{layer}.noise_const"][None, None]
        rgb = "to_rgb1" if level == 0 else f"to_rgbs.{level - 1}"
        state[f"{rgb}.conv.weight"] = source[f"{block}.torgb.weight"][None]
        state[f"{rgb}.conv.modulation.weight"] = source[f"{block}.torgb.affine.weight"]
        state[f"{rgb}.conv.modulation.bias"] = source[f"{block}.torgb.affine.bias"]
        state[f"{rgb}.bias"] = source[f"{block}.torgb.bias"].reshape(1, 3, 1, 1)
        if level:
            state[f"{rgb}.upsample.kernel"] = source[f"{block}.resample_filter"] * 4
    return state


def saved(value: Any, *, zipped: bool = True) -> bytes:
    """What `torch.save` writes."""
    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=zipped)
    return out.getvalue()


def rosinality_file(generator: Generator, *, zipped: bool = True, **extra: Any) -> bytes:
    """A training checkpoint of rosinality's."""
    state = rosinality_state(generator)
    content = {
        "g": state,
        "g_ema": state,
        "g_optim": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 0.002, "betas": (0.0, 0.99)}]},
        "args": argparse.Namespace(size=generator.resolution, path="data"),
        "latent_avg": generator.w_avg.clone(),
        **extra,
    }
    return saved(content, zipped=zipped)


def tensorflow_pickle(generator: Generator, protocol: int = 4) -> bytes:
    """A tuple (G, D, Gs) of networks as the TensorFlow implementation pickled them."""
    source = {name: t.numpy() for name, t in nvidia_tensors(generator).items()}
    mapping = []
    for i in range(len(generator.arch.mapping_widths)):
        mapping.append((f"Dense{i}/weight", source[f"mapping.fc{i}.weight"].T))
        mapping.append((f"Dense{i}/bias", source[f"mapping.fc{i}.bias"]))
    synthesis: list[tuple[str, Any]] = [("4x4/Const/const", source["synthesis.b4.const"][None])]
    for resolution in sorted(generator.channels):
        names = {"Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb"}
        if resolution == 4:
            names = {"Conv": "conv1", "ToRGB": "torgb"}
        level = resolution.bit_length() - 3
        for theirs, ours in names.items():
            prefix, layer = f"{resolution}x{resolution}/{theirs}", f"synthesis.b{resolution}.{ours}"
            weight = source[f"{layer}.weight"].transpose(2, 3, 1, 0)
            synthesis.append((f"{prefix}/weight", weight[::-1, ::-1] if ours == "conv0" else weight))
            synthesis.append((f"{prefix}/bias", source[f"{layer}.bias"]))
            synthesis.append((f"{prefix}/mod_weight", source[f"{layer}.affine.weight"].T))
            synthesis.append((f"{prefix}/mod_bias", source[f"{layer}.affine.bias"] - 1))
            if ours != "torgb":
                synthesis.append((f"{prefix}/noise_strength", np.float32(source[f"{layer}.noise_strength"])))
                index = 0 if resolution == 4 else 2 * level - (ours == "conv0")
                synthesis.append((f"noise{index}", source[f"{layer}.noise_const"][None, None]))

    class Network:
        def __init__(self, variables: Any, components: Any = None, **arguments: Any) -> None:
            self.version, self.name, self.static_kwargs = 4, "G", arguments
            self.components, self.variables = components or {}, variables
            self.build_module_src = SOURCE

    with module("dnnlib.tflib.network", Network=Network):
        parts = {"mapping": Network(mapping), "synthesis": Network(synthesis, resample_kernel=[1, 3, 3, 1])}
        top = [("lod", np.float32(0)), ("dlatent_avg", generator.w_avg.numpy())]
        return pickle.dumps((Network(top, parts), Network([]), Network(top, parts)), protocol)


def write(path: Path, data: bytes) -> Path:
    """Write and give the path back."""
    path.write_bytes(data)
    return path
