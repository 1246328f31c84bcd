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

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save as save_tensors
from torch import Tensor

from alignment import Alignment
from checkpoints import Checkpoint
from inversion import Quality
from realedit.compositing.features import Moves
from realedit.compositing.heads import Turn
from realedit.errors import SessionError
from realedit.plumbing.files import output_error, png_of, write_bytes
from realedit.sessions.folders import MARK, make_private
from realedit.sessions.stored import (
    SCHEMA,
    Drag,
    Header,
    Square,
    mask_name,
    misfit,
    read_crop,
    read_header,
    read_history,
    read_latents,
    read_mask,
    read_tuning,
)

__all__ = ["Drag", "Session", "mask_name"]

_STALE = re.compile(r"mask-[0-9a-f]{12}\.png|(latents|tuned)\.safetensors")


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
    quality: Quality
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

    @property
    def turn(self) -> Turn:
        """How far the head has turned after the drags so far."""
        return self.history[-1].turn if self.history else Turn()

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
                if not path.is_file() or path.read_bytes() != content:
                    write_bytes(path, content, private=True)
            for path in folder.iterdir():
                if path.name not in files and _STALE.fullmatch(path.name):
                    path.unlink()
        except OSError as error:
            raise output_error(error, folder) from error

    def _files(self) -> dict[str, bytes]:
        """Content by name; session.json last, so that a folder without it is an unfinished one."""
        alpha = np.where(self.valid, 255, 0).astype(np.uint8)
        files = {"crop.png": png_of(np.dstack([self.crop, alpha]), MARK)}
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

    def _header(self) -> Header:
        landmarks, points = (
            None if each is None else [(float(x), float(y)) for x, y in each]
            for each in (self.landmarks, self.points)
        )
        return Header(
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
            Square(self.alignment.centre, self.alignment.side, self.alignment.angle),
            self.faces,
            self.loss,
            dict(self.steps),
            points,
        )

    @classmethod
    def load(cls, folder: Path) -> "Session":
        """Read a folder, as data from elsewhere. Raises SessionError when it is missing, unfinished or
        damaged, or may not be read."""
        try:
            if not (folder / "session.json").is_file():
                raise SessionError(
                    f"{folder} holds no session; make one with: realedit invert PHOTO --keep {folder}"
                )
            return cls._load(folder)
        except PermissionError as error:
            raise SessionError(
                f"the session in {folder} may not be read ({error.strerror}); see whose it is"
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise SessionError(
                f"the session in {folder} is damaged ({one_line(reason)}); delete the folder and invert again"
            ) from error

    @classmethod
    def _load(cls, folder: Path) -> "Session":
        header = read_header(folder)
        picture = read_crop(folder)
        pivot, current = read_latents(folder) or (None, None)
        history = read_history(folder)
        names = {drag.mask for drag in history if drag.mask is not None}
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
            alignment=Alignment.from_dict(msgspec.structs.asdict(header.alignment)),
            crop=np.ascontiguousarray(picture[..., 2::-1]),
            valid=picture[..., 3] >= 128,
            pivot=pivot,
            current=current,
            tuning=read_tuning(folder),
            history=history,
            masks={name: read_mask(folder, name, header.photo_size) for name in names},
            faces=header.faces,
            loss=header.loss,
            steps=header.steps,
            points=None if header.points is None else np.array(header.points, float),
        )

    def check_fits(self, checkpoint: Checkpoint, photo_size: tuple[int, int] | None, folder: Path) -> None:
        """Raise SessionError where the parts of a session from `folder` do not fit together, the generator
        they were made with, or the photo of `photo_size` (width, height)."""
        reason = misfit(checkpoint.generator, self.crop, self.pivot, dict(self.tuning))
        width, height = self.photo_size
        if photo_size not in (None, self.photo_size):
            reason = f"its photo has {width} x {height} pixels, this one {photo_size}"
        (left, top), (right, bottom) = self.alignment.corners().min(0), self.alignment.corners().max(0)
        if not (left < width and top < height and right > 0 and bottom > 0):
            reason = "its square lies outside of the photo"
        if reason:
            raise SessionError(
                f"the session in {folder} is damaged ({reason}); delete the folder and invert again"
            )


def one_line(reason: object) -> str:
    """A reason that may quote a file, as a sentence can hold it."""
    text = " ".join(str(reason).split())
    return text if len(text) <= 200 else f"{text[:200]}..."


def _png(picture: NDArray[np.uint8]) -> bytes:
    ok, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    assert ok
    return data.tobytes()


def to_tensor(crop: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """A crop `[R, R, 3]` uint8 as `[1, 3, R, R]` float32 in [-1, 1]."""
    return torch.from_numpy(crop.copy()).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1


def to_picture(image: Tensor) -> NDArray[np.float32]:
    """The generator's `[1, 3, R, R]` as `[R, R, 3]` in [0, 1], clipped."""
    picture: NDArray[np.float32] = (image[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1).float().cpu().numpy()
    return picture
