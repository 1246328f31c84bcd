"""The 478 points of a face by part: MediaPipe's face mesh topology, the irises included.

Left and right are the viewer's: `LEFT_EYE` is the eye on the left of an upright photo, the subject's right
one. A curve is a tuple of indices in order; lids, lips and brows run from the viewer's left to the right, the
face oval clockwise from the top of the forehead.
"""

from dataclasses import dataclass

COUNT = 478

Curve = tuple[int, ...]


@dataclass(frozen=True)
class Eye:
    """One eye and its brow.

    upper, lower: the edges of the lids, from corner to corner, which both contain. iris: its border (four
    points, a quarter turn apart). pupil: its centre. brow_upper, brow_lower: the brow's edges.
    """

    upper: Curve
    lower: Curve
    iris: Curve
    pupil: int
    brow_upper: Curve
    brow_lower: Curve
    inner_corner: int
    outer_corner: int

    @property
    def corners(self) -> tuple[int, int]:
        """The corner on the viewer's left, then the one on the right."""
        return self.upper[0], self.upper[-1]


LEFT_EYE = Eye(
    upper=(33, 246, 161, 160, 159, 158, 157, 173, 133),
    lower=(33, 7, 163, 144, 145, 153, 154, 155, 133),
    iris=(469, 470, 471, 472),
    pupil=468,
    brow_upper=(70, 63, 105, 66, 107),
    brow_lower=(46, 53, 52, 65, 55),
    inner_corner=133,
    outer_corner=33,
)
RIGHT_EYE = Eye(
    upper=(362, 398, 384, 385, 386, 387, 388, 466, 263),
    lower=(362, 382, 381, 380, 374, 373, 390, 249, 263),
    iris=(474, 475, 476, 477),
    pupil=473,
    brow_upper=(336, 296, 334, 293, 300),
    brow_lower=(285, 295, 282, 283, 276),
    inner_corner=362,
    outer_corner=263,
)
EYES = (LEFT_EYE, RIGHT_EYE)

OUTER_LIP_UPPER: Curve = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LIP_LOWER: Curve = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_LIP_UPPER: Curve = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LIP_LOWER: Curve = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""The lips' borders to the skin (outer) and to the mouth's opening (inner), from corner to corner."""

FACE_OVAL: Curve = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
CHIN = 152
NOSE_TIP = 1
NOSE_BRIDGE: Curve = (168, 6, 197, 195, 5, 4)

RIGID: Curve = (
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358, 10, 151, 9, 8, 109, 338, 67, 297,
    103, 332, 54, 284, 21, 251, 127, 356, 234, 454, 116, 345, 117, 346, 111, 340,
)  # fmt: skip
"""Points that expressions hardly move: corners of the eyes, nose, forehead, temples, cheekbones."""
