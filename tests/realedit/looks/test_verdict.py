"""Verdicts follow from what was asked, what happened and what happened besides."""

from dataclasses import replace

import numpy as np
import pytest

from realedit.looks import Asked, judge
from realedit.looks.effects import EFFECTS, Did, happened
from realedit.looks.pair import Pair
from realedit.looks.verdict import LIMITS, OWN, conclude
from realedit.perception import Perceived
from realedit.perception import points as parts
from realedit.recipes import shipped
from tests.realedit.looks.conftest import Portrait
from tests.realedit.perception.conftest import mean_face


def pair(new: Perceived, old: Perceived | None = None) -> Pair:
    """A pair without pictures, for what is seen on points alone."""
    nothing = np.zeros((4, 4, 3), np.float32)
    square = (old or new).view
    return Pair(nothing, nothing, np.ones((4, 4), bool), square, square, old or mean_face(), new)


def moved(points: dict[int, tuple[float, float]]) -> Perceived:
    """The mean face with points moved by (x, y), interocular distances, y down."""
    face = mean_face()
    places = face.points.copy()
    for index, by in points.items():
        places[index] += np.array(by) * face.interocular
    return replace(face, points=places)


def lids(share: float) -> Perceived:
    """The mean face with its lids closed by that share."""
    face = mean_face()
    places = face.points.copy()
    for eye in parts.EYES:
        upper, lower = list(eye.upper), list(eye.lower)
        places[upper] += share * (face.points[lower] - face.points[upper])
    return replace(face, points=places)


def grade(name: str, new: Perceived, strength: float = 1.0) -> str:
    did = happened(pair(new), name, strength)
    assert did is not None
    return did.grade


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_recipe_says_what_should_be_seen(name: str) -> None:
    assert happened(pair(mean_face()), name, 1.0) is not None


@pytest.mark.parametrize("name", [*EFFECTS, "close-eyes", "wink-left", "frown", "serious"])
def test_nothing_that_happened_is_bad(name: str) -> None:
    assert grade(name, mean_face()) == "bad"


def test_corners_that_rise_are_a_smile_and_such_that_fall_are_one_backwards() -> None:
    up = moved({61: (0, -0.06), 291: (0, -0.06)})
    down = moved({61: (0, 0.06), 291: (0, 0.06)})
    assert [grade("smile", each) for each in (up, down)] == ["good", "bad"]
    assert [grade("smile", each, -1.0) for each in (up, down)] == ["bad", "good"]
    assert grade("smile", moved({61: (0, -0.025), 291: (0, -0.025)})) == "weak"


def test_eyes_are_shut_or_they_are_not() -> None:
    assert [grade("close-eyes", lids(share)) for share in (0.9, 0.3)] == ["good", "bad"]
    assert grade("close-eyes", lids(0.5), 0.5) == "good"
    assert grade("wink-left", lids(0.9)) == "bad", "the other eye shut as well"


def test_eyes_that_open_by_a_little_are_hardly_seen_to() -> None:
    assert [grade("open-eyes", lids(-share)) for share in (0.02, 0.11, 0.2)] == ["bad", "weak", "good"]


def test_a_measure_that_cannot_tell_what_is_bad_never_says_so() -> None:
    assert conclude([], {"hole": 1.0}, {"open-mouth"}).grade == "weak"
    assert conclude([], {"lid outline": 2.0, "lid smear": 1.0}, {"close-eyes"}).grade == "weak"


def test_a_laugh_that_is_left_is_no_frown() -> None:
    laugh = moved({61: (0, -0.25), 291: (0, -0.25)})
    less = moved({61: (0, -0.2), 291: (0, -0.2)})
    did = happened(pair(less, laugh), "frown", 1.0)
    assert did is not None and did.grade == "bad"


def test_the_worst_reason_is_the_verdict_and_comes_first() -> None:
    did = Did("smile", 0.5, 0.4, "the corners of the mouth were to rise")
    measures = {"seam": LIMITS["seam"].bad * 1.1, "new": LIMITS["new"].weak * 0.9}
    verdict = conclude([did], measures, {"smile"})
    assert verdict.grade == "bad" and [each.grade for each in verdict.reasons] == ["bad", "weak"]
    assert verdict.in_words().startswith("bad: a hard line where the change ends; the corners of the mouth")
    assert conclude([], {}, set()).in_words() == "good"


def test_what_a_recipe_does_is_not_held_against_it() -> None:
    measures = {"lower lip": LIMITS["lower lip"].bad * 1.1}
    assert OWN["open-mouth"]["lower lip"] is None
    assert conclude([], measures, {"open-mouth"}).grade == "good"
    assert conclude([], measures, {"smile"}).grade == "bad"
    assert conclude([], measures, {"smile", "open-mouth"}).grade == "good"


def test_points_that_do_not_move_are_said(portrait: Portrait) -> None:
    start = portrait.seen.points[[61]]
    asked = Asked(handles=start, targets=start - np.array([0.0, 0.2 * portrait.seen.interocular]))
    verdict = judge(portrait.photo, portrait.photo, portrait.face, [asked], old=portrait.seen)
    assert verdict.grade == "bad" and verdict.reasons[0].measure == "did: drag"
    shown = verdict.as_json()
    assert shown["verdict"] == "bad" and shown["reasons"][0]["measure"] == "did: drag"


def test_points_that_hold_ask_for_nothing(portrait: Portrait) -> None:
    asked = Asked(handles=portrait.seen.points[[0]], targets=portrait.seen.points[[0]])
    assert judge(portrait.photo, portrait.photo, portrait.face, [asked], old=portrait.seen).grade == "good"
