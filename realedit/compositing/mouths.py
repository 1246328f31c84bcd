"""A mouth in its own upright frame, and the light that what is drawn into it lies in.

In the frame the mouth is one unit wide, from one inner corner to the other; x goes from its middle to the
viewer's right, y down.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from realedit.compositing.eyes import LUMA, Floats, darkest_path
from realedit.perception import points as parts
from realedit.photos import Box, Photo

# Lengths are mouth widths.
XS = np.linspace(-1.6, 1.6, 641)  # where a curve's heights are kept
NECK = 0.8  # of the way from the mouth to the chin, below which the neck goes along
CHEEK = 0.95  # of the way from the mouth's middle to the jaw's corners, within which the jaw moves
OPEN = 0.06  # lips this far apart show what is behind them; less is as much as points are wrong
INSET = 0.02  # of lips that close: their edges are believed to be so much farther in
DOUBTED = 0.16  # lips that are said to be less far apart may be closed
SHADOWED = 0.1  # lips that are less far apart may have a shadow between them
SHOWN = 0.022  # high: so much of what is between lips is unlike them where they are apart, in the middle
PALER = (
    0.9,
    1.12,
)  # brightness of what is pale and no lip, in shares of the lips'; and of lips that are pale,
GREY_LIP = 0.06  # whose colours differ by less than this, as in photos without colour
DARKER, LIGHTER, PALE = (
    0.55,
    1.35,
    0.6,
)  # brightness, and saturation, of what is no lip, in shares of the lips'
SEAM_NEAR, SEAM_CELLS = (
    0.08,
    33,
)  # how far from where points say closed lips may meet, and cells it is looked at in
SEAM_FAR, SEAM_DARK = (
    0.25,
    0.93,
)  # what being so far off costs, and the line's brightness at the most, in shares of the lips'
WHITER = (0.22, 0.76)  # how bright what is white is at least, and with the skin's brightness
GREY = 0.12  # saturation of skin: below it, a photo has less colour than a mouth


@dataclass(frozen=True)
class Mouth:
    """A mouth in its own frame, one unit wide, x from its middle to the viewer's right, y down.

    origin, axis: as an eye's. upper, lower: heights at `XS` of the lips' inner edges, above, below: of
    their outer ones, level beyond the corners. gap: how far they are apart in the middle. chin, nose:
    heights of the chin and of the nose's base; cheek: how far to the sides the jaw moves; unit: the
    interocular distance.
    """

    origin: Floats
    axis: Floats
    upper: Floats
    lower: Floats
    above: Floats
    below: Floats
    gap: float
    chin: float
    nose: float
    cheek: float
    unit: float

    @classmethod
    def of(cls, points: Floats) -> "Mouth":
        """From 478 points, photo pixels."""
        upper, lower = list(parts.INNER_LIP_UPPER), list(parts.INNER_LIP_LOWER)
        corners = points[[upper[0], upper[-1]]]
        level = np.zeros_like(XS)
        bare = cls(
            corners.mean(0), corners[1] - corners[0], level, level, level, level,
            gap=0.0, chin=1.0, nose=-1.0, cheek=1.0, unit=1.0,
        )  # fmt: skip
        outer = (list(parts.OUTER_LIP_UPPER), list(parts.OUTER_LIP_LOWER))
        up, low, above, below = (_curve(bare.to_frame(points[each])) for each in (upper, lower, *outer))
        middle = (up + low) / 2
        up, low = np.minimum(up, middle), np.maximum(low, middle)
        jaw = np.abs(bare.to_frame(points[[172, 397]])[:, 0]).min()
        eyes = [points[list(eye.corners)].mean(0) for eye in parts.EYES]
        return cls(
            bare.origin, bare.axis, up, low, np.minimum(above, up), np.maximum(below, low),
            gap=float((low - up)[len(XS) // 2]),
            chin=max(0.5, float(bare.to_frame(points[parts.CHIN])[1])),
            nose=min(-0.2, float(bare.to_frame(points[2])[1])),
            cheek=float(np.clip(CHEEK * jaw, 0.7, 1.4)),
            unit=float(np.hypot(*(eyes[1] - eyes[0]))) / bare.width,
        )  # fmt: skip

    @property
    def width(self) -> float:
        """Photo pixels from corner to corner."""
        return float(np.hypot(*self.axis))

    @property
    def turn(self) -> Floats:
        """`[2, 2]`: a place of the frame, as a row, times this is photo pixels from the origin."""
        return np.array([self.axis, [-self.axis[1], self.axis[0]]])

    def to_frame(self, points: Floats) -> Floats:
        """Photo pixels `[..., 2]` in the frame."""
        return np.asarray((points - self.origin) @ self.turn.T / self.width**2)

    def shows(self, photo: Photo) -> bool:
        """Whether what is between the lips' edges is unlike lips: pale and light as teeth, or dark. Where
        they are hardly apart a shadow is dark as well, and only teeth count."""
        x = np.linspace(-0.3, 0.3, 31)
        upper, lower = (np.interp(x, XS, each) for each in (self.upper, self.lower))
        within = self._between(photo, x, upper, lower, np.linspace(0, 1, 21))
        lip = self.lip_colour(photo)
        luma, own = within @ LUMA, float(lip @ LUMA)
        pale = np.ptp(within, axis=-1) < PALE * float(np.ptp(lip)) + 0.02
        teeth = PALER[float(np.ptp(lip)) < GREY_LIP] * own
        unlike = (pale & (luma > teeth)) | (luma > LIGHTER * own)
        if self.gap > SHADOWED:
            unlike |= luma < DARKER * own
        return bool(np.median(unlike.mean(0) * (lower - upper)) > SHOWN)

    def lip_colour(self, photo: Photo) -> Floats:
        """The lips' sRGB in [0, 1]: the median of their middles."""
        x = np.linspace(-0.3, 0.3, 31)
        above, upper, lower, below = (
            np.interp(x, XS, each) for each in (self.above, self.upper, self.lower, self.below)
        )
        middle = np.linspace(0.3, 0.7, 5)
        lips = [self._between(photo, x, *each, middle) for each in ((above, upper), (lower, below))]
        return np.asarray(np.median(np.concatenate(lips).reshape(-1, 3), axis=0))

    def _between(self, photo: Photo, x: Floats, high: Floats, low: Floats, shares: Floats) -> Floats:
        """The photo's sRGB `[shares, x, 3]` at these shares of the way from one curve to another."""
        heights = high + shares[:, None] * (low - high)
        return sampled(photo, self.to_photo(np.stack(np.broadcast_arrays(x, heights), -1)))

    def to_photo(self, places: Floats) -> Floats:
        """Places of the frame `[..., 2]` in photo pixels."""
        return np.asarray(places @ self.turn + self.origin)

    def fitted(self, photo: Photo) -> "Mouth":
        """Closed lips with their edges where they meet: along the dark line near where the points say."""
        if self.gap > OPEN and (self.gap > DOUBTED or self.shows(photo)):
            return self
        x, y = np.linspace(-0.5, 0.5, 2 * SEAM_CELLS + 1), np.linspace(-SEAM_NEAR, SEAM_NEAR, SEAM_CELLS)
        middle = np.interp(x, XS, (self.upper + self.lower) / 2)
        places = np.stack(np.broadcast_arrays(x, middle + y[:, None]), -1)
        luma = sampled(photo, places @ self.turn + self.origin) @ LUMA
        dark = luma / np.maximum(luma.mean(0), 1e-3) + SEAM_FAR * (y[:, None] / SEAM_NEAR) ** 2
        path = darkest_path(dark)
        if float((luma / np.maximum(luma.mean(0), 1e-3))[path, np.arange(len(x))].mean()) > SEAM_DARK:
            return self
        off = np.interp(XS, x, y[path] * np.clip((0.5 - np.abs(x)) / 0.1, 0, 1))
        seam = (self.upper + self.lower) / 2 + smooth(off, 0.03)
        return replace(
            self,
            upper=seam,
            lower=seam,
            above=np.minimum(self.above, seam),
            below=np.maximum(self.below, seam),
            gap=0.0,
        )

    def inset(self) -> "Mouth":
        """With edges a little way within the lips, so that no teeth go along with them."""
        into = INSET * np.sqrt(np.clip(1 - (2 * XS) ** 2, 0, 1)) * min(1.0, self.gap / OPEN)
        return replace(self, upper=self.upper - into, lower=self.lower + into)

    def box(self, photo: Photo) -> Box | None:
        """The photo's rectangle in which a moving mouth changes anything; None outside of the photo."""
        bottom = self.chin * (1 + NECK) + 0.6
        places = (
            np.array([[x, y] for x in (-self.cheek, self.cheek) for y in (self.nose, bottom)]) @ self.turn
            + self.origin
        )
        left, top = np.maximum(np.floor(places.min(0)).astype(int), 0)
        right, low = np.minimum(np.ceil(places.max(0)).astype(int), (photo.width, photo.height))
        return (int(left), int(top), int(right), int(low)) if left < right and top < low else None


