"""Putting a change back into the photo, at the photo's own resolution, colours and depth."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment, region_under
from realedit.compositing.beyond import beyond
from realedit.compositing.change import Change
from realedit.compositing.flow import Array
from realedit.compositing.grain import grain_of, spread
from realedit.compositing.layers import fade_in, moved, tiles
from realedit.compositing.tone import Tone, reduced
from realedit.photos import Box, Photo
from realedit.plumbing.parallel import ordered_map

COARSE = 4.0  # photo pixels per generated pixel from which generated pixels look soft


@dataclass(frozen=True)
class _Tile:
    """One photo rectangle and the change in it: everything `[h, w, ...]` float32."""

    box: Box
    offset: Array  # [h, w, 2] photo px to where the pixel comes from
    amount: Array
    trust: Array
    residual: Array
    generated: Array


def paste(
    photo: Photo,
    change: Change,
    alignment: Alignment,
    *,
    mask: NDArray[np.bool_] | None = None,
    grain: bool = True,
) -> Photo:
    """The photo with the change in it.

    mask `[height, width]` over the displayed photo, None = everywhere; where it is False no pixel changes,
    and the change fades in from there. Where nothing changed, the photo comes back as it is. grain: whether
    generated pixels that are shown enlarged get grain like the photo's; where they are soft all the same, the
    photo's warnings say so.
    """
    enlargement = alignment.side / change.resolution
    tone = None if change.empty else tone_of(photo, alignment)
    change, alignment = beyond(change, alignment, (photo.width, photo.height))
    box = changed_box(change, alignment, (photo.width, photo.height))
    if box is None:
        return photo
    left, top, right, bottom = box
    block = photo.view(box)
    limit = None
    if mask is not None:
        part = mask[top:bottom, left:right]
        limit = fade_in(part, fade_width(part, (left, top), change, alignment))
    noise = grain_of(block, enlargement) if grain and enlargement > 1 else None

    def render(tile_box: Box) -> None:
        tile = _tile(change, alignment, tile_box)
        rows = slice(tile_box[1] - top, tile_box[3] - top)
        columns = slice(tile_box[0] - left, tile_box[2] - left)
        near = None if limit is None else limit[rows, columns]
        block[rows, columns] = _render(photo, tile, block[rows, columns], near, noise, tone)

    for _ in ordered_map(render, tiles(box)):
        pass
    result = photo.with_block(box, block)
    warnings = soft_warning(change, enlargement)
    return replace(result, warnings=photo.warnings + warnings)


def tone_of(photo: Photo, alignment: Alignment) -> Tone | None:
    """The tone curve of the photo around the square, None where it has colours there."""
    if photo.is_grey:
        return Tone.grey()
    view = photo.view(region_under(alignment, photo.width, photo.height))
    if not view.size:
        return None
    small = reduced(view).astype(np.float32) / np.float32(np.iinfo(view.dtype).max)
    return Tone.of(photo.colour.to_srgb(small))


def soft_warning(change: Change, enlargement: float) -> tuple[str, ...]:
    """What to say where much of what is shown is generated, enlarged `enlargement` times."""
    generated = change.amount * (1 - change.trust)
    if enlargement <= COARSE or generated.max(initial=0) < 0.5:
        return ()
    share = float((generated > 0.5).sum() / max(1, int((change.amount > 0.5).sum())))
    if share < 0.02:
        return ()
    return (
        f"{share:.0%} of the change shows the model's own pixels, enlarged {enlargement:.1f} times; they are "
        "softer than the photo there, and a model of a higher resolution would be sharper",
    )


def changed_box(change: Change, alignment: Alignment, size: tuple[int, int]) -> Box | None:
    """The photo rectangle (left, top, right, bottom; half open) that changes, also around the square; None
    for none."""
    change, alignment = beyond(change, alignment, size)
    rows, columns = np.flatnonzero(change.amount.any(1)), np.flatnonzero(change.amount.any(0))
    if not len(rows):
        return None
    x0, x1, y0, y1 = columns[0] - 1, columns[-1] + 2, rows[0] - 1, rows[-1] + 2
    corners = alignment.to_photo(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float), change.size)
    left, top = np.floor(corners.min(0)).astype(int)
    right, bottom = np.ceil(corners.max(0)).astype(int)
    box = (max(0, int(left)), max(0, int(top)), min(size[0], int(right)), min(size[1], int(bottom)))
    return box if box[0] < box[2] and box[1] < box[3] else None


def fade_width(
    mask: NDArray[np.bool_], origin: tuple[int, int], change: Change, alignment: Alignment
) -> float:
    """Over how many photo pixels a change fades in from a mask's border: at least twice as far as anything
    moves there, because a motion that stops within its own length folds. mask: from the photo pixel `origin`
    on."""
    inside = mask.astype(np.uint8)
    rim = np.argwhere(inside != cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=1))[:, ::-1]
    least = 0.015 * alignment.side
    if not len(rim):
        return least
    points = alignment.to_crop(rim[:: max(1, len(rim) // 20_000)] + origin + 0.5, change.size)
    cells = np.clip(np.floor(points), 0, change.size - 1).astype(int)
    moving = change.flow[cells[:, 1], cells[:, 0]] * (change.amount[cells[:, 1], cells[:, 0]] > 0)[:, None]
    return max(least, 2 * float(np.linalg.norm(moving, axis=-1).max()) * alignment.side / change.size)


def _tile(change: Change, alignment: Alignment, box: Box) -> _Tile:
    """Resample the change from its square to one rectangle of photo pixels."""
    left, top, right, bottom = box
    to_square = alignment.matrix(change.size)  # [2, 3] photo px -> square px, continuous coordinates
    linear = to_square[:, :2]
    # from pixel indices of the tile to pixel indices of the square
    shift = linear @ np.array([left + 0.5, top + 0.5]) + to_square[:, 2] - 0.5
    indices = np.concatenate([linear, shift[:, None]], 1)
    size = (right - left, bottom - top)

    def resample(picture: Array, border: int = cv2.BORDER_REPLICATE) -> Array:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(picture, indices, size, flags=flags, borderMode=border), np.float32)

    amount = resample(change.amount, cv2.BORDER_CONSTANT)
    to_photo = np.linalg.inv(linear).astype(np.float32)
    offset = resample(change.flow) @ to_photo.T
    return _Tile(
        box, offset, amount, resample(change.trust), resample(change.residual), resample(change.generated)
    )


def _render(
    photo: Photo,
    tile: _Tile,
    original: NDArray[np.uint8] | NDArray[np.uint16],
    limit: Array | None,
    grain: Array | None,
    tone: Tone | None,
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The tile's new pixels, in the photo's own colours and depth; `original` is what is there."""
    amount = tile.amount if limit is None else tile.amount * limit
    top_value = np.float32(np.iinfo(original.dtype).max)
    untouched = amount <= 0
    if untouched.all():
        return original
    offset = tile.offset * amount_of_motion(amount, tile.amount)[..., None]
    base = moved(photo, tile.box, offset) / top_value
    shown = photo.colour.to_srgb(base)
    generated = amount * (1 - tile.trust)
    added = (amount * tile.trust)[..., None] * tile.residual
    added += generated[..., None] * (tile.generated - shown)
    result = add_srgb(base, added, photo.colour.to_srgb, photo.colour.from_srgb, tone=tone)
    if grain is not None and generated.any():
        lost = np.sqrt(1 - (1 - generated) ** 2)  # of the photo's own grain, as a standard deviation
        result = result + lost[..., None] * spread(grain, tile.box)
    pixels = np.clip(np.rint(result * top_value), 0, top_value).astype(original.dtype)
    return np.where(untouched[..., None], original, pixels)


def amount_of_motion(amount: Array, unlimited: Array) -> Array:
    """How much of the flow to apply: all of it inside (the flow fades by itself), less where a mask takes
    the amount."""
    return np.minimum(1, amount / np.maximum(unlimited, 1e-6))


def add_srgb(
    base: Array,
    added: Array,
    to_srgb: Callable[[Array], Array],
    from_srgb: Callable[[Array], Array],
    *,
    tone: Tone | None = None,
) -> Array:
    """base, in the photo's colours, plus an sRGB difference, as a difference: exact where `added` is zero.

    tone: the photo's tone curve, to which what is added keeps.
    """
    shown = to_srgb(base)
    if tone is not None:
        added = tone.along(shown, added)
    # colours outside of sRGB stay where they are; what is added does not lead farther out
    changed = np.clip(shown + added, np.minimum(shown, 0), np.maximum(shown, 1))
    result: Array = base + (from_srgb(changed) - from_srgb(shown))
    return result
