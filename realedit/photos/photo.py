"""A photograph in memory: its pixels as stored, and the displayed view that everybody else works on.

An edit does not copy the frame: it is kept as one patch over the stored pixels, so a photo and its edited
versions share their memory, and the writer knows exactly which pixels are no longer those of the file.
"""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.photos.colour.display import ToSrgb, converter, in_strips, to_8bit
from realedit.photos.colour.inks import Inks
from realedit.photos.colour.profile import SRGB, Colour
from realedit.photos.kinds import Format as Format
from realedit.photos.metadata.metadata import Metadata
from realedit.photos.orientation import (
    Box,
    box_to_displayed,
    box_to_stored,
    displayed_size,
    to_displayed,
    to_stored,
)
from realedit.photos.shared.layout import Layout, premultiplied, straightened


@dataclass(frozen=True, eq=False)
class Patch:
    """Stored pixels [h, w, c] that replace those of the file inside `box` (stored pixels, half open)."""

    box: Box
    pixels: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo: pixels as stored, what the file said beside them, and at most one patch of edited pixels.

    Everything public is in the displayed view (orientation applied), RGB, uint8 or uint16; a greyscale photo
    has three equal channels. Values are in the photo's own colour space (`colour`); a CMYK photo's are sRGB.
    """

    path: Path
    source: bytes = field(repr=False)  # the file as it was read
    format: Format
    stored: NDArray[Any] = field(repr=False)  # [H, W, c], channels as `layout` says
    orientation: int = 1
    metadata: Metadata = field(default_factory=Metadata, repr=False)
    colour: Colour = field(default_factory=SRGB, repr=False)
    inks: Inks | None = field(default=None, repr=False)  # where `stored` is CMYK
    depth: int = 8  # bits per channel in the file
    palette: bool = False  # whether the file has a palette; `stored` has its colours
    implied_icc: bytes | None = field(default=None, repr=False)  # for colours stated otherwise
    warnings: tuple[str, ...] = ()  # one sentence each
    stale: tuple[str, ...] = ()  # what the file holds that is untrue of an edited picture
    patch: Patch | None = field(default=None, repr=False)
    stated_layout: Layout | None = None  # None: what the number of channels and `inks` say

    @cached_property
    def layout(self) -> Layout:
        """What the stored channels are."""
        if self.stated_layout is not None:
            return self.stated_layout
        return Layout(4) if self.inks is not None else Layout.usual(self.stored.shape[2])

    @property
    def width(self) -> int:
        """Pixels as displayed."""
        return self._size[0]

    @property
    def height(self) -> int:
        """Pixels as displayed."""
        return self._size[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""
        return self.stored.dtype

    @property
    def is_grey(self) -> bool:
        """Whether the photo has no colour: an edit is averaged to grey and stays grey when written."""
        return self.layout.colours == 1

    @property
    def has_alpha(self) -> bool:
        """Whether a stored channel is opacity; edits keep it as it is."""
        return self.layout.opacity is not None

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the file as it was read."""
        return hashlib.sha256(self.source).hexdigest()

    @property
    def changed(self) -> Box | None:
        """Smallest displayed box (left, top, right, bottom) of pixels unlike the file's; None without any."""
        return None if self.patch is None else box_to_displayed(self.patch.box, self.orientation, self._size)

    def view(self, box: Box | None = None) -> NDArray[Any]:
        """Displayed RGB [h, w, 3] in the photo's own space and depth.

        With a `box` (left, top, right, bottom; inside the photo) the array is the caller's own. Without one
        it is where possible a read-only view of the photo's memory, with strides that follow the orientation:
        pass it through `np.ascontiguousarray` for libraries that want rows one after the other.
        """
        stored = self.stored_region(self._stored_box(box))
        shown = to_displayed(self._rgb(stored), self.orientation)
        return np.array(shown, order="C") if box is not None else shown

    def eight_bit(self, box: Box | None = None) -> NDArray[np.uint8]:
        """Displayed [h, w, 3] uint8 in the photo's own space, for detectors, which look at shapes alone.

        As cheap as `view` for 8-bit photos.
        """
        shown = self.view(box)
        return shown if shown.dtype == np.uint8 else in_strips(shown, to_8bit)

    def srgb(self, box: Box | None = None) -> NDArray[np.uint8]:
        """Displayed sRGB [h, w, 3] uint8, through the photo's profile, clipped to what sRGB can show."""
        shown = self.view(box)
        if self.colour.is_srgb and shown.dtype == np.uint8:
            return shown
        return in_strips(shown, self._to_srgb)

    def srgb_reduced(self, max_side: int) -> NDArray[np.uint8]:
        """Displayed sRGB [h, w, 3] uint8, area-averaged so that no side exceeds `max_side` pixels.

        A smaller photo comes at its own size. The scale is the same in both directions to within one pixel.
        """
        scale = min(1.0, max_side / max(self._size))
        stored = self.stored_region(None)
        if scale < 1:
            rows, columns = stored.shape[:2]
            stored = _averaged(stored, (max(1, round(columns * scale)), max(1, round(rows * scale))))
        shown = np.ascontiguousarray(to_displayed(self._rgb(stored), self.orientation))
        return self._to_srgb(shown)

    def with_block(self, box: Box, block: NDArray[Any]) -> "Photo":
        """The photo with the displayed pixels inside `box` replaced by `block` [h, w, 3], of its dtype.

        Opacity stays as it is; a greyscale photo takes the mean of the channels. `changed` grows by the
        pixels that really differ: a block that equals what is there changes nothing.
        """
        left, top, right, bottom = box
        if block.shape != (bottom - top, right - left, 3) or block.dtype != self.dtype:
            raise ValueError(
                f"a block of {block.shape} {block.dtype} does not fit the box {box} of {self.dtype}"
            )
        whole_box = self._stored_box(box)
        rgb = to_stored(block, self.orientation)
        stored_box = _differing(self._rgb(self.stored_region(whole_box)), rgb, whole_box[:2])
        if stored_box is None:
            return self
        new = self._merged(self.stored_region(stored_box), _inside(rgb, whole_box[:2], stored_box))
        return self._patched(
            _union(stored_box, self.patch.box if self.patch else stored_box), stored_box, new
        )

    def stored_region(self, box: Box | None) -> NDArray[Any]:
        """Stored pixels [h, w, c] inside `box` of the stored picture, edits included; read only."""
        left, top, right, bottom = box or (0, 0, self.stored.shape[1], self.stored.shape[0])
        region = self.stored[top:bottom, left:right]
        if self.patch is None:
            return region
        overlap = _intersection((left, top, right, bottom), self.patch.box)
        if overlap is None:
            return region
        region = region.copy()
        _inside(region, (left, top), overlap)[:] = _inside(self.patch.pixels, self.patch.box[:2], overlap)
        return region

    def straight(self, stored: NDArray[Any]) -> NDArray[Any]:
        """The colours [h, w, colours] of stored pixels [h, w, c], not multiplied with their opacity."""
        colours, opacity = stored[..., : self.layout.colours], self.layout.opacity
        if opacity is None or not self.layout.premultiplied:
            return colours
        return straightened(colours, stored[..., opacity : opacity + 1])

    @cached_property
    def _to_srgb(self) -> ToSrgb:
        return converter(self.colour, self.dtype)

    @property
    def _size(self) -> tuple[int, int]:
        return displayed_size((self.stored.shape[1], self.stored.shape[0]), self.orientation)

    def _stored_box(self, box: Box | None) -> Box:
        if box is None:
            return (0, 0, self.stored.shape[1], self.stored.shape[0])
        left, top, right, bottom = box
        if not (0 <= left <= right <= self.width and 0 <= top <= bottom <= self.height):
            raise ValueError(f"the box {box} is not inside the photo of {self.width} x {self.height} pixels")
        return box_to_stored(box, self.orientation, self._size)

    def _rgb(self, stored: NDArray[Any]) -> NDArray[Any]:
        colours = self.straight(stored)
        if self.inks is not None:
            return self.inks.to_rgb(colours)
        return np.broadcast_to(colours, (*colours.shape[:2], 3)) if self.is_grey else colours

    def _merged(self, stored: NDArray[Any], rgb: NDArray[Any]) -> NDArray[Any]:
        """`stored` [h, w, c] with its colour replaced by `rgb` [h, w, 3] where that differs."""
        shown, colours, opacity = self._rgb(stored), stored[..., : self.layout.colours], self.layout.opacity
        if self.inks is not None:
            new = self.inks.change(colours, shown, rgb)
        elif self.is_grey:
            new = ((rgb.sum(axis=-1, keepdims=True, dtype=np.uint32) + 1) // 3).astype(self.dtype)
        else:
            new = rgb
        if opacity is not None and self.layout.premultiplied:
            new = premultiplied(new, stored[..., opacity : opacity + 1])
            new = np.where((shown == rgb).all(axis=-1, keepdims=True), colours, new)
        merged = stored.copy()
        merged[..., : self.layout.colours] = new
        return merged

    def _patched(self, room: Box, box: Box, new: NDArray[Any]) -> "Photo":
        """This photo with `new` inside `box`, the patch cut to what differs from the file within `room`."""
        pixels = new
        if room != box:
            pixels = self.stored_region(room).copy()
            _inside(pixels, room[:2], box)[:] = new
        left, top, right, bottom = room
        tight = _differing(self.stored[top:bottom, left:right], pixels, (left, top))
        if tight is None:
            return replace(self, patch=None)
        kept = _inside(pixels, room[:2], tight)
        kept = kept if tight == room else kept.copy()
        kept.flags.writeable = False
        return replace(self, patch=Patch(tight, kept))


def _averaged(stored: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """`stored` [h, w, c] reduced to `size` (width, height); OpenCV averages four channels at a time."""
    parts = [
        cv2.resize(np.ascontiguousarray(stored[..., at : at + 4]), size, interpolation=cv2.INTER_AREA)
        for at in range(0, stored.shape[2], 4)
    ]
    parts = [part.reshape(size[1], size[0], -1) for part in parts]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _differing(one: NDArray[Any], other: NDArray[Any], origin: tuple[int, ...]) -> Box | None:
    """The smallest box of pixels [h, w, c] that differ in any channel; the top-left pixel is at `origin`."""
    differs = one[..., 0] != other[..., 0]
    for channel in range(1, one.shape[2]):
        differs |= one[..., channel] != other[..., channel]
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if len(rows) == 0:
        return None
    left, top = origin
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1


def _inside(pixels: NDArray[Any], origin: tuple[int, ...], box: Box) -> NDArray[Any]:
    """The part of `pixels`, whose top-left pixel is at `origin`, that lies in `box`."""
    left, top, right, bottom = box
    return pixels[top - origin[1] : bottom - origin[1], left - origin[0] : right - origin[0]]


def _union(one: Box, other: Box) -> Box:
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))


def _intersection(one: Box, other: Box) -> Box | None:
    box = (max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3]))
    return box if box[0] < box[2] and box[1] < box[3] else None
