"""Lids that slide: what they cover, what they leave alone, at any size and turn."""

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from alignment import find_faces
from realedit.compositing import layers
from realedit.compositing.eyes import XS, Eye
from realedit.compositing.features import Features
from realedit.compositing.layers import slide
from realedit.compositing.lids import BARE, FRAMED, Lids, Manner, lids_slide, unfolded
from realedit.compositing.scene import GLASSES, Scene
from realedit.compositing.skin import Skin
from realedit.perception import perceive
from realedit.perception.points import EYES, LEFT_EYE
from realedit.photos import Photo
from tests.realedit.compositing.faces import IRIS, Points, drawn, near, points
from tests.realedit.samples import photo_of

SHUT, HALF = Lids(1.0), Lids(0.5)
TURNS = [(60.0, 0.0), (100.0, 0.0), (100.0, 30.0), (100.0, -75.0), (160.0, 180.0)]


def _moved(
    photo: Photo, face: Points, *lids: Lids, mask: NDArray[np.bool_] | None = None, manner: Manner = BARE
) -> Photo:
    """The photo with the left eye's lids, then the right one's, gone so far."""
    found = [
        lids_slide(photo, Eye.of(face, eye), each, manner) for eye, each in zip(EYES, lids, strict=False)
    ]
    return slide(photo, [each for each in found if each is not None], mask=mask, fade=3.0)


def _face(unit: float = 100.0, roll: float = 0.0) -> tuple[Photo, Points]:
    side = int(4 * unit)
    face = points(unit, centre=(side / 2, side / 2), roll=roll)
    return photo_of(drawn(face, (side, side))), face


@pytest.mark.parametrize(("unit", "roll"), TURNS)
def test_a_shut_eye_shows_no_eye_and_the_other_one_keeps_its_bits(unit: float, roll: float) -> None:
    photo, face = _face(unit, roll)
    before, after = photo.view(), _moved(photo, face, SHUT).view()
    places = np.stack(np.meshgrid(np.arange(photo.width) + 0.5, np.arange(photo.height) + 0.5), -1)
    left, right = (np.linalg.norm(places - face[eye.pupil], axis=-1) < 0.3 * unit for eye in EYES)
    shown = [near(each, IRIS)[left].sum() for each in (before, after)]
    assert shown[0] > 0.01 * unit**2 and shown[1] <= 0.02 * shown[0]
    assert np.array_equal(before[right], after[right])


@pytest.mark.parametrize(("unit", "roll"), TURNS)
def test_a_lid_half_way_shows_half_of_the_iris(unit: float, roll: float) -> None:
    photo, face = _face(unit, roll)
    shown = [near(each.view(), IRIS).sum() for each in (photo, _moved(photo, face, HALF, HALF))]
    assert shown[1] == pytest.approx(0.45 * shown[0], rel=0.25)


def test_an_eye_opens_wider_with_more_of_its_iris() -> None:
    photo, face = _face()
    shown = [near(each.view(), IRIS).sum() for each in (photo, _moved(photo, face, Lids(-0.3), Lids(-0.3)))]
    assert 1.05 * shown[0] < shown[1] < 1.6 * shown[0]


def test_lids_that_do_not_move_change_nothing() -> None:
    photo, face = _face()
    assert lids_slide(photo, Eye.of(face, LEFT_EYE), Lids()) is None
    hardly = _moved(photo, face, Lids(1e-6)).view().astype(int)
    assert np.abs(hardly - photo.view()).max() <= 1


@pytest.mark.parametrize("lids", [SHUT, HALF, Lids(-0.3), Lids(0.6, 0.4), Lids(0.0, -0.2)])
def test_only_the_eyes_own_surroundings_change(lids: Lids) -> None:
    photo, face = _face()
    eye = Eye.of(face, LEFT_EYE)
    places = np.stack(np.meshgrid(np.arange(photo.width) + 0.5, np.arange(photo.height) + 0.5), -1)
    x, y = np.moveaxis(eye.to_frame(places), -1, 0)
    low, high = eye.span
    changed = (_moved(photo, face, lids).view() != photo.view()).any(-1)
    assert changed.any()
    assert not changed[(np.abs(x) > 0.8) | (y < low) | (y > high)].any()
    assert changed.sum() < 1.2 * eye.width**2


def test_a_mask_holds_its_pixels() -> None:
    photo, face = _face()
    mask = np.zeros((photo.height, photo.width), np.bool_)
    middle = int(face[LEFT_EYE.pupil][0])
    mask[:, :middle] = True
    before, after = photo.view(), _moved(photo, face, SHUT, mask=mask).view()
    assert np.array_equal(before[:, middle:], after[:, middle:])
    assert not np.array_equal(before, after)


def test_tiles_and_depth_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, face = _face()
    whole = _moved(photo, face, SHUT, Lids(-0.3)).view()
    monkeypatch.setattr(layers, "TILE", 37)
    assert np.array_equal(whole, _moved(photo, face, SHUT, Lids(-0.3)).view())
    deep = photo_of(photo.view().astype(np.uint16) * 257)
    after = _moved(deep, face, SHUT, Lids(-0.3)).view()
    assert after.dtype == np.uint16
    assert np.abs(after / 257 - whole).max() < 1.5


