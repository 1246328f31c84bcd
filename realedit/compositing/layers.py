"""Parts of a face that slide over others, at the photo's own resolution.

A smooth flow cannot tear: a lid that shuts and lips that part go over, or away from, what is beside them. So
they are layers, from the lowest to the uppermost: the photo moved in one way each, or a painted one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array
from realedit.compositing.grain import grain_of, spread
from realedit.photos import Box, Photo
from realedit.plumbing.parallel import ordered_map

TILE = 512  # pixels; a tile's arrays stay in the processor's cache
GRAIN = 2.0  # pixels: what is finer is the photo's grain


@dataclass(frozen=True)
class Layer:
    """One part in a rectangle of the photo, `[h, w, ...]` float32.

    cover: 0 = what lies below is seen, 1 = the layer. offset `[h, w, 2]`: from a pixel to where it comes
    from, in photo pixels, (x, y); None: the layer is what lies below, painted and shaded. paint `[h, w,
    3]`: sRGB in [0, 1] that is shown instead of moved pixels as far as `painted` says, 0 to 1. gain: what
    the pixels are multiplied with, in the photo's own values. grain: the share of the photo's grain that
    is missing from it.
    """

    cover: Array
    offset: Array | None = None
    paint: Array | None = None
    painted: Array | None = None
    gain: Array | None = None
    grain: Array | None = None


@dataclass(frozen=True)
class Slide:
    """What slides in one part of a photo. box: outside of it nothing changes; at: the layers in a rectangle
    of it, the lowest first."""

    box: Box
    at: Callable[[Box], Sequence[Layer]]


def slide(
    photo: Photo, slides: Sequence[Slide], *, mask: NDArray[np.bool_] | None = None, fade: float = 1.0
) -> Photo:
    """The photo with its parts where they slide to, each on what the ones before made.

    mask `[height, width]` over the displayed photo, None = everywhere: where it is False no pixel changes,
    and within `fade` photo pixels of there parts slide less far.
    """
    for each in slides:
        photo = _slid(photo, each, mask, fade)
    return photo


def _slid(photo: Photo, each: Slide, mask: NDArray[np.bool_] | None, fade: float) -> Photo:
    left, top, right, bottom = each.box
    block = photo.view(each.box)
    result = block.copy()
    grain = grain_of(block, GRAIN)
    limit = None if mask is None else fade_in(mask[top:bottom, left:right], fade)

    def render(box: Box) -> None:
        here = slice(box[1] - top, box[3] - top), slice(box[0] - left, box[2] - left)
        near = None if limit is None else limit[here]
        result[here] = _composed(photo, box, block[here], each.at(box), near, grain)

    for _ in ordered_map(render, tiles(each.box)):
        pass
    return photo.with_block(each.box, result)


def fade_in(mask: NDArray[np.bool_], width: float) -> Array:
    """0 outside of the mask, rising to 1 over `width` pixels inside of it."""
    if mask.all():
        return np.ones(mask.shape, np.float32)
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    result: Array = np.clip(distance / max(width, 1.0), 0, 1).astype(np.float32)
    return result


def tiles(box: Box) -> Iterator[Box]:
    """The rectangles, none larger than `TILE`, that a box is made of."""
    left, top, right, bottom = box
    for y in range(top, bottom, TILE):
        for x in range(left, right, TILE):
            yield x, y, min(x + TILE, right), min(y + TILE, bottom)


def _composed(
    photo: Photo,
    box: Box,
    original: NDArray[np.uint8] | NDArray[np.uint16],
    layers: Sequence[Layer],
    limit: Array | None,
    grain: Array | None,
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """One rectangle's new pixels; those that no layer changes are the original's bits."""
    white = np.float32(np.iinfo(original.dtype).max)
    result = original.astype(np.float32)
    touched = np.zeros(original.shape[:2], np.bool_)
    for layer in layers:
        pixels, changes = _pixels(photo, box, layer, result, limit, grain, white)
        result += layer.cover[..., None] * (pixels - result)
        touched |= (layer.cover > 0) & changes
    if limit is not None:
        touched &= limit > 0
    pixels = np.clip(np.rint(result), 0, white).astype(original.dtype)
    return np.where(touched[..., None], pixels, original)


def _pixels(
    photo: Photo,
    box: Box,
    layer: Layer,
    below: Array,
    limit: Array | None,
    grain: Array | None,
    white: np.float32,
) -> tuple[Array, NDArray[np.bool_]]:
    """A layer's pixels `[h, w, 3]` in the photo's own values, and where they are not what was there. Where a
    limit takes some of it, it moves less far and is painted less."""

    def held(values: Array) -> Array:
        return values if limit is None else values * (limit if values.ndim == 2 else limit[..., None])

    if layer.offset is None:
        pixels, changes = below.copy(), np.zeros(below.shape[:2], np.bool_)
    else:
        offset = held(layer.offset)
        pixels, changes = moved(photo, box, offset), np.asarray(offset.any(-1), np.bool_)
    if layer.paint is not None and layer.painted is not None:
        painted = held(layer.painted)
        pixels += painted[..., None] * (photo.colour.from_srgb(layer.paint) * white - pixels)
        changes |= painted > 0
    if layer.gain is not None:
        gain = held(layer.gain - 1)
        pixels *= 1 + gain[..., None]
        changes |= gain != 0
    if layer.grain is not None and grain is not None:
        pixels += held(layer.grain)[..., None] * spread(grain, box) * white
    return pixels, changes


def moved(photo: Photo, box: Box, offset: Array) -> Array:
    """The photo's own pixels from where `offset` `[h, w, 2]` says, bicubic, in its own values (not scaled);
    pixels that do not move are exact."""
    left, top, right, bottom = box
    if not offset.any():
        return photo.view(box).astype(np.float32)
    margin = int(np.ceil(np.abs(offset).max())) + 4
    x0, y0 = max(0, left - margin), max(0, top - margin)
    x1, y1 = min(photo.width, right + margin), min(photo.height, bottom + margin)
    source = photo.view((x0, y0, x1, y1)).astype(np.float32)
    x, y = np.meshgrid(
        np.arange(left - x0, right - x0, dtype=np.float32), np.arange(top - y0, bottom - y0, dtype=np.float32)
    )
    x, y = x + offset[..., 0], y + offset[..., 1]
    result = np.asarray(
        cv2.remap(source, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.float32
    )
    still = ~offset.any(-1)
    result[still] = source[top - y0 : bottom - y0, left - x0 : right - x0][still]
    return result
