"""The networks that come with the package, on a real face."""

import dataclasses
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch

from alignment import Alignment, OutsideError
from checkpoints import CheckpointError
from checkpoints.bundled import bundled_file
from realedit.perception import Perceived, perceive
from realedit.perception import points as parts
from realedit.perception.weights import bundled, load

from .conftest import Portrait


def apart(seen: Perceived, points: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(seen.points - points, axis=1) / seen.interocular)


def test_what_is_seen_has_its_shapes(portrait: Portrait) -> None:
    seen = portrait.seen
    assert seen.points.shape == (478, 2) and seen.points.dtype == np.float64
    assert seen.depth.shape == (478,)
    assert seen.view_matte.shape == (96, 96) and seen.view_matte.dtype == np.float32
    assert seen.view_matte.min() >= 0 and seen.view_matte.max() <= 1
    assert seen.view.side == pytest.approx(1.5 * portrait.face.alignment.side)


def test_lids_and_lips_are_where_dlib_finds_them(portrait: Portrait) -> None:
    seen, landmarks = portrait.seen, portrait.face.landmarks
    pairs = {
        36: 33, 39: 133, 42: 362, 45: 263, 48: 61, 54: 291, 51: 0, 57: 17, 8: 152, 30: 1,
    }  # fmt: skip
    for theirs, ours in pairs.items():
        away = np.hypot(*(landmarks[theirs] - seen.points[ours])) / seen.interocular
        assert away < (0.2 if theirs in (8, 30) else 0.09), (theirs, ours, away)


def test_the_astronaut_smiles_with_open_eyes_and_a_head_that_leans_a_little(portrait: Portrait) -> None:
    seen = portrait.seen
    assert 0.06 < seen.mouth_gap < 0.25
    assert min(seen.aperture) > 0.08
    assert abs(seen.pose.yaw) < 25 and abs(seen.pose.pitch) < 20 and abs(seen.pose.roll) < 15
    assert seen.sure > 0.9


def test_the_matte_holds_the_face_and_not_the_sky(portrait: Portrait) -> None:
    fine = portrait.seen.fine_matte(portrait.photo)
    inside = np.zeros(fine.shape, np.uint8)
    oval = portrait.seen.points[list(parts.FACE_OVAL)]
    cv2.fillPoly(inside, [np.rint(oval).astype(np.int32)], 1)
    assert fine[inside > 0].mean() > 0.9


def test_looking_again_gives_the_same(portrait: Portrait) -> None:
    again = perceive(portrait.photo, portrait.face.alignment)
    assert (again.points == portrait.seen.points).all()
    assert (again.view_matte == portrait.seen.view_matte).all()
    assert again.pose == portrait.seen.pose


def test_a_mirrored_photo_gives_mirrored_points(portrait: Portrait) -> None:
    width = portrait.photo.shape[1]
    face = portrait.face.alignment
    x, y = face.centre
    mirrored = perceive(
        np.ascontiguousarray(portrait.photo[:, ::-1]),
        Alignment(centre=(width - x, y), side=face.side, angle=-face.angle),
    )
    back = mirrored.points[bundled().mirror] * (-1, 1) + (width, 0)
    assert apart(portrait.seen, back).mean() < 0.004  # the crops are not sampled at the same places
    assert apart(portrait.seen, back).max() < 0.02
    assert mirrored.pose.yaw == pytest.approx(-portrait.seen.pose.yaw, abs=0.5)
    assert mirrored.aperture == pytest.approx(portrait.seen.aperture[::-1], abs=0.005)


def test_sixteen_bits_see_what_eight_do(portrait: Portrait) -> None:
    deep = portrait.photo.astype(np.uint16) * 257
    assert apart(portrait.seen, perceive(deep, portrait.face.alignment).points).max() < 0.004


@pytest.mark.parametrize("turn", [90, 180])
def test_a_turned_photo_gives_turned_points(portrait: Portrait, turn: int) -> None:
    photo = np.ascontiguousarray(np.rot90(portrait.photo, -turn // 90))  # clockwise
    size = portrait.photo.shape[0]
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    points, face = portrait.seen.points, portrait.face.alignment
    centre = np.array(face.centre)
    for _ in range(turn // 90):
        points, centre = points @ quarter + (size, 0), centre @ quarter + (size, 0)
    square = Alignment(centre=(centre[0], centre[1]), side=face.side, angle=face.angle + np.radians(turn))
    seen = perceive(photo, square)
    assert apart(seen, points).max() < 0.005
    difference = (seen.pose.roll - portrait.seen.pose.roll - turn + 180) % 360 - 180
    assert abs(difference) < 0.5


def test_what_is_no_face_is_not_seen_as_one() -> None:
    rng = np.random.default_rng(0)
    texture = cv2.resize(rng.integers(0, 255, (20, 20, 3), np.uint8), (300, 300))
    square = Alignment(centre=(150, 150), side=160, angle=0.0)
    assert perceive(texture, square).sure < 0.5
    assert perceive(np.full((300, 300, 3), 90, np.uint8), square).sure < 0.5


def test_a_square_outside_of_the_photo_is_refused(portrait: Portrait) -> None:
    with pytest.raises(OutsideError):
        perceive(portrait.photo, Alignment(centre=(-900, -900), side=100, angle=0.0))


def test_the_weights_are_small_and_say_where_they_are_from() -> None:
    with bundled_file("perception") as path:
        assert path.stat().st_size <= 6_000_000
    metadata = bundled().metadata
    assert metadata["licence"] == "CC-BY-4.0"
    assert {"data", "teacher", "held_out", "steps", "training"} <= set(metadata)


def test_a_face_takes_little_time(portrait: Portrait) -> None:
    started = time.process_time()
    for _ in range(5):
        perceive(portrait.photo, portrait.face.alignment)
    assert (time.process_time() - started) / 5 < 0.15  # 0.03 to 0.04 where nothing else runs


@pytest.mark.parametrize("damage", ["cut", "other", "missing tensor", "wrong shape"])
def test_other_files_are_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "eyes.safetensors"
    with bundled_file("perception") as whole:
        tensors = safetensors.torch.load_file(whole)
        path.write_bytes(whole.read_bytes())
    metadata = dict(bundled().metadata)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif damage == "other":
        safetensors.torch.save_file(tensors, path, metadata | {"format": "realedit-1"})
    elif damage == "missing tensor":
        del tensors["mirror"]
        safetensors.torch.save_file(tensors, path, metadata)
    else:
        tensors["view.facts.bias"] = torch.zeros(7)
        safetensors.torch.save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError, match=r"eyes\.safetensors"):
        load(path)


def test_perceived_faces_are_frozen(portrait: Portrait) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        portrait.seen.sure = 0.0  # type: ignore[misc]
