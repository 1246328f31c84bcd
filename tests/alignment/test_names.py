import numpy as np
import pytest

from alignment import names
from alignment.errors import LandmarkError
from alignment.faces import Face


def test_every_landmark_is_in_one_region() -> None:
    assert sorted(i for members in names.REGIONS.values() for i in members) == list(range(68))


def test_a_name_lies_in_the_region_it_starts_with() -> None:
    for name, members in names.NAMES.items():
        region = name.partition(".")[0]
        assert {names.region_of(i) for i in members} == {region}
        assert names.region_of(name) == region


def test_numbers_name_landmarks_too() -> None:
    assert names.indices("68:54") == names.indices("mouth.right_corner") == (54,)
    assert names.region_of("68:0") == "jaw"
    assert names.region_of(36) == "left_eye"


def test_a_position_is_the_mean_of_its_landmarks() -> None:
    landmarks = np.arange(136, dtype=float).reshape(68, 2)
    assert names.position(landmarks, "left_eye.upper_lid") == pytest.approx((75, 76))


def test_left_is_the_viewers_left_and_up_is_up(face: Face) -> None:
    def at(name: str) -> np.ndarray:
        return names.position(face.landmarks, name)

    for name in names.NAMES:
        mirror = name.replace("left", "right")
        if mirror != name and mirror in names.NAMES:
            assert at(name)[0] < at(mirror)[0], name
    assert at("left_eye.outer_corner")[0] < at("left_eye.inner_corner")[0] < at("nose.tip")[0]
    assert at("left_eye.upper_lid")[1] < at("left_eye.centre")[1] < at("left_eye.lower_lid")[1]
    assert at("mouth.upper_lip")[1] < at("mouth.upper_lip_inner")[1] < at("mouth.lower_lip")[1]


@pytest.mark.parametrize("name", ["68:68", "68:-1", "68:", "68:1.5", "68:²", "68"])
def test_a_number_beyond_the_landmarks_is_refused(name: str) -> None:
    with pytest.raises(LandmarkError, match="68:0 to 68:67"):
        names.indices(name)


def test_a_misspelt_name_gets_a_hint() -> None:
    with pytest.raises(LandmarkError, match=r"did you mean mouth.left_corner"):
        names.indices("mouth.left_cornr")
    with pytest.raises(LandmarkError, match="known are"):
        names.indices("")
    with pytest.raises(LandmarkError):
        names.region_of(68)
