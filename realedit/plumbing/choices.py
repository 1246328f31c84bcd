"""Words that options take, where nothing else is loaded: the command line knows them before it needs more."""

from typing import Literal, get_args

Mode = Literal["detail", "plain", "seamless"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""Of the paste; `realedit.compositing.ChangeSettings` says what they mean."""

Style = Literal["side", "stack", "split", "wipe", "blink", "difference", "slider"]
STYLES: tuple[Style, ...] = get_args(Style)
"""Of a comparison."""
