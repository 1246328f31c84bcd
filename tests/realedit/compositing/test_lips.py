"""Lips that slide: both stay whole, what is between them suits the photo, the jaw follows without a fold."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realedit.compositing import layers
from realedit.compositing.cavity import shown_teeth
from realedit.compositing.layers import slide
from realedit.compositing.lips import FINEST, lips_slide
from realedit.compositing.mouths import XS, Mouth
from realedit.compositing.parting import Lips, above_source, below_source, edges
from realedit.perception.points import INNER_LIP_LOWER, INNER_LIP_UPPER
from realedit.photos import Photo
from tests.realedit.compositing.faces import LIP, TEETH, Points, drawn, near, points
from tests.realedit.samples import photo_of

TURNS = [(60.0, 0.0), (100.0, 0.0), (100.0, 30.0), (150.0, 180.0)]


def _face(
    unit: float = 100.0, roll: float = 0.0, gap: float = 0.0, *, grey: bool = False
) -> tuple[Photo, Points]:
    side = int(6 * unit)
    face = points(unit, centre=(side / 2, side / 2), roll=roll, gap=gap)
    return photo_of(drawn(face, (side, side), teeth=gap > 0, grey=grey)), face


def _moved(photo: Photo, face: Points, lips: Lips, mask: NDArray[np.bool_] | None = None) -> Photo:
    found = lips_slide(photo, face, lips)
    return photo if found is None else slide(photo, [found], mask=mask, fade=3.0)


@pytest.mark.parametrize(("unit", "roll"), TURNS)
@pytest.mark.parametrize("way", [0.12, 0.25, 0.4])
def test_closed_lips_part_over_teeth_and_darkness(unit: float, roll: float, way: float) -> None:
    photo, face = _face(unit, roll)
    before, after = photo.view(), _moved(photo, face, Lips(way)).view()
    assert near(after, LIP, 60).sum() == pytest.approx(near(before, LIP, 60).sum(), rel=0.25)
    dark, opening = after.max(-1) < 110, way * 0.8 * unit**2 * 0.7
    new = np.abs(after.astype(int) - before).max(-1) > 30
    teeth = new & ~dark & (after.max(-1).astype(int) - after.min(-1) < 60)
    assert 0.7 < (dark.sum() + teeth.sum()) / opening < 1.3
    assert dark.sum() > 0.25 * opening
    red, green, blue = after[dark].astype(int).T
    assert (red >= blue - 8).all() and (red >= green - 8).all(), "a mouth's inside is warm"


@pytest.mark.parametrize("way", [0.1, 0.25, 0.4])
def test_what_follows_the_lip_folds_and_tears_nowhere(way: float) -> None:
    photo, face = _face()
    mouth, found = Mouth.of(face), lips_slide(photo, face, Lips(way))
    assert found is not None
    lower = found.at(found.box)[-1]
    assert lower.offset is not None
    source = np.arange(lower.offset.shape[0])[:, None] + lower.offset[..., 1]
    sure = lower.cover > 0
    steps = np.diff(source, axis=0)[sure[1:] & sure[:-1]]
    assert steps.min() > 0.05, "no fold"
    beside = np.diff(lower.offset[..., 1], axis=1)[sure[:, 1:] & sure[:, :-1]]
    assert np.abs(beside).max() < 5 * way * mouth.unit + 0.1, "no tear at the corners"


@pytest.mark.parametrize("lips", [Lips(0.25), Lips(-0.1, 0.05), Lips(0.0, 0.1)])
def test_nothing_above_the_nose_and_beside_the_jaw_changes(lips: Lips) -> None:
    photo, face = _face(gap=0.2)
    mouth = Mouth.of(face)
    places = np.stack(np.meshgrid(np.arange(photo.width) + 0.5, np.arange(photo.height) + 0.5), -1)
    x, y = np.moveaxis(mouth.to_frame(places), -1, 0)
    changed = (_moved(photo, face, lips).view() != photo.view()).any(-1)
    assert changed.any()
    assert not changed[
        (np.abs(x) > mouth.cheek + 0.02) | (y < mouth.nose) | (y > 2.6 * mouth.chin + 0.6)
    ].any()


def test_teeth_that_the_photo_shows_stay_behind_the_lips_and_no_others_are_drawn() -> None:
    photo, face = _face(gap=0.15)
    before, after = (near(each.view(), TEETH, 30) for each in (photo, _moved(photo, face, Lips(0.25))))
    assert before.sum() > 300
    middle = np.zeros_like(before)
    middle[:, 280:320] = True  # the upper lip comes down over the others with the corners
    assert (after & before & middle).sum() > 0.8 * (before & middle).sum()
    assert (after & before).sum() > 0.6 * before.sum()
    assert (after & ~before).sum() < 0.05 * before.sum()


@pytest.mark.parametrize(
    "lips", [Lips(0.25), Lips(0.4), Lips(-0.09, 0.06, 0.12, 0.12), Lips(0.1, 0.0, 0.2, 0.0)]
)
@pytest.mark.parametrize("gap", [0.0, 0.15])
def test_lips_go_where_their_edges_go(lips: Lips, gap: float) -> None:
    mouth = Mouth.of(_face(gap=gap)[1])
    x = np.linspace(-0.45, 0.45, 41)[None].astype(np.float32)
    for new, old, source in zip(
        edges(mouth, lips), (mouth.upper, mouth.lower), (above_source, below_source), strict=True
    ):
        found = source(mouth, lips, x, np.interp(x, XS, new).astype(np.float32))[0]
        assert np.interp(found[:, 0], XS, old) == pytest.approx(found[:, 1], abs=0.012)


@pytest.mark.parametrize("way", [0.12, 0.25, 0.4])
def test_an_opening_is_round_and_its_corners_come_in_and_down(way: float) -> None:
    mouth = Mouth.of(_face()[1])
    upper, lower = edges(mouth, Lips(way))
    open_ = lower - upper > 0.01
    assert 0.8 < np.ptp(XS[open_]) < 0.98
    middle, side = (upper[np.abs(XS - at).argmin()] for at in (0.0, 0.4))
    assert side > middle + 0.1 * way * mouth.unit, "the upper lip is an arch"
    height = [float((lower - upper)[np.abs(XS - at).argmin()]) for at in (0.0, 0.25)]
    assert height[1] > 0.6 * height[0], "no wedge"


def test_corners_go_down_and_the_lips_middle_stays() -> None:
    photo, face = _face(gap=0.15)
    mouth = Mouth.of(face)
    upper, _ = edges(mouth, Lips(0.0, 0.0, 0.12, 0.06))
    for at, way in ((-0.47, 0.12), (0.0, 0.0), (0.47, 0.06)):
        here = np.abs(XS - at).argmin()
        assert (upper - mouth.upper)[here] / mouth.unit == pytest.approx(way, abs=0.025)
    shut = edges(mouth, Lips(-0.09, 0.06, 0.12, 0.12))
    assert np.abs(shut[1] - shut[0]).max() < 1e-6, "lips that meet do so in a frown as well"
    before, after = (each.view() for each in (photo, _moved(photo, face, Lips(-0.09, 0.06, 0.12, 0.12))))
    assert near(before, TEETH, 40).sum() > 300 and near(after, TEETH, 40).sum() < 10


def test_what_goes_with_corners_folds_nowhere() -> None:
    mouth = Mouth.of(_face(gap=0.1)[1])
    x, y = (
        each.astype(np.float32)
        for each in np.meshgrid(np.linspace(-1.2, 1.2, 241), np.linspace(-0.5, 2, 251))
    )
    for lips in (Lips(0.4), Lips(-0.06, 0.04, 0.2, 0.2), Lips(0.0, 0.0, 0.2, 0.0)):
        for source in (above_source, below_source):
            found = source(mouth, lips, x, y)
            across, down = np.diff(found, axis=1)[:-1], np.diff(found, axis=0)[:, :-1]
            areas = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
            low = y[:-1, :-1] > 0 if source is below_source else y[:-1, :-1] < 0
            assert areas[low].min() > 0


def test_more_teeth_show_below_a_short_lip_and_all_mouths_differ() -> None:
    faces = [_face()[1] for _ in range(2)]
    faces[1][2] += [0, 8]  # the nose's base nearer to the lip
    long, short = (shown_teeth(Mouth.of(face)) for face in faces)
    assert short > long


@pytest.mark.parametrize(("lower", "upper"), [(-0.15, 0.0), (-0.09, 0.06), (0.0, 0.15)])
@pytest.mark.parametrize("roll", [0.0, 40.0])
def test_lips_that_meet_cover_the_teeth(lower: float, upper: float, roll: float) -> None:
    photo, face = _face(gap=0.15, roll=roll)
    shown = [near(each.view(), TEETH, 40).sum() for each in (photo, _moved(photo, face, Lips(lower, upper)))]
    assert shown[0] > 300 and shown[1] < 0.02 * shown[0]


def test_lips_close_no_farther_than_they_meet() -> None:
    photo, face = _face(gap=0.15)
    once, twice = (_moved(photo, face, Lips(way)).view() for way in (-0.15, -0.6))
    assert np.array_equal(once, twice)


def test_a_photo_without_colour_gets_none() -> None:
    photo, face = _face(grey=True)
    assert np.ptp(_moved(photo, face, Lips(0.3)).view().astype(int), axis=-1).max() <= 1


def test_a_mask_holds_its_pixels() -> None:
    photo, face = _face()
    mask = np.zeros((photo.height, photo.width), np.bool_)
    mask[:, : photo.width // 2] = True
    before, after = photo.view(), _moved(photo, face, Lips(0.25), mask).view()
    assert np.array_equal(before[:, photo.width // 2 :], after[:, photo.width // 2 :])
    assert not np.array_equal(before, after)


def test_tiles_and_depth_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, face = _face(250.0)
    assert Mouth.of(face).width > 1.5 * FINEST, "a motion that is worked out at few places"
    whole = _moved(photo, face, Lips(0.25)).view()
    monkeypatch.setattr(layers, "TILE", 173)
    apart = np.abs(whole.astype(int) - _moved(photo, face, Lips(0.25)).view())
    assert apart.max() <= 1 and (apart > 0).mean() < 1e-4, "last bits of an interpolation"
    deep = _moved(photo_of(photo.view().astype(np.uint16) * 257), face, Lips(0.25)).view()
    assert np.abs(deep / 257 - whole).max() < 1.5


def test_lips_that_do_not_move_change_nothing() -> None:
    photo, face = _face()
    assert lips_slide(photo, face, Lips()) is None
    closed = _moved(photo, face, Lips(-0.1)).view().astype(int)
    assert np.abs(closed - photo.view()).max() <= 1, "closed lips have nothing to close"


@pytest.mark.parametrize("centre", [(-200.0, 100.0), (10.0, -40.0), (300.0, 390.0), (900.0, 900.0)])
def test_mouths_at_and_past_the_photos_edge_do_no_harm(centre: tuple[float, float]) -> None:
    photo = photo_of(drawn(points(), (320, 400)))
    assert _moved(photo, points(centre=centre), Lips(0.3)).view().shape == photo.view().shape


@pytest.mark.parametrize("off", [-5.0, 4.0])
@pytest.mark.parametrize("roll", [0.0, 25.0])
def test_closed_lips_part_where_they_meet_though_the_points_are_off(off: float, roll: float) -> None:
    face = points(160.0, centre=(320.0, 320.0), roll=roll)
    picture = drawn(face, (640, 800))
    seam = face[list(INNER_LIP_UPPER)]
    cv2.polylines(picture, [np.rint((seam - 0.5) * 16).astype(np.int32)], False, (60, 20, 25), 2, shift=4)
    photo, mouth = photo_of(picture), Mouth.of(face)
    wrong = face.copy()
    down = mouth.turn[1] / mouth.width
    wrong[list(INNER_LIP_UPPER)] += (off - 2) * down
    wrong[list(INNER_LIP_LOWER)] += (off + 2) * down
    fitted = Mouth.of(wrong).fitted(photo)
    middle = np.abs(XS) < 0.3
    assert fitted.gap == 0
    found = mouth.to_frame(fitted.to_photo(np.stack([XS, fitted.upper], 1)))[middle, 1]
    assert np.abs(found).max() * mouth.width < 2.5


def test_a_shadow_between_thick_lips_is_no_open_mouth() -> None:
    face = points(160.0, centre=(320.0, 320.0), gap=0.06)
    picture = drawn(face, (640, 800))
    seam = (face[list(INNER_LIP_UPPER)] + face[list(INNER_LIP_LOWER)]) / 2
    cv2.polylines(picture, [np.rint((seam - 0.5) * 16).astype(np.int32)], False, (60, 20, 25), 3, shift=4)
    mouth = Mouth.of(face)
    assert mouth.gap > 0.06 and mouth.fitted(photo_of(picture)).gap == 0
    with_teeth = drawn(face, (640, 800), teeth=True)
    assert mouth.fitted(photo_of(with_teeth)).gap == mouth.gap


def test_teeth_are_told_from_lips_and_lips_from_what_is_between_them() -> None:
    for gap in (0.0, 0.12):
        face = points(160.0, centre=(320.0, 320.0), gap=0.12)
        photo = photo_of(drawn(face, (640, 800), teeth=gap > 0))
        assert Mouth.of(face).shows(photo) == (gap > 0)


def test_a_mouth_that_closes_gets_narrower_and_its_lips_thicker() -> None:
    mouth = Mouth.of(_face(gap=0.15)[1])
    lips = Lips(-0.6 * mouth.gap / mouth.unit, 0.4 * mouth.gap / mouth.unit)
    upper, lower = edges(mouth, lips)
    assert lower == pytest.approx(upper, abs=0.002), "they meet"
    middle = len(XS) // 2
    for source, new, old_inner, old_outer in (
        (below_source, lower, mouth.lower, mouth.below),
        (above_source, upper, mouth.upper, mouth.above),
    ):
        way = np.linspace(0, 0.4, 401, dtype=np.float32) * np.sign(old_outer[middle] - old_inner[middle])
        column = source(mouth, lips, np.zeros((401, 1), np.float32), (new[middle] + way)[:, None])
        height = float(np.interp(abs(old_outer[middle]), np.abs(column[:, 0, 1]), np.abs(way)))
        assert 1.1 < height / abs(old_outer[middle] - old_inner[middle]) < 1.4
    row = below_source(mouth, lips, XS[None].astype(np.float32), np.zeros((1, len(XS)), np.float32))[0, :, 0]
    corner = float(np.interp(0.5, row, XS))
    assert 0.44 < corner < 0.49, "the corner comes in"
    assert np.diff(row).min() > 0, "and nothing folds"
