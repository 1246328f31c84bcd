"""What a session's folder holds, read as what it may be: data from elsewhere. Every value is checked for type
and range, files for kind, size and place, before anything is done with them.

The functions raise ValueError or OSError with what is wrong; `Session.load` makes a sentence of it.
"""

import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import cv2
import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

from checkpoints import Generator
from inversion import Quality
from realedit.compositing.features import Moves
from realedit.compositing.heads import Turn
from realedit.geometry.reach import Parts, Reach
from realedit.perception.points import COUNT

SCHEMA = 1
_T = TypeVar("_T")
_MASK = re.compile(r"mask-[0-9a-f]{12}\.png")
_MOST = {"session.json": 1 << 20, "history.jsonl": 16 << 20, "latents.safetensors": 16 << 20}  # bytes
_MOST_OF_OTHERS = 1 << 30
_MOST_PIXELS = 1 << 30  # of a mask, which is as large as its photo
_LARGEST_CROP = 4096
_LANDMARKS = 68
_LONGEST_NAME, _LONGEST_PATH = 255, 4000  # bytes

_Coordinate = Annotated[float, Meta(ge=-1e6, le=1e6)]
_Point = tuple[_Coordinate, _Coordinate]
_Points = Annotated[list[_Point], Meta(min_length=1, max_length=10_000)]
_Side = Annotated[int, Meta(ge=1, le=1_000_000)]
_Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
_Text = Annotated[str, Meta(max_length=10_000, pattern=r"\A[^\x00]*\Z")]
_Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Drag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished drag; points in photo pixels, as displayed. vague: the handles, by their place in the list,
    that lie where all looks alike, so that `reached` means little. carried: those that the paste carries out
    instead of the generator; moves: how far parts of the face slide when the drag is over, and turn: how far
    the head has turned."""

    handles: _Points
    targets: _Points
    reached: _Points
    steps: _Count
    ending: Literal["arrived", "stalled", "steps", "nothing", "stopped"]
    reach: Reach | Parts
    mask: str | None = None
    vague: list[int] = []
    carried: list[int] = []
    moves: Moves = Moves()
    turn: Turn = Turn()


class Square(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of `Alignment.to_dict`."""

    centre: _Point
    side: Annotated[float, Meta(ge=0.01, le=1e6)]
    angle: Annotated[float, Meta(ge=-100, le=100)]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What session.json holds."""

    schema: int
    photo: Annotated[_Text, Meta(min_length=1)]
    photo_sha256: _Digest
    photo_size: tuple[_Side, _Side]
    model: Annotated[_Text, Meta(min_length=1)]
    model_sha256: _Digest
    quality: Quality
    seed: Annotated[int, Meta(ge=0)]
    settings: dict[str, Any]
    face: _Count | None
    landmarks: Annotated[list[_Point], Meta(min_length=_LANDMARKS, max_length=_LANDMARKS)] | None
    alignment: Square
    faces: _Count | None = None
    loss: _Text | None = None
    steps: dict[str, _Count] = {}
    points: Annotated[list[_Point], Meta(min_length=COUNT, max_length=COUNT)] | None = None


def read_header(folder: Path) -> Header:
    """session.json."""
    found = _json(read_file(folder, "session.json"))
    schema = found.get("schema") if isinstance(found, dict) else None
    if isinstance(schema, int) and schema != SCHEMA:
        raise ValueError(f"schema {schema:.3g}, this version reads {SCHEMA}")
    header = _as(Header, found, "session.json")
    for path in (header.photo, header.model):
        longest = max(len(os.fsencode(part)) for part in ("", *Path(path).parts))
        if len(os.fsencode(path)) > _LONGEST_PATH or longest > _LONGEST_NAME:
            raise ValueError(f"session.json names {path:.40}..., which is too long for a path")
    return header


def read_history(folder: Path) -> tuple[Drag, ...]:
    """history.jsonl."""
    lines = read_file(folder, "history.jsonl").splitlines()
    history = tuple(_as(Drag, _json(line), "history.jsonl") for line in lines)
    for drag in history:
        count = len(drag.handles)
        if not count == len(drag.targets) == len(drag.reached):
            raise ValueError("a drag of history.jsonl has not as many targets as handles")
        if any(not 0 <= index < count for index in drag.vague):
            raise ValueError("a drag of history.jsonl is vague about a handle that it has not")
        if any(not 0 <= index < count for index in drag.carried):
            raise ValueError("a drag of history.jsonl carries out a handle that it has not")
        if drag.mask is not None and not _MASK.fullmatch(drag.mask):
            raise ValueError(f"history.jsonl names the mask {drag.mask!r:.40}, which is no name of a mask")
    return history


def read_crop(folder: Path) -> NDArray[np.uint8]:
    """crop.png, a square `[R, R, 4]` BGRA."""
    picture = _picture(read_file(folder, "crop.png"), "crop.png", _LARGEST_CROP**2)
    if picture.ndim != 3 or picture.shape[2] != 4 or picture.shape[0] != picture.shape[1]:
        raise ValueError("crop.png is not a square RGBA picture")
    return picture


def read_mask(folder: Path, name: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask `[height, width]` of a photo of `size` (width, height)."""
    picture = _picture(read_file(folder, name), name, size[0] * size[1])
    if picture.shape != (size[1], size[0]):
        raise ValueError(f"{name} is not a grey picture of the photo's size")
    return picture


