"""What is said of a face before it is edited."""

from dataclasses import replace

import pytest

from alignment.certainty import Certainty
from realedit.editing.doubts import doubts

CLEAR = Certainty(score=1.8, spread=0.006, sharpness=0.28, turn=0.1, whole=True)


def test_nothing_is_said_of_a_face_that_is_seen_well() -> None:
    assert doubts(CLEAR) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"spread": 0.03}, "not sure where the eyes"),
        ({"score": None}, "may be covered"),
        ({"score": -0.4}, "hardly looks like a face"),
        ({"turn": 1.9}, "turned far to the right"),
        ({"turn": -1.9}, "turned far to the left"),
        ({"sharpness": 0.08}, "the face is blurred"),
        ({"whole": False}, "the frame cuts this face"),
    ],
)
def test_each_doubt_has_its_sentence(changes: dict[str, object], said: str) -> None:
    (only,) = doubts(replace(CLEAR, **changes))  # type: ignore[arg-type]
    assert said in only
