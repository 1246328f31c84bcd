"""Compositing: before, after and the photo -> the photo with the change in it."""

from realedit.compositing.change import Change, ChangeSettings, describe
from realedit.compositing.flow import FlowSettings
from realedit.compositing.paste import MODES, Mode, changed_box, paste

__all__ = ["MODES", "Change", "ChangeSettings", "FlowSettings", "Mode", "changed_box", "describe", "paste"]
