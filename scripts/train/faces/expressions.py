"""Faces that open and close their mouths and eyes, smile, frown and raise their brows.

Portraits hardly show such motions; here they are made of the portraits themselves, so that the generator
learns to move. A lip or a lid is a line that slides: what lies on its side goes with it, and what it
uncovers or covers is another layer. A mouth that opens shows what is behind the lips: the teeth of a
portrait that shows them, and the dark below. All else is a soft displacement of a place. Points are `[N, P,
2]` (x, y) and places `[N, H, W, 2]`, in the coordinates of `grid_sample`: -1 to 1 from border to border of
the stored square, in which faces are upright. Lengths are in interocular distances.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

UPPER, LOWER = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)  # the lips' inner edges
EYES = (((36, 37, 38, 39), (36, 41, 40, 39)), ((42, 43, 44, 45), (42, 47, 46, 45)))  # upper, lower lid
BROWS = ((17, 18, 19, 20, 21), (22, 23, 24, 25, 26))
CORNERS, CHIN = (48, 54), 8
SHOWN = 0.05  # lips that are further apart than this show teeth
KIND_NAMES = ("lips apart", "lips together", "lids down", "mouth corners out", "mouth corners up", "brows up")
KINDS, LIPS_APART, LIDS = len(KIND_NAMES), 0, 2  # kinds of motions and two of them, see `Motions.amounts`
OPENING, CORNER, BROW = 0.3, 0.12, 0.12  # interocular distances that are one motion
_TEETH = (24, 8)  # columns and rows of what is kept of a mouth's inside


@dataclass(frozen=True, kw_only=True)
class Expressions:
    """share: of the copies that are moved; each kind of motion in half of those. opening, closing: of the
    lips, at most, closing as a share of what they are apart. lids: from how far beyond open to how far
    closed, as shares of the eye's height. corners, brows: at most, either way.
    """

    share: float = 0.6
    opening: float = 0.35
    closing: float = 1.0
    lids: tuple[float, float] = (-0.3, 1.0)
    corners: float = 0.12
    brows: float = 0.12

    def ranges(self) -> list[tuple[float, float]]:
        """The least and the most of each kind of motion, in the order of `KIND_NAMES`; see
        `Motions.amounts`."""
        corner, brow = self.corners / CORNER, self.brows / BROW
        return [
            (0.0, self.opening / OPENING), (0.0, self.closing), self.lids,
            (-corner, corner), (-corner, corner), (-brow, brow),
        ]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cast:
    """What faces need to be moved: points `[N, 68, 2]`, the light on each face `[N, 3]` in 0 to 1, and of the
    faces that show teeth the insides of their mouths `[M, 3, rows, columns]`, over the light there.
    """

    points: Tensor
    light: Tensor
    teeth: Tensor

    @classmethod
    def of(cls, pixels: Tensor, points: Tensor) -> "Cast":
        """pixels `[N, S, S, 3]` uint8; points `[N, 68, 2]`, both of the stored squares."""
        light, teeth = [], []
        for batch, their in zip(pixels.split(64), points.split(64), strict=True):
            squares = batch.permute(0, 3, 1, 2).float() / 255
            places = torch.stack([_between(their, (36, 45), (48, 54), t) for t in (0.35, 0.5, 0.65)], 1)
            seen = F.grid_sample(squares, places, align_corners=False)
            light.append(seen.mean((2, 3)).clamp_min(0.05))
            unit = interocular(their)
            shows = (their[:, LOWER[2], 1] - their[:, UPPER[2], 1]) / unit > SHOWN
            inside = F.grid_sample(squares, _mouth(their), align_corners=False)
            teeth.append((inside / light[-1][:, :, None, None])[shows])
        return cls(points, torch.cat(light), torch.cat(teeth))

    def act(self, chosen: Tensor, expressions: Expressions, rng: torch.Generator) -> "Acting":
        """Motions for these faces."""
        n = len(chosen)
        light = self.light[chosen]
        if len(self.teeth):
            teeth = self.teeth[torch.randint(len(self.teeth), (n,), generator=rng).to(chosen.device)]
        else:
            teeth = torch.full((n, 3, _TEETH[1], _TEETH[0]), 0.9, device=chosen.device)
        teeth = (teeth * light[:, :, None, None]).clamp(0, 1) * 2 - 1
        return Acting(self.points[chosen], teeth, draw(n, expressions, rng))


@dataclass(frozen=True, eq=False)
class Acting:
    """Faces of a batch in motion; see `moved`."""

    points: Tensor
    teeth: Tensor
    motions: "Motions"

    def moved(self, places: Tensor, rng: torch.Generator) -> "Moved":
        return moved(places, self.points, self.motions, self.teeth, rng)


@dataclass(frozen=True)
class Motions:
    """What one copy each does, `[N]` and in interocular distances but for `lids` (share of the eye's height):
    lips apart (below 0: towards each other), lids down, mouth corners outwards and up, brows up.
    """

    lips: Tensor
    lids: Tensor
    corners: Tensor
    brows: Tensor

    def amounts(self) -> Tensor:
        """`[N, KINDS]`, about 1 at most, in the order of `KIND_NAMES`."""
        lips = [self.lips.clamp_min(0) / OPENING, (-self.lips).clamp_min(0)]
        kinds = [*lips, self.lids, *(self.corners / CORNER).unbind(1), self.brows / BROW]
        return torch.stack(kinds, 1)


@dataclass(frozen=True)
class Moved:
    """places: where in the square each place's picture comes from, `[N, H, W, 2]`. open: 1 where the mouth's
    inside is, `[N, 1, H, W]`; inside: its colours `[N, 3, H, W]` in [-1, 1].
    """

    places: Tensor
    open: Tensor
    inside: Tensor


def draw(n: int, expressions: Expressions, rng: torch.Generator) -> Motions:
    """Motions for n copies."""
    u = torch.rand(n, 6, generator=rng)
    doing = (torch.rand(n, 5, generator=rng) < 0.5) & (torch.rand(n, 1, generator=rng) < expressions.share)
    zero = torch.zeros(n)
    low, high = expressions.lids
    lips = torch.where(u[:, 0] < 0.75, u[:, 1] * expressions.opening, -u[:, 1] * expressions.closing)
    return Motions(
        torch.where(doing[:, 0], lips, zero),
        torch.where(doing[:, 1], low + u[:, 2] * (high - low), zero),
        torch.where(doing[:, 2:3], (u[:, 3:5] * 2 - 1) * expressions.corners, zero[:, None]),
        torch.where(doing[:, 3], (u[:, 5] * 2 - 1) * expressions.brows, zero),
    )


def _between(points: Tensor, upper: tuple[int, int], lower: tuple[int, int], t: float) -> Tensor:
    """`[N, 9, 2]`: places across cheeks and nose, t of the way from the eyes to the mouth."""
    u = torch.linspace(0.2, 0.8, 9, device=points.device)[:, None]
    rows = [points[:, None, a] + u * (points[:, None, b] - points[:, None, a]) for a, b in (upper, lower)]
    return rows[0] + t * (rows[1] - rows[0])


def _mouth(points: Tensor) -> Tensor:
    """`[N, rows, columns, 2]`: places between the lips' inner edges."""
    u = (torch.arange(_TEETH[0], device=points.device) + 0.5) / _TEETH[0]
    left, right = points[:, UPPER[0], 0, None], points[:, UPPER[-1], 0, None]
    x = left + u * (right - left)  # [N, columns]
    upper, lower = line(points[:, UPPER], x), line(points[:, LOWER], x)
    v = (torch.arange(_TEETH[1], device=points.device)[:, None] + 0.5) / _TEETH[1]
    y = upper[:, None] + v * (lower - upper)[:, None]
    return torch.stack([x[:, None].expand_as(y), y], 3)


def interocular(points: Tensor) -> Tensor:
    """`[N]`: between the eyes' centres."""
    return (points[:, 36:42].mean(1) - points[:, 42:48].mean(1)).norm(dim=1)


def line(points: Tensor, x: Tensor) -> Tensor:
    """The height at x `[N, ...]` of the line through points `[N, K, 2]` from left to right, level beyond."""
    shape = (-1, *[1] * (x.ndim - 1))
    height = points[:, 0, 1].view(shape).expand_as(x)
    for i in range(points.shape[1] - 1):
        (x0, y0), (x1, y1) = points[:, i].unbind(1), points[:, i + 1].unbind(1)
        width = (x1 - x0).clamp_min(1e-4)
        done = ((x - x0.view(shape)) / width.view(shape)).clamp(0, 1)
        height = height + done * (y1 - y0).view(shape)
    return height


def moved(places: Tensor, points: Tensor, motions: Motions, teeth: Tensor, rng: torch.Generator) -> Moved:
    """Where the picture at `places` comes from after the motions; points: the 68 landmarks `[N, 68, 2]`;
    teeth: insides of mouths `[N, 3, rows, columns]` in [-1, 1].
    """
    unit = interocular(points)
    places = _soft(places, points, motions, unit)
    places = _lids(places, points, motions.lids.to(places.device))
    return _lips(places, points, motions.lips.to(places.device), unit, teeth, rng)


def _soft(places: Tensor, points: Tensor, motions: Motions, unit: Tensor) -> Tensor:
    """Mouth corners and brows, displaced with what is around them."""
    shift = torch.zeros_like(places)
    device = places.device
    corners = motions.corners.to(device) * unit[:, None]
    middle = points[:, CORNERS].mean(1)
    for corner in CORNERS:
        outwards = (points[:, corner, 0] - middle[:, 0]).sign()
        by = torch.stack([outwards * corners[:, 0], -corners[:, 1]], 1)
        shift = shift + _bump(places, points[:, corner], (0.32, 0.26), unit) * by[:, None, None]
    for brow in BROWS:
        by = torch.stack([torch.zeros_like(unit), -motions.brows.to(device) * unit], 1)
        for part in (brow[1], brow[3]):
            bump = _bump(places, points[:, part], (0.22, 0.2), unit)
            shift = shift + 0.75 * bump * by[:, None, None]
    return places - shift


def _bump(places: Tensor, centre: Tensor, width: tuple[float, float], unit: Tensor) -> Tensor:
    """`[N, H, W, 1]`: 1 at the centre, falling like a Gaussian with these deviations."""
    scale = unit[:, None] * torch.tensor(width, device=places.device)
    away = (places - centre[:, None, None]) / scale[:, None, None]
    return (-away.square().sum(3, keepdim=True) / 2).exp()


def _lids(places: Tensor, points: Tensor, closed: Tensor) -> Tensor:
    """Upper lids slide down over the eyes; opened further, the eye is stretched up."""
    x, y = places.unbind(3)
    brow_height = 0.22 * interocular(points).view(-1, 1, 1)
    for upper, lower in EYES:
        top, bottom = line(points[:, upper], x), line(points[:, lower], x)
        height = (bottom - top).clamp_min(0)
        lid = top + closed.view(-1, 1, 1) * height
        above = ((y - (top - brow_height)) / (lid - top + brow_height)).clamp(0, 1)
        skin = y - (lid - top) * above
        eye = bottom - (bottom - y) * height / (bottom - lid).clamp_min(1e-4)
        eye = torch.where((closed.view(-1, 1, 1) < 0) & (y < bottom), eye, y)
        inside = height > 0
        y = torch.where(inside & (y < lid), skin, torch.where(inside, eye, y))
    return torch.stack([x, y], 3)


def _lips(
    places: Tensor, points: Tensor, apart: Tensor, unit: Tensor, teeth: Tensor, rng: torch.Generator
) -> Moved:
    """The lower lip slides, the chin follows; between the lips is the mouth's inside."""
    x, y = places.unbind(3)
    n = len(places)

    def each(value: Tensor) -> Tensor:
        return value.view(-1, 1, 1)

    upper, lower = line(points[:, UPPER], x), line(points[:, LOWER], x)
    lower = torch.maximum(upper, lower)
    left, right = points[:, UPPER[0], 0], points[:, UPPER[-1], 0]
    across = (x - each((left + right) / 2)) / each((right - left).clamp_min(1e-4) / 2)
    profile = (1 - across.square()).clamp_min(0)
    opening = each(apart.clamp_min(0) * unit) * profile
    slide = torch.where(each(apart) < 0, each(apart) * (lower - upper), opening)
    lip = lower + slide  # where the lower lip's edge is now
    far = each((points[:, CHIN, 1] - points[:, LOWER[2], 1]).clamp_min(1e-2))
    below = (y - lip).clamp_min(0) / far
    # what slides towards the lips is stretched behind them: wide enough not to fold
    near = (-(below / (slide.abs() / far).clamp_min(0.5)).square()).exp()
    jaw = torch.minimum(each(apart.clamp_min(0) * unit * 0.7), far / 2) * (-(across / 2.2).square()).exp()
    jaw = jaw * (1 - near) * (1 - ((below - 1.3) / 1.5).clamp(0, 1))
    source = torch.where(y >= lip, y - slide * near - jaw, y)
    edge = 1 / places.shape[1]  # half a pixel of the crop: edges are as soft as the picture's
    inside = ((y - lower) / edge).clamp(0, 1) * ((lip - y) / edge).clamp(0, 1) * (each(apart) > 0)
    depth = (y - upper) / each(unit)  # from the upper lip, interocular distances
    colours = _inside(across, depth, (y - lower) / slide.clamp_min(1e-4), teeth, n, rng)
    return Moved(torch.stack([x, source], 3), inside[:, None], colours)


def _inside(
    across: Tensor, depth: Tensor, part: Tensor, teeth: Tensor, n: int, rng: torch.Generator
) -> Tensor:
    """The inside of mouths `[N, 3, H, W]`: teeth as far as the upper lip shows them, a tongue, darkness."""
    device = across.device
    u = torch.rand(n, 4, 1, 1, 1, generator=rng).to(device)
    dark = torch.tensor([-0.72, -0.88, -0.88], device=device).view(1, 3, 1, 1) + 0.16 * (u[:, 0] - 0.5)
    tongue = torch.tensor([0.05, -0.38, -0.36], device=device).view(1, 3, 1, 1) + 0.2 * (u[:, 1] - 0.5)
    arch = (1 - across.square()).clamp_min(0)[:, None]
    up = ((part[:, None] - 0.55) / 0.3).clamp(0, 1) * arch * (0.3 + 0.7 * u[:, 2])
    colours = dark + (tongue - dark) * up
    long = 0.16 * (0.2 + 0.8 * u[:, 3])[:, 0]  # of the teeth that can be seen
    where = torch.stack([across, (depth / long * 2 - 1)], 3)
    seen = F.grid_sample(teeth, where, padding_mode="border", align_corners=False)
    shown = ((long - depth) / 0.02).clamp(0, 1)[:, None] * (arch / 0.15).clamp(0, 1)
    return colours + (seen - colours) * shown
