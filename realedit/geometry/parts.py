"""How a reach is named: by a word, or by the parts of the face that it holds."""

from typing import Literal

import msgspec

from alignment.names import REGIONS

Reach = Literal["local", "face", "head", "all"]
REACHES: tuple[Reach, ...] = ("local", "face", "head", "all")


class Parts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reach by what it holds: the face's `regions` (keys of `alignment.names.REGIONS`), the drag's points,
    and everything within `margin` of them, in interocular distances; over `fade` more it fades to nothing."""

    regions: tuple[str, ...]
    margin: float = 0.25
    fade: float = 0.35

    def __post_init__(self) -> None:
        for name in self.regions:
            if name not in REGIONS:
                raise ValueError(f"`regions` has {name!r}; choose from {', '.join(REGIONS)}")
        if not (0 <= self.margin <= 4 and 0 < self.fade <= 4):
            raise ValueError("`margin` and `fade` are interocular distances from 0 to 4, `fade` above 0")
