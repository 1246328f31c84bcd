"""Heads that turn, nod and lean, in the photo's own pixels.

Where a face's points are in a photo says how a mean face lies there, and so how near to the camera each part
of it is. A turn moves each part as far as its depth says, within the head's outline: a head is nearly round,
so while it turns by a few degrees its outline stays and what is on it moves. Hair follows, less and less away
from the face, the neck twists, and neither the background nor clothes move at all.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from realedit.compositing.change import Change
from realedit.compositing.flow import Array, Bounds, blur, unfold
from realedit.compositing.membrane import membrane
from realedit.perception.frames import view_square
from realedit.perception.points import CHIN, EYES, FACE_OVAL, RIGID

Floats = NDArray[np.float64]
Degrees = Annotated[float, msgspec.Meta(ge=-90, le=90)]

HEAD_MOTIONS = ("turn", "nod", "tilt")
"""The motions of a head: which component of a `Turn` each is, in order."""

MOST = 20.0  # degrees: farther, what comes to light is more than the photo's own pixels can show
AWAY = 30.0  # degrees: nor does a head turn farther away from the camera
SIZE = 384  # side of the working square
CELLS = 64  # along it at which depth is found,
EVERY = 3  # from every so many of the points
# Lengths are interocular distances, of a face that looks straight ahead.
AXIS = (0.0, 0.1, 1.2)  # of the mean face, about which a head turns: between the ears, behind and below them
EDGE = 0.1  # within the face's outline, where its sides fall away, depth is not believed
SIDES, CROWN, NECK = 0.75, 1.25, 0.65  # how far from the face's outline the head around it moves
WIDE, HIGH, LOW, PLANE = 1.12, -1.1, 0.15, -0.05  # of the mean face: the plane of its eyes,
WIDER = 0.2  # and how much wider it is where glasses sit
STRAIN = 3.0  # how far the photo is stretched or squeezed at the most
SMOOTH = 0.06  # of the way that what is not the face goes
ON_FACE = 0.35  # a point so near to the face's points lies on it
UNLIKE = 0.6  # of the way of points: where no turn explains more, it is no turn that they ask for
STEPS = 4  # of the search for a turn
ROUNDS = 10  # of the search for where a pixel comes from


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a head has turned since the photo was taken, in degrees. yaw: to the viewer's right; pitch:
    down; roll: clockwise as one looks at the photo."""

    yaw: Degrees = 0.0
    pitch: Degrees = 0.0
    roll: Degrees = 0.0

    @property
    def matrix(self) -> Floats:
        """[3, 3], for x to the right, y down and z towards the camera: first yaw, then pitch, then roll."""
        (a, b, c), (d, e, f) = (
            [function(math.radians(angle)) for angle in (self.yaw, self.pitch, self.roll)]
            for function in (math.cos, math.sin)
        )
        yaw = np.array([[a, 0, d], [0, 1, 0], [-d, 0, a]])
        pitch = np.array([[1, 0, 0], [0, b, e], [0, -e, b]])
        roll = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
        return np.asarray(roll @ pitch @ yaw)

    def plus(self, *angles: float) -> "Turn":
        """Farther by yaw, pitch and roll, each within what a photo can show."""
        now = (self.yaw, self.pitch, self.roll)
        return Turn(*(max(-MOST, min(MOST, a + b)) for a, b in zip(now, angles, strict=True)))