def test_a_photo_without_colour_gets_none() -> None:
    _, face = _face()
    photo = photo_of(drawn(face, (400, 400), grey=True))
    assert np.ptp(_moved(photo, face, SHUT, SHUT).view(), axis=-1).max() == 0


def test_a_frame_of_glasses_above_the_eye_stays() -> None:
    photo, face = _face(160.0)
    pixels = photo.view().copy()
    eye = Eye.of(face, LEFT_EYE)
    line = eye.to_photo(np.array([[0.0, eye.upper.min() - 0.16]]))[0, 1]
    rows = slice(int(line) - 4, int(line) + 4)
    pixels[rows, 60:600] = 25
    framed = photo_of(pixels)
    band = Skin.around(eye, framed).band
    assert band is not None and Skin.around(eye, photo).band is None
    assert np.median(band) == pytest.approx(eye.upper.min() - 0.16, abs=0.08)
    after = _moved(framed, face, SHUT).view()
    assert np.array_equal(after[rows], pixels[rows])
    assert not near(after, IRIS)[:, : framed.width // 2].any()


@pytest.mark.parametrize("ratio", [-0.6, -0.3, 0.0, 0.5, 2.0, 8.0])
def test_skin_unfolds_without_folds_between_what_stays_and_what_moves(ratio: float) -> None:
    y = np.linspace(-2, 12, 4001)
    source = unfolded(y, np.zeros_like(y), np.ones_like(y), np.full_like(y, ratio))
    assert np.all(np.diff(source) >= -1e-9)
    assert source[y <= 0] == pytest.approx(y[y <= 0])
    moved = y >= 1 + ratio
    assert source[moved] == pytest.approx(y[moved] - ratio)


def test_lids_meet_whatever_the_share_of_each() -> None:
    photo, face = _face()
    for lids in (Lids(1.0), Lids(0.7, 0.3), Lids(0.2, 0.8)):
        assert near(_moved(photo, face, lids, lids).view(), IRIS, 40).sum() <= 4


def test_curves_are_level_outside_of_the_eye() -> None:
    eye = Eye.of(points(), LEFT_EYE)
    assert np.array_equal(eye.upper[np.abs(XS) > 0.51], eye.lower[np.abs(XS) > 0.51])
    assert (eye.lower >= eye.upper).all() and eye.height == pytest.approx(0.375, rel=0.05)


@pytest.mark.parametrize("centre", [(-50.0, 100.0), (20.0, 20.0), (395.0, 395.0), (900.0, 900.0)])
def test_eyes_at_and_past_the_photos_edge_do_no_harm(centre: tuple[float, float]) -> None:
    face = points(centre=centre)
    photo = photo_of(drawn(points(), (400, 400)))
    assert _moved(photo, face, SHUT, SHUT).view().shape == photo.view().shape


@pytest.mark.parametrize("shade", [1.0, 0.5])
def test_a_shut_lid_is_about_as_light_as_the_skin_around_it(shade: float) -> None:
    photo, face = _face()
    lit = np.rint(photo.view() * shade).astype(np.uint8)
    after = _moved(photo_of(lit), face, SHUT).view().astype(float)
    x, y = np.rint(face[LEFT_EYE.pupil]).astype(int)
    lid, skin = (
        after[y - 6 : y + 2, x - 8 : x + 8].mean((0, 1)),
        lit[y - 26 : y - 20, x - 8 : x + 8].mean((0, 1)),
    )
    assert lid == pytest.approx(skin, rel=0.12)


@pytest.mark.parametrize(("manner", "above"), [(BARE, 0.42), (FRAMED, 0.2)])
def test_what_lies_above_the_lids_skin_stays_where_it_is(manner: Manner, above: float) -> None:
    photo, face = _face()
    before, after = photo.view(), _moved(photo, face, SHUT, SHUT, manner=manner).view()
    width = float(np.hypot(*np.subtract(*face[list(LEFT_EYE.corners)])))
    top = int(min(face[list(eye.upper), 1].min() for eye in EYES) - above * width) - 1
    assert np.array_equal(before[:top], after[:top])
    assert not np.array_equal(before[top:], after[top:])


def test_glasses_are_seen_so_that_lids_slide_as_they_do_behind_them() -> None:
    pixels = np.ascontiguousarray(skimage.data.astronaut())
    (face,) = find_faces(pixels)
    features = Features.of(perceive(pixels, face.alignment).points)
    assert features is not None
    framed, black = pixels.copy(), (15, 15, 15)
    (left, y), (right, _) = (np.rint(eye.origin).astype(int).tolist() for eye in features.eyes)
    wide, high = round(0.85 * features.eyes[0].width), round(0.5 * features.eyes[0].width)
    for x in (left, right):
        cv2.ellipse(framed, (x, y + 3), (wide, high), 0, 0, 360, black, 2)
    cv2.line(framed, (left + wide, y), (right - wide, y), black, 2)
    bare, worn = (Scene(features, photo_of(each)) for each in (pixels, framed))
    assert bare.glasses < GLASSES < worn.glasses
