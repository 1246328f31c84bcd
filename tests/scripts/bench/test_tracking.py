"""The rows of optical flow follow a known motion, and RAFT's weights are told from others."""

from pathlib import Path

import numpy as np
import pytest
import torch
from bench import tracking
from torchvision.models.optical_flow import raft_small

SHIFT = (1.5, -1.0)
POINTS = torch.tensor([[30.0, 40.0], [64.5, 64.5], [90.0, 50.0]])


def _pictures() -> tuple[tracking.Picture, tracking.Picture]:
    """Smooth waves, and the same moved by SHIFT."""
    y, x = np.mgrid[0:128, 0:128].astype(np.float64)

    def drawn(dx: float, dy: float) -> tracking.Picture:
        waves = np.stack(
            [
                np.sin((x - dx) / 5 + c) + np.cos((y - dy) / 7 - c) + np.sin((x - dx + y - dy) / 9)
                for c in range(3)
            ],
            -1,
        )
        return np.asarray(128 + 40 * waves, np.uint8)

    return drawn(0, 0), drawn(*SHIFT)


@pytest.mark.parametrize("follow", [tracking.dis, tracking.lucas_kanade])
def test_a_flow_follows_points(follow: tracking.Follow) -> None:
    found = follow(*_pictures(), POINTS)
    assert found - POINTS == pytest.approx(torch.tensor(SHIFT).expand(3, 2), abs=0.2)


def test_points_go_along_a_flow() -> None:
    flow = torch.zeros(64, 128, 2)
    flow[..., 0], flow[..., 1] = torch.arange(128) + 0.5, 2.0
    assert tracking.along(flow, torch.tensor([[10.0, 20.0]]))[0].tolist() == pytest.approx(
        [20.0, 22.0], abs=1e-3
    )


def test_raft_is_read_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(raft_small(weights=None).state_dict(), tmp_path / "raft.pth")
    found = tracking.raft(tmp_path / "raft.pth")(*_pictures(), POINTS)
    assert found.shape == POINTS.shape and bool(torch.isfinite(found).all())
    torch.save({"else": torch.zeros(1)}, tmp_path / "else.pth")
    with pytest.raises(SystemExit, match="RAFT"):
        tracking.raft(tmp_path / "else.pth")
