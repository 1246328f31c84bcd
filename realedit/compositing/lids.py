"""Eyes that shut, open wider or wink: lids that slide over an eye that stays where it is.

A small generator does not shut eyes, and a smooth flow cannot: the lid's edge goes over the eye. Dense
points say where each lid's edge is, and how far it goes is asked for in the eye's own frame. So the skin
between brow and lid unfolds behind the edge, at the photo's own resolution, and the edge with its lashes
comes to lie on the other lid. What was folded away is painted in the skin's own colours and grain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.eyes import WIDE, XS, Eye, Floats, smooth
from realedit.compositing.flow import Array
from realedit.compositing.layers import Layer, Slide
from realedit.compositing.skin import Skin
from realedit.photos import Box, Photo

# Lengths are eye widths.
CHEEK = 0.3  # below the eye within which the lower lid's skin unfolds, at the most
LEAST_ROOM = 0.03
BROW_GAP, BAND_GAP = 0.03, 0.015  # that a brow, and a frame of glasses, keep
LASHES = 0.12  # of the eye's height: what goes with a lid's edge, over the eye
RIM = 0.045  # of the lower lid's wet rim, which a shut lid covers
RIGID = 0.05  # of skin at the edge that goes with it as it is
SOFT = 0.09  # along the eye over which skin moves alike
NEAR = 0.2  # from the edge on which it does
LYING = 0.14  # below a shut lid's edge on which its lashes lie
LASH_TONE = (0.25, 0.45)  # brightness of the line where lids meet, in shares of the skin's
EDGE = 1.5  # photo pixels over which an edge is soft
BULGE = (0.93, 0.12)  # brightness of a lid at its rim, and how much more it is in its middle
WIDEST = 0.45  # of the skin's room above the lid, which a lid that goes up may take


Way = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class Lids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far an eye's lids go, in shares of its height: the upper one down, the lower one up. Together 1
    is shut; below 0 is wider."""

    upper: Way = 0.0
    lower: Way = 0.0


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the upper lid's skin unfolds.

    room: above the eye within which it does, at the most. stretched: skin that is stretched by so much of its
    length, and so much more, is painted; painted: so much of it, so that something of its own shows; fold:
    below the fold over which it begins to be. own: painted in the colours of where the skin comes from, else
    in those of a lid over the whole eye.
    """

    room: float
    stretched: tuple[float, float]
    painted: float
    fold: float
    own: bool


BARE = Manner(room=0.42, stretched=(1.5, 2.0), painted=1.0, fold=1e-6, own=True)
"""All skin up to the brow unfolds, and the crease goes. Judged blind, it looks more like a lid."""
FRAMED = Manner(room=0.2, stretched=(0.3, 0.6), painted=0.88, fold=0.1, own=False)
"""Behind glasses little unfolds and most is painted, so that frames and reflections stay."""


@dataclass(frozen=True)
class _Places:
    """Photo pixels `[h, w]` in the eye's frame, and one of its lids there, as if it were the upper one.

    y: height, down from the brow for the upper lid, up from the cheek for the lower one. edge: the lid's
    edge, new: where it goes. top: above which nothing moves. source: which height each comes from.
    """

    x: Floats
    y: Floats
    upper: Floats
    edge: Floats
    new: Floats
    top: Floats
    source: Floats


def lids_slide(
    photo: Photo, eye: Eye, lids: Lids, manner: Manner = BARE, *, skin: Skin | None = None
) -> Slide | None:
    """The slide of one eye's lids; None where nothing moves. skin: around the eye, where it is known."""
    box = eye.box(photo)
    if lids == Lids() or box is None:
        return None
    known = skin or Skin.around(eye, photo)
    return Slide(box, lambda part: _layers(eye, known, lids, manner, part))


def _layers(eye: Eye, skin: Skin, lids: Lids, manner: Manner, box: Box) -> Sequence[Layer]:
    """The eyeball, the lower lid, the lashes on it and the upper lid, as far as they change."""
    left, top, right, bottom = box
    grid = np.stack(np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5), -1)
    x, y = np.moveaxis(eye.to_frame(grid), -1, 0)
    layers = []
    if min(lids.upper, lids.lower) < 0:
        layers.append(_eyeball(eye, skin, lids, x, y))
    if lids.lower:
        layers.append(_lower_lid(eye, lids, x, y))
    if lids.upper:
        lid = _upper_lid(eye, lids, manner, x, y)
        shut = float(np.clip(lids.upper + max(lids.lower, 0), 0, 1))
        layers += [_lashes(eye, skin, lid, shut), _lid_skin(eye, skin, lid, manner, shut)]
    return layers


