"""What the page may ask for, as data from elsewhere: every command's fields, their types and ranges.

Points are photo pixels as displayed. Commands come as JSON over the WebSocket; anything else is refused.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(pattern=r"\A[0-9a-f]{24}\Z")]
Coordinate = Annotated[float, Meta(ge=-1e5, le=1e5)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Number = Annotated[int, Meta(ge=0, le=1 << 53)]
Reach = Literal["local", "face", "head"]


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag=str.lower):
    """The base of all."""


class Show(Command, frozen=True):
    """Another photo of the filmstrip."""

    photo: Id


class Close(Command, frozen=True):
    """Take a photo off the filmstrip, with what was done to it."""

    photo: Id


class Choose(Command, frozen=True):
    """Work on a face of a photo: invert it, where it is not yet."""

    photo: Id
    face: Count


class Press(Command, frozen=True):
    """The hand takes the face at a point. number: counts what the hand does, so that a picture can say what
    it answers."""

    x: Coordinate
    y: Coordinate
    number: Number


class Move(Command, frozen=True):
    """The hand goes on to a point."""

    x: Coordinate
    y: Coordinate
    number: Number


class Release(Command, frozen=True):
    """The hand lets go."""


class Put(Command, frozen=True):
    """A new point, from its handle to its target."""

    handle: tuple[Coordinate, Coordinate]
    target: tuple[Coordinate, Coordinate]


class Aim(Command, frozen=True):
    """One end of a point is somewhere else."""

    index: Count
    end: Literal["handle", "target"]
    x: Coordinate
    y: Coordinate


class Drop(Command, frozen=True):
    """Forget a point; None: all of them."""

    index: Count | None = None


class Start(Command, frozen=True):
    """Drag the points."""


class Stop(Command, frozen=True):
    """Stop what moves, where it is."""


class Undo(Command, frozen=True):
    """Back to before the last change."""


class Redo(Command, frozen=True):
    """Again what was undone."""


class GoTo(Command, frozen=True):
    """To a place in the history: how many changes are in effect there."""

    at: Count


class Apply(Command, frozen=True):
    """A recipe at a strength. open: whether the slider is still held."""

    recipe: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,63}\Z")]
    strength: Annotated[float, Meta(ge=-2, le=2)]
    number: Number = 0


class Configure(Command, frozen=True):
    """How drags work from now on. reach: of points. steps: at most so many."""

    reach: Reach = "local"
    quality: Literal["draft", "standard", "best"] = "standard"
    seed: Annotated[int, Meta(ge=0, le=(1 << 32) - 1)] = 0
    steps: Annotated[int, Meta(ge=1, le=1000)] = 300


class Look(Command, frozen=True):
    """How large the photo is shown: device pixels per photo pixel."""

    scale: Annotated[float, Meta(gt=0, le=64)]


class Unmask(Command, frozen=True):
    """No mask any more."""


class Shown(Command, frozen=True):
    """A picture is on the screen, so the next may come."""

    number: Number


Commands = (
    Show | Close | Choose | Press | Move | Release | Put | Aim | Drop | Start | Stop | Undo | Redo | GoTo
    | Apply | Configure | Look | Unmask | Shown
)  # fmt: skip

MEDIA = {
    ".jpg": "image/jpeg", ".png": "image/png", ".tif": "image/tiff", ".webp": "image/webp",
    ".heic": "image/heic", ".avif": "image/avif", ".gif": "image/gif", ".mp4": "video/mp4",
    ".html": "application/octet-stream", ".toml": "application/toml", ".zip": "application/zip",
}  # fmt: skip
"""The kinds of files, by extension. A page is sent as bytes: it is for saving, not for this origin."""


class Export(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to export. extension: of the file, with its dot. style: of a comparison, see `realedit compare`.
    strip, label: as `--strip` and `--label-visible`."""

    photo: Id
    kind: Literal["photo", "compare", "timelapse", "recipe", "session"]
    extension: Annotated[str, Meta(max_length=5)] = ".jpg"
    style: Annotated[str, Meta(max_length=16)] | None = None
    strip: Literal["none", "gps", "all"] = "none"
    label: bool = False


_DECODER: msgspec.json.Decoder[Commands] = msgspec.json.Decoder(Commands)
MOST_BYTES = 4096  # of a command


def decoded(text: str | bytes) -> Commands:
    """A command. Raises ValueError for anything else."""
    if len(text) > MOST_BYTES:
        raise ValueError("a command is longer than any")
    return _DECODER.decode(text)
