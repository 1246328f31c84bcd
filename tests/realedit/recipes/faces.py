"""Landmarks of a face that nobody has: where the 68 points of an average face lie, for geometry alone."""

import math

import numpy as np
from numpy.typing import NDArray


def landmarks() -> NDArray[np.float64]:
    """`[68, 2]` of an upright face in a square of 200 px, eyes 50 px apart, symmetric about x = 100."""
    points = np.zeros((68, 2))
    for i in range(17):  # the jaw, from ear to ear
        angle = math.pi * (1 - i / 16)
        points[i] = 100 + 55 * math.cos(angle), 95 + 65 * math.sin(angle)
    for i in range(5):
        points[17 + i] = 58 + 8 * i, 70 - 3 * (2 - abs(2 - i))
        points[26 - i] = 200 - points[17 + i][0], points[17 + i][1]
    points[27:31] = [(100, 80 + 10 * i) for i in range(4)]
    points[31:36] = [(90 + 5 * i, 116 + (i == 2)) for i in range(5)]
    eye = [(66, 85), (72, 81), (78, 81), (84, 85), (78, 88), (72, 88)]
    points[36:42] = eye
    points[[45, 44, 43, 42, 47, 46]] = [(200 - x, y) for x, y in eye]
    outer = [(80, 135), (87, 131), (95, 129), (100, 130), (105, 129), (113, 131), (120, 135)]
    lower = [(113, 141), (106, 144), (100, 145), (94, 144), (87, 141)]
    points[48:60] = outer + lower
    points[60:68] = [
        (84, 135),
        (95, 134),
        (100, 134),
        (105, 134),
        (116, 135),
        (105, 136),
        (100, 136),
        (95, 136),
    ]
    return points


MIRRORED = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),
    ]
)
"""Which landmark takes each one's place in a mirrored picture."""


def mirrored(points: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """The landmarks of the mirrored picture, `[68, 2]`, numbered as dlib would there."""
    return np.column_stack([width - points[:, 0], points[:, 1]])[MIRRORED]
