"""Faces by person, in one file."""

from pathlib import Path

import numpy as np
from train.faces import dataset

from tests.scripts.train.samples import faces, stored


def test_a_tenth_of_the_people_is_held_out_and_none_of_those_known() -> None:
    people = [f"P{i}" for i in range(100)] + [f"P{i}" for i in range(50)]
    known = [f"P{i}" for i in range(80)]
    held_out = dataset.choose_held_out(people, known)
    assert len(held_out) == 10
    assert not held_out & set(known)
    assert held_out == dataset.choose_held_out(reversed(people), known)


def test_people_held_out_before_stay_held_out() -> None:
    people = [f"P{i}" for i in range(100)]
    before = dataset.choose_held_out(people[:60], people[:20])
    after = dataset.choose_held_out(people, people[:20], before)
    assert before < after
    assert len(after) == 10
    assert dataset.choose_held_out(people, people, before) == before


def test_a_person_of_several_numbered_photos_is_one_person() -> None:
    still, smiling = Path("london/007_03.jpg"), Path("london/007_08-smiling.jpg")
    assert dataset.person_of(still) == dataset.person_of(smiling) == "london-007"
    assert dataset.person_of(Path("portraits/A000360.jpg")) == "A000360"
    assert dataset.person_of(Path("canada/007f.jpg")) == "007f"


def test_all_photos_of_a_person_are_on_the_same_side() -> None:
    given = faces(6)
    given.people[3] = given.people[0]
    assert list(given.indices(held_out=True)) == [0, 3]
    assert list(given.indices(held_out=False)) == [1, 2, 4, 5]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    given = faces(5, size=dataset.SIZE)
    given.valid[2, :10] = False
    given.kinds[1, 2] = True
    read = dataset.load(stored(tmp_path / "faces.npz", given), dataset.SIZE)
    assert read.people == given.people
    assert read.held_out == given.held_out
    assert np.array_equal(read.valid, given.valid)
    assert np.array_equal(read.landmarks, given.landmarks)
    assert np.array_equal(read.sides, given.sides)
    assert np.array_equal(read.kinds, given.kinds)
    assert read.photos == given.photos
    assert np.abs(read.pixels.astype(int) - given.pixels).mean() < 4  # JPEG
    assert dataset.load(tmp_path / "faces.npz", 36).pixels.shape == (5, 36, 36, 3)
