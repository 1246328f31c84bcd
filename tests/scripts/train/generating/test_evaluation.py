"""What the evaluation of a generator leaves out."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from train.generating.evaluation import _seen

from alignment import Alignment


@pytest.mark.parametrize(
    ("handle", "target", "seen"),
    [((50, 90), (50, 99), True), ((50, 90), (50, 101), False), ((50, 103), (50, 98), False)],
)
def test_a_chin_that_is_or_goes_below_the_square_is_left_out(
    handle: tuple[float, float], target: tuple[float, float], seen: bool
) -> None:
    session: Any = SimpleNamespace(alignment=Alignment(centre=(50, 50), side=100, angle=0))
    assert _seen([np.array(handle, float), np.array(target, float)], session) is seen
