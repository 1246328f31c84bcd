"""What a recipe says: an edit in a face's own terms, so that one file fits every face.

A recipe names handles by landmark and their movements in interocular distances, right and up as the viewer
sees the face upright. It is read strictly from TOML (`realedit.recipes.load`); see docs/recipes.md.
"""

import dataclasses
import hashlib
import math
import re
from dataclasses import dataclass
from typing import Literal

import msgspec

from alignment.names import indices
from checkpoints.domains import DOMAINS
from realedit.drag.settings import DragSettings
from realedit.errors import LandmarkError, UsageError
from realedit.geometry.parts import Parts, Reach

Pair = tuple[float, float]
MOST_POINTS = 256
LARGEST_STRENGTH = 100.0
_FARTHEST = 100.0  # interocular distances or sides of the box; farther lies in no photo of a face
_MOST_AMOUNT = 100.0
_MOST_MOTIONS = 32
_MOST_MEASURED = 1_000_000  # portraits, and the figures of them
_MOST = {"max_steps": 10_000, "layers": 1000, "learning_rate": 10.0, "mask_weight": 1e6}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Unknown keys are errors; checks raise ValueError and begin with the key, in backticks."""


class Point(_Strict, frozen=True):
    """One handle and how far it goes.

    at: a landmark's name (`mouth.left_corner`, `68:54`), or two names and a point between them; in a recipe
    in units of the box a place in it: shares of its side, right and down from its top left corner.
    share: how far between two landmarks, 0.5 the middle; beyond 0 and 1 it lies on the line past them.
    offset, move: (right, up) from there to the handle, and from the handle to its target, in interocular
    distances (of the box's side in a recipe in such units). toward, way: a landmark and the share of the way
    there, which the handle goes as well, or instead of `move`; level: of it only what leads up or down.
    apart_from: a landmark that the handle may be apart from already; how far, in the direction of `move`, it
    need not go.
    """

    at: str | tuple[str | float, str | float]
    move: Pair | None = None
    share: float | None = None
    offset: Pair = (0.0, 0.0)
    toward: str | None = None
    way: float = 1.0
    level: bool = False
    apart_from: str | None = None

    def __post_init__(self) -> None:
        if self.move is None and self.toward is None:
            raise ValueError("`move` is missing; say how far to go, or name a landmark to go `toward`")
        if self.level and self.toward is None:
            raise ValueError("`level` is for points that go `toward` a landmark; name one, or leave it away")
        if self.apart_from is not None and (self.move is None or not any(self.move)):
            raise ValueError("`apart_from` is for points that `move`; say how far apart, or leave it away")
        places = tuple(place for place in self.at if not isinstance(place, str))
        numbers = {
            "at": places,
            "move": self.move or (),
            "offset": self.offset,
            "share": (self.share or 0.0,),
        }
        for key, values in {**numbers, "way": (self.way,)}.items():
            if not all(map(math.isfinite, values)):
                raise ValueError(f"`{key}` has a number that is not finite")
            if any(abs(value) > _FARTHEST for value in values):
                raise ValueError(f"`{key}` has a number beyond {_FARTHEST:g}, the farthest there is")
        named = {"at": self.landmarks, "toward": (self.toward,), "apart_from": (self.apart_from,)}
        for key, names in named.items():
            try:
                for name in filter(None, names):
                    indices(name)
            except LandmarkError as error:
                raise ValueError(f"`{key}`: {error}") from error
        if not isinstance(self.at, str) and isinstance(self.at[0], str) != isinstance(self.at[1], str):
            raise ValueError("`at` mixes a landmark and a number; name two landmarks or give two numbers")
        if self.share is not None and len(self.landmarks) != 2:
            raise ValueError("`share` is for a point between two landmarks; name both in `at`")

    @property
    def landmarks(self) -> tuple[str, ...]:
        """The landmarks it lies at or between; none for a place in the box."""
        if isinstance(self.at, str):
            return (self.at,)
        return tuple(name for name in self.at if isinstance(name, str))

    @property
    def place(self) -> Pair:
        """The place in the box, for a point without landmarks."""
        return float(self.at[0]), float(self.at[1])


class Choices(_Strict, frozen=True):
    """Settings of the drag that a recipe chooses; what it leaves out stays as the user has it."""

    mask_weight: float | None = None
    max_steps: int | None = None
    patience: int | None = None
    layers: int | None = None
    learning_rate: float | None = None
    motions: tuple[str, ...] | None = None
    amounts: tuple[float, ...] | None = None  # how much of each motion, where the points do not say it

    def __post_init__(self) -> None:
        if self.amounts is not None and len(self.amounts) != len(self.motions or ()):
            raise ValueError("`amounts` has another length than `motions`; give one for each of them")
        if not all(abs(amount) <= _MOST_AMOUNT for amount in self.amounts or ()):
            raise ValueError(f"`amounts` has a number that is not within {_MOST_AMOUNT:g} of 0")
        for key in ("max_steps", "patience", "layers", "learning_rate"):
            value = getattr(self, key)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"`{key}` is {value:g}; it must be above 0")
        if self.mask_weight is not None and not 0 <= self.mask_weight < math.inf:
            raise ValueError(f"`mask_weight` is {self.mask_weight:g}; it must be 0 or more")
        for key, most in _MOST.items():
            if (getattr(self, key) or 0) > most:
                raise ValueError(f"`{key}` is {getattr(self, key):g}; it may be {most:g} at most")
        if len(self.motions or ()) > _MOST_MOTIONS:
            raise ValueError(f"`motions` has {len(self.motions or ())}; name {_MOST_MOTIONS} at most")

    def over(self, settings: DragSettings, strength: float = 1.0) -> DragSettings:
        """`settings` with these choices in their place; the motions' amounts times `strength`."""
        chosen = {key: value for key, value in msgspec.structs.asdict(self).items() if value is not None}
        if self.amounts is not None:
            chosen["amounts"] = tuple(strength * amount for amount in self.amounts)
        return dataclasses.replace(settings, **chosen)


class Verified(_Strict, frozen=True):
    """What scripts/bench looks saw of a recipe with one model at strength 1: the shares of good, weak and bad
    edits, and the median identity distance."""

    model: str
    model_sha256: str  # its beginning
    portraits: int
    good: float
    weak: float
    bad: float
    identity: float

    def __post_init__(self) -> None:
        for key, value in msgspec.structs.asdict(self).items():
            if isinstance(value, (int, float)) and not 0 <= value <= _MOST_MEASURED:
                raise ValueError(f"`{key}` is {value:g}; it must be from 0 to {_MOST_MEASURED}")


class Recipe(_Strict, frozen=True):
    """See the module. reach or mask say where the photo may change: one of the names of a drag's reach, or
    landmark regions with a margin. domain: what a generator must draw (`checkpoints.domains`), None: any that
    has what the points name. `name`, `description`, `notes` and `verified_on` do not count for the digest."""

    name: str
    description: str
    points: tuple[Point, ...]
    units: Literal["face", "box"] = "face"
    domain: str | None = None
    reach: Reach | None = None
    mask: Parts | None = None
    drag: Choices = Choices()
    notes: str = ""
    verified_on: tuple[Verified, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{,63}", self.name):
            raise ValueError(f"`name` is {self.name[:80]!r}; use up to 64 small letters, digits, - and _")
        if not self.points:
            raise ValueError("`points` is empty; a recipe moves at least one point")
        if len(self.points) > MOST_POINTS:
            raise ValueError(f"`points` has {len(self.points)}; a recipe moves at most {MOST_POINTS}")
        for key in ("description", "notes"):
            if _CONTROL.search(getattr(self, key)):
                raise ValueError(f"`{key}` has a control character; leave it out")
        if self.domain is not None and self.domain not in DOMAINS:
            raise ValueError(f"`domain` is {self.domain!r}; choose one of {', '.join(DOMAINS)}")
        if self.reach is not None and self.mask is not None:
            raise ValueError("`reach` and `mask` both say where; keep one of them")
        for number, point in enumerate(self.points):
            if (self.units == "face") != bool(point.landmarks):
                wanted = "landmarks" if self.units == "face" else "two shares of the box"
                raise ValueError(f'`points[{number}].at`: with units = "{self.units}" it names {wanted}')
            for key in ("toward", "apart_from"):
                if self.units == "box" and getattr(point, key) is not None:
                    raise ValueError(f'`points[{number}].{key}` is a landmark; with units = "box" use `move`')
        if self.units == "box" and self.mask is not None:
            raise ValueError('`mask` names landmark regions; with units = "box" use `reach`')

    @property
    def where(self) -> Reach | Parts:
        """Where the photo may change."""
        return self.mask or self.reach or "local"

    def measured_with(self, model_sha256: str) -> Verified | None:
        """What was measured of it with the model of that SHA-256, if anything was."""
        return next((each for each in self.verified_on if model_sha256.startswith(each.model_sha256)), None)

    @property
    def digest(self) -> str:
        """SHA-256 of what the recipe does, in hex; the same for files that only say it differently."""
        said = {"name", "description", "notes", "verified_on"}
        fields = msgspec.structs.asdict(self).items()
        meaning = {key: value for key, value in fields if key not in said}
        return hashlib.sha256(msgspec.json.encode(meaning, order="deterministic")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Use:
    """A recipe, and what its movements are multiplied with; a strength below 0 does the opposite."""

    recipe: Recipe
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not abs(self.strength) <= LARGEST_STRENGTH:
            raise UsageError(
                f"the strength {self.strength:g} of {self.recipe.name} is not a number from "
                f"{-LARGEST_STRENGTH:g} to {LARGEST_STRENGTH:g}; try 0.7"
            )
