"""Pasting: only what changed, at the photo's own sharpness, depth and colours."""

import dataclasses
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alignment import Alignment, extract_crop
from realedit.compositing import MODES, Change, ChangeSettings, Mode, changed_box, describe, paste
from realedit.compositing.beyond import beyond
from realedit.compositing.change import shrink, within_colours
from realedit.compositing.flow import blur, jacobian, strain, unfold, warp
from realedit.photos import Photo
from realedit.photos.colour.icc import parametric_curve
from realedit.photos.colour.profile import SRGB, Colour, from_primaries
from tests.realedit.samples import photo_of, picture

CROP = 64
WIDTH, HEIGHT = 256, 224
SQUARE = Alignment(centre=(128.0, 112.0), side=192.0, angle=0.0)
TILTED = Alignment(centre=(120.0, 118.0), side=170.0, angle=0.4)
QUICK = ChangeSettings(size=128)


def _flow(size: int, dx: float, dy: float = 0.0) -> NDArray[np.float32]:
    y, x = np.mgrid[:size, :size] / size - 0.5
    height = np.exp(-(x**2 + y**2) / (2 * 0.11**2))
    return np.stack([height * dx, height * dy], -1).astype(np.float32)


def _share(values: NDArray[Any]) -> NDArray[np.float32]:
    """Levels as shares of 1."""
    return np.asarray(values / np.iinfo(values.dtype).max, np.float32)


