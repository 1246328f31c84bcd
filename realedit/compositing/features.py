"""What points ask of lids and lips: in these parts' own terms, so that the paste can carry it out.

A drag's handle on a lid's edge or on a lip says how far that goes. The generator is not asked to move it,
since it shuts no eye and parts no closed lips; the photo's own lids and lips slide instead.
"""

from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from realedit.compositing.eyes import XS, Eye, Floats
from realedit.compositing.flow import Array, blur, dilate
from realedit.compositing.lids import Lids
from realedit.compositing.mouths import XS as LIP_XS
from realedit.compositing.mouths import Mouth
from realedit.compositing.parting import JAW, Lips
from realedit.compositing.parting import edges as lip_edges
from realedit.perception.points import (
    EYES,
    INNER_LIP_LOWER,
    INNER_LIP_UPPER,
    OUTER_LIP_LOWER,
    OUTER_LIP_UPPER,
)

LANDMARKS = {
    37: 160, 38: 158, 40: 153, 41: 144, 43: 385, 44: 387, 46: 373, 47: 380,
    57: 17, 61: 81, 62: 13, 63: 311, 65: 402, 66: 14, 67: 178,
}  # fmt: skip
"""Those of the 68 landmarks that the 478 points know better -> the point that says where each is."""

SMALLEST = 4.0  # photo pixels from corner to corner: a smaller part is not told from its surroundings
ON_LID = 0.12  # eye widths: a handle so near to a lid's edge is on it,
ON_MIDDLE = 0.4  # and no farther than this from the eye's middle
LEAST = 0.01  # eye widths: a handle that goes less far holds its place
SHUT = 0.85  # of an eye's height: lids that come so near are shut
OPEN = (
    0.1  # of its width: an eye that is less high is shut already, and a lid's skin cannot show what it hides
)
WIDER = 0.6  # of an eye's height: lids go apart no farther
ON_LIP = 0.12  # mouth widths: a handle so near to a lip is on it,
THICK = 0.2  # of a lip, at the most
ON_LIPS = 0.35  # and no farther than this from the mouth's middle
ON_CHIN = 0.4  # mouth widths: a handle so near below or beside the chin is on it, and goes with the lower lip
ON_CORNER = 0.2  # mouth widths: a handle so near to a mouth's corner, beside its lips' middles, is on it
DOWN = 0.2  # interocular distances: a corner goes down no farther
PARTED = 0.4  # interocular distances: lips go apart no farther
CLOSED = 0.85  # of what lips were apart: those that come so near are closed


