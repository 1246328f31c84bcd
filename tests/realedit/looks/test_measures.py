"""What should not happen is seen, and nothing is seen where nothing happened."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realedit.compositing.heads import Head, Turn
from realedit.compositing.paste import paste
from realedit.looks.effects import happened
from realedit.looks.lids import lid_measures
from realedit.looks.pair import Pair, square_after
from realedit.looks.verdict import LIMITS, measure
from realedit.perception import points as parts
from realedit.perception.weights import bundled
from tests.realedit.looks.conftest import Portrait
from tests.realedit.samples import photo_of

Pixels = NDArray[np.uint8]


def pair_of(portrait: Portrait, before: Pixels, after: Pixels) -> Pair:
    return Pair.of(before, after, portrait.face, portrait.seen)


def place(portrait: Portrait, point: int) -> tuple[int, int]:
    x, y = portrait.seen.points[point]
    return round(x), round(y)


def over(measures: dict[str, float]) -> set[str]:
    return {name for name, limit in LIMITS.items() if measures.get(name, 0) >= limit.weak}


def test_nothing_is_seen_where_nothing_happened(portrait: Portrait) -> None:
    measures = measure(pair_of(portrait, portrait.photo, portrait.photo.copy()))
    assert not any(measures.values()) and not over(measures)


def test_noise_of_a_code_value_is_no_fault(portrait: Portrait) -> None:
    noise = np.random.default_rng(0).integers(-1, 2, portrait.photo.shape)
    after = np.clip(portrait.photo + noise, 0, 255).astype(np.uint8)
    assert not over(measure(pair_of(portrait, portrait.photo, after)))


def painted(portrait: Portrait, point: int, colour: tuple[int, int, int], size: float) -> Pixels:
    after = portrait.photo.copy()
    cv2.circle(after, place(portrait, point), round(size * portrait.seen.interocular), colour, -1)
    return after


def test_a_purple_blob_between_the_lips_is_a_stain(portrait: Portrait) -> None:
    after = painted(portrait, 13, (120, 40, 170), 0.12)
    assert "stains" in over(measure(pair_of(portrait, portrait.photo, after)))


def lips_of(portrait: Portrait) -> NDArray[np.bool_]:
    mask = np.zeros(portrait.photo.shape[:2], np.uint8)
    for outer, inner in (
        (parts.OUTER_LIP_UPPER, parts.INNER_LIP_UPPER),
        (parts.OUTER_LIP_LOWER, parts.INNER_LIP_LOWER),
    ):
        outline = portrait.seen.points[[*outer, *inner[::-1]]]
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    return mask > 0


def as_rgb(colours: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_LAB2RGB), np.uint8)


def test_lips_in_another_light_keep_their_colour_and_pale_ones_do_not(portrait: Portrait) -> None:
    lips = lips_of(portrait)
    colours = np.asarray(cv2.cvtColor(portrait.photo, cv2.COLOR_RGB2LAB), np.uint8)
    darker, paler = colours.copy(), colours.copy()
    darker[lips, 0] = np.clip(colours[lips, 0].astype(int) - 20, 0, 255)
    paler[lips, 1:] = 128 + (colours[lips, 1:].astype(int) - 128) // 3
    tones = [measure(pair_of(portrait, portrait.photo, as_rgb(each)))["lip tone"] for each in (darker, paler)]
    assert tones[0] < LIMITS["lip tone"].weak < tones[1]


def shut(portrait: Portrait, after: Pixels) -> dict[str, float]:
    """What is measured of lids when both eyes are shut in `after`."""
    points = portrait.seen.points.copy()
    for eye in parts.EYES:
        points[list(eye.upper)] = points[list(eye.lower)]
    pair = replace(pair_of(portrait, portrait.photo, after), new=replace(portrait.seen, points=points))
    return lid_measures(pair)


def around_eyes(portrait: Portrait, wider: float) -> NDArray[np.float32]:
    """1 in the eyes' openings and as far around them, 0 beyond."""
    mask = np.zeros(portrait.photo.shape[:2], np.uint8)
    for eye in parts.EYES:
        outline = portrait.seen.points[[*eye.upper, *eye.lower[::-1]]]
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    side = 2 * round(wider * portrait.seen.interocular) + 1
    return cv2.dilate(mask, np.ones((side, side), np.uint8)).astype(np.float32)


