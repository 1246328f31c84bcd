"""Training pictures from the aligned squares: shifted, turned, scaled, mirrored, tinted; and DiffAugment.

Everything happens on the device of the pictures, in float32. Affines are `[N, 2, 3]` in the coordinates of
`grid_sample`: -1 to 1 from border to border.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from train.faces.dataset import MARGIN
from train.faces.expressions import KINDS, Acting


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """How far a copy may differ. Lengths are parts of the crop's side, `turn` is in radians; `colour` is a
    deviation of brightness, contrast and saturation; `tint`: the share of grey-looking pictures that get a
    colour cast.
    """

    shift: float = 0.03
    scale: float = 0.06
    turn: float = 0.08
    colour: float = 0.08
    tint: float = 0.7


@dataclass(frozen=True)
class Batch:
    """crops `[N, 3, R, R]` in [-1, 1]; valid `[N, 1, R, R]`, 1 where the photo was; chips: affines from
    dlib's chip to the crop; close_ups `[N, C, 2, 3]`: affines from close-ups of eyes and mouth to the crop.
    still: the crops before their faces moved; amounts `[N, KINDS]`: by how much they did.
    """

    crops: Tensor
    valid: Tensor
    chips: Tensor
    close_ups: Tensor
    still: Tensor
    amounts: Tensor


def crop_batch(
    pixels: Tensor,
    valid: Tensor,
    chips: Tensor,
    close_ups: Tensor,
    size: int,
    jitter: Jitter | None,
    rng: torch.Generator,
    acting: Acting | None = None,
) -> Batch:
    """Crops of `size` pixels from squares.

    pixels `[N, S, S, 3]` uint8, valid `[N, V, V]` bool, chips `[N, 2, 3]` from chip to square, close_ups
    `[N, C, 2, 3]` likewise. jitter None: the FFHQ square itself. acting: what the faces do, if anything.
    """
    n, device = len(pixels), pixels.device
    to_square = _jittered(n, jitter, rng).to(device)
    grid = F.affine_grid(to_square, [n, 3, size, size], align_corners=False)
    squares = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
    if size < squares.shape[-1] / MARGIN / 1.5:  # the sampling below does not filter
        squares = F.interpolate(squares, size=round(size * MARGIN), mode="area")
    still = crops = _sampled(squares, grid)
    places, amounts = grid, torch.zeros(n, KINDS, device=device)
    if acting is not None:
        moved = acting.moved(grid, rng)
        places, amounts = moved.places, acting.motions.amounts().to(device)
        crops = _sampled(squares, places)
        crops = crops + (moved.inside - crops) * moved.open
    there = F.grid_sample(valid[:, None].float(), places, padding_mode="zeros", align_corners=False)
    if jitter is not None:
        colours = _colours(still, jitter, rng)
        crops, still = _recoloured(crops, *colours), _recoloured(still, *colours)
    to_crop = invert(to_square)
    near = compose(to_crop.repeat_interleave(close_ups.shape[1], 0), close_ups.flatten(0, 1))
    near = near.unflatten(0, close_ups.shape[:2])
    return Batch(crops, (there > 0.99).float(), compose(to_crop, chips), near, still, amounts)


def _sampled(squares: Tensor, places: Tensor) -> Tensor:
    return F.grid_sample(
        squares, places, mode="bicubic", padding_mode="reflection", align_corners=False
    ).clamp(-1, 1)


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The affine that applies `inner` first."""
    linear = outer[:, :, :2] @ inner[:, :, :2]
    shift = outer[:, :, :2] @ inner[:, :, 2:] + outer[:, :, 2:]
    return torch.cat([linear, shift], 2)


def invert(affine: Tensor) -> Tensor:
    """The inverse affine."""
    linear = torch.linalg.inv(affine[:, :, :2])
    return torch.cat([linear, -linear @ affine[:, :, 2:]], 2)


