"""What the channels of stored pixels are: colours first, then opacity and what else a file holds.

Source: TIFF 6.0, ExtraSamples (tag 338), whose values `Layout.extra` holds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FURTHER, PREMULTIPLIED, STRAIGHT = 0, 1, 2
_ROWS = 256  # straightened at a time, so that the wide numbers of a whole frame are never held


@dataclass(frozen=True)
class Layout:
    """The channels of stored pixels [H, W, c], in order.

    `colours` is 1 (grey), 3 (RGB) or 4 (CMYK). `extra` says of each channel behind them what it is: opacity
    that the colours were multiplied with (PREMULTIPLIED), opacity that they were not (STRAIGHT), or anything
    else (FURTHER). The first opacity counts.
    """

    colours: int
    extra: tuple[int, ...] = ()

    @classmethod
    def usual(cls, channels: int) -> "Layout":
        """Grey, grey and opacity, RGB, RGB and opacity: the layout of all formats but TIFF."""
        return cls(1 if channels < 3 else 3, (STRAIGHT,) if channels in (2, 4) else ())

    @property
    def channels(self) -> int:
        """How many there are."""
        return self.colours + len(self.extra)

    @property
    def opacity(self) -> int | None:
        """The channel that holds the opacity, None without any."""
        found = (at for at, kind in enumerate(self.extra) if kind in (PREMULTIPLIED, STRAIGHT))
        at = next(found, None)
        return None if at is None else self.colours + at

    @property
    def premultiplied(self) -> bool:
        """Whether the colours were multiplied with the opacity."""
        return self.opacity is not None and self.extra[self.opacity - self.colours] == PREMULTIPLIED

    @property
    def further(self) -> int:
        """How many channels are neither colour nor opacity."""
        return len(self.extra) - (self.opacity is not None)


def straightened(colours: NDArray[Any], opacity: NDArray[Any]) -> NDArray[Any]:
    """Premultiplied colours [h, w, c] as they are seen; `opacity` is [h, w, 1], of the same depth.

    Where the opacity is 0 no colour is known, and the stored one stays.
    """
    full = int(np.iinfo(colours.dtype).max)
    seen = np.array(colours, order="C")
    for top in range(0, len(seen), _ROWS):
        strip = seen[top : top + _ROWS]
        alpha = opacity[top : top + _ROWS].astype(np.uint32)
        straight = np.minimum((strip * np.uint32(full) + (alpha >> 1)) // np.maximum(alpha, 1), full)
        np.copyto(strip, straight.astype(strip.dtype), where=alpha > 0)
    return seen


def premultiplied(colours: NDArray[Any], opacity: NDArray[Any]) -> NDArray[Any]:
    """Colours [h, w, c] multiplied with `opacity` [h, w, 1], both of one depth."""
    full = int(np.iinfo(colours.dtype).max)
    product = colours * opacity.astype(np.uint32) + np.uint32(full // 2)
    return (product // np.uint32(full)).astype(colours.dtype)