@dataclass(frozen=True)
class Light:
    """Colours of this photo, sRGB in [0, 1]: of the skin beside the mouth, and of what is white in its
    light."""

    skin: Floats
    white: Floats

    @property
    def luma(self) -> float:
        """How bright the skin is."""
        return float(self.skin @ LUMA)

    def toned(self, picture: Floats) -> Floats:
        """A picture with no more colour than the photo has: a photo without any stays so."""
        saturation = float(np.ptp(self.skin)) / max(float(self.skin.max()), 1e-3)
        grey = (picture @ LUMA)[..., None]
        return np.asarray(np.clip(grey + min(1.0, saturation / GREY) * (picture - grey), 0, 1))

    @classmethod
    def of(cls, photo: Photo, points: Floats) -> "Light":
        """From the cheeks beside the mouth and the whites of the eyes."""
        skin = np.median(
            [_colour(photo, points[each]) for each in (50, 280, 205, 425, 61, 291, 2, 164)], axis=0
        )
        eyes = []
        for eye in parts.EYES:
            ends = points[list(eye.corners)]
            for t in (0.15, 0.22, 0.78, 0.85):
                eyes.append(_colour(photo, ends[0] + t * (ends[1] - ends[0])))
        bright = float(np.quantile(np.array(eyes) @ LUMA, 0.8))
        luma = float(skin @ LUMA)
        level = float(np.clip(max(bright, WHITER[0] + WHITER[1] * luma), 0.25, 0.92))
        tint = skin / max(luma, 1e-3)
        return cls(skin, np.clip(level * (0.75 + 0.25 * tint), 0, 1))