def chips_of(pictures: Tensor, chips: Tensor, size: int) -> Tensor:
    """dlib's chips `[N, 3, size, size]` of crops `[N, 3, R, R]`."""
    grid = F.affine_grid(chips, [len(chips), 3, size, size], align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _jittered(n: int, jitter: Jitter | None, rng: torch.Generator) -> Tensor:
    """Affines from crop to square."""
    if jitter is None:
        return torch.eye(2, 3).expand(n, 2, 3) / MARGIN
    u = torch.rand(n, 5, generator=rng) * 2 - 1
    angle, scale = u[:, 0] * jitter.turn, (1 + u[:, 1] * jitter.scale) / MARGIN
    c, s = angle.cos() * scale, angle.sin() * scale
    mirror = u[:, 2].sign()
    shift = u[:, 3:] * jitter.shift * 2 / MARGIN
    return torch.stack(
        [torch.stack([c * mirror, -s, shift[:, 0]], 1), torch.stack([s * mirror, c, shift[:, 1]], 1)], 1
    )


def _colours(crops: Tensor, jitter: Jitter, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Factors and offsets `[N, 3, 1, 1, 1]`, means `[N, 1, 1, 1]`, and casts of those that look grey."""
    n = len(crops)
    u = torch.randn(n, 3, 1, 1, 1, generator=rng).to(crops.device) * jitter.colour
    saturation = (crops - crops.mean(1, keepdim=True)).abs().mean((1, 2, 3))
    cast = torch.randn(n, 3, 1, 1, generator=rng).to(crops.device) * 0.12
    chosen = (torch.rand(n, generator=rng).to(crops.device) < jitter.tint) & (saturation < 0.02)
    return u, crops.mean((1, 2, 3), keepdim=True), cast * chosen[:, None, None, None]


def _recoloured(crops: Tensor, u: Tensor, mean: Tensor, cast: Tensor) -> Tensor:
    grey = crops.mean(1, keepdim=True)
    crops = grey + (crops - grey) * (1 + u[:, 0])
    crops = mean + (crops - mean) * (1 + u[:, 1]) + u[:, 2]
    # a cast is strongest in the mid-tones: black and white stay
    return (crops + cast * (1 - grey.square())).clamp(-1, 1)


def _shifted(pictures: Tensor, by: Tensor) -> Tensor:
    """Pictures moved by whole pixels `[N, 2]` (x, y) to the left and up, black where nothing comes.

    By indexing, because sampling grids have no second derivative on CUDA, which R1 needs.
    """
    n, _, h, w = pictures.shape
    numbers = torch.arange(n, device=pictures.device)[:, None, None]
    rows = torch.arange(h, device=pictures.device)[None, :, None] + by[:, 1, None, None]
    columns = torch.arange(w, device=pictures.device)[None, None] + by[:, 0, None, None]
    there = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
    found = pictures.permute(0, 2, 3, 1)[numbers, rows.clamp(0, h - 1), columns.clamp(0, w - 1)]
    return (found * there[..., None]).permute(0, 3, 1, 2)


def diff_augment(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """DiffAugment (Zhao et al. 2020, arXiv 2006.10738): colour, translation, cutout; gradients flow."""
    n, _, h, w = pictures.shape
    device = pictures.device
    u = torch.rand(n, 7, generator=rng).to(device)
    x = pictures + (u[:, 0] - 0.5)[:, None, None, None]
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (u[:, 1] * 2)[:, None, None, None]
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * (u[:, 2] + 0.5)[:, None, None, None]
    x = _shifted(x, ((u[:, 3:5] * 2 - 1) * (h // 8)).round().long())
    rows, columns = torch.arange(h, device=device)[None], torch.arange(w, device=device)[None]
    top, left = (u[:, 5, None] * (h + 1) - h // 4).floor(), (u[:, 6, None] * (w + 1) - w // 4).floor()
    inside = ((rows >= top) & (rows < top + h // 2))[:, :, None] & (
        (columns >= left) & (columns < left + w // 2)
    )[:, None]
    return x * ~inside[:, None]