class Moves(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the parts of a face have gone since the photo was taken; left and right are the viewer's."""

    left_eye: Lids = Lids()
    right_eye: Lids = Lids()
    lips: Lips = Lips()

    @property
    def nothing(self) -> bool:
        """Whether all parts are where they were."""
        return self == Moves()


@dataclass(frozen=True)
class Features:
    """The parts of one face that slide, as its points `[478, 2]` in photo pixels say."""

    points: Floats
    eyes: tuple[Eye, Eye]
    mouth: Mouth

    @classmethod
    def of(cls, points: NDArray[np.floating]) -> "Features | None":
        """From points `[478, 2]`; None where an eye or the mouth is smaller than a few pixels."""
        own: Floats = np.asarray(points, np.float64)
        ends = [*(eye.corners for eye in EYES), (INNER_LIP_UPPER[0], INNER_LIP_UPPER[-1])]
        if min(float(np.hypot(*(own[a] - own[b]))) for a, b in ends) < SMALLEST:
            return None
        left, right = (Eye.of(own, each) for each in EYES)
        return cls(own, (left, right), Mouth.of(own))

    def asked(self, moves: Moves, handles: Floats, targets: Floats) -> tuple[Moves, NDArray[np.bool_]]:
        """Where the parts are to go, and which of the points `[K, 2]` say so, `[K]`.

        Handles and targets are photo pixels, and handles lie on parts that went as `moves` says.
        """
        left, on_left = _asked_lids(self.eyes[0], moves.left_eye, handles, targets)
        right, on_right = _asked_lids(self.eyes[1], moves.right_eye, handles, targets)
        lips, on_lips = _asked_lips(self.mouth, moves.lips, handles, targets)
        carried = on_left | on_right | on_lips
        if _together(targets - handles, carried):
            return moves, np.zeros_like(carried)
        return Moves(left_eye=left, right_eye=right, lips=lips), carried

    def shut(self, handles: Floats, targets: Floats) -> bool:
        """Whether points `[K, 2]`, photo pixels, ask an eye to open that is shut in the photo."""
        for eye in self.eyes:
            start, end = eye.to_frame(handles), eye.to_frame(targets)
            on = (np.abs(start[:, 0]) < ON_MIDDLE) & (np.abs(start[:, 1]) < ON_LID + OPEN / 2)
            up = np.where(start[:, 1] <= (_edges(eye, Lids(), start[:, 0])[0]), -1, 1)
            if eye.height < OPEN and bool((on & ((end - start)[:, 1] * up >= LEAST)).any()):
                return True
        return False

    def moved(self, moves: Moves, points: Floats) -> Floats:
        """Where points `[K, 2]` on the parts' edges are when the parts went as `moves` says, photo pixels."""
        result = np.array(points, float)
        for eye, lids in zip(self.eyes, (moves.left_eye, moves.right_eye), strict=True):
            if lids != Lids():
                result += _lid_ways(eye, lids, eye.to_frame(result))[:, None] * eye.turn[1]
        if moves.lips != Lips():
            result += (
                _lip_ways(self.mouth, moves.lips, self.mouth.to_frame(result))[:, None] * self.mouth.turn[1]
            )
        return result

    def edges(self, moves: Moves) -> list[Floats]:
        """The lids' and the lips' inner edges, photo pixels `[K, 2]`, when they went as `moves` says."""
        lines = [line for eye in EYES for line in (eye.upper, eye.lower)]
        return [
            self.moved(moves, self.points[list(line)]) for line in (*lines, INNER_LIP_UPPER, INNER_LIP_LOWER)
        ]

    def covered(self, moves: Moves, square: Alignment, size: int) -> Array:
        """Where parts lie that slid, `[size, size]` of the square, 1 = there: what the generator says of
        them as they were is not true of them."""
        filled = np.zeros((size, size), np.uint8)
        both = zip(EYES, (moves.left_eye, moves.right_eye), strict=True)
        curves = [(*each.upper, *each.lower[::-1]) for each, lids in both if lids != Lids()]
        if moves.lips != Lips():
            curves.append((*OUTER_LIP_UPPER, *OUTER_LIP_LOWER[::-1]))
        for curve in curves:
            outline = self.points[list(curve)]
            ends = square.to_crop(np.concatenate([outline, self.moved(moves, outline)]), size)
            hull = cv2.convexHull(np.rint(ends - 0.5).astype(np.int32))
            cv2.fillConvexPoly(filled, hull, 1)
        wide = dilate(filled.astype(np.float32), 2 * round(0.012 * size) + 1)
        return blur(wide, 0.008 * size)


def _together(ways: Floats, carried: NDArray[np.bool_]) -> bool:
    """Whether points elsewhere go the same way, about as far: then it is the face that moves, not a part of
    it."""
    lengths = np.linalg.norm(ways, axis=1)
    for way in ways[carried]:
        length = float(np.linalg.norm(way))
        same = ways[~carried] @ way > 0.7 * lengths[~carried] * length
        if (same & (lengths[~carried] > 0.7 * length)).any():
            return True
    return False


def _asked_lips(mouth: Mouth, lips: Lips, handles: Floats, targets: Floats) -> tuple[Lips, NDArray[np.bool_]]:
    """Where the lips are to go, and which points say so: on a lip, or on a corner that goes down. A chin goes
    with a lower lip that does."""
    start = mouth.to_frame(handles)
    way = mouth.to_frame(targets) - start
    goes = (np.abs(way[:, 1]) >= LEAST) & (np.abs(way[:, 1]) >= np.abs(way[:, 0]))
    sides, on_corners = [], np.zeros(len(start), np.bool_)
    for x, gone in ((-0.5, lips.left), (0.5, lips.right)):
        on = goes & (np.abs(start[:, 0]) >= ON_LIPS) & ((way[:, 1] > 0) | (gone > 0))
        on &= np.hypot(start[:, 0] - x, start[:, 1] - gone * mouth.unit) < ON_CORNER
        add = float(way[on, 1].mean()) / mouth.unit if on.any() else 0.0
        sides.append(float(np.clip(gone + add, min(gone, 0.0), max(gone, DOWN))))
        on_corners |= on
    moved, on_lips = _asked_middles(mouth, lips, start, way, goes & ~on_corners)
    return Lips(moved.lower, moved.upper, *sides), on_corners | on_lips | _there(mouth, lips, start, way)


def _there(mouth: Mouth, lips: Lips, start: Floats, way: Floats) -> NDArray[np.bool_]:
    """Which handles on lips go so short a way that there is nothing to do: lips that meet should close."""
    upper, lower = _lip_edges(mouth, lips, start[:, 0])
    on = (np.abs(start[:, 0]) < ON_LIPS) & (start[:, 1] > upper - ON_LIP) & (start[:, 1] < lower + ON_LIP)
    far = np.hypot(*way.T)
    return np.asarray(on & (far > 0) & (far < LEAST))


def _asked_middles(
    mouth: Mouth, lips: Lips, start: Floats, way: Floats, goes: NDArray[np.bool_]
) -> tuple[Lips, NDArray[np.bool_]]:
    """Where handles at `start` of the frame that go `way` take the lips, and which of them do."""
    upper, lower = _lip_edges(mouth, lips, start[:, 0])
    within = goes & (np.abs(start[:, 0]) < ON_LIPS)
    thick = ON_LIP + THICK
    on_lower = within & (start[:, 1] > (upper + lower) / 2 - 1e-9) & (start[:, 1] < lower + thick)
    on_upper = (
        within & ~on_lower & (start[:, 1] > upper - thick) & (start[:, 1] < upper + ON_LIP) & (way[:, 1] > 0)
    )
    on_upper &= mouth.gap > 0
    if not (on_lower | on_upper).any():
        return lips, on_lower
    add = [float(way[on, 1].mean()) / mouth.unit if on.any() else 0.0 for on in (on_lower, on_upper)]
    apart = mouth.gap / mouth.unit
    down, lowered = min(PARTED, lips.lower + add[0]), max(0.0, lips.upper + add[1])
    if down < 0 or lowered:
        closing = lowered - min(down, 0.0)
        share = apart / closing if closing >= CLOSED * apart else 1.0  # of what is asked, to meet
        down, lowered = (down * share if down < 0 else down), lowered * share
    on_chin = _on_chin(mouth, start - [0, JAW * lips.lower * mouth.unit]) & on_lower.any()
    return Lips(down, lowered), on_lower | on_upper | on_chin


def _on_chin(mouth: Mouth, places: Floats) -> NDArray[np.bool_]:
    """Which places `[K, 2]` of the frame lie on the chin."""
    x, y = places.T
    lip = float(mouth.below[len(LIP_XS) // 2])
    half = (lip + mouth.chin) / 2
    return np.asarray((np.abs(x) < ON_CHIN) & (y > half) & (y < mouth.chin + ON_CHIN))


def _lip_edges(mouth: Mouth, lips: Lips, x: Floats) -> tuple[Floats, Floats]:
    """The heights of both lips' inner edges at x when they went as `lips` says."""
    upper, lower = (np.interp(x, LIP_XS, each) for each in lip_edges(mouth, lips))
    return upper, lower


def _lip_ways(mouth: Mouth, lips: Lips, places: Floats) -> Floats:
    """How far down points `[K, 2]` of the frame go that lie on lips or chin; 0 for others."""
    x, y = places.T
    upper, lower = _lip_edges(mouth, Lips(), x)
    new = _lip_edges(mouth, lips, x)
    within = np.abs(x) < ON_LIPS + ON_LIP
    low = within & (y > (upper + lower) / 2 - 1e-9) & (y < lower + ON_LIP + THICK)
    up = within & ~low & (y > upper - ON_LIP) & (y < lower)
    chin = _on_chin(mouth, places)
    corners = [~within & (np.hypot(x - at, y) < ON_CORNER) for at in (-0.5, 0.5)]
    down = [new[1] - lower, new[0] - upper]
    ways = [
        *down,
        *(np.full_like(x, each * mouth.unit) for each in (JAW * lips.lower, lips.left, lips.right)),
    ]
    return np.select([low, up, chin, *corners], ways, 0.0)


def _asked_lids(eye: Eye, lids: Lids, handles: Floats, targets: Floats) -> tuple[Lids, NDArray[np.bool_]]:
    """Where one eye's lids are to go, and which points are on them and say so."""
    start, end = eye.to_frame(handles), eye.to_frame(targets)
    upper, lower = _edges(eye, lids, start[:, 0])
    opening = np.maximum(np.interp(start[:, 0], XS, eye.lower - eye.upper), 1e-6)
    way = end - start
    on_upper = np.abs(start[:, 1] - upper) <= np.abs(start[:, 1] - lower)
    near = np.minimum(np.abs(start[:, 1] - upper), np.abs(start[:, 1] - lower)) < ON_LID
    goes = (np.abs(way[:, 1]) >= LEAST) & (np.abs(way[:, 1]) >= np.abs(way[:, 0]))
    on = near & goes & (np.abs(start[:, 0]) < ON_MIDDLE)
    closing = np.where(on_upper, way[:, 1], -way[:, 1])
    on &= (closing > 0) | (eye.height >= OPEN)
    if not on.any():
        return lids, on
    gap = np.maximum(lower - upper, 1e-6)
    left = np.where(on_upper, lower - start[:, 1], start[:, 1] - upper)  # to the other lid
    share = np.where(closing > 0, closing / np.clip(left, 0.5 * gap, 2 * gap) * gap, closing) / opening
    add = [float(share[on & which].mean()) if (on & which).any() else 0.0 for which in (on_upper, ~on_upper)]
    up, low = (max(-WIDER, now + more) for now, more in zip((lids.upper, lids.lower), add, strict=True))
    if up + low >= SHUT:
        up, low = (1 - low, low) if add[0] else (up, 1 - up)
    return Lids(up, low), on


def _edges(eye: Eye, lids: Lids, x: Floats) -> tuple[Floats, Floats]:
    """The heights of both lids' edges at x when they went as `lids` says."""
    upper, lower = (np.interp(x, XS, each) for each in (eye.upper, eye.lower))
    return upper + lids.upper * (lower - upper), lower - lids.lower * (lower - upper)


def _lid_ways(eye: Eye, lids: Lids, places: Floats) -> Floats:
    """How far down points `[K, 2]` of the frame go that lie on its lids' edges; 0 for others."""
    upper, lower = _edges(eye, Lids(), places[:, 0])
    new = _edges(eye, lids, places[:, 0])
    to_upper, to_lower = np.abs(places[:, 1] - upper), np.abs(places[:, 1] - lower)
    near = (np.minimum(to_upper, to_lower) < ON_LID) & (np.abs(places[:, 0]) < ON_MIDDLE)
    return np.where(near, np.where(to_upper <= to_lower, new[0] - upper, new[1] - lower), 0.0)