def read_latents(folder: Path) -> tuple[Tensor, Tensor] | None:
    """Pivot and current latent, `[1, num_ws, w_dim]` float32; None before the inversion."""
    tensors = _tensors(folder, "latents.safetensors", "torch.float32")
    if tensors is None:
        return None
    if set(tensors) != {"pivot", "current"}:
        raise ValueError("latents.safetensors does not hold pivot and current")
    pivot, current = tensors["pivot"], tensors["current"]
    if pivot.ndim != 3 or pivot.shape[0] != 1 or pivot.shape != current.shape:
        raise ValueError("latents.safetensors does not hold two latents of one shape")
    return pivot, current


def read_tuning(folder: Path) -> dict[str, Tensor]:
    """The generator's tuning, float16; empty where there is none."""
    return _tensors(folder, "tuned.safetensors", "torch.float16") or {}


def read_file(folder: Path, name: str) -> bytes:
    """A file of the folder: no link out of it, no device or pipe, of no more bytes than it can need."""
    path = folder / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise ValueError(f"{name} is a link to another place")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{name} is no file")
    if status.st_size > _MOST.get(name, _MOST_OF_OTHERS):
        raise ValueError(f"{name} is too large")
    return path.read_bytes()


def mask_name(mask: NDArray[np.uint8]) -> str:
    """The file name of a mask in a session: by its content."""
    return f"mask-{hashlib.sha256(mask.tobytes()).hexdigest()[:12]}.png"


def misfit(
    generator: Generator, crop: NDArray[np.uint8], latent: Tensor | None, tuning: dict[str, Tensor]
) -> str:
    """Why a session's parts do not fit the generator that it names, or nothing."""
    size = generator.resolution
    if crop.shape != (size, size, 3):
        return f"its crop has {crop.shape[0]} pixels, the model {size}"
    if latent is not None and tuple(latent.shape) != (1, generator.num_ws, generator.w_dim):
        return f"its latent is {tuple(latent.shape)}, the model's (1, {generator.num_ws}, {generator.w_dim})"
    own = generator.state_dict()
    for name, change in tuning.items():
        if name not in own or own[name].shape != change.shape:
            return f"the stored tuning does not fit this generator: {name:.60}"
    return ""


def _json(content: bytes) -> Any:
    """JSON as it is defined, and with names of any bytes, which a photo's may be."""
    return json.loads(content, parse_constant=_no_number)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _as(kind: type[_T], value: Any, name: str) -> _T:
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error


def _picture(content: bytes, name: str, most: int) -> NDArray[np.uint8]:
    """A PNG of 8 bits; the size it claims is looked at before memory is taken."""
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or width * height == 0:
        raise ValueError(f"{name} cannot be read")
    if width * height > min(most, _MOST_PIXELS):
        raise ValueError(f"{name} has {width} x {height} pixels, which is too many")
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError(f"{name} cannot be read") from error
    if picture is None or picture.dtype != np.uint8:
        raise ValueError(f"{name} cannot be read")
    return picture  # type: ignore[return-value]


def _tensors(folder: Path, name: str, kind: str) -> dict[str, Tensor] | None:
    """Finite tensors of one type; None where the file is not there."""
    if not (folder / name).exists() and not (folder / name).is_symlink():
        return None
    try:
        tensors = load_tensors(read_file(folder, name))
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read: {error}") from error
    for key, tensor in tensors.items():
        if str(tensor.dtype) != kind or not bool(tensor.isfinite().all()):
            raise ValueError(f"{name} holds {key:.60}, which is not {kind} and finite")
    return tensors
