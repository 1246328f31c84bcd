"""Pictures of what a paste is made of, so that a person can see why a result looks as it does."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import extract_crop
from realedit.compositing.change import Change
from realedit.compositing.flow import Array
from realedit.compositing.heads import Head, Turn
from realedit.perception.points import EYES, FACE_OVAL, INNER_LIP_LOWER, INNER_LIP_UPPER, NOSE_BRIDGE
from realedit.photos import Photo

Picture = NDArray[np.uint8]

DEBUG_NAMES = (
    *("crop", "before", "after", "reach", "flow", "confidence", "mask", "residual", "generated"),
    *("parts", "head"),
)
"""What `debug_pictures` returns, `parts_picture` and `head_picture`."""

PARTS_SIDE = 512  # pixels


def debug_pictures(
    crop: Picture, before: Array, after: Array, reach: Array, change: Change
) -> dict[str, Picture]:
    """By name, `[H, W, 3]` uint8 RGB: crop, before, after (`[R, R, 3]`; before and after in [0, 1]), reach
    (`[R, R]`), flow as colour, confidence (white: the photo's own pixels), mask (how much of the change is
    shown), residual around grey, and the generated pixels in the photo's colours."""
    return {
        "crop": crop,
        "before": _bytes(before),
        "after": _bytes(after),
        "reach": _bytes(reach),
        "flow": flow_colours(change.flow),
        "confidence": _bytes(change.trust),
        "mask": _bytes(change.amount),
        "residual": _bytes(change.residual / 2 + 0.5),
        "generated": _bytes(change.generated),
    }


def flow_colours(flow: Array) -> Picture:
    """A flow `[S, S, 2]` as colours: hue is the direction the photo moves in, saturation the distance; the
    longest is full."""
    length, angle = cv2.cartToPolar(-flow[..., 0], -flow[..., 1])  # the flow points to where a pixel was
    hue = np.floor(angle * (90 / np.pi)) % 180  # OpenCV's circle has 180 steps
    saturation = 255 * length / max(float(length.max()), 1e-6)
    hsv = np.stack([hue, saturation, np.full_like(length, 255)], -1).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)


def _bytes(picture: NDArray[np.floating]) -> Picture:
    shown = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
    return shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, -1)


def parts_picture(
    crop: Picture, before: Sequence[NDArray[np.float64]], after: Sequence[NDArray[np.float64]]
) -> Picture:
    """The crop with the edges of lids and lips, `[K, 2]` crop pixels each: where they are in blue, where they
    go in red."""
    scale = max(1, round(PARTS_SIDE / crop.shape[0]))
    drawn = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    return _with_lines(drawn, [each * scale for each in before], [each * scale for each in after])


def head_picture(photo: Photo, head: Head, turn: Turn) -> Picture:
    """The view around a head with the lines of its face: where they are in blue, where they go in red."""
    size = head.size
    crop = extract_crop(photo.srgb(), head.square, size).pixels
    own = head.square.to_photo(head.points[:, :2], size)
    edges = [line for eye in EYES for line in (eye.upper, eye.lower, eye.brow_upper)]
    lines = [*edges, INNER_LIP_UPPER, INNER_LIP_LOWER, NOSE_BRIDGE, (*FACE_OVAL, FACE_OVAL[0])]
    before, after = (
        [head.square.to_crop(points[list(line)], size) for line in lines]
        for points in (own, head.turned(turn, own))
    )
    return _with_lines(np.ascontiguousarray(crop), before, after)


def _with_lines(
    drawn: Picture, before: Sequence[NDArray[np.float64]], after: Sequence[NDArray[np.float64]]
) -> Picture:
    for curves, colour in ((before, (40, 120, 255)), (after, (255, 40, 40))):
        lines = [np.rint((each - 0.5) * 16).astype(np.int32) for each in curves]
        cv2.polylines(drawn, lines, False, colour, 1, cv2.LINE_AA, shift=4)
    return np.asarray(drawn, np.uint8)
