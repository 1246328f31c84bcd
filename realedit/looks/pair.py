"""A face before and after an edit: both in one upright view, and what is measured there of how one became
the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment, extract_crop
from alignment.errors import AlignmentError
from alignment.geometry import ffhq_square
from alignment.landmarks import landmarks_in
from realedit.perception import Perceived, perceive
from realedit.perception import points as parts

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

WIDER = 1.3  # side of the view over that of the face's square: its rim is seen from both sides
LEAST, MOST = 200, 320  # pixels of the view's side; between them it has the photo's own
GONE, LEANT = 0.03, 3.0  # sides of a face's square, and degrees: a head that went farther has turned
LOOKS = 3  # for where a face went
STILL = 2.5  # of 255: pixels that differ by less are the same
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601


@dataclass(frozen=True, eq=False)
class Pair:
    """One face in the photo and in the result.

    before, after: `[S, S, 3]` float32 sRGB in [0, 1]. valid: `[S, S]`, where the view lies in the photo.
    view: its square in the photo; face: the aligned square within it. old, new: what is perceived before and
    after, in photo pixels. Lengths that the measures give are interocular distances of the photo.
    """

    before: Floats
    after: Floats
    valid: Mask
    view: Alignment
    face: Alignment
    old: Perceived
    new: Perceived

    @classmethod
    def of(
        cls, before: NDArray[Any], after: NDArray[Any], face: Alignment, old: Perceived | None = None
    ) -> Pair:
        """From photos `[H, W, 3]` RGB, uint8 or uint16, as displayed; old: what was perceived in `before`."""
        view = replace(face, side=WIDER * face.side)
        size = int(np.clip(round(view.side), LEAST, MOST))
        one, other = (extract_crop(each, view, size) for each in (before, after))
        white = np.float32(np.iinfo(before.dtype).max)
        return cls(
            before=one.pixels.astype(np.float32) / white,
            after=other.pixels.astype(np.float32) / white,
            valid=one.valid,
            view=view,
            face=face,
            old=old or perceive(before, face),
            new=perceive(after, square_after(after, face)),
        )

    @property
    def size(self) -> int:
        """Pixels of the view's side."""
        return int(self.before.shape[0])

    @cached_property
    def points(self) -> tuple[Floats, Floats]:
        """The 478 points before and after, `[478, 2]`, pixels of the view."""
        return self.view.to_crop(self.old.points, self.size), self.view.to_crop(self.new.points, self.size)

    @cached_property
    def unit(self) -> float:
        """The photo's interocular distance, pixels of the view."""
        return self.old.interocular * self.size / self.view.side

    @cached_property
    def change(self) -> Floats:
        """`[S, S]`: how much each pixel differs, the most of its channels, 0 to 1."""
        return np.asarray(np.abs(self.after - self.before).max(axis=2))

    @cached_property
    def changed(self) -> Mask:
        """`[S, S]`: where anything differs."""
        return np.asarray((self.change > STILL / 255) & self.valid)

    @cached_property
    def colours(self) -> tuple[Floats, Floats]:
        """`before` and `after` in CIE Lab, `[S, S, 3]`."""
        return lab(self.before), lab(self.after)

    @cached_property
    def slopes(self) -> tuple[Floats, Floats]:
        """`[S, S]`: how steep the luma of `before` and `after` is, white per pixel."""
        return gradient(self.before), gradient(self.after)

    @cached_property
    def flow(self) -> Floats:
        """`[S, S, 2]`: where in `before` each pixel of `after` comes from, relative, pixels of the view.

        Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016); 0 where
        nothing changed.
        """
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        search.setFinestScale(1)
        grey = [_grey(each) for each in (self.after, self.before)]
        found = np.asarray(search.calc(grey[0], grey[1], np.zeros((self.size, self.size, 2), np.float32)))
        near = cv2.dilate(self.changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        return np.where(near[..., None], found, 0.0).astype(np.float32)

    @cached_property
    def moved(self) -> Floats:
        """`[S, S, 3]`: the photo, moved as the flow says; what of `after` is not in it is new."""
        y, x = np.mgrid[: self.size, : self.size].astype(np.float32)
        return np.asarray(
            cv2.remap(
                self.before,
                x + self.flow[..., 0],
                y + self.flow[..., 1],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )

    @cached_property
    def added(self) -> Floats:
        """`[S, S]`: how much of `after` is not in the photo as it moved, 0 to 1, a little blurred."""
        return blur(np.abs(self.after - self.moved).max(axis=2), 0.02 * self.unit)

    @cached_property
    def person(self) -> Floats:
        """`[S, S]`: 1 where the photo shows the person, 0 in the background."""
        return self.old.matte(self.view, self.size)

    def within(self, *curves: parts.Curve, after: bool = False, wider: float = 0.0) -> Mask:
        """`[S, S]`: what is within the polygon of these curves' points; `wider` by so many units."""
        points = self.points[1 if after else 0][[index for curve in curves for index in curve]]
        return filled(points, self.size, wider * self.unit)

    def closed(
        self, upper: parts.Curve, lower: parts.Curve, *, after: bool = False, wider: float = 0.0
    ) -> Mask:
        """`[S, S]`: what is between two curves that run the same way."""
        return self.within(upper, lower[::-1], after=after, wider=wider)


def square_after(after: NDArray[Any], face: Alignment) -> Alignment:
    """The FFHQ square of a face in the result, where the photo had it at `face`.

    after: `[H, W, 3]` RGB, uint8 or uint16. The network knows faces whose eyes and mouth lie where that
    square has them. Those of a head that turned are elsewhere in its outline, so the square follows dlib's
    landmarks of the result. `face` itself, where they hardly moved or are none of a face.
    """
    around = replace(face, side=2 * WIDER * face.side).corners()
    left, top = (max(0, math.floor(value)) for value in around.min(axis=0))
    right, bottom = (max(0, math.ceil(value)) for value in around.max(axis=0))
    part = after[top:bottom, left:right]
    pixels = part if part.dtype == np.uint8 else np.asarray(part >> 8, np.uint8)
    square = replace(face, centre=(face.centre[0] - left, face.centre[1] - top))
    gone = False
    for _ in range(LOOKS):
        try:
            found = ffhq_square(landmarks_in(pixels, square))
        except AlignmentError:
            return face
        if not _gone(square, found):
            break
        square, gone = found, True
    x, y = square.centre
    return replace(square, centre=(x + left, y + top)) if gone else face


def _gone(one: Alignment, other: Alignment) -> bool:
    far = float(np.hypot(*np.subtract(other.centre, one.centre))) / one.side
    turned = math.remainder(other.angle - one.angle, 2 * math.pi)
    return far > GONE or abs(math.degrees(turned)) > LEANT


def filled(points: Floats, size: int, wider: float = 0.0) -> Mask:
    """`[size, size]`: the inside of a polygon `[N, 2]`, grown (below 0: shrunk) by `wider` pixels."""
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.rint((points - 0.5) * 16).astype(np.int32)], 1, shift=4)
    side = 2 * round(abs(wider)) + 1
    if side > 1:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        mask = np.asarray((cv2.dilate if wider > 0 else cv2.erode)(mask, kernel))
    return mask > 0


def luma(picture: Floats) -> Floats:
    """`[..., 3]` to `[...]`."""
    return np.asarray(picture @ LUMA)


def lab(picture: Floats) -> Floats:
    """sRGB `[H, W, 3]` in [0, 1] as CIE Lab: 0 to 100, and about -100 to 100."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2LAB))


def blur(picture: Floats, sigma: float) -> Floats:
    """A Gaussian, `sigma` in pixels."""
    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(picture, np.float32), (0, 0), max(sigma, 0.3)))


def gradient(picture: Floats) -> Floats:
    """`[H, W]`: how steep the luma of `[H, W, 3]` is, per pixel."""
    grey = luma(picture).astype(np.float32)
    return np.asarray(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8)


def highest(values: Floats, share: float) -> float:
    """The value that a share of them exceed; 0 of none."""
    return float(np.quantile(values, 1 - share)) if values.size else 0.0


def _grey(picture: Floats) -> NDArray[np.uint8]:
    return np.asarray(np.clip(luma(picture) * 255 + 0.5, 0, 255), np.uint8)
