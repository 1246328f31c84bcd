"""Photos without colours of their own: what an edit adds has none either."""

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from realedit.compositing import paste
from realedit.compositing.tone import LUMA, Tone
from tests.realedit.compositing.test_paste import HEIGHT, SQUARE, WIDTH, _random_change
from tests.realedit.samples import photo_of, picture

Pixels = NDArray[np.uint8]
ASTRONAUT: Pixels = np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352])
WEIGHTS = {"grey": (1.0, 1.0, 1.0), "sepia": (1.07, 0.9, 0.7), "blue": (0.85, 0.95, 1.15)}


def _toned(pixels: Pixels, name: str) -> Pixels:
    """The picture in shades of one colour."""
    grey = (pixels @ LUMA)[..., None]
    return np.clip(grey * np.array(WEIGHTS[name], np.float32), 0, 255).astype(np.uint8)


def _as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    encoded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("quality", [100, 80, 50])
def test_a_photo_in_shades_of_one_colour_has_a_tone_curve(name: str, quality: int) -> None:
    assert Tone.of(_as_jpeg(_toned(ASTRONAUT, name), quality) / 255) is not None


def test_a_photo_with_colours_has_none() -> None:
    assert Tone.of(ASTRONAUT / 255) is None
    faint = ASTRONAUT * 0.5 + _toned(ASTRONAUT, "grey") * 0.5
    assert Tone.of(faint / 255) is None, "faint colours are colours"
    one = _toned(ASTRONAUT, "grey")
    one[150:220, 100:160] = (180, 30, 40)
    assert Tone.of(one / 255) is None, "a single coloured thing too"


def test_what_is_added_keeps_its_brightness_and_takes_the_photos_tone() -> None:
    shown = np.asarray(_toned(ASTRONAUT, "sepia") / 255, np.float32)
    tone = Tone.of(shown)
    assert tone is not None
    added = np.zeros_like(shown)
    added[100:150, 100:150] = (0.2, -0.1, 0.05)
    along = tone.along(shown, added)
    assert not along[added == 0].any()
    assert along @ LUMA == pytest.approx(added @ LUMA, abs=0.02)
    result = (shown + along)[100:150, 100:150]
    inside = (result.max(-1) < 1) & (result.min(-1) > 0)
    expected = np.asarray(WEIGHTS["sepia"]) / (np.asarray(WEIGHTS["sepia"]) @ LUMA)
    assert np.abs(result - (result @ LUMA)[..., None] * expected)[inside].max() < 0.03


def test_grey_stored_as_colours_stays_exactly_grey() -> None:
    photo = photo_of(np.repeat(picture(WIDTH, HEIGHT)[..., :1], 3, axis=-1))
    assert not photo.is_grey
    pasted = paste(photo, _random_change(5), SQUARE)
    shown = pasted.view().astype(int)
    assert pasted.changed is not None and (shown != photo.view()).any()
    assert np.abs(shown - shown[..., :1]).max() == 0


@pytest.mark.parametrize("name", WEIGHTS)
def test_toned_photos_stay_in_their_tone(name: str) -> None:
    photo = photo_of(_as_jpeg(_toned(picture(WIDTH, HEIGHT), name), 85))
    pasted = paste(photo, _random_change(5), SQUARE).view()
    changed = (pasted != photo.view()).any(-1)
    assert changed.any()
    off = np.abs(pasted[changed] - _toned(pasted, name)[changed].astype(float)).max(-1)
    before = np.abs(photo.view()[changed] - _toned(photo.view(), name)[changed].astype(float)).max(-1)
    assert np.quantile(off, 0.9) <= np.quantile(before, 0.9) + 3
