"""Motion supervision and point tracking, after DragGAN (section 3.2, equations 1 to 4).

Both compare patches with templates: what the patch around each handle looked like when the handle was put
there, `[K, P, C]`. DragGAN supervises with the patch as it is now, whose drift adds up, and tracks single
cells; original patches land nearer and are lost less (docs/benchmarks/tried.md). Supervising with the
original features is GoodDrag's idea (Zhang et al. 2024, arXiv 2404.07206).

Points are `(x, y)` in feature cells, centres at +0.5.
"""

import numpy as np
import torch
from torch import Tensor

from realedit.drag.maps import Maps

ORIGINAL = 0.5  # share of the original patch in what is supervised; the rest is the patch as it is now
ARRIVED = 0.1  # cells: what a handle at its target weighs
DISTINCT = 0.05  # share of its features that a patch must change by from one cell to the next to be tracked
SPACING = 0.5  # of the places that tracking tries, in cells


def disc(radius: float, *, device: torch.device | None = None) -> Tensor:
    """Whole offsets `[P, 2]` within `radius` of the origin, which is one of them."""
    count = int(radius + 1e-6)
    line = np.arange(-count, count + 1, dtype=np.float32)
    offsets = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)  # row by row, (x, y)
    inside = offsets[np.linalg.norm(offsets, axis=1) <= radius + 1e-6]
    return torch.from_numpy(inside).to(device or "cpu")


@torch.no_grad()
def templates_at(maps: Maps, handles: Tensor, *, r1: float) -> Tensor:
    """The patches `[K, P, C]` around handles `[K, 2]`."""
    return maps.sample(handles[:, None] + disc(r1, device=handles.device))


@torch.no_grad()
def distinctness(maps: Maps, templates: Tensor, handles: Tensor, *, r1: float) -> Tensor:
    """How far the patches around handles `[K, 2]` tell their place, `[K]`: the least change from there to one
    cell away, in any direction, as a share of the features' own size.

    Below `DISTINCT`, where all looks alike, features change more in a drag than from place to place.
    """
    angles = torch.arange(8, device=handles.device) * (torch.pi / 4)
    found = []
    for step in torch.stack([angles.cos(), angles.sin()], -1):
        there = handles + step  # [K, 2]
        patch = there[:, None] + disc(r1, device=handles.device)
        change = (maps.sample(patch) - templates).abs().mean((1, 2))
        beyond = ((there < 0.5) | (there > maps.size - 0.5)).any(-1)  # there the border's features go on
        found.append(change.masked_fill(beyond, torch.inf))
    size = templates.abs().mean((1, 2)).clamp_min(1e-8)
    return torch.stack(found).amin(0) / size


def supervised(handles: Tensor, targets: Tensor, *, r1: float, shift: float) -> tuple[Tensor, Tensor]:
    """The patches around handles `[K, 2]`, and where they should be found next: `[K, P, 2]` both."""
    towards = targets - handles
    distance = towards.norm(dim=-1, keepdim=True)
    step = towards / distance.clamp_min(1e-8) * distance.clamp_max(shift)  # [K, 2]
    patch = handles[:, None] + disc(r1, device=handles.device)  # [K, P, 2]
    return patch, patch + step[:, None]


def motion_loss(
    maps: Maps, templates: Tensor, handles: Tensor, targets: Tensor, *, r1: float, shift: float
) -> Tensor:
    """Equation 1 without the mask term: the patch around each handle should be found one shift towards its
    target. Handles weigh as much as they have left to go, so that the many that have arrived do not hold the
    few that have not.

    handles, targets `[K, 2]`. The shift ends at the target, so that a handle near it does not overshoot.
    maps must hold what is `supervised`.
    """
    patch, there = supervised(handles, targets, r1=r1, shift=shift)
    with torch.no_grad():
        wanted = torch.lerp(maps.sample(patch), templates, ORIGINAL)
        weights = (targets - handles).norm(dim=-1) + ARRIVED
    each = (maps.sample(there) - wanted).abs().mean((1, 2))  # [K]
    loss: Tensor = (each * weights).sum() / weights.sum()
    return loss


def mask_loss(features: Tensor, original: Tensor, fixed: Tensor) -> Tensor:
    """Equation 1's second term: `[1, C, H, W]` stays as it was where `fixed` `[1, 1, H, W]` is 1."""
    weight = fixed.sum() * features.shape[1]
    return ((features - original).abs() * fixed).sum() / weight.clamp_min(1e-6)


@torch.no_grad()
def track(maps: Maps, templates: Tensor, handles: Tensor, *, r1: float, r2: float) -> Tensor:
    """Equation 2, on patches: the place within r2 of each handle that looks most like its template.

    handles `[K, 2]` -> `[K, 2]`. Places are half a cell apart; the least difference is refined by a parabola
    per axis. Where nothing is better than anything else a handle stays.
    """
    count = int(r2 / SPACING + 1e-6)
    rim = int(r1 + 1e-6) * round(1 / SPACING)
    line = torch.arange(-count - rim, count + rim + 1, device=handles.device) * SPACING
    y, x = torch.meshgrid(line, line, indexing="ij")
    lattice = torch.stack([x, y], -1)  # [S, S, 2]
    around = maps.sample(handles[:, None] + lattice.reshape(1, -1, 2))
    around = around.reshape(len(handles), *lattice.shape[:2], -1)  # [K, S, S, C]
    side = 2 * count + 1
    difference = around.new_zeros(len(handles), side, side)
    for offset, template in zip((disc(r1) / SPACING).long().tolist(), templates.unbind(1), strict=True):
        left, top = offset[0] + rim, offset[1] + rim
        there = around[:, top : top + side, left : left + side]
        difference += (there - template[:, None, None]).abs().mean(-1)
    offsets = lattice[rim : rim + side, rim : rim + side]  # [side, side, 2]
    places = handles[:, None, None] + offsets
    far = (offsets.norm(dim=-1) > r2 + 1e-6) | ((places < 0) | (places > maps.size)).any(-1)
    return handles + _least(difference.masked_fill(far, torch.inf), offsets)


def _least(difference: Tensor, offsets: Tensor) -> Tensor:
    """The offsets `[K, 2]` of the least of `[K, side, side]`, between the lattice's places."""
    count, side, _ = difference.shape
    order = offsets.reshape(-1, 2).norm(dim=-1).argsort(stable=True)  # of equals the nearest is taken
    best = order[difference.reshape(count, -1)[:, order].argmin(1)]
    row, column, every = best // side, best % side, torch.arange(count, device=best.device)
    found = offsets.reshape(-1, 2)[best]
    middle = difference[every, row, column]
    shifts = []
    for step in ((0, 1), (1, 0)):  # x, y
        before = difference[every, (row - step[0]).clamp_min(0), (column - step[1]).clamp_min(0)]
        after = difference[every, (row + step[0]).clamp_max(side - 1), (column + step[1]).clamp_max(side - 1)]
        curvature = before - 2 * middle + after
        known = curvature.isfinite() & (curvature > 1e-8)
        shift = torch.where(known, (before - after) / (2 * curvature), 0.0)
        shifts.append(shift.nan_to_num(0.0).clamp(-0.5, 0.5) * SPACING)
    return found + torch.stack(shifts, -1)
