"""A face that nobody has, as 478 points and as a drawing: skin, eyes with an iris, lips, maybe teeth."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.perception import points as parts

Points = NDArray[np.float64]
Picture = NDArray[np.uint8]

EYE = (0.2, 0.075)  # half a width and half a height, in interocular distances
MOUTH = (0.4, 0.12)  # half a width, and a lip's thickness
SKIN, WHITE, IRIS, LIP, TEETH = (
    (205, 160, 135),
    (190, 200, 235),
    (40, 60, 200),
    (190, 60, 70),
    (245, 245, 240),
)


def points(
    unit: float = 100.0,
    *,
    centre: tuple[float, float] = (160.0, 150.0),
    roll: float = 0.0,
    gap: float = 0.0,
    height: float = EYE[1],
) -> Points:
    """`[478, 2]`: the face around `centre`, the middle between its eyes. unit: the interocular distance,
    photo pixels; roll: clockwise, degrees; gap: between the lips, height: half of an eye's, in
    interocular distances. Points that nothing asks for lie in the middle."""
    places = np.zeros((478, 2))
    for x, eye in zip((-0.5, 0.5), parts.EYES, strict=True):
        across = np.linspace(-1, 1, len(eye.upper))
        arc = np.sqrt(1 - across**2) * height
        places[list(eye.upper)] = np.stack([x + EYE[0] * across, -arc], 1)
        places[list(eye.lower)] = np.stack([x + EYE[0] * across, arc], 1)
        places[list(eye.brow_lower)] = np.stack([x + np.linspace(-0.28, 0.28, 5), np.full(5, -0.3)], 1)
        places[eye.pupil] = x, 0
    across = np.linspace(-1, 1, 11)
    arc = 1 - across**2
    lips = (parts.INNER_LIP_UPPER, parts.INNER_LIP_LOWER, parts.OUTER_LIP_UPPER, parts.OUTER_LIP_LOWER)
    for lip, high in zip(lips, (-gap / 2, gap / 2, -gap / 2 - MOUTH[1], gap / 2 + MOUTH[1]), strict=True):
        places[list(lip)] = np.stack(
            [MOUTH[0] * across * (1 + 0.02 * (lip in lips[2:])), 1.1 + high * arc], 1
        )
    places[[172, 397]] = [(-0.8, 1.3), (0.8, 1.3)]
    places[parts.CHIN] = 0, 1.75
    places[2] = 0, 0.75
    for index, x in ((50, -0.5), (280, 0.5), (205, -0.45), (425, 0.45)):
        places[index] = x, 0.7
    places[164] = 0, 0.85
    turn = math.radians(roll)
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return np.asarray(places * unit @ rotation + centre)


def drawn(
    face: Points, size: tuple[int, int] = (320, 400), *, teeth: bool = False, grey: bool = False
) -> Picture:
    """`[height, width, 3]` of a face: `size` is (width, height)."""
    picture = np.full((size[1], size[0], 3), SKIN, np.uint8)
    noise = np.random.default_rng(0).normal(0, 4, picture.shape[:2])

    def fill(outline: tuple[int, ...], colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(picture, [np.rint((face[list(outline)] - 0.5) * 16).astype(np.int32)], colour, shift=4)

    for eye in parts.EYES:
        corners = face[list(eye.corners)]
        fill((*eye.upper, *eye.lower[::-1]), WHITE)
        radius = 0.22 * float(np.linalg.norm(corners[1] - corners[0]))
        mask = np.zeros(picture.shape[:2], np.uint8)
        outline = face[[*eye.upper, *eye.lower[::-1]]]
        cv2.fillPoly(mask, [np.rint((outline - 0.5) * 16).astype(np.int32)], 1, shift=4)
        disc = np.zeros_like(mask)
        cv2.circle(disc, tuple(np.rint(face[eye.pupil]).astype(int).tolist()), round(radius), 1, -1)
        picture[(mask & disc) > 0] = IRIS
    fill((*parts.OUTER_LIP_UPPER, *parts.OUTER_LIP_LOWER[::-1]), LIP)
    if teeth:
        fill((*parts.INNER_LIP_UPPER, *parts.INNER_LIP_LOWER[::-1]), TEETH)
    shown = np.clip(picture + noise[..., None], 0, 255).astype(np.uint8)
    return np.repeat(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)[..., None], 3, -1) if grey else shown


def near(picture: NDArray[np.integer], colour: tuple[int, int, int], within: int = 60) -> NDArray[np.bool_]:
    """Where a picture has about a colour, `[H, W]`."""
    apart = np.abs(picture.astype(int) - np.array(colour)).max(-1)
    return np.asarray(apart < within)
