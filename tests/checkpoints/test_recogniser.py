"""dlib's network is read from dlib's file; what is wrong with the file is said."""

from importlib import metadata
from pathlib import Path

import pytest
import torch

from checkpoints import CheckpointError, recogniser
from checkpoints.faces import FaceBranch
from checkpoints.recogniser import FaceTrunk, read_trunk


def test_the_trunk_is_read_once_and_is_no_part_of_the_branch() -> None:
    branch = FaceBranch(8)
    trunk = branch.trunk
    assert isinstance(trunk, FaceTrunk) and branch.trunk is trunk
    assert not any(name.startswith("trunk") for name in branch.state_dict())
    assert not list(trunk.parameters())
    with torch.no_grad():
        shapes = [tuple(m.shape) for m in trunk(torch.zeros(1, 3, 150, 150))]
    assert shapes == [(1, 32, 35, 35), (1, 64, 17, 17), (1, 128, 8, 8), (1, 256, 4, 4)]


def test_a_missing_distribution_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(CheckpointError, match="install them with: pip install"):
        read_trunk()


@pytest.mark.parametrize("keep", [0, 1000, 300_000])
def test_a_damaged_file_is_said(keep: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = metadata.distribution("face_recognition_models").locate_file(
        f"face_recognition_models/models/{recogniser.FILE}"
    )
    torn = tmp_path / "face_recognition_models" / "models" / recogniser.FILE
    torn.parent.mkdir(parents=True)
    torn.write_bytes(Path(str(place)).read_bytes()[:keep])

    class Torn:
        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    monkeypatch.setattr(metadata, "distribution", lambda _: Torn())
    with pytest.raises(CheckpointError, match="is damaged or another version"):
        read_trunk()
