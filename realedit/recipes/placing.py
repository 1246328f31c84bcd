"""From a recipe to points of a photo: the face's own frame, and where its handles and targets lie in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment import Alignment
from alignment.geometry import as_points
from alignment.names import position
from checkpoints.domains import default_alignment
from realedit.errors import UsageError
from realedit.recipes.recipe import Point, Recipe

_RIM = 0.015  # of the square's side, that targets stay away from its edge
_LEAST_INTEROCULAR = 1.0  # photo pixels; less is no face
_LEAST_SHARE = 0.25  # of a movement; with less left, its handle would rather hold the face back


@dataclass(frozen=True)
class Frame:
    """Axes in photo pixels (x, y): `right` and `up` are one unit long, as one sees the subject upright;
    `origin` is the top left corner of the box. landmarks `[68, 2]`, None in a frame of the box."""

    right: NDArray[np.float64]
    up: NDArray[np.float64]
    origin: NDArray[np.float64]
    landmarks: NDArray[np.float64] | None = None

    @classmethod
    def of_face(cls, landmarks: ArrayLike) -> "Frame":
        """The unit is the interocular distance, right leads from the left eye's centre to the right one's.

        Landmarks count left and right as the viewer does, so a mirrored photo of a face has a frame like any
        other. Raises UsageError where the eyes fall together.
        """
        points = as_points(landmarks)
        right = position(points, "right_eye.centre") - position(points, "left_eye.centre")
        if not float(np.hypot(*right)) >= _LEAST_INTEROCULAR:
            raise UsageError("the eyes that were found fall together, so no recipe fits; try a clearer photo")
        return cls(right, _quarter_turn(right), points.mean(0), points)

    @classmethod
    def of_box(cls, square: Alignment) -> "Frame":
        """The unit is the side of the aligned square."""
        corners = square.corners()
        right = corners[1] - corners[0]
        return cls(right, _quarter_turn(right), corners[0])

    def vector(self, pair: tuple[float, float]) -> NDArray[np.float64]:
        """(right, up) in units -> a movement in photo pixels."""
        return np.asarray(pair[0] * self.right + pair[1] * self.up)

    def units(self, movement: ArrayLike) -> NDArray[np.float64]:
        """The inverse of `vector`, for `[..., 2]` movements in photo pixels."""
        axes = np.stack([self.right, self.up])
        return np.asarray(np.asarray(movement, float) @ axes.T / float(self.right @ self.right))

    def handle(self, point: Point) -> NDArray[np.float64]:
        """Where a recipe's point is, photo pixels."""
        return self.anchor(point) + self.vector(point.offset)

    def movement(self, point: Point) -> NDArray[np.float64]:
        """How far it goes at strength 1, in photo pixels."""
        moved = self.vector(point.move or (0.0, 0.0))
        if point.apart_from is not None:
            assert self.landmarks is not None
            apart = self.handle(point) - position(self.landmarks, point.apart_from)
            moved = moved * float(np.clip(1 - apart @ moved / (moved @ moved), 0, 1))
        if point.toward is not None:
            assert self.landmarks is not None
            rest = position(self.landmarks, point.toward) - self.handle(point)
            moved = moved + point.way * (self.vector((0.0, self.units(rest)[1])) if point.level else rest)
        return moved

    def anchor(self, point: Point) -> NDArray[np.float64]:
        """The landmark, or place, that a point is measured from."""
        if not point.landmarks:
            x, y = point.place
            return self.origin + self.vector((x, -y))
        assert self.landmarks is not None
        first, *second = (position(self.landmarks, name) for name in point.landmarks)
        if not second:
            return first
        share = 0.5 if point.share is None else point.share
        return np.asarray(first + share * (second[0] - first))


def check_suits(recipe: Recipe, landmarks: ArrayLike | None, domain: str) -> None:
    """Raise UsageError where the recipe does not suit what the model draws (`domain`), or names landmarks and
    there are none."""
    if recipe.domain is not None and recipe.domain != domain:
        raise UsageError(f"the recipe {recipe.name} is for models that draw {recipe.domain}, not {domain}")
    if recipe.units == "box" or landmarks is not None:
        return
    if default_alignment(domain) == "ffhq":
        raise UsageError(
            f"the recipe {recipe.name} names landmarks of a face, and in a box none are looked for; leave "
            "--box away to edit a face that is found, or say what to move in the box with --drag"
        )
    raise UsageError(
        f"the recipe {recipe.name} names landmarks of a face, and photos for the model ({domain}) "
        'have none; write one with units = "box"'
    )


def frame_for(recipe: Recipe, landmarks: ArrayLike | None, square: Alignment, domain: str) -> Frame:
    """The frame a recipe is measured in. Raises UsageError where the recipe does not suit (`check_suits`)."""
    check_suits(recipe, landmarks, domain)
    if recipe.units == "box":
        return Frame.of_box(square)
    assert landmarks is not None
    return Frame.of_face(landmarks)


def place(recipe: Recipe, frame: Frame, strength: float = 1.0) -> NDArray[np.float64]:
    """`[K, 2, 2]`: handle and target of each of a recipe's points at a strength, in photo pixels."""
    handles = np.array([frame.handle(point) for point in recipe.points])
    moves = np.array([frame.movement(point) for point in recipe.points])
    return np.stack([handles, handles + strength * moves], axis=1)


def within(points: NDArray[np.float64], square: Alignment, size: tuple[int, int]) -> NDArray[np.float64]:
    """The points `[K, 2, 2]` with every target in the square and in the photo of `size` (width, height).

    A movement that leaves them ends at their edge: a face's square ends just below the chin, which some
    recipes move down. A handle outside stays as it is; see `draggable`.
    """
    starts, moves = points[:, 0], points[:, 1] - points[:, 0]
    corners = square.to_crop(points.reshape(-1, 2), 1).reshape(-1, 2, 2)
    shares = np.minimum(
        _room(corners[:, 0], corners[:, 1] - corners[:, 0], np.array([_RIM, _RIM]), np.array([1 - _RIM] * 2)),
        _room(starts, moves, np.zeros(2), np.array(size, float)),
    )
    return np.stack([starts, starts + shares[:, None] * moves], axis=1)


def draggable(
    asked: NDArray[np.float64], points: NDArray[np.float64], square: Alignment, size: tuple[int, int]
) -> NDArray[np.bool_]:
    """`[K]`: which of the points of `place` are of use, as they are `within` the square.

    Not those whose handle lies outside of it or of the photo of `size` (width, height), nor those that would
    hold their place because hardly any of their movement is left: a chin at the square's edge would keep a
    mouth from opening. All that lie inside, if no other point moved.
    """
    starts = points[:, 0]
    inside = square.contains(starts) & ((starts >= 0) & (starts <= size)).all(axis=1)
    wanted, left = (np.linalg.norm(each[:, 1] - each[:, 0], axis=1) for each in (asked, points))
    useful = inside & (left >= _LEAST_SHARE * wanted)
    return np.asarray(useful if left[useful].any() else inside)


def _room(
    starts: NDArray[np.float64],
    moves: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    """`[K]` in [0, 1]: how much of each movement stays between `low` and `high`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(moves > 0, high - starts, starts - low) / np.abs(moves)
    return np.asarray(np.clip(np.nan_to_num(room, nan=1.0, posinf=1.0), 0, 1).min(axis=1))


def _quarter_turn(right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counter-clockwise as one looks at the photo, whose y axis points down."""
    return np.array([right[1], -right[0]])
