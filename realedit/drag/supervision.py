"""Motion supervision and point tracking (DragGAN, section 3.2, equations 1 to 4).

Points are `(x, y)` in feature cells, centres at +0.5.
"""

import torch
from torch import Tensor

from realedit.drag.maps import Maps


def disc(radius: float, spacing: float = 1.0, *, device: torch.device | None = None) -> Tensor:
    """Offsets `[M, 2]` of a regular grid within `radius` of the origin (the origin is one of them)."""
    count = int(radius / spacing + 1e-6)
    line = torch.arange(-count, count + 1, device=device, dtype=torch.float32) * spacing
    y, x = torch.meshgrid(line, line, indexing="ij")
    offsets = torch.stack([x, y], -1).reshape(-1, 2)
    return offsets[offsets.norm(dim=-1) <= radius + 1e-6]


def motion_loss(maps: Maps, handles: Tensor, targets: Tensor, *, r1: float, shift: float) -> Tensor:
    """Equation 1 without the mask term: the patch around each handle should be found one shift towards its
    target.

    handles, targets `[K, 2]`. The shift ends at the target, so that a handle near it does not overshoot.
    """
    towards = targets - handles
    distance = towards.norm(dim=-1, keepdim=True)
    step = towards / distance.clamp_min(1e-8) * distance.clamp_max(shift)  # [K, 2]
    patch = handles[:, None] + disc(r1, spacing=0.5, device=handles.device)  # [K, M, 2]
    with torch.no_grad():
        here = maps.sample(patch)
    there = maps.sample(patch + step[:, None])
    return (there - here).abs().mean()


def mask_loss(features: Tensor, original: Tensor, fixed: Tensor) -> Tensor:
    """Equation 1's second term: `[1, C, H, W]` stays as it was where `fixed` `[1, 1, H, W]` is 1."""
    weight = fixed.sum() * features.shape[1]
    return ((features - original).abs() * fixed).sum() / weight.clamp_min(1e-6)


@torch.no_grad()
def track(maps: Maps, templates: Tensor, handles: Tensor, *, r2: float, spacing: float = 0.25) -> Tensor:
    """Equation 2: the place within r2 of each handle whose feature is nearest to the handle's first one.

    templates `[K, C]`; handles `[K, 2]`. The minimum is refined below the grid's spacing by a parabola per
    axis.
    """
    places = handles[:, None] + disc(r2, spacing, device=handles.device)  # [K, M, 2]
    distance = (maps.sample(places) - templates[:, None]).abs().mean(-1)  # [K, M]
    outside = ((places < 0) | (places > maps.size)).any(-1)
    best = distance.masked_fill(outside, torch.inf).argmin(1)
    found = places[torch.arange(len(handles), device=handles.device), best]
    return _refine(maps, templates, found, spacing)


def _refine(maps: Maps, templates: Tensor, points: Tensor, spacing: float) -> Tensor:
    """Move each point to the minimum of the parabola through its neighbours' distances, axis by axis."""
    refined = points.clone()
    for axis in range(2):
        step = torch.zeros(2, device=points.device)
        step[axis] = spacing
        places = torch.stack([points - step, points, points + step], 1)  # [K, 3, 2]
        left, middle, right = (maps.sample(places) - templates[:, None]).abs().mean(-1).unbind(1)
        curvature = left - 2 * middle + right
        offset = torch.where(curvature > 1e-8, (left - right) / (2 * curvature.clamp_min(1e-8)), 0.0)
        refined[:, axis] += offset.clamp(-0.5, 0.5) * spacing
    return refined