def _moved_change(
    photo: Photo, alignment: Alignment, *, by: float = 0.05, size: int = CROP, mode: Mode = "detail"
) -> Change:
    """The change of a motion by a share of the crop's side that is known at low resolution alone."""
    crop = extract_crop(np.ascontiguousarray(photo.srgb()), alignment, size)
    fine = extract_crop(np.ascontiguousarray(photo.srgb()), alignment, 256)
    before = _share(crop.pixels)
    moved = warp(_share(fine.pixels), _flow(256, by * 256))
    after = np.asarray(cv2.resize(moved, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    reach = np.ones((size, size), np.float32)
    reach[[0, 1, -2, -1]] = reach[:, [0, 1, -2, -1]] = 0
    return describe(before, after, crop.pixels, crop.valid, reach, dataclasses.replace(QUICK, mode=mode))


def _random_change(seed: int, size: int = 48) -> Change:
    """A change with everything in it, in a blob somewhere."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    cx, cy = random.uniform(0.2, 0.8, 2)
    amount = np.clip(1 - np.hypot(x - cx, y - cy) / random.uniform(0.05, 0.3), 0, 1).astype(np.float32)

    def noise(*channels: int) -> NDArray[np.float32]:
        return blur(random.normal(size=(size, size, *channels)).astype(np.float32), 2.0)

    return Change(
        (noise(2) * 8 * amount[..., None]).astype(np.float32),
        noise(3),
        np.clip(noise() * 4 + 0.5, 0, 1).astype(np.float32),
        np.clip(noise(3) + 0.5, 0, 1).astype(np.float32),
        amount,
        resolution=size,
    )


@pytest.fixture(scope="module")
def photo() -> Photo:
    return photo_of(picture(WIDTH, HEIGHT))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("alignment", [SQUARE, TILTED])
def test_no_change_gives_back_the_photo_itself(mode: Mode, alignment: Alignment, photo: Photo) -> None:
    crop = extract_crop(np.ascontiguousarray(photo.srgb()), alignment, CROP)
    same = crop.pixels.astype(np.float32) / 255
    reach = np.ones((CROP, CROP), np.float32)
    change = describe(
        same, same.copy(), crop.pixels, crop.valid, reach, dataclasses.replace(QUICK, mode=mode)
    )
    assert not change.amount.any() and not change.flow.any()
    pasted = paste(photo, change, alignment)
    assert pasted is photo and pasted.changed is None


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    angle=st.floats(-3.1, 3.1),
    centre=st.tuples(st.floats(-20, WIDTH + 20), st.floats(-20, HEIGHT + 20)),
    side=st.floats(20, 300),
    masked=st.booleans(),
)
def test_outside_of_box_and_mask_every_pixel_is_as_it_was(
    seed: int, angle: float, centre: tuple[float, float], side: float, masked: bool
) -> None:
    photo = photo_of(picture(WIDTH, HEIGHT))
    alignment = Alignment(centre=centre, side=side, angle=angle)
    change, alignment = beyond(_random_change(seed), alignment, (WIDTH, HEIGHT))
    random = np.random.default_rng(seed)
    mask = blur(random.normal(size=(HEIGHT, WIDTH)).astype(np.float32), 9) > 0 if masked else None
    pasted = paste(photo, change, alignment, mask=mask)
    differs = np.asarray((pasted.view() != photo.view()).any(-1))
    if mask is not None:
        assert not differs[~mask].any()
    box = changed_box(change, alignment, (WIDTH, HEIGHT))
    if box is None:
        assert pasted is photo
        return
    left, top, right, bottom = box
    assert 0 <= left < right <= WIDTH and 0 <= top < bottom <= HEIGHT
    inside = np.zeros_like(differs)
    inside[top:bottom, left:right] = True
    assert not differs[~inside].any()
    # nor where the change's amount is zero all around
    centres = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), -1).reshape(-1, 2)
    at = alignment.to_crop(centres, change.size)
    far = cv2.dilate((change.amount > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    cells = np.floor(at).astype(int)
    within = ((cells >= 0) & (cells < change.size)).all(1)
    still = np.array(~within & ((at < -2) | (at > change.size + 2)).any(1))
    still[within] = far[cells[within, 1], cells[within, 0]]
    assert not differs.reshape(-1)[still].any()


@pytest.mark.parametrize("alignment", [SQUARE, TILTED])
def test_a_motion_seen_at_low_resolution_moves_the_photos_own_detail(
    alignment: Alignment, photo: Photo
) -> None:
    change = _moved_change(photo, alignment)
    detail = paste(photo, change, alignment).view().astype(np.float32)
    shown = _moved_change(photo, alignment, mode="plain")
    plain = paste(photo, shown, alignment, grain=False).view().astype(np.float32)
    # the truth: the photo itself, warped by the same motion in photo pixels
    centres = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), -1).reshape(-1, 2)
    unit = alignment.to_crop(centres, 1) - 0.5
    height = np.exp(-(unit**2).sum(1) / (2 * 0.11**2)) * 0.05 * alignment.side
    direction = np.array([np.cos(alignment.angle), np.sin(alignment.angle)])
    offset = (height[:, None] * direction).reshape(HEIGHT, WIDTH, 2).astype(np.float32)
    truth = warp(photo.view().astype(np.float32), offset)
    middle = np.hypot(*unit.T).reshape(HEIGHT, WIDTH) < 0.15

    def error(result: NDArray[np.float32]) -> float:
        return float(np.abs(result - truth)[middle].mean())

    def energy(result: NDArray[np.float32]) -> float:
        return float(np.abs(np.diff(result, axis=1))[middle[:, 1:]].mean())

    original = photo.view().astype(np.float32)
    assert error(detail) < 0.6 * error(original)
    assert energy(detail) > 0.75 * energy(original)
    assert energy(plain) < 0.6 * energy(original), "the model alone is blurred"


def test_sixteen_bits_stay_sixteen_and_smooth() -> None:
    ramp = np.linspace(12_000, 50_000, WIDTH)[None, :, None] + np.linspace(0, 3_000, HEIGHT)[:, None, None]
    photo = photo_of(np.repeat(ramp, 3, -1).astype(np.uint16))
    change = _random_change(4)
    change = dataclasses.replace(change, residual=np.full_like(change.residual, 0.1))
    pasted = paste(photo, change, SQUARE)
    assert pasted.dtype == np.uint16 and pasted.changed is not None
    left, top, right, bottom = pasted.changed
    values = pasted.view()[top:bottom, left:right, 0]
    assert len(np.unique(values % 257)) > 200, "no steps of 8 bits"


def test_grey_stays_grey() -> None:
    photo = photo_of(picture(WIDTH, HEIGHT)[..., :1].copy())
    pasted = paste(photo, _random_change(5), SQUARE)
    shown = pasted.view()
    assert pasted.is_grey and pasted.changed is not None
    assert (shown[..., 0] == shown[..., 1]).all() and (shown[..., 0] == shown[..., 2]).all()


@pytest.fixture(scope="module")
def wide() -> Colour:
    """Display P3; the matrix's columns are its primaries in XYZ (D50)."""
    p3 = np.array([[0.51512, 0.29198, 0.1571], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
    return from_primaries(
        "wide", p3, parametric_curve(3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])
    )


def test_colours_outside_of_srgb_stay_where_nothing_is_added(wide: Colour) -> None:
    red = np.broadcast_to(np.array([60_000, 3_000, 3_000], np.uint16), (HEIGHT, WIDTH, 3)).copy()
    change = _random_change(7)
    nothing = dataclasses.replace(
        change,
        flow=np.zeros_like(change.flow),
        residual=np.zeros_like(change.residual),
        trust=np.ones_like(change.trust),
    )
    assert paste(photo_of(red, colour=wide), nothing, SQUARE).changed is None


def test_colours_of_a_wide_space_are_changed_in_it(wide: Colour) -> None:
    """The same picture in a wider space gets, as sRGB, nearly the same change."""
    srgb = (picture(WIDTH, HEIGHT).astype(np.float32) / 255 * 0.6 + 0.2).astype(np.float32)
    values = np.rint(np.clip(wide.from_srgb(srgb), 0, 1) * 65535).astype(np.uint16)
    change = _random_change(6)
    change = dataclasses.replace(change, residual=change.residual * 0.2)
    in_wide = paste(photo_of(values, colour=wide), change, SQUARE)
    in_srgb = paste(photo_of(np.rint(srgb * 65535).astype(np.uint16), colour=SRGB()), change, SQUARE)
    shown = wide.to_srgb(_share(in_wide.view()))
    assert np.abs(shown - in_srgb.view() / 65535).mean() < 0.003
    assert in_wide.changed is not None


def test_a_square_that_leaves_the_photo_changes_only_what_is_in_it(photo: Photo) -> None:
    for centre in ((10.0, 20.0), (250.0, 200.0), (128.0, -40.0)):
        alignment = Alignment(centre=centre, side=200.0, angle=0.2)
        change = _moved_change(photo, alignment)
        pasted = paste(photo, change, alignment)
        assert np.isfinite(pasted.view()).all() and (pasted.width, pasted.height) == (WIDTH, HEIGHT)
        crop = extract_crop(np.ascontiguousarray(photo.srgb()), alignment, CROP)
        amount = cv2.resize(change.amount, (CROP, CROP), interpolation=cv2.INTER_AREA)
        assert not amount[~cv2.dilate(crop.valid.astype(np.uint8), np.ones((5, 5))).astype(bool)].any()


def test_a_square_beside_the_photo_changes_nothing(photo: Photo) -> None:
    beside = Alignment(centre=(-500.0, -500.0), side=100.0, angle=0.3)
    assert paste(photo, _random_change(1), beside) is photo


def test_a_mask_that_is_true_everywhere_is_no_mask(photo: Photo) -> None:
    change = _random_change(2)
    everywhere = np.ones((HEIGHT, WIDTH), np.bool_)
    assert np.array_equal(
        paste(photo, change, SQUARE, mask=everywhere).view(), paste(photo, change, SQUARE).view()
    )


def test_large_changes_are_pasted_without_seams_between_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    from realedit.compositing import paste as module  # the function; its module is where TILE lives

    photo = photo_of(picture(WIDTH, HEIGHT))
    change = _random_change(3)
    whole = paste(photo, change, TILTED).view().copy()
    monkeypatch.setitem(module.__globals__, "TILE", 37)
    tiled = paste(photo, change, TILTED).view()
    difference = np.abs(tiled.astype(int) - whole)
    assert difference.mean() < 0.01 and difference.max() <= 8, "rounding of the resampling alone"


def test_colours_are_held_to_those_of_the_photo() -> None:
    random = np.random.default_rng(1)
    photo = np.clip(np.array([0.6, 0.45, 0.4]) + random.normal(0, 0.04, (32, 32, 3)), 0, 1).astype(np.float32)
    where = np.ones((32, 32), np.bool_)
    assert np.abs(within_colours(photo, photo, where) - photo).mean() < 0.01, "its own colours pass"
    wild = np.broadcast_to(np.array([0.1, 1.0, 0.2], np.float32), (32, 32, 3)).copy()
    held = within_colours(wild, photo, where)
    assert (held[..., 1] - held[..., 0]).max() < 0.2 < (wild[..., 1] - wild[..., 0]).min()
    dark = np.full((32, 32, 3), 0.05, np.float32)
    assert within_colours(dark, photo, where) == pytest.approx(dark, abs=1e-4), "shade is allowed"
    assert np.array_equal(within_colours(wild, photo, ~where), wild), "nothing to go by"


def test_what_is_no_larger_than_noise_is_not_added() -> None:
    residual = np.zeros((32, 32, 3), np.float32)
    residual[:, :16], residual[:, 16:] = 0.04, 0.5
    kept = shrink(residual, np.full((32, 32), 0.1, np.float32), 1.0)
    assert not kept[:, :12].any()
    assert kept[:, 20:] == pytest.approx(0.4, abs=0.01)


def _appearing(photo: Photo) -> tuple[Change, NDArray[np.bool_]]:
    """A change in which a large white patch appears that was nowhere before, and where it is."""
    crop = extract_crop(np.ascontiguousarray(photo.srgb()), SQUARE, CROP)
    before = blur(_share(crop.pixels), 2.0) * 0.4
    before[12:16, 14:50] = 0.9  # something as bright, or the patch would be held to less
    after = before.copy()
    after[26:38, 22:42] = 0.95
    reach = np.zeros((CROP, CROP), np.float32)
    reach[10:-10, 10:-10] = 1
    change = describe(before, after, (before * 255).astype(np.uint8), crop.valid, reach, QUICK)
    where = np.zeros((QUICK.size, QUICK.size), np.bool_)
    where[58:70, 50:78] = True
    return change, where


def test_what_appears_is_shown_by_the_generators_pixels(photo: Photo) -> None:
    change, where = _appearing(photo)
    assert change.trust[where].mean() < 0.3 and change.trust[~where].mean() > 0.9
    pasted = paste(photo, change, SQUARE).view()
    middle = pasted[100:120, 110:140].astype(float)
    assert middle.mean() > photo.view()[100:120, 110:140].mean() + 30


def test_generated_pixels_that_are_shown_large_get_grain_and_a_warning(photo: Photo) -> None:
    large = photo_of(cv2.resize(picture(WIDTH, HEIGHT), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))
    noise = np.random.default_rng(0).normal(0, 6, large.stored.shape)
    large = photo_of(np.clip(large.stored + noise, 0, 255).astype(np.uint8))
    change, _ = _appearing(photo)
    square = dataclasses.replace(SQUARE, centre=(512.0, 448.0), side=768.0)
    with_grain, without = (paste(large, change, square, grain=grain) for grain in (True, False))

    def roughness(pasted: Photo) -> float:
        middle = pasted.view()[400:480, 440:560].astype(np.float32)
        return float((middle - blur(middle, 2.0)).std())

    assert roughness(without) < 1.5 < 3.5 < roughness(with_grain) < 8
    assert len(with_grain.warnings) == 1 and "enlarged 12.0 times" in with_grain.warnings[0]
    assert not paste(photo, change, SQUARE).warnings, "three times is not much"


def test_seamless_pixels_meet_the_photo_at_the_border(photo: Photo) -> None:
    """The generator's whole picture is darker; its gradients are what is pasted."""
    crop = extract_crop(np.ascontiguousarray(photo.srgb()), SQUARE, CROP)
    before = _share(crop.pixels) * 0.6
    after = warp(before, _flow(CROP, 4.0))
    reach = np.zeros((CROP, CROP), np.float32)
    reach[14:-14, 14:-14] = 1
    change = describe(
        before, after, crop.pixels, crop.valid, blur(reach, 2.0), dataclasses.replace(QUICK, mode="seamless")
    )
    assert not change.flow.any() and not change.trust.any()
    edge = (change.amount > 0) & (change.amount < 0.1)
    shown = cv2.resize(_share(crop.pixels), (QUICK.size, QUICK.size), interpolation=cv2.INTER_CUBIC)
    assert np.abs(change.generated - shown)[edge].mean() < 0.06
    assert paste(photo, change, SQUARE).changed is not None


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000), dx=st.floats(-60, 60), dy=st.floats(-60, 60))
def test_two_changes_compose_in_order(seed: int, dx: float, dy: float) -> None:
    """The second is pasted over the first, and where it changes nothing the first stays."""
    photo = photo_of(picture(WIDTH, HEIGHT))
    near = dataclasses.replace(SQUARE, centre=(128.0 + dx, 112.0 + dy))
    one, other = _random_change(seed), _random_change(seed + 1)
    first = paste(photo, one, SQUARE)
    both = paste(first, other, near)
    again = changed_box(other, near, (WIDTH, HEIGHT))
    outside = np.ones((HEIGHT, WIDTH), np.bool_)
    if again is not None:
        outside[again[1] : again[3], again[0] : again[2]] = False
        flat = photo_of(first.view().copy())
        assert np.array_equal(paste(flat, other, near).view(), both.view()), "as if the first were the photo"
    assert np.array_equal(both.view()[outside], first.view()[outside])


def test_a_mask_through_a_motion_folds_nothing() -> None:
    """A ramp stays a ramp: its values go on rising where a moved part meets one that must stay."""
    ramp = np.linspace(20, 235, WIDTH).astype(np.uint8)[None, :, None] + np.zeros((HEIGHT, 1, 3), np.uint8)
    size = 128
    flow = _flow(size, -12.0) * 2
    amount = (np.abs(flow[..., 0]) > 0.02).astype(np.float32)
    flat = np.zeros((size, size, 3), np.float32)
    change = Change(flow, flat, np.ones_like(amount), flat, amount, resolution=size)
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[:, 130:] = True
    row = paste(photo_of(ramp), change, SQUARE, mask=mask).view()[112, :, 0].astype(int)
    assert np.array_equal(row[:130], ramp[112, :130, 0]) and (row != ramp[112, :, 0]).any()
    assert (np.diff(row[100:230]) >= -1).all(), np.diff(row[100:230])


def _at_the_rim(alignment: Alignment, photo: Photo, mode: Mode) -> Change:
    """A change that is as large at the square's rim as anywhere: everything moves by 5 px, and is darker."""
    crop = extract_crop(np.ascontiguousarray(photo.srgb()), alignment, CROP)
    before = _share(crop.pixels)
    after = np.clip(np.roll(before, 5, axis=0) - 0.3, 0, 1).astype(np.float32)
    reach = np.ones((CROP, CROP), np.float32)
    return describe(before, after, crop.pixels, crop.valid, reach, dataclasses.replace(QUICK, mode=mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("alignment", [SQUARE, TILTED])
def test_no_line_shows_where_the_square_ends(alignment: Alignment, mode: Mode) -> None:
    smooth = photo_of(np.full((HEIGHT, WIDTH, 3), 120, np.uint8))
    pasted = paste(smooth, _at_the_rim(alignment, smooth, mode), alignment).view().astype(int)
    assert np.abs(pasted - 120).max() > 40
    steps = max(np.abs(np.diff(pasted, axis=axis)).max() for axis in (0, 1))
    assert steps < 40, "the whole change, 76, would be a line"


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 1000),
    strength=st.floats(0, 12),
    angle=st.floats(-0.5, 0.5),
    centre=st.tuples(st.floats(60, 200), st.floats(60, 170)),
)
def test_a_motion_dies_away_in_the_photo_around_the_square(
    seed: int, strength: float, angle: float, centre: tuple[float, float]
) -> None:
    """As much as before within the square, nothing on the larger square's rim, and nowhere a fold."""
    change, square = _random_change(seed), Alignment(centre=centre, side=120.0, angle=angle)
    everywhere = np.ones_like(change.amount)
    flow = blur(np.random.default_rng(seed).normal(size=(48, 48, 2)).astype(np.float32), 9)
    flow = unfold(flow / np.abs(flow).max() * np.float32(strength), most=2.0)
    change = dataclasses.replace(change, flow=flow, amount=everywhere)
    larger, around = beyond(change, square, (WIDTH, HEIGHT))
    if not flow.any():
        assert larger is change and around is square
        return
    assert larger.size == 60 and around.side == pytest.approx(150) and around.centre == square.centre
    for part in (larger.flow, larger.amount):
        assert not part[[0, -1]].any() and not part[:, [0, -1]].any()
    assert jacobian(larger.flow).min() >= 0.1 and strain(larger.flow).max() <= 2.0
    inside = (slice(6, -6), slice(6, -6))
    assert np.array_equal(larger.amount[inside], everywhere)
    assert (larger.trust[0] == 1).all() and not larger.residual[0].any()


def test_a_chin_at_the_rim_moves_as_far_as_it_did(photo: Photo) -> None:
    """Held on the rim it would hardly move at all."""
    crop = extract_crop(np.ascontiguousarray(photo.srgb()), SQUARE, CROP)
    before = _share(crop.pixels)
    y = np.arange(CROP, dtype=np.float32)[:, None]
    truth = np.zeros((CROP, CROP, 2), np.float32)
    truth[..., 1] = -3 * np.clip(y / CROP - 0.5, 0, 1) * 2
    reach = np.ones((CROP, CROP), np.float32)
    change = describe(before, warp(before, truth), crop.pixels, crop.valid, reach, QUICK)
    larger, _ = beyond(change, SQUARE, (WIDTH, HEIGHT))
    wanted = np.linalg.norm(truth[-6, 20:44], axis=-1).mean() * change.size / CROP
    margin = (larger.size - change.size) // 2
    assert np.linalg.norm(larger.flow[-margin - 12, 40:88], axis=-1).mean() > 0.75 * wanted
    assert paste(photo, change, SQUARE).changed is not None


def test_made_up_pixels_beyond_the_photos_edge_colour_nothing() -> None:
    """Where a face is cut by the frame the crop goes on with a mirror image, which is not the photo's."""
    pixels = np.full((HEIGHT, WIDTH, 3), 180, np.uint8)
    photo = photo_of(pixels)
    square = Alignment(centre=(128.0, HEIGHT - 40.0), side=192.0, angle=0.0)
    crop = extract_crop(pixels, square, CROP)
    dark = crop.pixels.copy()
    dark[~crop.valid] = 0
    before = _share(crop.pixels)
    after = before.copy()
    after[20:60, 20:44] = 0.2
    reach = np.ones((CROP, CROP), np.float32)
    one, other = (
        paste(photo, describe(before, after, seen, crop.valid, reach, QUICK), square).view()
        for seen in (crop.pixels, dark)
    )
    assert np.abs(one.astype(int) - other).max() < 10 and (one != pixels).any()
