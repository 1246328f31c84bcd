"""Labelled photos in one file."""

from pathlib import Path

import numpy as np
import pytest
from train.perceiving import chips, teacher

from realedit.perception.weights import bundled
from tests.scripts.train.perceiving.samples import points, stored


def test_what_is_written_is_read_back_and_split_by_person(tmp_path: Path) -> None:
    read = stored(tmp_path / "chips.npz")
    assert len(read) == 5
    assert read.indices(held_out=True) == [0]
    assert read.indices(held_out=False) == [1, 2, 3, 4]
    assert read.pixels(2).shape == (chips.SIZE, chips.SIZE, 3)
    assert read.scales[3] == pytest.approx(4.0)
    assert (read.mirror == bundled().mirror).all()


def test_a_persons_side_does_not_depend_on_who_else_is_there() -> None:
    people = [f"P{i}" for i in range(2000)]
    everyone, some = chips.choose_held_out(people), chips.choose_held_out(people[::3])
    assert some == everyone & set(people[::3])
    assert 0.08 < len(everyone) / len(people) < 0.12


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("london/012_08-smiling.jpg", "london-012"),
        ("london/012_03.jpg", "london-012"),
        ("portraits/A1.jpg", "A1"),
    ],
)
def test_a_person_is_told_by_the_files_name(path: str, who: str) -> None:
    assert chips.person(Path(path)) == who


def test_the_mirror_table_is_found_from_faces_that_differ() -> None:
    rng = np.random.default_rng(0)
    faces = points()[None] + rng.normal(0, 0.5, (40, 478, 3))
    mirror = chips.mirror_table(faces)
    assert (mirror == bundled().mirror).mean() > 0.97
    assert (mirror[mirror] == np.arange(478)).all()


def test_looks_are_averaged_with_mirrored_ones_in_their_order() -> None:
    face, mirror = points(), bundled().mirror
    looks = np.stack([np.stack([face] * 4), np.stack([face[mirror]] * 4)])[None]
    mean, spread = chips.averaged(looks, mirror)
    assert np.abs(mean[0, :, :2] - face[:, :2]).max() < 1e-9
    assert spread[0] < 1e-9
    looks[0, 0, 0, :, 0] += 8.0
    assert chips.averaged(looks, mirror)[1][0] > 0.01


def test_labels_are_kept_by_photo_with_those_that_show_no_face(tmp_path: Path) -> None:
    looks = np.zeros((2, len(teacher.LOOKS), 478, 3))
    given = teacher.Label(looks, np.array([1.0, 2, 3, 0.5]), np.full((160, 160), 7, np.uint8))
    teacher.save(tmp_path / "labels.npz", {"a.jpg": given, "b.jpg": None})
    read = teacher.load(tmp_path / "labels.npz")
    assert read["b.jpg"] is None
    again = read["a.jpg"]
    assert again is not None
    assert (again.square == given.square).all() and (again.matte == 7).all()


def test_the_teachers_chip_is_the_square_of_our_alignment() -> None:
    square = np.array([100.0, 80.0, 60.0, 0.3])
    to_chip = teacher._to_chip(square)
    ours = chips._square(square)
    inside = np.array([[90.0, 70.0, 3.0], [120.0, 99.0, -2.0]])
    flat = inside[:, :2] @ to_chip[:, :2].T + to_chip[:, 2]
    assert flat == pytest.approx(ours.to_crop(inside[:, :2], 512))
    back = teacher._to_photo(np.column_stack([flat, inside[:, 2] * 512 / 60]), to_chip)
    assert back == pytest.approx(inside)