@dataclass(frozen=True)
class Head:
    """Where a head is in its view square, in pixels of `SIZE` along it.

    square: the view. points `[478, 3]`: x, y, and how much nearer to the camera than the axis. axis: its
    place (x, y). unit: the interocular distance of this face if it looked straight ahead. glasses: 0 to 1,
    how sure it is that some are worn; their frames go as one piece. facing: its yaw in the photo, degrees.
    """

    square: Alignment
    points: Floats
    axis: tuple[float, float]
    unit: float
    glasses: float = 0.0
    facing: float = 0.0

    @property
    def size(self) -> int:
        """Side of the square that matte and flow have."""
        return SIZE

    @classmethod
    def of(
        cls, points: NDArray[np.floating], face: Alignment, shape: Floats, *, glasses: float = 0.0
    ) -> "Head":
        """From points `[478, 2]` in photo pixels, the FFHQ square they were seen in, and the mean face
        `[478, 3]` (`realedit.perception.weights.Eyesight.shape`)."""
        square = view_square(face)
        places = square.to_crop(points, SIZE)
        turned, shift, unit = _fitted(shape, places)
        shape = _framed(shape, glasses)
        about = np.asarray(AXIS) @ turned.T
        depth = (about[2] - shape @ turned[2]) * unit  # the mean face's z points away from the camera
        axis = about[:2] * unit + shift
        solid: Floats = np.column_stack([places, depth]).astype(np.float64)
        facing = math.degrees(math.asin(float(np.clip(turned[2, 0], -1, 1))))
        return cls(square, solid, (float(axis[0]), float(axis[1])), unit, glasses, facing)

    def farther(self, turn: Turn, *angles: float) -> Turn:
        """`turn` and yaw, pitch and roll more, as far as a photo of this head can show."""
        wanted = turn.plus(*angles)
        low, high = min(0.0, -AWAY - self.facing), max(0.0, AWAY - self.facing)
        return Turn(max(low, min(high, wanted.yaw)), wanted.pitch, wanted.roll)

    def flow(self, turn: Turn, matte: Array) -> Array:
        """From where each pixel of the turned head comes, `[SIZE, SIZE, 2]`, in pixels of the square.

        matte `[SIZE, SIZE]`: the person in it, 1, before the background, 0. It is zero beyond the head.
        """
        inner, held = self._parts(matte)
        x, y = np.meshgrid(*[np.arange(SIZE, dtype=np.float64) + 0.5] * 2)
        places = np.stack([x, y, self._depth], -1)
        ways = np.where(inner[..., None], self._ways(turn, places), 0).astype(np.float32)
        spread = membrane(ways, ~(inner | held))
        near = blur(inner.astype(np.float32), 0.5 * EDGE * self.unit)[..., None]
        ways = blur(spread, SMOOTH * self.unit) * (1 - near) + spread * near
        bounds = Bounds.of((~held).astype(np.float32))
        ways = bounds.hold(ways)
        flow = -ways
        grid = np.stack([x, y], -1).astype(np.float32) - np.float32(0.5)
        for _ in range(ROUNDS):
            at = grid + flow
            gone = cv2.remap(ways, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
            flow = 0.5 * (flow - np.asarray(gone, np.float32))
        return unfold(flow, most=STRAIN, bounds=bounds)

    def change(self, turn: Turn, matte: Array) -> Change:
        """The same as a change of the photo on the view square: pixels move, and nothing is added."""
        flow = self.flow(turn, matte)
        nothing = np.zeros((SIZE, SIZE, 3), np.float32)
        moves = np.asarray(flow.any(-1), np.float32)
        return Change(flow, nothing, np.ones((SIZE, SIZE), np.float32), nothing, moves, SIZE)

    def turned(self, turn: Turn, points: Floats) -> Floats:
        """Where points `[K, 2]` of the face in the photo are when it has turned, photo pixels."""
        places = self.square.to_crop(points, SIZE)
        depth = [
            self.points[np.linalg.norm(self.points[:, :2] - each, axis=1).argmin(), 2] for each in places
        ]
        return self._to_photo(places, self._ways(turn, np.column_stack([places, depth])))

    def unturned(self, turn: Turn, points: Floats) -> Floats:
        """Where points `[K, 2]` of the turned face are in the photo as it was: the inverse of `turned`."""
        gone = self.points[:, :2] + self._ways(turn, self.points)
        places = self.square.to_crop(points, SIZE)
        nearest = [int(np.linalg.norm(gone - each, axis=1).argmin()) for each in places]
        return self._to_photo(places, (self.points[:, :2] - gone)[nearest])

    def asked(self, turn: Turn, handles: Floats, targets: Floats) -> Turn | None:
        """The turn that takes points `[K, 2]` of the head, turned by `turn`, nearest to their targets, photo
        pixels; None where the points lie beside the face, or go as no head does."""
        start, end = (self.square.to_crop(each, SIZE) for each in (handles, targets))
        gone = self.points[:, :2] + self._ways(turn, self.points)
        apart = np.linalg.norm(gone[None] - start[:, None], axis=2)
        if (apart.min(axis=1) > ON_FACE * self.unit).any():
            return None
        places = self.points[apart.argmin(axis=1)]
        wanted = end - start + self._ways(turn, places)

        def left(angles: Floats) -> Floats:
            yaw, pitch = map(float, angles)
            return np.asarray(wanted - self._ways(Turn(yaw, pitch, turn.roll), places)).ravel()

        found = np.array([turn.yaw, turn.pitch])
        for _ in range(STEPS):  # Gauss and Newton's
            slopes = np.stack([2 * (left(found) - left(found + step)) for step in np.eye(2) / 2], 1)
            found = np.clip(found + np.linalg.lstsq(slopes, left(found), rcond=None)[0], -60, 60)
        if np.linalg.norm(left(found)) > UNLIKE * np.linalg.norm(end - start):
            return None
        return Turn(float(found[0]), float(found[1]), turn.roll)

    def _ways(self, turn: Turn, places: Floats) -> Floats:
        """How far places `[..., 3]` go, `[..., 2]`."""
        about = places - (*self.axis, 0.0)
        return np.asarray(about @ (turn.matrix[:2] - np.eye(3)[:2]).T)

    def _to_photo(self, places: Floats, ways: Floats) -> Floats:
        return self.square.to_photo(places + ways, SIZE)

    @cached_property
    def _depth(self) -> Floats:
        """How near each pixel of the face is, `[SIZE, SIZE]`; beyond its outline it means nothing."""
        middles = (np.arange(CELLS) + 0.5) * SIZE / CELLS
        cells = np.stack(np.meshgrid(middles, middles), -1).reshape(-1, 2)
        known = self.points / self.unit
        known = np.concatenate([known[::EVERY], known[list(RIGID)]])
        found = spline(known[:, :2], known[:, 2], cells / self.unit) * self.unit
        coarse = found.reshape(CELLS, CELLS).astype(np.float32)
        return np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float64)

    def _parts(self, matte: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Where the face is whose depth is known, and what does not move: `[SIZE, SIZE]` each."""
        oval = np.zeros((SIZE, SIZE), np.uint8)
        outline = cv2.convexHull(self.points[list(FACE_OVAL), :2].astype(np.float32))
        cv2.fillConvexPoly(oval, np.rint(outline * 16 - 8).astype(np.int32), 1, shift=4)
        within = cv2.distanceTransform(oval, cv2.DIST_L2, 5) / self.unit
        beyond = cv2.distanceTransform(1 - oval, cv2.DIST_L2, 5) / self.unit
        middle = float(self.points[list(RIGID), 1].mean())
        up = (middle - (np.arange(SIZE) + 0.5)) / max(float(self.points[CHIN, 1]) - middle, 1.0)
        width = SIDES + np.clip(up, 0, 1) * (CROWN - SIDES) - np.clip(-up, 0, 1) * (SIDES - NECK)
        held = (matte < 0.5) | (beyond > width[:, None])
        held[[0, -1]] = held[:, [0, -1]] = True
        eyes = float(self.points[list(EYES[0].corners + EYES[1].corners), 1].mean())
        ends = _smooth(3 - 5 * np.abs(np.arange(SIZE) + 0.5 - eyes) / self.unit)  # of frames, by row
        inner = (within > (EDGE * (1 - 0.9 * self.glasses * ends))[:, None]) & ~held
        return inner, np.asarray(held, np.bool_)


def _fitted(shape: Floats, places: Floats) -> tuple[Floats, Floats, float]:
    """How the mean face `[478, 3]` lies in a picture: rotation [3, 3], shift [2] and scale, by least squares
    over the points that expressions hardly move, as if from far away ("weak perspective")."""
    own = list(RIGID)
    known = np.column_stack([shape[own], np.ones(len(own))])
    solved = np.linalg.lstsq(known, places[own], rcond=None)[0].T  # [2, 4]
    left, sizes, right = np.linalg.svd(solved[:, :3], full_matrices=False)
    across, down = left @ right
    turned = np.stack([across, down, np.cross(across, down)])
    scale = float(sizes.mean())
    shift = places[own].mean(axis=0) - scale * (turned[:2] @ shape[own].mean(axis=0))
    return turned, shift, scale


def _framed(shape: Floats, glasses: float) -> Floats:
    """The mean face with its eyes and brows in one plane, as the frames of glasses are: what lies in a plane
    stays straight when it turns. Across so little of a face nobody misses the roundness."""
    x, y, z = shape.T
    wide = WIDE + glasses * WIDER
    share = _smooth((wide - np.abs(x)) / 0.15) * _smooth((y - HIGH) / 0.2) * _smooth((LOW - y) / 0.3)
    return np.column_stack([x, y, z + share * (PLANE - z)])


def _smooth(x: Floats) -> Floats:
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def spline(known: Floats, values: Floats, wanted: Floats, *, stiff: float = 0.01) -> Floats:
    """The thin-plate spline through `values` `[N]` at `known` `[N, 2]`, at `wanted` `[K, 2]` (Duchon 1977).
    stiff: how far it may miss them to be smooth."""

    def bend(one: Floats, other: Floats) -> Floats:
        square = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
        return np.asarray(square * np.log(np.maximum(square, 1e-9)))

    count = len(known)
    plane = np.column_stack([np.ones(count), known])
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = bend(known, known) + stiff * np.eye(count)
    system[:count, count:], system[count:, :count] = plane, plane.T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros(3)]))
    plain = np.column_stack([np.ones(len(wanted)), wanted])
    return np.asarray(bend(wanted, known) @ weights[:count] + plain @ weights[count:])