def _lid(
    eye: Eye, way: Floats, edge: Floats, skin_edge: Floats, top: Floats, x: Floats, y: Floats
) -> _Places:
    """The lid whose `edge` at `XS` goes `way`; skin above goes along in whole stretches rather than point
    by point."""
    exact, alike = np.interp(x, XS, way), np.interp(x, XS, smooth(way, SOFT))
    e, t, upper = (np.interp(x, XS, each) for each in (edge, top, skin_edge))
    new = e + exact
    near = np.clip((new - y) / NEAR, 0, 1)
    goes = exact + near * near * (3 - 2 * near) * (alike - exact)
    return _Places(x, y, upper, e, new, t, unfolded(y, t, np.minimum(e, upper) - RIGID, goes))


def _upper_lid(eye: Eye, lids: Lids, manner: Manner, x: Floats, y: Floats) -> _Places:
    edge = eye.upper + LASHES * (eye.lower - eye.upper)
    top = np.maximum(eye.upper - manner.room, eye.brow + BROW_GAP)
    top = smooth(np.minimum(top, eye.upper - LEAST_ROOM), 0.03)
    shut = np.clip(lids.upper + lids.lower, 0, 1)
    rim = RIM * shut**2 * np.sqrt(np.clip(1 - (2 * XS) ** 2, 0, 1))
    way = lids.upper * (eye.lower + rim - edge)
    return _lid(eye, np.maximum(way, WIDEST * (top - eye.upper)), edge, eye.upper, top, x, y)


def _lower_lid(eye: Eye, lids: Lids, x: Floats, y: Floats) -> Layer:
    """The lower lid with the skin below it: an upper lid upside down."""
    opening = eye.lower - eye.upper
    place = _lid(eye, lids.lower * opening, -eye.lower, -eye.lower, -eye.lower - CHEEK, x, -y)
    return Layer(_cover(eye, place), _offset(eye, -(place.source - place.y)))


def _eyeball(eye: Eye, skin: Skin, lids: Lids, x: Floats, y: Floats) -> Layer:
    """What lids that go apart uncover. Above it is the eye's other half, since an iris is round; below
    the eye is stretched."""
    upper, lower = (np.interp(x, XS, each) for each in (eye.upper, eye.lower))
    opening, middle = lower - upper, (upper + lower) / 2
    inner = np.maximum(LASHES * opening, 1e-6)
    top, bottom = upper + 2 * min(lids.upper, 0) * opening, lower - min(lids.lower, 0) * opening
    above = (
        np.clip((upper + 2 * inner - y) / inner, 0, 1)
        * (y > np.maximum(top, _band(skin, x)))
        * (lids.upper < 0)
    )
    below = (y > middle) & (y < bottom + inner) & (lids.lower < 0)
    stretched = middle + (y - middle) * np.maximum(middle - upper, 1e-6) / np.maximum(bottom - middle, 1e-6)
    turned = np.clip(upper + lower - y, upper + 2 * inner, lower - inner)
    cover = np.where(y < middle, above, below) * (opening > 0)
    return Layer(_float(cover), _offset(eye, (np.where(y < middle, turned, stretched) - y) * (cover > 0)))


def _band(skin: Skin, x: Floats) -> Floats:
    """The height down to which everything stays as it is."""
    return np.full_like(x, -np.inf) if skin.band is None else np.interp(x, XS, skin.band) + BAND_GAP


def _lashes(eye: Eye, skin: Skin, lid: _Places, shut: float) -> Layer:
    """Below the edge of a lid that shuts: lashes turn over, so what they darkened above it they darken
    below; what is white there is the eye, and turns into skin."""
    below = (lid.y - lid.new) / LYING
    within = shut**2 * (below > -0.5) * np.clip((0.55 - np.abs(lid.x)) / 0.05, 0, 1)
    over = lid.upper - 0.02 - 0.8 * (lid.y - lid.new)
    turned = np.where(over > _band(skin, lid.x), np.minimum(eye.sampled(skin.shade, lid.x, over), 1), 1)
    lying = within * np.clip(1 - below, 0, 1) * (over < lid.upper)
    shade, base = (eye.sampled(each, lid.x, lid.y) for each in (skin.shade, skin.base))
    white = _float(within * np.clip((1 - below) / 0.3, 0, 1) * np.clip((shade - 1.03) / 0.1, 0, 1))
    gain = _float(1 - lying * (1 - turned))
    return Layer(_float(within > 0), paint=base, painted=white, gain=gain, grain=white)


