"""What is no face is given by a box, and inverted, edited and kept like a face."""

import json

import cv2
import numpy as np
import pytest

from checkpoints.testing import random_checkpoint
from tests.realedit.cli.conftest import Shell
from tests.realedit.samples import save_model

pytestmark = pytest.mark.usefixtures("small_paste")

QUICK = (
    "--model=box.safetensors", "--quality=draft", "--set=projection.steps=2", "--set=perceptual=pyramid"
)  # fmt: skip
EDIT = ("edit", "photo.png", "--drag=60,40:64,40", "--box=40,20,40,30", "--json", *QUICK)


def test_a_box_is_cut_out_as_a_square_around_it(shell: Shell) -> None:
    shell("align", "photo.png", "-o", "crop.png", "--box=40,20,32,32", "--model=box.safetensors")
    photo, crop = (cv2.imread(str(shell.folder / name)) for name in ("photo.png", "crop.png"))
    assert crop.shape == (32, 32, 3)
    assert np.abs(crop.astype(int) - photo[20:52, 40:72]).max() <= 2


def test_a_box_is_inverted_and_measured(shell: Shell) -> None:
    shown = shell("invert", "photo.png", "--keep=kept", "--box=40,20,40,30", "--report", *QUICK).out
    report = json.loads((shell.folder / "kept/report.json").read_text())
    assert report["psnr"] > 5 and report["identity"] is None and report["steps"] == {"project": 2}
    assert "no face" in shown
    assert cv2.imread(str(shell.folder / "kept/report.png")).shape == (32, 96, 3)
    alignment = json.loads((shell.folder / "kept/session.json").read_text())["alignment"]
    assert alignment["centre"] == [60, 35] and alignment["side"] == 40


def test_a_box_is_edited_within_its_square_and_inverted_once(shell: Shell) -> None:
    first = shell(*EDIT, "-o", "one.png", "--verbose")
    left, top, right, bottom = json.loads(first.out)["changed_box"]
    assert 40 <= left < right <= 80 and 15 <= top < bottom <= 55
    again = shell(*EDIT, "-o", "two.png", "--verbose")
    assert "cache" in again.err and "inverting with" not in again.err
    assert (shell.folder / "one.png").read_bytes() == (shell.folder / "two.png").read_bytes()
    for other in ("--box=40,20,40,32", None):
        arguments = [each for each in EDIT if not each.startswith("--box")] + ([other] if other else [])
        assert "inverting with" in shell(*arguments, "-o", "three.png", "--verbose").err


def test_boxes_that_cannot_be_are_refused(shell: Shell) -> None:
    wide = [each.replace("40,20,40,30", "40,20,4000,30") for each in EDIT]
    assert "leaves the photo" in shell(*wide, "-o", "out.png", code=2).err
    assert "name one of them" in shell(*EDIT, "--face=0", "-o", "out.png", code=2).err
    empty = [each.replace("40,20,40,30", "40,20,0,30") for each in EDIT]
    assert "empty" in shell(*empty, "-o", "out.png", code=2).err
    outside = [each.replace("60,40:64,40", "5,5:6,6") for each in EDIT]
    assert "outside of the aligned square" in shell(*outside, "-o", "out.png", code=2).err


def test_a_target_outside_of_the_square_is_gone_towards_as_far_as_its_edge(shell: Shell) -> None:
    far = [each.replace("60,40:64,40", "60,35:90,35") for each in EDIT]
    report = json.loads(shell(*far, "-o", "out.png").out)
    ((x, y),) = [each["target"] for each in report["handles"]]
    assert 78 < x < 80 and y == 35
    assert any("90,35 lies outside of the square" in said and "79,35" in said for said in report["warnings"])
    kept = [*(each for each in far if each != "--json"), "--keep=kept"]
    assert "90,35 lies outside" in shell(*kept, "-o", "two.png").err
    assert "90,35 lies outside" in shell("drag", "kept", "--drag=60,35:90,35", "--from-start").err
    shown = (shell.folder / "out.png").read_bytes(), (shell.folder / "two.png").read_bytes()
    assert shown[0] == shown[1]


@pytest.mark.parametrize("alignment", ["ffhq", "box"])
def test_a_recipe_of_landmarks_blames_the_box_before_anything_is_inverted(
    alignment: str, shell: Shell
) -> None:
    """The model draws faces; it is the box in which none is looked for. The other model knows no faces."""
    if alignment == "ffhq":
        save_model(random_checkpoint(32), shell.folder / "box.safetensors")
    words = [each for each in EDIT if not each.startswith(("--drag", "--json"))]
    said = shell(*words, "--recipe=smile", "-o", "out.png", "--verbose", code=2).err
    assert "smile names landmarks of a face" in said and "inverting with" not in said
    assert ("in a box none are looked for" in said) == (alignment == "ffhq")
