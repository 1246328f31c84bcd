"""One photo's saved work: a folder from which every stage goes on, so that a photo is inverted once.

    session.json        schema, SHA-256 of photo and model, face, alignment, landmarks, settings
    crop.png            the aligned crop; alpha 0 where the photo has no pixels
    latents.safetensors pivot and current latent, float32
    tuned.safetensors   the generator's tuning as float16 differences (absent when there was none)
    history.jsonl       one finished drag per line
    mask-*.png          masks of those drags, by content

A `Session` in memory holds exactly what the folder would: values are rounded to what is stored before they
are used, so that stages run one by one and all at once give the same bytes.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from alignment import Alignment
from realedit.compositing.features import Moves
from realedit.errors import OutputError, SessionError
from realedit.files import output_error, write_bytes
from realedit.masks import Parts

SCHEMA = 1


class Drag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished drag; points in photo pixels, as displayed. vague: the handles, by their place in the list,
    that lie where all looks alike, so that `reached` means little. carried: those that the paste carries out
    instead of the generator; moves: how far parts of the face slide when the drag is over."""

    handles: list[tuple[float, float]]
    targets: list[tuple[float, float]]
    reached: list[tuple[float, float]]
    steps: int
    ending: str
    reach: str | Parts
    mask: str | None = None
    vague: list[int] = []
    carried: list[int] = []
    moves: Moves = Moves()


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What session.json holds."""

    schema: int
    photo: str
    photo_sha256: str
    photo_size: tuple[int, int]
    model: str
    model_sha256: str
    quality: str
    seed: int
    settings: dict[str, Any]
    face: int | None
    landmarks: list[tuple[float, float]] | None
    alignment: dict[str, Any]
    faces: int | None = None
    loss: str | None = None
    steps: dict[str, int] = {}
    points: list[tuple[float, float]] | None = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """See the module. crop `[R, R, 3]` uint8 sRGB; valid `[R, R]` bool; latents `[1, num_ws, w_dim]`;
    None before the inversion. points: `[478, 2]`, where the parts of the face are, photo pixels; None
    without a face. masks: uint8 `[height, width]` pictures by the name that `Drag.mask` gives. faces:
    how many were found in the photo, None where none was looked for. loss, steps: the perceptual loss
    of the inversion and its steps by stage."""

    photo_path: Path
    photo_sha256: str
    photo_size: tuple[int, int]
    model: str
    model_sha256: str
    quality: str
    seed: int
    settings: Mapping[str, Any]
    face: int | None
    landmarks: NDArray[np.float64] | None
    alignment: Alignment
    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    pivot: Tensor | None = None
    current: Tensor | None = None
    tuning: Mapping[str, Tensor] = field(default_factory=dict)
    history: tuple[Drag, ...] = ()
    masks: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    faces: int | None = None
    loss: str | None = None
    steps: Mapping[str, int] = field(default_factory=dict)
    points: NDArray[np.float64] | None = None

    @property
    def moves(self) -> Moves:
        """How far parts of the face slide after the drags so far."""
        return self.history[-1].moves if self.history else Moves()

    def from_start(self) -> "Session":
        """The same inversion with nothing dragged yet."""
        return replace(self, current=self.pivot, history=(), masks={})

    def save(self, folder: Path) -> None:
        """Write the folder, readable by its owner only; what is there of another session is replaced.

        Raises OutputError when it cannot be written or the folder holds something else, ResourceError on a
        full disk.
        """
        try:
            make_private(folder)
            files = self._files()
            for name, content in files.items():
                path = folder / name
                if not path.exists() or path.read_bytes() != content:
                    write_bytes(path, content, private=True)
            for path in (*folder.glob("*.safetensors"), *folder.glob("mask-*.png")):
                if path.name not in files:
                    path.unlink()
        except OSError as error:
            raise output_error(error, folder) from error

    def _files(self) -> dict[str, bytes]:
        """Content by name; session.json last, so that a folder without it is an unfinished one."""
        alpha = np.where(self.valid, 255, 0).astype(np.uint8)
        files = {"crop.png": _png(np.dstack([self.crop[..., ::-1], alpha]))}
        if self.pivot is not None and self.current is not None:
            latents = {"pivot": self.pivot.cpu().contiguous(), "current": self.current.cpu().contiguous()}
            files["latents.safetensors"] = save_tensors({k: v.clone() for k, v in latents.items()})
        if self.tuning:
            files["tuned.safetensors"] = save_tensors(dict(self.tuning))
        for name, mask in self.masks.items():
            files[name] = _png(mask)
        files["history.jsonl"] = b"".join(msgspec.json.encode(drag) + b"\n" for drag in self.history)
        files["session.json"] = json.dumps(msgspec.to_builtins(self._header()), indent=1).encode()
        return files

    def _header(self) -> _Header:
        landmarks, points = (
            None if each is None else [(float(x), float(y)) for x, y in each]
            for each in (self.landmarks, self.points)
        )
        return _Header(
            SCHEMA,
            str(self.photo_path),
            self.photo_sha256,
            self.photo_size,
            self.model,
            self.model_sha256,
            self.quality,
            self.seed,
            dict(self.settings),
            self.face,
            landmarks,
            self.alignment.to_dict(),
            self.faces,
            self.loss,
            dict(self.steps),
            points,
        )

    @classmethod
    def load(cls, folder: Path) -> "Session":
        """Read a folder. Raises SessionError when it is missing, unfinished or damaged."""
        if not (folder / "session.json").is_file():
            raise SessionError(
                f"{folder} holds no session; make one with: realedit invert PHOTO --keep {folder}"
            )
        try:
            return cls._load(folder)
        except (OSError, ValueError, KeyError, msgspec.MsgspecError, SafetensorError) as error:
            raise SessionError(
                f"the session in {folder} is damaged ({error}); delete the folder and invert again"
            ) from error

    @classmethod
    def _load(cls, folder: Path) -> "Session":
        header = msgspec.json.decode((folder / "session.json").read_bytes(), type=_Header)
        if header.schema != SCHEMA:
            raise ValueError(f"schema {header.schema}, this version reads {SCHEMA}")
        picture = _read_png(folder / "crop.png")
        if picture.ndim != 3 or picture.shape[2] != 4 or picture.shape[0] != picture.shape[1]:
            raise ValueError("crop.png is not a square RGBA picture")
        latents: dict[str, Tensor] = {}
        if (folder / "latents.safetensors").exists():
            latents = load_tensors((folder / "latents.safetensors").read_bytes())
            if set(latents) != {"pivot", "current"}:
                raise ValueError("latents.safetensors does not hold pivot and current")
        tuned = folder / "tuned.safetensors"
        lines = (folder / "history.jsonl").read_bytes().splitlines()
        history = tuple(msgspec.json.decode(line, type=Drag) for line in lines)
        return cls(
            photo_path=Path(header.photo),
            photo_sha256=header.photo_sha256,
            photo_size=header.photo_size,
            model=header.model,
            model_sha256=header.model_sha256,
            quality=header.quality,
            seed=header.seed,
            settings=header.settings,
            face=header.face,
            landmarks=None if header.landmarks is None else np.array(header.landmarks, float),
            alignment=Alignment.from_dict(header.alignment),
            crop=np.ascontiguousarray(picture[..., 2::-1]),
            valid=picture[..., 3] >= 128,
            pivot=latents.get("pivot"),
            current=latents.get("current"),
            tuning=load_tensors(tuned.read_bytes()) if tuned.exists() else {},
            history=history,
            masks={name: _read_png(folder / name) for name in {drag.mask for drag in history} if name},
            faces=header.faces,
            loss=header.loss,
            steps=header.steps,
            points=None if header.points is None else np.array(header.points, float),
        )


def mask_name(mask: NDArray[np.uint8]) -> str:
    """The file name of a mask in a session: by its content."""
    return f"mask-{hashlib.sha256(mask.tobytes()).hexdigest()[:12]}.png"


def check_folder(folder: Path) -> None:
    """Raise OutputError for a place where no session can be kept: a file, a folder of other things, no
    parent."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder for the session")
    if not folder.exists():
        if not folder.parent.is_dir():
            raise OutputError(f"there is no folder {folder.parent} to keep the session in; make it first")
        if not os.access(folder.parent, os.W_OK | os.X_OK):
            raise OutputError(f"no right to write into {folder.parent}; keep the session elsewhere")
    elif any(folder.iterdir()) and not (
        any((folder / name).exists() for name in ("session.json", "crop.png")) or session_folders(folder)
    ):
        raise OutputError(f"{folder} holds other files; name an empty or new folder for the session")