def _lid_skin(eye: Eye, skin: Skin, lid: _Places, manner: Manner, shut: float) -> Layer:
    """The upper lid. Painted is what would be smeared, lashes and crease and skin that is stretched too far,
    what a frame of glasses hides, and where lids meet a line of lashes instead of the eye behind them."""
    shade = eye.sampled(skin.shade, lid.x, lid.source)
    base = eye.sampled(skin.base, lid.x, lid.source) if manner.own else _bulging(eye, skin, lid)
    at = lid.upper - lid.source  # above the edge
    within, skinned = np.clip((0.56 - np.abs(lid.x)) / 0.08, 0, 1), np.clip((at - 0.01) / 0.03, 0, 1)
    dark = np.clip((0.95 - shade) / 0.2, 0, 1) * np.clip((0.26 - at) / 0.08, 0, 1)
    dark *= min(1.0, 2 * shut) * np.clip((lid.source - lid.top) / 0.04, 0, 1)
    room = np.maximum(np.minimum(lid.edge, lid.upper) - RIGID - lid.top, 1e-3)
    far = np.clip(((lid.new - lid.edge) / room - manner.stretched[0]) / manner.stretched[1], 0, 1)
    far *= manner.painted + (1 - manner.painted) * np.clip((0.98 - shade) / 0.1, 0, 1)
    far *= np.clip((lid.y - lid.top) / manner.fold, 0, 1)
    band = _band(skin, lid.x)
    behind = np.clip((band + 0.01 - lid.source) / 0.015, 0, 1)
    rim = np.clip(1 - at / 0.012, 0, 1)
    meeting = rim * np.clip(2 * shut - 1, 0, 1) ** 2
    painted = within * np.maximum.reduce([skinned * dark, skinned * far, behind, meeting])
    cover = _float(_cover(eye, lid) * np.clip((lid.y - band) * eye.width / 2, 0, 1))
    shift = (lid.source - lid.y) * (cover > 0)
    painted = _float(painted * (shift != 0))
    tone = 1 - rim * (1 - np.clip(shade, *LASH_TONE))
    return Layer(
        cover, _offset(eye, shift), paint=_float(base * tone[..., None]), painted=painted, grain=painted
    )


def _bulging(eye: Eye, skin: Skin, lid: _Places) -> Array:
    """The colours of a lid over an eyeball, `[h, w, 3]`: lighter in its middle than at the fold above and
    the lashes below it."""
    colour = eye.sampled(skin.lid, lid.x, lid.y)
    down = np.clip((lid.y - lid.top) / np.maximum(lid.new - lid.top, 1e-3), 0, 1)
    light = BULGE[0] + BULGE[1] * np.sin(np.pi * down**0.8) * np.clip(1 - (1.6 * lid.x) ** 2, 0, 1)
    return np.asarray(colour * _float(light)[..., None], np.float32)


def _cover(eye: Eye, lid: _Places) -> Array:
    """Where a lid is, with a soft edge towards the eye."""
    edge = np.clip((lid.new - lid.y) * eye.width / EDGE + 0.5, 0, 1)
    return _float(edge * (lid.y > lid.top) * (np.abs(lid.x) < WIDE))


def _offset(eye: Eye, shift: Floats) -> Array:
    """Heights of the frame as photo pixels `[h, w, 2]`."""
    return _float(np.stack([-shift * eye.axis[1], shift * eye.axis[0]], -1))


def _float(values: NDArray[np.floating] | NDArray[np.bool_]) -> Array:
    return values.astype(np.float32)


def unfolded(y: Floats, top: Floats, rigid: Floats, way: Floats) -> Floats:
    """Where each height comes from when what lies at `rigid` and below goes by `way` and what lies at
    `top` stays.

    Between the two the way is a smooth step, so that it folds nowhere while `way` is above -2/3 of their
    distance.
    """
    span = np.maximum(rigid - top, 1e-3)
    ratio, at = np.maximum(way / span, -0.6), (y - top) / span
    s = np.clip(at / (1 + np.maximum(ratio, 0)), 0, 1)
    for _ in range(8):  # Newton's method on s + ratio * smoothstep(s) = at
        value = s + ratio * s * s * (3 - 2 * s) - at
        s = np.clip(s - value / (1 + ratio * 6 * s * (1 - s)), 0, 1)
    return np.where(y >= rigid + way, y - way, np.where(y <= top, y, top + s * span))
