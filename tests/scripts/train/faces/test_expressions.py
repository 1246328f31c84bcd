"""Portraits that open their mouths, close their eyes, smile and raise their brows."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from train.faces.augment import Jitter
from train.faces.expressions import (
    LOWER,
    UPPER,
    Cast,
    Expressions,
    Motions,
    Moved,
    draw,
    interocular,
    line,
    moved,
)
from train.faces.source import Source

from tests.scripts.train.samples import CPU, faces, landmarks

SIZE = 96


def _points(lips_apart: float = 0.0) -> torch.Tensor:
    """A face whose lips are that far apart, in interocular distances."""
    points = torch.from_numpy(landmarks())[None] * 2 - 1
    points[:, LOWER[1:4], 1] = points[:, UPPER[1:4], 1].clone()
    points[:, LOWER[1:4], 1] += lips_apart * interocular(points)
    points[:, (60, 64), 1] = points[:, UPPER[1:4], 1].mean()
    return points


def _places() -> torch.Tensor:
    steps = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy"), 2)[None]


def _still() -> Motions:
    zero = torch.zeros(1)
    return Motions(zero, zero, torch.zeros(1, 2), zero)


def _moved(points: torch.Tensor, motions: Motions) -> Moved:
    return moved(_places(), points, motions, torch.full((1, 3, 8, 24), 0.8), torch.Generator())


def _column(moved: Moved, x: float) -> torch.Tensor:
    """Where the pictures of the column at x come from, their heights."""
    return moved.places[0, :, round((x + 1) / 2 * SIZE - 0.5), 1]


def test_a_face_that_does_nothing_stays_as_it_is() -> None:
    found = _moved(_points(), _still())
    torch.testing.assert_close(found.places, _places(), atol=1e-6, rtol=0)
    assert float(found.open.max()) == 0


def test_the_lower_lip_slides_as_far_as_asked_and_the_upper_one_stays() -> None:
    points = _points()
    found = _moved(points, replace(_still(), lips=torch.tensor([0.3])))
    lip, heights = float(points[0, UPPER[2], 1]), _places()[0, :, 0, 1]
    slid = lip + 0.3 * float(interocular(points))
    column = _column(found, float(points[0, UPPER[2], 0]))
    torch.testing.assert_close(column[heights < lip], heights[heights < lip])
    first = int((heights >= slid).nonzero()[0])
    assert float(column[first]) == pytest.approx(lip, abs=2 / SIZE)
    gap = (heights > lip + 2 / SIZE) & (heights < slid - 2 / SIZE)
    middle = found.open[0, 0, :, SIZE // 2]
    assert bool((middle[gap] == 1).all())
    assert bool((middle[(heights < lip) | (heights > slid)] == 0).all())


def test_an_open_mouth_shows_teeth_above_and_is_dark_below_them() -> None:
    points = _points()
    found = _moved(points, replace(_still(), lips=torch.tensor([0.5])))
    column = found.inside[0, :, :, SIZE // 2].mean(0)
    lip, unit = float(points[0, UPPER[2], 1]), float(interocular(points))
    rows = [round((lip + away * unit + 1) / 2 * SIZE - 0.5) for away in (0.02, 0.25)]
    assert float(column[rows[0]]) > 0.5
    assert float(column[rows[1]]) < -0.5


def test_lips_close_over_the_teeth() -> None:
    points = _points(lips_apart=0.2)
    found = _moved(points, replace(_still(), lips=torch.tensor([-1.0])))
    upper, lower = float(points[0, UPPER[2], 1]), float(points[0, LOWER[2], 1])
    column, heights = _column(found, 0.0), _places()[0, :, 0, 1]
    below = column[int((heights > upper).nonzero()[0])]
    assert float(below) == pytest.approx(lower, abs=2 / SIZE)
    assert float(found.open.max()) == 0


def test_a_closed_eye_shows_the_lid_down_to_its_lower_edge() -> None:
    points = _points()
    found = _moved(points, replace(_still(), lids=torch.tensor([1.0])))
    for upper, lower in (((37, 38), (41, 40)), ((43, 44), (47, 46))):
        top, bottom = points[0, upper, 1].mean(), points[0, lower, 1].mean()
        column, heights = _column(found, float(points[0, upper, 0].mean())), _places()[0, :, 0, 1]
        assert bool((column[heights < bottom - 2 / SIZE] <= top + 1e-4).all())
        torch.testing.assert_close(column[heights > bottom + 2 / SIZE], heights[heights > bottom + 2 / SIZE])


@pytest.mark.parametrize(("corner", "sign"), [(48, -1), (54, 1)])
def test_mouth_corners_go_outwards_and_up(corner: int, sign: int) -> None:
    points = _points()
    found = _moved(points, replace(_still(), corners=torch.tensor([[0.1, 0.08]])))
    by = torch.tensor([sign * 0.1, -0.08]) * interocular(points)
    new = points[0, corner] + by
    column, row = ((new + 1) / 2 * SIZE).long()
    came = _places()[0, row, column] - found.places[0, row, column]
    torch.testing.assert_close(came, by, atol=0.02, rtol=0)


@given(st.integers(0, 10_000), st.floats(0, 0.3))
def test_no_motion_turns_a_face_over(seed: int, apart: float) -> None:
    motions = draw(1, Expressions(share=1.0), torch.Generator().manual_seed(seed))
    motions = replace(motions, corners=torch.zeros(1, 2))
    found = _moved(_points(apart), motions)
    down = found.places[0, 1:, :, 1] - found.places[0, :-1, :, 1]
    hidden = torch.maximum(found.open[0, 0, 1:], found.open[0, 0, :-1]) > 0
    assert float(down[~hidden].min()) >= -1e-3


def test_lines_go_through_their_points_and_are_level_beyond() -> None:
    points = torch.tensor([[[-0.5, 0.0], [0.0, 0.2], [0.5, 0.1]]])
    x = torch.tensor([[-1.0, -0.5, -0.25, 0.0, 0.5, 1.0]])
    torch.testing.assert_close(line(points, x), torch.tensor([[0.0, 0.0, 0.1, 0.2, 0.1, 0.1]]))


def test_teeth_come_from_faces_that_show_them() -> None:
    pixels = torch.full((2, 48, 48, 3), 100, dtype=torch.uint8)
    closed, shown = _points(), _points(lips_apart=0.3)
    inside = (line(shown[:, UPPER], torch.zeros(1, 1)) + line(shown[:, LOWER], torch.zeros(1, 1))) / 2
    row = round((float(inside) + 1) / 2 * 48 - 0.5)
    pixels[1, row - 1 : row + 2, 20:28] = 240
    cast = Cast.of(pixels, torch.cat([closed, shown]))
    assert cast.teeth.shape[:2] == (1, 3)
    torch.testing.assert_close(cast.light, torch.full((2, 3), 100 / 255), atol=0.02, rtol=0)
    assert float(cast.teeth.max()) == pytest.approx(2.4, abs=0.15)


def test_a_batch_moves_the_share_that_is_asked_for() -> None:
    source = Source.of(faces(8, size=72), held_out=False, device=CPU)
    chosen = torch.zeros(64, dtype=torch.long)
    jitter = Jitter(shift=0, scale=0, turn=0, colour=0, tint=0)

    def copies(share: float) -> torch.Tensor:
        return source.batch(
            chosen, 64, jitter, torch.Generator().manual_seed(1), Expressions(share=share)
        ).crops

    plain = copies(0.0)
    plain = torch.stack([plain[0], plain[0].flip(2)])

    def different(share: float) -> float:
        away = (copies(share)[:, None] - plain).abs().amax((2, 3, 4))
        return float((away > 0.05).all(1).float().mean())

    assert different(0.0) == 0
    assert 0.3 < different(0.5) < 0.7
