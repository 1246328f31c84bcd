"""The pixels that a writer asks for, strip by strip, so that no second frame is held."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realedit.photos.colour.display import to_8bit
from realedit.photos.orientation import box_to_stored, displayed_size, to_displayed
from realedit.photos.photo import Format, Photo
from realedit.photos.shared.layout import STRAIGHT, Layout


@dataclass(frozen=True)
class Picture:
    """Rows on demand: `rows(top, bottom)` gives [bottom - top, width, channels], which `layout` names."""

    width: int
    height: int
    layout: Layout
    dtype: np.dtype[Any]
    rows: Callable[[int, int], NDArray[Any]]

    @property
    def channels(self) -> int:
        """How many there are."""
        return self.layout.channels

    @property
    def has_alpha(self) -> bool:
        """Whether a channel is opacity: the last one, but in a picture `as_stored`."""
        return self.layout.opacity is not None

    def strips(self, rows: int) -> Iterator[NDArray[Any]]:
        """The picture from top to bottom, `rows` rows at a time."""
        for top in range(0, self.height, rows):
            yield self.rows(top, min(top + rows, self.height))

    def whole(self) -> NDArray[Any]:
        """All rows [height, width, channels], one after the other in memory."""
        return np.ascontiguousarray(self.rows(0, self.height))

    def to_8bit(self) -> "Picture":
        """The picture rounded to 8 bits."""
        if self.dtype == np.uint8:
            return self

        def rows(top: int, bottom: int) -> NDArray[np.uint8]:
            return to_8bit(np.ascontiguousarray(self.rows(top, bottom)))

        return replace(self, dtype=np.dtype(np.uint8), rows=rows)

    def on_white(self) -> "Picture":
        """The picture without opacity, laid on white."""
        if not self.has_alpha:
            return self
        full = int(np.iinfo(self.dtype).max)

        def rows(top: int, bottom: int) -> NDArray[Any]:
            strip = self.rows(top, bottom)
            if (strip[..., -1] == full).all():
                return strip[..., :-1]
            alpha = strip[..., -1:].astype(np.uint64)
            mixed = strip[..., :-1] * alpha + full * (full - alpha)
            return ((mixed + full // 2) // full).astype(self.dtype)

        return replace(self, layout=Layout(self.layout.colours), rows=rows)


def as_stored(photo: Photo) -> Picture:
    """The photo's pixels in the layout and orientation of its file, edits included."""
    height, width = photo.stored.shape[:2]

    def rows(top: int, bottom: int) -> NDArray[Any]:
        return photo.stored_region((0, top, width, bottom))

    return Picture(width, height, photo.layout, photo.dtype, rows)


def upright(photo: Photo) -> Picture:
    """The photo's pixels as displayed: grey or RGB (CMYK as sRGB), then straight opacity, nothing further."""
    width, height = displayed_size((photo.stored.shape[1], photo.stored.shape[0]), photo.orientation)
    opacity = photo.layout.opacity
    layout = Layout(1 if photo.is_grey else 3, () if opacity is None else (STRAIGHT,))

    def rows(top: int, bottom: int) -> NDArray[Any]:
        box = box_to_stored((0, top, width, bottom), photo.orientation, (width, height))
        stored = photo.stored_region(box)
        if photo.layout != layout:
            colours = [photo.inks.to_rgb(photo.straight(stored)) if photo.inks else photo.straight(stored)]
            colours += [] if opacity is None else [stored[..., opacity : opacity + 1]]
            stored = np.concatenate(colours, axis=2)
        return to_displayed(stored, photo.orientation)

    return Picture(width, height, layout, photo.dtype, rows)


def is_upright(photo: Photo, kind: Format) -> bool:
    """Whether the pixels are written as displayed: in another format, where not every reader knows of a turn.

    AVIF is coded anew in any case, and Pillow writes a turn only by rewriting the EXIF block.
    """
    return kind is not photo.format or kind is Format.AVIF


def becomes_srgb(photo: Photo, kind: Format) -> bool:
    """Whether the pixels turn to sRGB: grey with a profile of its own, in a format that has only RGB."""
    only_rgb = kind in (Format.WEBP, Format.AVIF) or (kind is Format.HEIC and photo.has_alpha)
    return photo.is_grey and not photo.colour.is_srgb and only_rgb


def for_format(photo: Photo, kind: Format) -> Picture:
    """The photo upright, as another format than its own can hold it."""
    picture = upright(photo)
    if not becomes_srgb(photo, kind):
        return picture

    def rows(top: int, bottom: int) -> NDArray[np.uint8]:
        strip = picture.rows(top, bottom)
        grey = photo.srgb((0, top, picture.width, bottom))[..., :1]
        return np.concatenate([grey, *_opacity(strip)], axis=2)

    return replace(picture, dtype=np.dtype(np.uint8), rows=rows)


def _opacity(strip: NDArray[Any]) -> list[NDArray[np.uint8]]:
    if strip.shape[2] != 2:
        return []
    return [to_8bit(np.ascontiguousarray(strip[..., 1:]))]