def session_folders(folder: Path) -> list[Path]:
    """Where sessions are kept in a folder that a person named: in itself, or, of several faces of a photo, in
    folders by their numbers."""
    if (folder / "session.json").is_file():
        return [folder]
    found = folder.iterdir() if folder.is_dir() else ()
    numbered = [each for each in found if each.name.isdecimal() and (each / "session.json").is_file()]
    return sorted(numbered, key=lambda each: int(each.name))


def make_private(folder: Path) -> None:
    """Make `folder`, or narrow it, for its owner only (0700)."""
    check_folder(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "posix":
        folder.chmod(0o700)


def _png(picture: NDArray[np.uint8]) -> bytes:
    ok, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    assert ok
    return data.tobytes()


def _read_png(path: Path) -> NDArray[np.uint8]:
    content = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if len(content) else None
    if picture is None or picture.dtype != np.uint8:
        raise ValueError(f"{path.name} cannot be read")
    return picture  # type: ignore[return-value]


def to_tensor(crop: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """A crop `[R, R, 3]` uint8 as `[1, 3, R, R]` float32 in [-1, 1]."""
    return torch.from_numpy(crop.copy()).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1


def to_picture(image: Tensor) -> NDArray[np.float32]:
    """The generator's `[1, 3, R, R]` as `[R, R, 3]` in [0, 1], clipped."""
    picture: NDArray[np.float32] = (image[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1).float().cpu().numpy()
    return picture
