"""Lids and lips of one face in one photo, and how they slide there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial

from realedit.compositing.features import Features, Moves
from realedit.compositing.layers import Slide
from realedit.compositing.lids import BARE, FRAMED, Lids, lids_slide
from realedit.compositing.lips import lips_slide
from realedit.compositing.skin import Skin
from realedit.perception import wears_glasses
from realedit.photos import Photo

GLASSES = 0.2  # how sure that they are worn, for lids to slide as they do behind glasses


@dataclass(frozen=True, eq=False)
class Scene:
    """The parts in a photo, around which it is looked at once, however often they slide."""

    features: Features
    photo: Photo

    def slides(self, moves: Moves) -> list[Slide]:
        """What slides."""
        both = (moves.left_eye, moves.right_eye)
        manner = FRAMED if any(lids != Lids() for lids in both) and self.glasses > GLASSES else BARE
        found = [
            None if lids == Lids() else lids_slide(self.photo, eye, lids, manner, skin=skin())
            for eye, lids, skin in zip(self.features.eyes, both, self._skins, strict=True)
        ]
        lips = lips_slide(self.photo, self.features.points, moves.lips)
        return [each for each in (*found, lips) if each is not None]

    @cached_property
    def glasses(self) -> float:
        """How sure it is that glasses are worn, 0 to 1, by what lies around the eyes."""
        boxes = [box for eye in self.features.eyes if (box := eye.box(self.photo)) is not None]
        if not boxes:
            return 0.0
        left, top = (min(box[side] for box in boxes) for side in (0, 1))
        right, bottom = (max(box[side] for box in boxes) for side in (2, 3))
        around = self.photo.srgb((left, top, right, bottom))
        return wears_glasses(around, self.features.points - (left, top))

    @cached_property
    def _skins(self) -> list[Callable[[], Skin]]:
        return [cache(partial(Skin.around, eye, self.photo)) for eye in self.features.eyes]
