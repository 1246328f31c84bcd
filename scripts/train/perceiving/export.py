"""A training state as the file of weights that is shipped."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realedit.perception import frames
from realedit.perception import points as parts
from realedit.perception.network import Conv
from realedit.perception.pose import best_rotation
from realedit.perception.weights import FORMAT

from .chips import Chips, interocular
from .trainer import Networks, Settings, detail_points, mean_shape

_BORDER = 0.12  # near a close-up's border, as a part of its side, its word counts less and less


def export(state: Path, chips: Chips, target: Path) -> None:
    """Write the averaged weights, normalisation folded into the convolutions, in float16 (biases float32)."""
    stored = torch.load(state, weights_only=True)
    nets = Networks(*detail_points(chips))
    nets.load_state_dict(stored["averaged"])
    tensors: dict[str, Tensor] = {}
    for name in ("view", "eye", "mouth"):
        for key, value in folded(getattr(nets, name)).items():
            tensors[f"{name}.{key}"] = value.half() if value.ndim > 1 else value.float()
    eye_shares, mouth_shares = shares(chips, nets)
    tensors |= {
        "shape": torch.tensor(straight_shape(chips), dtype=torch.float32),
        "mirror": torch.tensor(chips.mirror, dtype=torch.int16),
        "eye_points": torch.tensor(nets.eye_points, dtype=torch.int16),
        "mouth_points": torch.tensor(nets.mouth_points, dtype=torch.int16),
        "eye_shares": torch.tensor(eye_shares, dtype=torch.float32),
        "mouth_shares": torch.tensor(mouth_shares, dtype=torch.float32),
    }
    folders = sorted({path.parent.name for path in chips.paths})
    metadata = {
        "format": FORMAT,
        "name": "perception",
        "licence": "CC-BY-4.0",
        "data": json.dumps(folders),
        "teacher": "MediaPipe 0.10.21: face mesh with attention, selfie segmentation",
        "held_out": json.dumps(sorted(chips.held_out)),
        "steps": str(stored["step"]),
        "training": json.dumps(asdict(Settings())),
    }
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    safetensors.torch.save_file(contiguous, target, metadata)
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB after {stored['step']} steps")


def folded(net: nn.Module) -> dict[str, Tensor]:
    """The state of a trained network as that of one without normalisation."""
    state = {name: value.clone() for name, value in net.state_dict().items()}
    for name, module in net.named_modules():
        if isinstance(module, Conv) and module.norm is not None:
            norm = module.norm
            assert norm.running_mean is not None and norm.running_var is not None
            gain = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
            state[f"{name}.conv.weight"] = module.conv.weight.detach() * gain[:, None, None, None]
            state[f"{name}.conv.bias"] = norm.bias.detach() - norm.running_mean * gain
            for key in list(state):
                if key.startswith(f"{name}.norm."):
                    del state[key]
    return state


def straight_shape(chips: Chips) -> NDArray[np.float64]:
    """`[478, 3]`: the mean face, turned to look straight ahead and symmetric, in interocular distances."""
    faces = chips.points[chips.indices(held_out=False)].astype(np.float64)
    faces -= faces.mean(axis=1, keepdims=True)
    faces /= interocular(faces)[:, None, None]
    shape = _symmetric(faces.mean(axis=0), chips.mirror)
    rigid = list(parts.RIGID)
    for _ in range(3):
        turned = [face @ best_rotation(shape[rigid], face[rigid]) for face in faces]
        shape = _symmetric(np.mean(turned, axis=0), chips.mirror)
        shape /= interocular(shape[None])[0]
    return shape


def _symmetric(shape: NDArray[np.float64], mirror: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray((shape + shape[mirror] * (-1, 1, 1)) / 2)


def shares(chips: Chips, nets: Networks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much the close-ups count for each of their points: 1 inside, less near the border."""
    mean = mean_shape(chips.points)[:, :2]
    eye, mouth = frames.eye_squares(mean)[0], frames.mouth_square(mean)

    def share(places: NDArray[np.float64]) -> NDArray[np.float64]:
        inside = 0.45 - np.abs(places - 0.5).max(axis=1)
        return np.asarray(np.clip(inside / _BORDER, 0, 1))

    return share(eye.to_crop(mean[nets.eye_points], 1)), share(mouth.to_crop(mean[nets.mouth_points], 1))
