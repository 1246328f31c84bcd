"""`faces` and `align`: numbers that stay, figures that programs read, pictures that people look at."""

import json

import numpy as np
import pytest
import skimage.data

from realedit.photos import read_photo
from tests.realedit.cli.conftest import Shell
from tests.realedit.samples import png


@pytest.fixture
def astronaut(shell: Shell) -> Shell:
    """Two of her side by side, the right one smaller; and a picture without a face."""
    one = np.ascontiguousarray(skimage.data.astronaut()[:300, 70:370])
    small = np.ascontiguousarray(one[::2, ::2])
    both = np.full((300, 480, 3), 120, np.uint8)
    both[:, :300] = one
    both[75:225, 320:470] = small
    png(shell.folder / "two.png", both)
    return shell


def test_faces_are_numbered_and_told_with_what_may_go_wrong(astronaut: Shell) -> None:
    told = json.loads(astronaut("faces", "two.png", "--json").out)
    assert (told["width"], told["height"]) == (480, 300)
    large, small = told["faces"]
    assert [each["face"] for each in told["faces"]] == [0, 1]
    assert large["size"] > 1.7 * small["size"] and "small" in small["concerns"]
    for each, left, right in ((large, 60, 260), (small, 340, 460)):
        landmarks = np.array(each["landmarks"])
        assert landmarks.shape == (68, 2) and left < landmarks[:, 0].min() and landmarks[:, 0].max() < right
        box = np.array(each["box"])
        assert (box[:2] < landmarks[30]).all() and (landmarks[30] < box[2:]).all(), "the nose"
    assert large["sure"] > 0.9 and large["glasses"] < 0.5 and abs(large["pose"]["roll"]) < 20
    words = astronaut("faces", "two.png", "--picture=faces.png")
    assert "face 0: around" in words.out and "  small: the face is small" in words.out
    assert "faces.png" in words.out
    drawn, plain = (read_photo(astronaut.folder / name).view() for name in ("faces.png", "two.png"))
    assert drawn.shape == plain.shape
    differs = (drawn != plain).any(-1)
    assert differs[:, :300].any() and differs[75:225, 320:470].any() and differs.mean() < 0.2


def test_a_photo_without_a_face_is_an_empty_list_and_in_words_an_error(shell: Shell) -> None:
    assert json.loads(shell("faces", "photo.png", "--json").out)["faces"] == []
    assert "no face was found" in shell("faces", "photo.png", code=3).err


def test_align_says_where_the_square_lies_at_the_size_that_is_asked_for(astronaut: Shell) -> None:
    told = json.loads(astronaut("align", "two.png", "--face=0", "-o", "crop.png", "--size=200", "--json").out)
    assert told["size"] == 200 and told["face"] == 0 and told["valid"] > 0.9
    crop = read_photo(astronaut.folder / "crop.png")
    assert (crop.width, crop.height) == (200, 200)
    inside = np.array(told["landmarks_in_crop"])
    assert 60 < inside[30, 0] < 140 and 80 < inside[30, 1] < 140, "the nose is in the middle"
    corners = np.array(told["corners"])
    assert np.allclose(corners.mean(0), told["centre"], atol=0.02)
    box = json.loads(
        astronaut("align", "photo.png", "--box=8,8,40,40", "-o", "box.png", "--size=64", "--json").out
    )
    assert box["face"] is None and box["landmarks"] is None and box["side"] == 40


@pytest.mark.parametrize("gone", ["--quality=draft", "--seed=1", "--label=2", "--device=cpu"])
def test_align_takes_no_option_that_changes_nothing(gone: str, shell: Shell) -> None:
    assert gone.split("=")[0] in shell("align", "photo.png", "-o", "crop.png", gone, code=2).err