def test_lids_that_are_patches_have_an_outline_and_such_that_unfold_have_not(portrait: Portrait) -> None:
    patched = np.where(around_eyes(portrait, 0)[..., None] > 0, (225, 180, 160), portrait.photo)
    wide = cv2.GaussianBlur(around_eyes(portrait, 0.15), (0, 0), 0.05 * portrait.seen.interocular)
    smooth = cv2.GaussianBlur(portrait.photo, (0, 0), 0.15 * portrait.seen.interocular)
    unfolded = portrait.photo + wide[..., None] * (smooth.astype(float) - portrait.photo)
    outlines = [shut(portrait, each.astype(np.uint8))["lid outline"] for each in (patched, unfolded)]
    assert outlines[0] > LIMITS["lid outline"].weak > outlines[1]


def test_what_is_smeared_under_a_brow_is_seen(portrait: Portrait) -> None:
    after = portrait.photo.copy()
    eye = parts.LEFT_EYE
    rim = portrait.seen.points[list(eye.upper)]
    width = float(np.hypot(*(rim[-1] - rim[0])))
    for high in (0.14, 0.21, 0.28):
        line = np.rint(rim - np.array([0, high * width])).astype(np.int32)
        cv2.polylines(after, [line], False, (250, 250, 250), 1)
    smears = [shut(portrait, each)["lid smear"] for each in (portrait.photo, after)]
    assert smears[0] == 0 and smears[1] > LIMITS["lid smear"].weak


def test_a_green_patch_on_the_cheek_is_no_colour_of_this_face(portrait: Portrait) -> None:
    found = over(measure(pair_of(portrait, portrait.photo, painted(portrait, 205, (60, 180, 70), 0.12))))
    assert "strange" in found


