"""Motion supervision and point tracking, after DragGAN (section 3.2, equations 1 to 4).

Both compare patches with templates: what the patch around each handle looked like when the handle was put
there, `[K, P, C]`. DragGAN supervises with the patch as it is now, whose drift adds up, and tracks single
cells; original patches land nearer and are lost less (docs/benchmarks/tried.md). Supervising with the
original features is GoodDrag's idea (Zhang et al. 2024, arXiv 2404.07206).

Points are `(x, y)` in feature cells, centres at +0.5.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from realedit.drag.maps import Maps, Patches

ORIGINAL = 0.5  # share of the original patch in what is supervised; the rest is the patch as it is now
ARRIVED = 0.1  # cells: what a handle at its target weighs
DISTINCT = 0.05  # share of its features that a patch must change by from one cell to the next to be tracked
SPACING = 0.5  # of the places that tracking tries, in cells
AT_ONCE = 500_000  # numbers of patches that a CPU compares at once: they fit its cache


@cache  # recordings read it where it is, so none is ever forgotten
def disc(radius: float, *, device: torch.device | None = None) -> Tensor:
    """Whole offsets `[P, 2]` within `radius` of the origin, which is one of them. Not to be changed."""
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


@torch.no_grad()
def motion(
    patches: Patches, templates: Tensor, handles: Tensor, targets: Tensor, *, r1: float, shift: float
) -> tuple[Tensor, Tensor]:
    """Equation 1 without the mask term, and its gradient `[K, B B, C]` by the patches' cells: the patch
    around each handle should be found one shift towards its target. Handles weigh as much as they have left
    to go, so that the many that have arrived do not hold the few that have not.

    handles, targets `[K, 2]`. The shift ends at the target, so that a handle near it does not overshoot.
    patches must hold what is `supervised`.
    """
    patch, there = supervised(handles, targets, r1=r1, shift=shift)
    count = patch.shape[1]
    weights = patches.weights(torch.cat([patch, there], 1))  # [K, 2 P, B B]
    seen = torch.bmm(weights, patches.cells)  # [K, 2 P, C]
    apart = seen[:, count:] - torch.lerp(seen[:, :count], templates, ORIGINAL)
    asked = torch.linalg.vector_norm(targets - handles, dim=-1) + ARRIVED
    asked = asked / (asked.sum() * apart[0].numel())  # [K]
    loss = torch.dot(torch.linalg.vector_norm(apart.flatten(1), 1, dim=1), asked)
    return loss, torch.bmm(weights[:, count:].mT, apart.sign() * asked[:, None, None])


@torch.no_grad()
def mask_term(features: Tensor, original: Tensor, fixed: Tensor) -> tuple[Tensor, Tensor]:
    """Equation 1's second term, and its gradient by the features: `[1, C, H, W]` stays as it was where
    `fixed` `[1, 1, H, W]`, whose sum over the channels is 1, is not 0.
    """
    apart = features - original
    return (apart.abs() * fixed).sum(), (apart.sign() * fixed).to(features.dtype)


def fixed_share(movable: Tensor, channels: int) -> Tensor:
    """What a mask `[1, 1, H, W]` (1: may move) holds, as weights that sum to one over all channels."""
    fixed = 1 - movable
    return fixed / (fixed.sum() * channels).clamp_min(1e-6)


@dataclass(frozen=True)
class _Search:
    """The places that tracking tries around a handle, from the nearest to the farthest.

    lattice `[S S, 2]`: where features are sampled. offsets `[M, 2]`: the places. parts `[M P]`: which of the
    lattice are the patch around each. beside `[M, 5]`: each place's neighbours to the left, above, to the
    right, below, and itself (M: none).
    """

    lattice: Tensor
    offsets: Tensor
    parts: Tensor
    beside: Tensor


@cache  # see `disc`
def _search(r1: float, r2: float, device: torch.device) -> _Search:
    count = int(r2 / SPACING + 1e-6)
    rim = int(r1 + 1e-6) * round(1 / SPACING)
    line = np.arange(-count - rim, count + rim + 1)
    lattice = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)  # row by row, (x, y)
    near = np.abs(lattice).max(1) <= count
    places = lattice[near & (np.linalg.norm(lattice, axis=1) * SPACING <= r2 + 1e-6)]
    places = places[np.argsort(np.linalg.norm(places, axis=1), kind="stable")]
    patch = (disc(r1).numpy() / SPACING).astype(np.int64)
    parts = places[:, None] + patch + (count + rim)
    known = {tuple(place): number for number, place in enumerate(places.tolist())}
    ways = np.array([(-1, 0), (0, -1), (1, 0), (0, 1), (0, 0)])
    edge = np.abs(places[:, None] + ways).max(-1) > count  # beyond the lattice a place stands for itself
    beside = [
        [
            number if edge[number, i] else known.get((x + dx, y + dy), len(places))
            for i, (dx, dy) in enumerate(ways)
        ]
        for number, (x, y) in enumerate(places.tolist())
    ]
    rows = (parts[..., 1] * len(line) + parts[..., 0]).reshape(-1)
    return _Search(
        torch.from_numpy((lattice * SPACING).astype(np.float32)).to(device),
        torch.from_numpy((places * SPACING).astype(np.float32)).to(device),
        torch.from_numpy(rows).to(device),
        torch.tensor(beside, device="cpu").to(device),
    )


@torch.no_grad()
def track(maps: Maps, templates: Tensor, handles: Tensor, *, r1: float, r2: float) -> Tensor:
    """Equation 2, on patches: the place within r2 of each handle that looks most like its template.

    handles `[K, 2]` -> `[K, 2]`. Places are half a cell apart; the least difference is refined by a parabola
    per axis. Where nothing is better than anything else a handle stays.
    """
    search = _search(r1, r2, handles.device)
    patches = maps.patches(handles, r1 + r2)
    around = torch.bmm(patches.weights(handles[:, None] + search.lattice), patches.cells)  # [K, S S, C]
    few = (
        len(handles)
        if handles.device.type != "cpu"
        else max(1, AT_ONCE // (len(search.parts) * around.shape[-1]))
    )
    found = []
    for some, template in zip(torch.split(around, few), torch.split(templates, few), strict=True):
        there = some.index_select(1, search.parts).view(len(some), len(search.offsets), -1)  # [k, M, P C]
        found.append(torch.cdist(there, template.flatten(1)[:, None], p=1)[..., 0])
    difference = (torch.cat(found) if len(found) > 1 else found[0]) / around.shape[-1]  # [K, M]
    middle = maps.size / 2
    far = (handles[:, None] + (search.offsets - middle)).abs_().amax(-1) > middle
    return handles + _least(difference.masked_fill_(far, torch.inf), search)


def _least(difference: Tensor, search: _Search) -> Tensor:
    """The offsets `[K, 2]` of the least of `[K, M]`, between the places; of equals the nearest is taken."""
    best = difference.argmin(1)
    known = F.pad(difference, (0, 1), value=torch.inf).gather(1, search.beside.index_select(0, best))
    before, after, middle = known[:, :2], known[:, 2:4], known[:, 4:]
    curvature = before + after - 2 * middle
    shift = ((before - after) / (2 * curvature)).nan_to_num_(0.0).clamp_(-0.5, 0.5)
    shift = torch.where(curvature > 1e-8, shift, 0.0)
    return torch.add(search.offsets.index_select(0, best), shift, alpha=SPACING)
