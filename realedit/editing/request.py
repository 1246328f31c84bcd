"""What a person asks for, and what that means for the inversion."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from checkpoints.bundled import BUNDLED
from checkpoints.registry import registry
from inversion import InversionSettings, Quality
from realedit.compositing.settings import PasteSettings
from realedit.drag.settings import DragSettings
from realedit.errors import UsageError
from realedit.geometry.parts import Reach
from realedit.photos import (
    MAX_PIXELS,
    Box,
    Signing,
    Strip,
)
from realedit.plumbing.places import STDIN
from realedit.recipes import Use

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """What a person asks for: see `realedit edit --help`. Points are photo pixels, as displayed; there are
    drags, or recipes, or both (the drags come first). faces: as `alignment.share_out` takes them; recipes go
    to each of them, a drag to the one it lies on. box: what to edit instead of a face, whatever it is.
    source: the photo's bytes where they came from stdin, and `photo` is `places.STDIN`. into: gets the edited
    photo's bytes instead of the file `output`, which then says the format alone."""

    photo: Path
    output: Path
    drags: tuple[tuple[Point, Point], ...] = ()
    recipes: tuple[Use, ...] = ()
    mask: Path | None = None
    regions: tuple[Box, ...] = ()
    faces: tuple[str, ...] = ("auto",)
    box: Box | None = None
    model: str = "face128"
    quality: Quality = "standard"
    seed: int = 0
    label: str | None = None
    device: str = "auto"
    compare: Path | None = None
    marked: Path | None = None
    timelapse: Path | None = None
    keep: Path | None = None
    changes: tuple[tuple[str, str], ...] = ()
    cache: bool = True
    reach: Reach = "local"
    debug: Path | None = None
    strip: Strip = "none"
    visible_label: bool = False
    signing: Signing | None = None
    max_pixels: int = MAX_PIXELS
    source: bytes | None = field(default=None, repr=False)
    into: Callable[[bytes], object] | None = None
    drag: DragSettings = field(default_factory=DragSettings)
    paste: PasteSettings = field(default_factory=PasteSettings)


def inversion_settings(request: EditRequest) -> InversionSettings:
    """The preset with what the request changes. Raises UsageError."""
    settings = InversionSettings.preset(request.quality, seed=request.seed, label=request.label)
    return changed_settings(settings, request.changes)


def changed_settings(settings: InversionSettings, changes: Iterable[tuple[str, str]]) -> InversionSettings:
    """`InversionSettings.changed` with the error a user should see."""
    try:
        return settings.changed(dict(changes))
    except ValueError as error:
        raise UsageError(str(error)) from error


def place_of(photo: Path) -> Path:
    """What a session remembers of a photo's place: the whole path, or that it came from stdin."""
    return photo if photo == STDIN else photo.resolve()


def model_reference(name: str) -> str:
    """What a session remembers of `--model`: a known name, or the whole path of a file."""
    known = name in BUNDLED or registry().find(name) is not None
    return name if known else str(Path(name).expanduser().resolve())
