"""What is seen between lips that came apart: darkness, a tongue, teeth, in the light of the photo.

Nothing of it is the person's own, so it is drawn as such mouths mostly look: darkest behind the upper teeth,
a tongue that catches light near the lower lip, teeth as wide as they are on most people beside the distance
of their eyes, the upper ones shown the more the shorter the skin is between nose and lip. The lower lip
hides the lower ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realedit.compositing.eyes import Floats
from realedit.compositing.flow import Array
from realedit.compositing.mouths import Light, Mouth
from realedit.compositing.parting import step

# Colours, in shares of the skin's brightness.
DARK = np.array([0.26, 0.105, 0.095])
TONGUE = np.array([0.78, 0.40, 0.38])
ENAMEL = np.array([1.0, 0.965, 0.9])  # of what is white

# Interocular distances.
UPPER_TEETH = np.array([0.0, 0.135, 0.235, 0.33, 0.40, 0.455])  # between teeth, from the middle to a side
SHOWN = (0.055, 0.095)  # of the upper teeth below the lip, at least and at most
PHILTRUM = (0.17, 0.30)  # between nose and lip where most and where least of them shows
ARCH = 0.25  # how a row of upper teeth goes up to its sides
SMILE = (0.1, 0.25)  # mouth widths: openings this high are filled by teeth, and have none of it left


@dataclass(frozen=True)
class Opening:
    """Places `[h, w]` of a mouth's frame with what bounds its opening there.

    down: how far below the upper lip's middle; under: how far below its edge, over: how far above the lower
    lip's; half: half of the opening's width; gap: its height in the middle; soft: over which an edge is as
    soft as the photo is. All in mouth widths.
    """

    x: Array
    down: Array
    under: Array
    over: Array
    half: float
    gap: float
    soft: float


def inside(mouth: Mouth, light: Light, opening: Opening, *, teeth: bool) -> Floats:
    """sRGB `[h, w, 3]` of the inside, with the teeth's edges unless the photo shows its own."""
    picture = _depths(light, opening)
    if teeth:
        colours, cover = _upper_teeth(mouth, light, opening)
        picture = picture + cover[..., None] * (colours - picture)
    return light.toned(picture)


def shown_teeth(mouth: Mouth) -> float:
    """How far the upper teeth show below a lip, in interocular distances."""
    philtrum = (float(mouth.above[len(mouth.above) // 2]) - mouth.nose) / mouth.unit
    short = np.clip((PHILTRUM[1] - philtrum) / (PHILTRUM[1] - PHILTRUM[0]), 0, 1)
    return float(SHOWN[0] + short * (SHOWN[1] - SHOWN[0]))


def _depths(light: Light, opening: Opening) -> Floats:
    """Darkness and the tongue."""
    tall = np.maximum(opening.under + opening.over, 1e-3)
    down = np.clip(opening.under / tall, 0, 1)
    beside = np.clip(np.abs(opening.x) / max(opening.half, 0.1), 0, 1)
    dark = light.luma * DARK * (0.35 + 0.5 * step(down) * (1 - beside**2))[..., None]
    top = 0.4 + 0.5 * (opening.x / (0.75 * opening.half)) ** 2
    lit = step((down - top) / 0.42)
    shadow = 1 - 0.4 * step((down - 0.82) / 0.18)
    groove = 1 - 0.12 * np.exp(-((opening.x / 0.03) ** 2)) * lit
    flesh = light.luma * TONGUE * ((0.4 + 0.55 * lit) * shadow * groove)[..., None]
    seen = step((down - top) / 0.12 + 0.5) * np.clip((opening.gap - 0.1) / 0.12, 0, 1)
    return np.asarray(dark + seen[..., None] * (flesh - dark))


def _tooth(x: Floats, between: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Which tooth each place is in front of, where in it from -1 to 1, and how wide it is."""
    side = np.abs(x)
    which = np.clip(np.searchsorted(between, side) - 1, 0, len(between) - 2)
    left, right = between[which], between[which + 1]
    return which, np.clip((2 * side - left - right) / (right - left), -1, 1), right - left


def _row(
    opening: Opening, x: Floats, shown: Floats, reach: NDArray[np.floating], far: float
) -> tuple[Floats, Floats]:
    """The cover of a row of teeth that reach `shown` into the opening at `reach` from its rim, and how dim
    its sides are; far: where it ends."""
    cover = np.clip((shown - reach) / opening.soft + 0.5, 0, 1)
    cover = cover * np.clip((far - np.abs(x)) / 0.05, 0, 1)
    return cover, np.clip(1 - (np.abs(x) / far) ** 2.2 * 0.5, 0, 1)


def _upper_teeth(mouth: Mouth, light: Light, opening: Opening) -> tuple[Floats, Floats]:
    """Their colours `[h, w, 3]` and where they are: they keep their place, and the lip hides what it
    covers. In an opening that is low, as in a smile, they fill it up to the corners."""
    x = opening.x.astype(np.float64) / mouth.unit
    which, within, broad = _tooth(x, UPPER_TEETH)
    most = min(shown_teeth(mouth) * mouth.unit, opening.gap * max(0.95 - 1.6 * opening.gap, 0.45))
    tall = most - mouth.unit * (0.004 * (which == 1) + 0.01 * (which > 2))
    rounded = mouth.unit * (0.008 * np.abs(within) ** 6 + 0.004 * (which == 2) * within**2)
    wide = np.clip((opening.gap - SMILE[0]) / (SMILE[1] - SMILE[0]), 0, 1)
    below = opening.under + wide * (opening.down + ARCH * x**2 * mouth.unit - opening.under)
    cover, dim = _row(opening, x, tall - rounded, below, float(UPPER_TEETH[-1]))
    thin = max(0.012, 0.4 * opening.soft / mouth.unit)
    between = 1 - 0.22 * np.exp(-(((1 - np.abs(within)) * broad / 2 / thin) ** 2))
    shadow = min(0.025 * mouth.unit, 0.25 * opening.gap)
    under_lip = 0.76 + 0.24 * step(opening.under / shadow)
    shade = under_lip * dim * between * (1 - 0.08 * within**2)
    return light.white * ENAMEL * shade[..., None], cover
