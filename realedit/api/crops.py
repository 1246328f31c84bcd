"""The aligned square of a face by itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from realedit.api.asking import box_of
from realedit.api.faces import Face
from realedit.api.models import DEFAULT, Model, loaded
from realedit.api.photos import Photo, opened, shown
from realedit.errors import NoFaceError, UsageError

if TYPE_CHECKING:
    from PIL import Image

SIZES = 16, 4096
"""The least and the largest side of a crop, in pixels."""


@dataclass(frozen=True, eq=False, repr=False)
class Crop:
    """An aligned square of a photo. pixels: `[size, size, 3]` sRGB uint8. valid: `[size, size]`, True where
    the photo has pixels; the others were made up. square: where it lies in the photo. face: None for a box,
    or a model that draws no faces."""

    pixels: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    square: Alignment
    face: Face | None

    @property
    def size(self) -> int:
        """The side, in pixels."""
        return int(self.pixels.shape[0])

    @property
    def image(self) -> Image.Image:
        """The pixels as a Pillow image."""
        from PIL import Image

        return Image.fromarray(self.pixels)

    @property
    def landmarks(self) -> NDArray[np.float64] | None:
        """`[68, 2]` in the crop's pixels; None without a face."""
        return None if self.face is None else self.square.to_crop(self.face.landmarks, self.size)

    def as_json(self) -> dict[str, Any]:
        """What `realedit align --json` prints: where the square lies in the photo, and the landmarks in photo
        and crop."""
        inside = self.landmarks
        return {
            "face": None if self.face is None else self.face.index,
            "size": self.size,
            **self.square.to_dict(),
            "corners": _rounded(self.square.corners()),
            "valid": round(float(self.valid.mean()), 4),
            "landmarks": None if self.face is None else _rounded(self.face.landmarks),
            "landmarks_in_crop": None if inside is None else _rounded(inside),
        }

    def _repr_png_(self) -> bytes:
        return shown(self.pixels)

    def __repr__(self) -> str:
        what = "a box" if self.face is None else f"face {self.face.index}"
        return f"<Crop of {what}, {self.size} px>"


def align(
    photo: Photo | str | os.PathLike[str] | bytes,
    *,
    face: str | int = "auto",
    box: Sequence[int] | None = None,
    size: int | None = None,
    model: str | Path | Model = DEFAULT,
) -> Crop:
    """Cut the aligned square of a face out of a photo, as the model sees it (FFHQ's, Karras et al. 2019).

    face: `"auto"` or `"largest"`, or a number from the left. box: left, top, right, bottom of what to take
    instead. size: the side in pixels; None: the model's resolution. model: whose kind of square it is.

    Raises NoFaceError, OutsideError for a box that leaves the photo, UsageError.
    """
    from alignment import choose_face
    from realedit.geometry.cropping import crop_of, square_of

    photo, taken = opened(photo), box_of(box)
    if size is not None and not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(f"a crop's side is {SIZES[0]} to {SIZES[1]} pixels, not {size}")
    if taken is not None and face != "auto":
        raise UsageError("a box and a face were named; name one of them")
    kind = "ffhq"
    if size is None or model != DEFAULT:
        model = loaded(model, "cpu")
        kind, size = model.checkpoint.alignment, size or model.resolution
    square, found = square_of(photo.size, kind, taken), None
    if square is None:
        try:
            found = choose_face([each.found for each in photo.faces], face)
        except NoFaceError as error:
            raise NoFaceError(f"{photo.content.path}: {error}") from error
        except ValueError as error:
            raise UsageError(f"{error}") from error
        square = found.alignment
    crop = crop_of(photo.content, square, size)
    return Crop(crop.pixels, crop.valid, square, None if found is None else Face(photo.content, found))


def _rounded(points: NDArray[np.float64]) -> list[list[float]]:
    return [[round(float(x), 2), round(float(y), 2)] for x, y in points]
