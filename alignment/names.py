"""Names for the 68 landmarks.

Left and right are the viewer's: `left_eye` is the eye on the left of an upright photo, the subject's right
one. That is the order of the numbers too (those of the iBUG 300-W annotations, counted from 0 as dlib does):
they run from the left of the picture to the right. `68:54` names landmark 54 by its number.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from alignment.errors import LandmarkError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

REGIONS: dict[str, tuple[int, ...]] = {
    "jaw": tuple(range(0, 17)),
    "left_brow": tuple(range(17, 22)),
    "right_brow": tuple(range(22, 27)),
    "nose": tuple(range(27, 36)),
    "left_eye": tuple(range(36, 42)),
    "right_eye": tuple(range(42, 48)),
    "mouth": tuple(range(48, 68)),
}
"""Region -> its landmarks; every landmark is in exactly one."""

NAMES: dict[str, tuple[int, ...]] = {
    "jaw.left_top": (0,),
    "jaw.left_corner": (4,),
    "jaw.chin_left": (7,),
    "jaw.chin": (8,),
    "jaw.chin_right": (9,),
    "jaw.right_corner": (12,),
    "jaw.right_top": (16,),
    "left_brow.outer": (17,),
    "left_brow.middle": (19,),
    "left_brow.inner": (21,),
    "right_brow.inner": (22,),
    "right_brow.middle": (24,),
    "right_brow.outer": (26,),
    "nose.bridge": (27,),
    "nose.tip": (30,),
    "nose.left_wing": (31,),
    "nose.base": (33,),
    "nose.right_wing": (35,),
    "left_eye.outer_corner": (36,),
    "left_eye.upper_lid": (37, 38),
    "left_eye.inner_corner": (39,),
    "left_eye.lower_lid": (40, 41),
    "left_eye.centre": (36, 37, 38, 39, 40, 41),
    "right_eye.inner_corner": (42,),
    "right_eye.upper_lid": (43, 44),
    "right_eye.outer_corner": (45,),
    "right_eye.lower_lid": (46, 47),
    "right_eye.centre": (42, 43, 44, 45, 46, 47),
    "mouth.left_corner": (48,),
    "mouth.left_peak": (50,),
    "mouth.upper_lip": (51,),
    "mouth.right_peak": (52,),
    "mouth.right_corner": (54,),
    "mouth.lower_lip": (57,),
    "mouth.upper_lip_inner": (62,),
    "mouth.lower_lip_inner": (66,),
    "mouth.centre": (48, 54),
}
"""Name -> the landmarks whose mean it is."""

_NUMBERED = "68:"


def indices(name: str) -> tuple[int, ...]:
    """The landmarks whose mean `name` is: one of `NAMES`, or `68:0` to `68:67`.

    Raises LandmarkError for any other name, with the nearest ones.
    """
    if name in NAMES:
        return NAMES[name]
    if name.startswith(_NUMBERED):
        number = name.removeprefix(_NUMBERED)
        if number.isascii() and number.isdigit() and int(number) < 68:
            return (int(number),)
        raise LandmarkError(f"There is no landmark {name!r}; numbers go from 68:0 to 68:67.")
    nearest = difflib.get_close_matches(name, NAMES, n=3, cutoff=0.5)
    hint = (
        f"did you mean {' or '.join(nearest)}?"
        if nearest
        else f"known are {', '.join(NAMES)} and 68:0 to 68:67."
    )
    raise LandmarkError(f"There is no landmark {name!r}; {hint}")


def position(landmarks: ArrayLike, name: str) -> NDArray[np.float64]:
    """[2]: where `name` is on a face with these `landmarks` [68, 2], in their pixels."""
    import numpy as np  # where it is needed: names alone are there at once

    from alignment.geometry import as_points

    points = as_points(landmarks)
    return np.asarray(points[list(indices(name))].mean(axis=0))


def region_of(landmark: str | int) -> str:
    """The region (a key of `REGIONS`) of a landmark, given by name or number."""
    index = indices(landmark)[0] if isinstance(landmark, str) else landmark
    for region, members in REGIONS.items():
        if index in members:
            return region
    raise LandmarkError(f"There is no landmark {landmark}; numbers go from 0 to 67.")
