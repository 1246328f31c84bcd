"""How a head is turned, from its points and their depth."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from realedit.perception import points as parts
from realedit.perception.seen import Pose

Points = NDArray[np.float64]


def head_pose(points: Points, shape: Points) -> Pose:
    """The pose of a face `[478, 3]` (x to the right, y down, z away from the camera, one unit for all).

    `shape` `[478, 3]` is the face that looks straight ahead. The rotation is the one that brings it closest
    to the points that expressions hardly move (Kabsch, "A solution for the best rotation to relate two sets
    of vectors", 1976).
    """
    rotation = best_rotation(shape[list(parts.RIGID)], points[list(parts.RIGID)])
    yaw = math.asin(max(-1.0, min(1.0, rotation[2, 0])))
    pitch = math.atan2(rotation[2, 1], rotation[2, 2])
    roll = math.atan2(rotation[1, 0], rotation[0, 0])
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


def best_rotation(shape: Points, points: Points) -> Points:
    """[3, 3]: the rotation that brings `shape` `[N, 3]` closest to `points`, shift and scale aside."""
    covariance = (points - points.mean(axis=0)).T @ (shape - shape.mean(axis=0))
    left, _, right = np.linalg.svd(covariance)
    left[:, -1] *= np.sign(np.linalg.det(left @ right))
    return np.asarray(left @ right)