def sampled(photo: Photo, points: Floats) -> Floats:
    """The photo's sRGB in [0, 1] at points `[h, w, 2]`, photo pixels; beyond the photo its border goes on."""
    low = np.maximum(np.floor(points.min((0, 1))).astype(int) - 2, 0)
    high = np.minimum(np.ceil(points.max((0, 1))).astype(int) + 2, (photo.width, photo.height))
    if (low >= high).any():
        return np.zeros((*points.shape[:2], 3))
    picture = photo.srgb((int(low[0]), int(low[1]), int(high[0]), int(high[1]))).astype(np.float32) / 255
    x, y = np.moveaxis((points - low - 0.5).astype(np.float32), -1, 0)
    seen = cv2.remap(
        picture,
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen, np.float64)


def smooth(heights: Floats, sigma: float) -> Floats:
    """A curve at `XS`, averaged with a Gaussian of `sigma` mouth widths."""
    reach = int(np.ceil(3 * sigma / (XS[1] - XS[0])))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * (XS[1] - XS[0]) / sigma) ** 2)
    return np.convolve(np.pad(heights, reach, mode="edge"), weights / weights.sum(), mode="valid")


def _colour(photo: Photo, point: Floats) -> Floats:
    """The mean sRGB colour of a few pixels around a point."""
    x = int(np.clip(point[0], 2, photo.width - 3))
    y = int(np.clip(point[1], 2, photo.height - 3))
    return np.asarray(photo.srgb((x - 2, y - 2, x + 3, y + 3)).mean((0, 1)) / 255)


def _curve(places: Floats) -> Floats:
    order = np.argsort(places[:, 0], kind="stable")
    return np.asarray(np.interp(XS, places[order, 0], places[order, 1], left=0, right=0))
