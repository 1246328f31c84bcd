"""What a picky photographer would say of an edit: good, weak or bad, and why.

The limits were set on labels that people's eyes gave, of one half of the people in
`scripts/looks/labels.csv`; how far they agree with the other half is what
`python scripts/bench looks --agreement` says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from realedit.looks.around import around_measures
from realedit.looks.effects import Did, followed, happened
from realedit.looks.lids import lid_measures
from realedit.looks.mouths import mouth_measures
from realedit.looks.pair import Pair
from realedit.looks.surface import surface_measures
from realedit.perception import Perceived

Grade = Literal["good", "weak", "bad"]
GRADES: tuple[Grade, ...] = ("good", "weak", "bad")


NEVER = math.inf


@dataclass(frozen=True)
class Limit:
    """From where on a measure makes an edit weak, and bad; said: what the eye sees then.

    bad: `NEVER` where the measure cannot tell what the eye calls bad.
    """

    weak: float
    bad: float
    said: str


LIMITS: dict[str, Limit] = {
    "lip tone": Limit(4.5, 9.0, "a lip has another colour than before"),
    "lower lip": Limit(1.14, 1.6, "the lower lip is swollen"),
    "upper lip": Limit(1.3, 1.7, "the upper lip is swollen"),
    "slab": Limit(0.05, 0.085, "what is between the lips is neither dark nor teeth"),
    "teeth": Limit(0.08, 0.15, "the teeth are longer than before"),
    "stains": Limit(0.004, 0.02, "colours between the lips that no mouth has"),
    "torn": Limit(0.1, 0.2, "the lips are torn"),
    "smear": Limit(0.1, 0.2, "smears beside the mouth"),
    "lid tone": Limit(18.0, 30.0, "the lids have another colour than the skin around them"),
    "lid remains": Limit(0.3, 0.7, "remains of the eyes show on the lids"),
    "lid outline": Limit(0.65, NEVER, "the lids end in a line where the eyes did"),
    "lid smear": Limit(0.06, NEVER, "smears under the brows"),
    "new": Limit(0.15, 0.5, "something on the face that was not there"),
    "new beyond": Limit(0.15, 0.5, "something beside the face that was not there"),
    "seam": Limit(0.16, 0.25, "a hard line where the change ends"),
    "edges": Limit(0.02, 0.1, "lines beside the face that were not there"),
    "softer": Limit(0.35, 0.8, "a blurred patch"),
    "rougher": Limit(0.5, 1.0, "a patch that is rougher than the photo"),
    "strange": Limit(0.01, 0.05, "colours that this face has not"),
    "coloured": Limit(0.04, 0.1, "colour in a photo without colours"),
    "behind": Limit(0.25, 0.6, "the background is bent"),
    "bent": Limit(0.075, 0.078, "the glasses are bent"),
    "identity": Limit(0.35, 0.5, "it looks less like the same person"),
}

_LIDS_MOVE: dict[str, Limit | None] = dict.fromkeys(("seam", "new", "rougher", "softer"))
_TURNS: dict[str, Limit | None] = {
    "bent": Limit(0.8, 0.95, LIMITS["bent"].said),
    "lip tone": None,
}
OWN: dict[str, dict[str, Limit | None]] = {
    "open-mouth": {
        **dict.fromkeys(
            ("lower lip", "upper lip", "seam", "torn", "smear", "rougher", "softer", "new", "strange")
        ),
        "hole": Limit(0.01, NEVER, "a dark hole with hardly any teeth"),
        "slab": Limit(0.056, 0.056, "a blob between the lips"),
    },
    "close-mouth": {
        **dict.fromkeys(("lower lip", "upper lip", "new")),
        "torn": Limit(0.15, 0.5, "the lips are torn"),
        "smear": Limit(0.1, 0.4, "smears beside the mouth"),
        "softer": Limit(0.35, 1.2, "a blurred patch"),
        "identity": Limit(0.35, 0.6, LIMITS["identity"].said),
    },
    **dict.fromkeys(("close-eyes", "wink-left", "wink-right", "open-eyes", "bigger-eyes"), _LIDS_MOVE),
    **dict.fromkeys(("turn-left", "turn-right", "look-up", "look-down", "tilt-left", "tilt-right"), _TURNS),
}
"""Limits of single recipes; None: what the measure sees is what the recipe does, and does not count."""


@dataclass(frozen=True)
class Asked:
    """One recipe by its name and strength, or (recipe None) points that were dragged: handles and targets
    `[K, 2]`, photo pixels."""

    recipe: str | None = None
    strength: float = 1.0
    handles: NDArray[np.floating] | None = None
    targets: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class Reason:
    """Why an edit is not good: the measure, its value, how bad that makes it, and in words."""

    measure: str
    value: float
    grade: Grade
    said: str


@dataclass(frozen=True)
class Verdict:
    """grade: the worst of its reasons, good without any. measures: all figures by name."""

    grade: Grade
    reasons: tuple[Reason, ...]
    measures: Mapping[str, float]

    def in_words(self) -> str:
        """`weak: the teeth are longer than before; a hard line where the change ends`."""
        return ": ".join([self.grade, *("; ".join(each.said for each in self.reasons),) * bool(self.reasons)])

    def as_json(self) -> dict[str, Any]:
        """verdict, reasons (measure, value, verdict, words), measures."""
        return {
            "verdict": self.grade,
            "reasons": [
                {"measure": r.measure, "value": round(r.value, 4), "verdict": r.grade, "words": r.said}
                for r in self.reasons
            ],
            "measures": {name: round(value, 4) for name, value in self.measures.items()},
        }


def judge(
    before: NDArray[Any],
    after: NDArray[Any],
    face: Alignment,
    asked: Sequence[Asked],
    *,
    identity: float | None = None,
    old: Perceived | None = None,
) -> Verdict:
    """Judge one face of a result.

    before, after: the photo and the result, `[H, W, 3]` RGB of one dtype (uint8 or uint16), as displayed, in
    sRGB. face: the face's FFHQ square in both. asked: everything that was asked of it. identity: dlib's
    distance between both faces, where it is known. old: what was perceived in `before`, where that is known.
    Raises what `alignment.extract_crop` raises.
    """
    return weigh(Pair.of(before, after, face, old), asked, identity=identity)


def weigh(pair: Pair, asked: Sequence[Asked], *, identity: float | None = None) -> Verdict:
    """`judge` for a pair that is at hand."""
    done = [each for each in (did(pair, one) for one in asked) if each is not None]
    measures = measure(pair)
    if identity is not None:
        measures["identity"] = identity
    return conclude(done, measures, {one.recipe for one in asked if one.recipe})


def measure(pair: Pair) -> dict[str, float]:
    """Everything that should not have happened, by name."""
    return {
        **mouth_measures(pair),
        **lid_measures(pair),
        **surface_measures(pair),
        **around_measures(pair),
    }


def conclude(done: Sequence[Did], measures: Mapping[str, float], recipes: set[str]) -> Verdict:
    """From figures to a verdict: the worst of what did not happen and of what happened besides."""
    limits = limits_of(recipes)
    reasons = [
        Reason(f"did: {each.asked}", each.share, _worst([each.grade]), _missed(each))
        for each in done
        if each.grade != "good"
    ]
    for name, limit in limits.items():
        value = measures.get(name)
        if value is not None and value >= limit.weak:
            reasons.append(Reason(name, value, "bad" if value >= limit.bad else "weak", limit.said))
    reasons.sort(key=lambda each: -GRADES.index(each.grade))
    shares = {f"did: {each.asked}": each.share for each in done}
    return Verdict(_worst([each.grade for each in reasons]), tuple(reasons), {**shares, **measures})


def limits_of(recipes: set[str]) -> dict[str, Limit]:
    """The limits that hold when these recipes were asked for; of several the most lenient ones."""
    found: dict[str, Limit] = {}
    for name in (*LIMITS, *(name for recipe in recipes for name in OWN.get(recipe, ()))):
        own = [OWN.get(recipe, {}).get(name, LIMITS.get(name)) for recipe in recipes] or [LIMITS.get(name)]
        if None not in own:
            found[name] = max((each for each in own if each is not None), key=lambda each: each.bad)
    return found


def did(pair: Pair, one: Asked) -> Did | None:
    """What became of one thing that was asked; None where nothing can be told."""
    known = None if one.recipe is None else happened(pair, one.recipe, one.strength)
    if known is None and one.handles is not None and one.targets is not None:
        return followed(pair, np.asarray(one.handles, float), np.asarray(one.targets, float))
    return known


def _missed(each: Did) -> str:
    return f"{each.said}, and {'hardly did' if each.grade == 'weak' else 'did not'}"


def _worst(grades: Sequence[str]) -> Grade:
    return GRADES[max((GRADES.index(each) for each in grades), default=0)]