def test_colour_in_a_grey_photo_is_seen_and_grey_is_not(portrait: Portrait) -> None:
    grey = np.repeat(cv2.cvtColor(portrait.photo, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    patch = (slice(100, 140), slice(200, 250))
    tinted, brighter = grey.copy(), grey.copy()
    tinted[patch] = np.clip(tinted[patch].astype(int) + np.array([25, 0, 0]), 0, 255)
    brighter[patch] = np.clip(brighter[patch].astype(int) + 25, 0, 255)
    assert measure(pair_of(portrait, grey, tinted))["coloured"] > LIMITS["coloured"].weak
    assert measure(pair_of(portrait, grey, brighter))["coloured"] < LIMITS["coloured"].weak / 2
    assert "coloured" not in measure(
        pair_of(portrait, portrait.photo, painted(portrait, 205, (60, 180, 70), 0.1))
    )


def test_a_change_that_fades_has_no_seam_and_one_that_is_cut_has(portrait: Portrait) -> None:
    x, y = place(portrait, 205)
    unit = portrait.seen.interocular
    rows, columns = np.mgrid[: portrait.photo.shape[0], : portrait.photo.shape[1]]
    away = np.hypot(columns - x, rows - y)
    soft, hard = 80 * np.exp(-((away / (0.3 * unit)) ** 2)), -150.0 * (away < 0.3 * unit)
    seams = [
        measure(
            pair_of(
                portrait, portrait.photo, np.clip(portrait.photo + step[..., None], 0, 255).astype(np.uint8)
            )
        )
        for step in (soft, hard)
    ]
    assert seams[0]["seam"] < LIMITS["seam"].weak < seams[1]["seam"]


def warped(photo: Pixels, shift: NDArray[np.floating]) -> Pixels:
    """The photo with each pixel taken from `shift` `[H, W, 2]` away."""
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    map_x, map_y = (np.asarray(x + shift[..., 0], np.float32), np.asarray(y + shift[..., 1], np.float32))
    return np.asarray(
        cv2.remap(photo, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.uint8
    )


def bump(
    portrait: Portrait, centre: tuple[float, float], width: float, by: tuple[float, float]
) -> NDArray[np.floating]:
    rows, columns = np.mgrid[: portrait.photo.shape[0], : portrait.photo.shape[1]]
    weight = np.exp(-(((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / (2 * width**2)))
    return weight[..., None] * np.array(by)


def test_a_background_that_bends_is_seen(portrait: Portrait) -> None:
    unit = portrait.seen.interocular
    behind = portrait.seen.fine_matte(portrait.photo) < 0.05
    photo = portrait.photo.copy()
    photo[behind & (np.arange(photo.shape[1]) // 8 % 2 == 0)] = 200  # a striped wall
    beside = portrait.seen.points[234] - (0.9 * unit, 0.3 * unit)
    by = (0.2 * unit, 0.0)
    wall = warped(photo, bump(portrait, tuple(beside), 0.5 * unit, by))
    nose = warped(photo, bump(portrait, place(portrait, 1), 0.2 * unit, by))
    assert measure(pair_of(portrait, photo, wall))["behind"] > LIMITS["behind"].weak
    assert measure(pair_of(portrait, photo, nose))["behind"] == 0.0


@pytest.mark.parametrize("bent", [True, False])
def test_frames_that_bend_are_seen_and_such_that_move_whole_are_not(portrait: Portrait, bent: bool) -> None:
    unit, seen = portrait.seen.interocular, portrait.seen
    photo = portrait.photo.copy()
    for eye in parts.EYES:
        middle = seen.points[list(eye.corners)].mean(axis=0)
        box = [np.rint(middle + unit * np.array(side)).astype(int) for side in ((-0.42, -0.3), (0.42, 0.3))]
        cv2.rectangle(photo, tuple(map(int, box[0])), tuple(map(int, box[1])), (20, 20, 20), 2)
    centre = seen.points[168]
    away = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(float)
    shift = np.zeros((*photo.shape[:2], 2))
    wave = np.sin((away[1] - centre[0]) / (0.15 * unit)) if bent else np.ones_like(away[1])
    shift[..., 1] = 0.08 * unit * wave * np.exp(-(((away[0] - centre[1]) / (0.8 * unit)) ** 2) if bent else 0)
    worn = Portrait(photo, portrait.face, seen.__class__(**{**seen.__dict__, "glasses": 0.9}))
    measures = measure(pair_of(worn, photo, warped(photo, shift)))
    assert (measures["bent"] >= LIMITS["bent"].weak) == bent


@pytest.mark.parametrize(
    ("recipe", "turn"),
    [
        ("turn-left", Turn(yaw=-15)),
        ("turn-right", Turn(yaw=15)),
        ("look-up", Turn(pitch=-10)),
        ("look-down", Turn(pitch=10)),
        ("tilt-left", Turn(roll=-10)),
        ("tilt-right", Turn(roll=10)),
    ],
)
def test_a_head_that_turned_is_seen_where_it_went(portrait: Portrait, recipe: str, turn: Turn) -> None:
    head = Head.of(portrait.seen.points, portrait.face, bundled().shape)
    matte = portrait.seen.matte(head.square, head.size)
    after = paste(photo_of(portrait.photo), head.change(turn, matte), head.square, grain=False).srgb()
    pair = pair_of(portrait, portrait.photo, after)
    off = np.linalg.norm(pair.new.points - head.turned(turn, portrait.seen.points), axis=1)
    assert np.median(off) < 0.1 * portrait.seen.interocular
    did = happened(pair, recipe, 1.0)
    assert did is not None and did.grade == "good"
    back = happened(pair, recipe, -1.0)
    assert back is not None and back.grade == "bad"


def test_a_face_that_stayed_keeps_its_square(portrait: Portrait) -> None:
    assert square_after(portrait.photo, portrait.face) is portrait.face
