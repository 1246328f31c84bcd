"""Lips that part: both stay whole, and what is between them is the generator's."""

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realedit.compositing import Change, ChangeSettings, Mouth, describe
from realedit.compositing.flow import warp

SIZE, SETTINGS = 128, ChangeSettings(size=128)
SKIN, LIP, TEETH, DARK = (0.8, 0.6, 0.5), (0.75, 0.35, 0.35), (0.85, 0.85, 0.8), (0.1, 0.05, 0.05)
MIDDLE, HALF, THICK = 64.0, 24.0, 9.0  # of the mouth


def landmarks(gap: float) -> NDArray[np.float64]:
    """A mouth whose lower lip is `gap` pixels down, the eyes 60 apart; in the unit square."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48] = (34, 40), (94, 40)

    def row(shares: list[float], height: float) -> list[tuple[float, float]]:
        return [(MIDDLE + HALF * s, 80 + height * (1 - s * s)) for s in shares]

    points[48:55] = row([-1, -0.66, -0.33, 0, 0.33, 0.66, 1], -THICK)
    points[55:60] = row([0.66, 0.33, 0, -0.33, -0.66], gap + THICK)
    points[60:65] = row([-0.95, -0.5, 0, 0.5, 0.95], 0)
    points[65:68] = row([0.5, 0, -0.5], gap)
    return points / SIZE


def face(gap: float) -> NDArray[np.float32]:
    """Skin with freckles that go down with the jaw, lips, and between them teeth above darkness."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    arch = np.clip(1 - ((x - MIDDLE) / HALF) ** 2, 0, 1)
    lower = y > 80 + gap * arch
    down = np.where(lower, gap * np.exp(-(((x - MIDDLE) / 40) ** 2)) * np.clip((126 - y) / 20, 0, 1), 0)
    freckles = 0.08 * np.sin((y - down) / 2.2) * np.sin(x / 2.7)
    picture = np.array(SKIN) + freckles[..., None]
    top, bottom = 80 - THICK * arch, 80 + (gap + THICK) * arch
    picture[(y > top) & (y < bottom) & (arch > 0)] = LIP
    inside = (y > 80) & (y < 80 + gap * arch)
    picture[inside] = np.where((y < 80 + 0.45 * gap * arch)[..., None], TEETH, DARK)[inside]
    return np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.7), np.float32)


def opened(
    gap: float, settings: ChangeSettings = SETTINGS, *, known: bool = True, reach: float = 1
) -> Change:
    before, after = face(0), face(gap)
    crop = np.clip(np.rint(before * 255), 0, 255).astype(np.uint8)
    mouth = Mouth(landmarks(0), landmarks(gap)) if known else None
    within = np.full((SIZE, SIZE), reach, np.float32)
    return describe(before, after, crop, np.ones((SIZE, SIZE), bool), within, settings, mouth=mouth)


def test_between_parted_lips_the_generators_pixels_show() -> None:
    change = opened(14.0)
    assert change.trust[82:92, 60:68].max() < 0.05 and change.amount[82:92, 60:68].min() > 0.9
    assert np.abs(change.generated[84, 64] - TEETH).max() < 0.15
    assert np.abs(change.generated[91, 64] - DARK).max() < 0.15


def test_both_lips_stay_whole() -> None:
    gap = 14.0
    change = opened(gap)
    shown = warp(face(0), change.flow)
    upper, lower = shown[80 - 6 : 80 - 2, 64], shown[80 + int(gap) + 3 : 80 + int(gap) + 7, 64]
    assert np.abs(upper - LIP).max() < 0.06 and np.abs(lower - LIP).max() < 0.06
    assert change.trust[80 - 6 : 80 - 2, 64].min() > 0.8
    assert change.trust[80 + int(gap) + 3 : 80 + int(gap) + 7, 64].min() > 0.8
    assert change.flow[98, 64, 1] == pytest.approx(-gap, abs=1.5) and abs(change.flow[76, 64, 1]) < 1


def test_without_landmarks_a_lip_is_stretched_over_the_gap() -> None:
    """What the landmarks are for: a smooth flow takes its pixels from a lip."""
    jump = [np.abs(np.diff(opened(14.0, known=known).flow[:, 64, 1])).max() for known in (True, False)]
    assert jump[0] > 5 > 3 * jump[1]


def test_lips_that_hardly_part_are_pasted_as_ever() -> None:
    assert not Mouth(landmarks(0), landmarks(1.5)).parts
    assert Mouth(landmarks(0), landmarks(3)).parts
    assert not Mouth(landmarks(10), landmarks(4)).parts, "lips that close"
    assert not Mouth(landmarks(10), landmarks(16)).parts, "teeth that show a little more"
    ever, now = opened(1.5, known=False), opened(1.5)
    for field in dataclasses.fields(Change):
        assert np.array_equal(getattr(ever, field.name), getattr(now, field.name)), field.name


def test_nothing_opens_beyond_the_reach() -> None:
    change = opened(14.0, reach=0)
    assert change.empty and not change.flow.any()


def test_teeth_that_show_go_with_the_upper_lip() -> None:
    before, after = face(8.0), face(20.0)
    crop = np.clip(np.rint(before * 255), 0, 255).astype(np.uint8)
    everywhere = np.ones((SIZE, SIZE), np.float32)
    mouth = Mouth(landmarks(8), landmarks(20))
    change = describe(before, after, crop, everywhere > 0, everywhere, SETTINGS, mouth=mouth)
    assert change.trust[81:83, 62:67].min() > 0.5, "the photo's own teeth"
    assert change.trust[92:97, 62:67].max() < 0.1, "new below them"


def test_the_inside_has_no_hue_that_lips_have_not() -> None:
    before, after = face(0), face(14.0)
    green = np.array([0.2, 0.5, 0.3])
    y, x = np.mgrid[:SIZE, :SIZE]
    within = (y > 82) & (y < 92) & (abs(x - 64) < 6)
    after[within] = green
    before[:20], after[:20] = green, green  # in the photo, but not in the face
    crop = np.clip(np.rint(before * 255), 0, 255).astype(np.uint8)
    everywhere = np.ones((SIZE, SIZE), np.float32)
    mouth = Mouth(landmarks(0), landmarks(14.0))
    change = describe(before, after, crop, everywhere > 0, everywhere, SETTINGS, mouth=mouth)
    red, shown, _ = change.generated[86, 64]
    assert shown < red + 0.03
