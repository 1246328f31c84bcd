"""Before and after of an edit, and the photo marked with what was asked."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realedit.compare import (
    ComparisonSettings,
    marked,
    max_side,
    pair_of,
    write_comparison,
)
from realedit.photos import (
    Photo,
)
from realedit.plumbing.files import write_png
from realedit.sessions.session import Session


def write_before_after(path: Path, before: Photo, after: Photo) -> None:
    """Before and after as the file's name says (PNG: side by side)."""
    settings = ComparisonSettings()
    pair = pair_of(before, after, max_side=max_side(path, settings))
    write_comparison(path, pair, settings)


def write_marked(path: Path, before: Photo, sessions: Sequence[Session]) -> None:
    """The photo with the handles and targets of all drags, and the mask of the first (PNG)."""
    shown = before.srgb()
    drags = [each for session in sessions for each in session.history]
    mask = sessions[0].masks.get(drags[0].mask) if drags[0].mask else None
    handles, targets, reached = (
        np.concatenate([getattr(each, key) for each in drags]) for key in ("handles", "targets", "reached")
    )
    drawn = marked(shown, handles, targets, mask=mask, reached=reached)
    write_png(path, drawn)
