"""From the generator's pictures before and after a drag to the photo with the change in it.

    change = describe(before, after, crop, valid, reach, settings)
    photo = paste(photo, change, alignment)

`slide` moves lids and lips in the photo itself, without a generator.
"""

from realedit.compositing.change import MODES, Change, ChangeSettings, Mode, describe
from realedit.compositing.debug import DEBUG_NAMES, debug_pictures, head_picture, parts_picture
from realedit.compositing.features import Features, Moves
from realedit.compositing.flow import FlowSettings
from realedit.compositing.heads import HEAD_MOTIONS, Head, Turn
from realedit.compositing.layers import slide
from realedit.compositing.opening import Mouth
from realedit.compositing.paste import changed_box, paste
from realedit.compositing.scene import Scene

__all__ = [
    "DEBUG_NAMES",
    "HEAD_MOTIONS",
    "MODES",
    "Change",
    "ChangeSettings",
    "Features",
    "FlowSettings",
    "Head",
    "Mode",
    "Mouth",
    "Moves",
    "Scene",
    "Turn",
    "changed_box",
    "debug_pictures",
    "describe",
    "head_picture",
    "parts_picture",
    "paste",
    "slide",
]
