"""dlib's network and chips, rebuilt: the same numbers as dlib gives."""

import dlib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from train.faces.augment import chips_of
from train.faces.recogniser import Recogniser, chip_transforms

from alignment.models import face_models
from tests.scripts.train.samples import faces, landmarks


def test_descriptors_are_those_of_dlib() -> None:
    pixels = faces(2, size=150).pixels
    chips = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    ours, maps = Recogniser()(chips)
    for mine, picture in zip(ours, pixels, strict=True):
        theirs = np.array(face_models().recogniser.compute_face_descriptor(picture))
        np.testing.assert_allclose(mine.numpy(), theirs, atol=1e-5)
    assert [m.shape[1] for m in maps] == [32, 64, 128, 256]


def test_gradients_reach_the_picture() -> None:
    chips = torch.zeros(1, 3, 150, 150, requires_grad=True)
    Recogniser()(chips)[0].square().sum().backward()
    assert chips.grad is not None
    assert float(chips.grad.abs().sum()) > 0


@pytest.mark.parametrize("turn", [0.0, 0.15, -0.3])
def test_chips_are_cut_where_dlib_cuts_them(turn: float) -> None:
    ramp = np.linspace(0, 255, 512, dtype=np.float32)
    picture = np.stack([*np.meshgrid(ramp, ramp), np.full((512, 512), 128, np.float32)], 2)
    c, s = np.cos(turn), np.sin(turn)
    turned = ((landmarks() - 0.5) @ np.array([[c, s], [-s, c]]) + 0.5).astype(np.float32)
    shape = dlib.full_object_detection(
        dlib.rectangle(0, 0, 511, 511),
        dlib.points([dlib.point(int(x), int(y)) for x, y in np.floor(turned * 512).astype(int)]),
    )
    theirs = dlib.get_face_chip(picture.astype(np.uint8), shape, size=150, padding=0.25).astype(np.float32)
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None]
    ours = chips_of(tensor, chip_transforms(turned[None]), 150)[0].permute(1, 2, 0).numpy()
    # A grey level is 2 pixels of the ramp, about 1 of the chip. dlib's pyramid shifts pictures a little on
    # their way and rounds down.
    inside = np.s_[10:-10, 10:-10]
    assert np.abs(ours[inside] - theirs[inside]).max() < 0.02 * 150


def test_a_chip_shows_the_face_upright_and_centred() -> None:
    marks = np.zeros((1, 1, 512, 512), np.float32)
    for x, y in landmarks()[36:48] * 512:
        marks[0, 0, int(y), int(x)] = 1
    spread = F.max_pool2d(torch.from_numpy(marks), 9, 1, 4)
    chip = chips_of(spread, chip_transforms(landmarks()[None]), 150)[0, 0].numpy()
    rows, columns = np.nonzero(chip > 0.5)
    assert abs(columns.mean() - 75) < 4
    assert rows.max() < 75
