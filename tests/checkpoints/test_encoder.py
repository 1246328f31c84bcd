"""The encoder's face branch: optional, stored with it, and part of what it says."""

from pathlib import Path

import pytest
import torch

from checkpoints import Checkpoint, CheckpointError, load
from checkpoints.convert import write_model
from checkpoints.encoder import Encoder
from checkpoints.faces import FaceBranch
from checkpoints.storage import StoredModel
from checkpoints.testing import random_checkpoint


def _with_face() -> Checkpoint:
    checkpoint = random_checkpoint(16)
    encoder = checkpoint.encoder
    assert encoder is not None
    branch = FaceBranch(encoder.fc.out_features)
    rng = torch.Generator().manual_seed(1)
    for name, tensor in branch.state_dict().items():
        fan_in = max(1, tensor[0].numel()) if tensor.ndim > 1 else 1
        tensor.copy_(torch.randn(tensor.shape, generator=rng) / fan_in**0.5)
        if name == "window":
            tensor.copy_(torch.eye(2, 3) * 0.7)
        if name == "spread":
            tensor.fill_(1)
    encoder.face = branch.requires_grad_(False)
    return checkpoint


def _written(checkpoint: Checkpoint, path: Path, drop: str = "") -> Path:
    assert checkpoint.encoder is not None
    generator = {
        k.replace("_network.", ".", 1): v.contiguous() for k, v in checkpoint.generator.state_dict().items()
    }
    encoder = {k: v.contiguous() for k, v in checkpoint.encoder.state_dict().items() if k != drop}
    write_model(StoredModel(str(path), generator, encoder, {}, {}, {"alignment": "ffhq"}), path)
    return path


def test_a_face_branch_is_read_back_and_counts(tmp_path: Path) -> None:
    checkpoint = _with_face()
    assert checkpoint.encoder is not None
    read = load(_written(checkpoint, tmp_path / "face.safetensors"), cache=False).encoder
    assert isinstance(read, Encoder)
    crop = torch.rand(2, 3, 16, 16) * 2 - 1
    torch.testing.assert_close(read(crop), checkpoint.encoder(crop), atol=1e-4, rtol=1e-4)
    checkpoint.encoder.face = None
    assert not torch.allclose(read(crop), checkpoint.encoder(crop), atol=1e-2)


def test_an_incomplete_face_branch_is_refused(tmp_path: Path) -> None:
    path = _written(_with_face(), tmp_path / "bad.safetensors", drop="face.spread")
    with pytest.raises(CheckpointError, match=r"face\.spread"):
        load(path, cache=False)
