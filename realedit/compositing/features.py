"""What points ask of lids: in these parts' own terms, so that the paste can carry it out.

A drag's handle on a lid's edge says how far that lid goes. The generator is not asked to move it, since it
shuts no eye and opens none wider; the photo's own lids slide instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.eyes import XS, Eye, Floats
from realedit.compositing.layers import Slide
from realedit.compositing.lids import Lids, lids_slide
from realedit.perception.points import EYES
from realedit.photos import Photo

LANDMARKS = {37: 160, 38: 158, 40: 153, 41: 144, 43: 385, 44: 387, 46: 373, 47: 380}
"""Those of the 68 landmarks that the 478 points know better -> the point that says where each is."""

ON_LID = 0.12  # eye widths: a handle so near to a lid's edge is on it,
ON_MIDDLE = 0.4  # and no farther than this from the eye's middle
LEAST = 0.01  # eye widths: a handle that goes less far holds its place
SHUT = 0.85  # of an eye's height: lids that come so near are shut
OPEN = 0.1  # of its width: an eye that is less high is shut already, and a lid's skin cannot show what it hides
WIDER = 0.6  # of an eye's height: lids go apart no farther


class Moves(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the parts of a face have gone since the photo was taken; left and right are the viewer's."""

    left_eye: Lids = Lids()
    right_eye: Lids = Lids()

    @property
    def nothing(self) -> bool:
        """Whether all parts are where they were."""
        return self == Moves()


@dataclass(frozen=True)
class Features:
    """The parts of one face that slide, as its 478 points in photo pixels say."""

    eyes: tuple[Eye, Eye]

    @classmethod
    def of(cls, points: NDArray[np.floating]) -> "Features":
        """From points `[478, 2]`."""
        left, right = (Eye.of(np.asarray(points, float), each) for each in EYES)
        return cls((left, right))

    def asked(self, moves: Moves, handles: Floats, targets: Floats) -> tuple[Moves, NDArray[np.bool_]]:
        """Where the parts are to go, and which of the points `[K, 2]` say so, `[K]`.

        Handles and targets are photo pixels, and handles lie on parts that went as `moves` says.
        """
        carried = np.zeros(len(handles), np.bool_)
        lids = []
        for eye, now in zip(self.eyes, (moves.left_eye, moves.right_eye), strict=True):
            there, own = _asked_lids(eye, now, handles, targets)
            lids.append(there)
            carried |= own
        return Moves(left_eye=lids[0], right_eye=lids[1]), carried

    def moved(self, moves: Moves, points: Floats) -> Floats:
        """Where points `[K, 2]` on the parts' edges are when the parts went as `moves` says, photo pixels."""
        result = np.array(points, float)
        for eye, lids in zip(self.eyes, (moves.left_eye, moves.right_eye), strict=True):
            if lids != Lids():
                places = eye.to_frame(result)
                down = _lid_ways(eye, lids, places)
                result += down[:, None] * eye.turn[1]
        return result

    def slides(self, photo: Photo, moves: Moves) -> list[Slide]:
        """What slides in the photo."""
        both = zip(self.eyes, (moves.left_eye, moves.right_eye), strict=True)
        return [each for each in (lids_slide(photo, eye, lids) for eye, lids in both) if each is not None]


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


def shut_already(features: Features, handles: Sequence[tuple[float, float]]) -> bool:
    """Whether one of the handles is on a lid of an eye that is shut in the photo."""
    points = np.asarray(handles, float).reshape(-1, 2)
    for eye in features.eyes:
        places = eye.to_frame(points)
        on = (np.abs(places[:, 0]) < ON_MIDDLE) & (np.abs(places[:, 1]) < ON_LID + OPEN)
        if eye.height < OPEN and on.any():
            return True
    return False
