"""What is shown while a hand drags is what comes out: the quick paste beside the full one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import checkpoints
from alignment import Alignment
from checkpoints import Checkpoint
from inversion import InversionSettings
from realedit.compositing import Turn
from realedit.editing import stages
from realedit.geometry.parts import Reach
from realedit.live import Quick, Screen
from realedit.photos import Photo, read_photo
from realedit.sessions.session import Session
from tests.realedit.samples import box_checkpoint, inverted, photo_of, picture, png


def _dragged(
    session: Session,
    checkpoint: Checkpoint,
    start: tuple[float, float],
    way: tuple[float, float],
    count: int,
    reach: Reach,
) -> list[Session]:
    """The session with a drag that goes farther and farther."""
    ends = [np.add(start, np.multiply(way, (i + 1) / count)) for i in range(count)]
    return [stages.drag(session, checkpoint, [start], [end], reach=reach) for end in ends]


def _unlike(
    photo: Photo, sessions: list[Session], checkpoint: Checkpoint, scale: float
) -> tuple[float, float]:
    """The share of what the full paste changes that the quick one has wrong, in energy, on the screen; and
    the largest difference on it where the full one changes nothing, of 255."""
    screen = Screen.of(photo, sessions[0].alignment, scale=scale)
    quick = Quick(screen, sessions[0], checkpoint)
    for session in sessions:  # as a hand moves: each picture begins with the motion of the one before
        shown = quick(session).view().astype(float)
    full = Screen.of(stages.render(photo, sessions[-1], checkpoint), sessions[0].alignment, scale=scale)
    after, before = full.photo.view().astype(float), screen.photo.view().astype(float)
    still = (after == before).all(-1)
    missed = np.abs(shown - after)
    return float((missed**2).sum() / ((after - before) ** 2).sum()), float(missed[still].max(initial=0))


@pytest.mark.slow
def test_a_smile_and_a_turn_are_shown_as_they_come_out(tmp_path: Path) -> None:
    from skimage import data

    path = png(tmp_path / "photo.png", data.astronaut())
    photo = read_photo(path)
    checkpoint = checkpoints.load("face128", device="cpu")
    settings = InversionSettings.preset("draft")
    session = stages.align(photo, checkpoint, photo_path=path, settings=settings, quality="draft")
    session = stages.invert(session, checkpoint, settings)
    assert session.landmarks is not None
    unit = float(np.linalg.norm(session.landmarks[45] - session.landmarks[36]))
    corner = (float(session.landmarks[48][0]), float(session.landmarks[48][1]))
    way = (-0.14 * unit, -0.09 * unit)
    share, outside = _unlike(photo, _dragged(session, checkpoint, corner, way, 6, "local"), checkpoint, 2.0)
    assert share < 0.15
    assert outside <= 16
    turned = _dragged(session, checkpoint, corner, way, 2, "head")
    assert turned[-1].turn != Turn()
    share, outside = _unlike(photo, turned, checkpoint, 2.0)
    assert share < 0.15
    assert outside <= 16


def test_lids_and_lips_need_no_inversion() -> None:
    photo = photo_of(picture(120, 100))
    square = Alignment(centre=(60.0, 50.0), side=80.0, angle=0.1)
    screen = Screen.of(photo, square, scale=0.5)
    assert screen.size == (60, 50)
    placed = screen.square(square)
    assert np.allclose(placed.corners(), screen.points(square.corners()), atol=0.3)


def test_a_screen_is_no_larger_than_it_must() -> None:
    photo = photo_of(picture(2000, 1500))
    square = Alignment(centre=(1000.0, 700.0), side=1000.0, angle=0.0)
    screen = Screen.of(photo, square, scale=3.0)
    assert max(screen.size) == 720
    assert screen.scale < 1
    left, top, right, bottom = screen.box
    corners = square.corners()
    assert left <= corners.min(0)[0] and top <= corners.min(0)[1]
    assert right >= corners.max(0)[0] and bottom >= corners.max(0)[1]


def test_nothing_dragged_changes_nothing(tmp_path: Path) -> None:
    checkpoint = box_checkpoint(32)
    path = png(tmp_path / "photo.png", picture())
    session = inverted(checkpoint, path)
    screen = Screen.of(read_photo(path), session.alignment)
    quick = Quick(screen, session, checkpoint)
    assert quick(session).changed is None
    assert quick(replace(session, history=())).changed is None
