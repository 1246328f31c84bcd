"""Models, photos and sessions that the tests of the pipeline share: tiny, random, made in milliseconds."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from alignment import Alignment
from checkpoints import Checkpoint
from checkpoints.convert import write_model
from checkpoints.storage import StoredModel
from checkpoints.testing import random_checkpoint
from inversion import InversionSettings, ProjectionSettings, TuningSettings
from realedit.compositing import Moves
from realedit.compositing.lids import Lids
from realedit.compositing.parting import Lips
from realedit.editing import stages
from realedit.photos import Format, Photo, read_photo
from realedit.sessions.session import Drag, Session, mask_name

QUICK = InversionSettings(projection=ProjectionSettings(steps=2), tuning=TuningSettings(steps=0))

PUSH = """
name = "push"
description = "The middle to the right."
units = "box"
reach = "all"
points = [{ at = [0.5, 0.5], move = [0.05, 0.0] }]
[drag]
max_steps = 2
"""
"""A recipe's file, for pictures without a face."""


def picture(width: int = 96, height: int = 80, *, seed: int = 0) -> NDArray[np.uint8]:
    """A colourful, detailed picture `[height, width, 3]` without symmetry."""
    random = np.random.default_rng(seed)
    noise = random.uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    smooth = (smooth - smooth.mean()) * 6 + 128
    return np.asarray(np.clip(smooth + 0.25 * (noise - 128), 0, 255), np.uint8)


def smooth_picture(width: int = 96, height: int = 80, *, seed: int = 0) -> NDArray[np.uint8]:
    """The same without noise, which lossy formats would lose."""
    return np.asarray(cv2.GaussianBlur(picture(width, height, seed=seed), (0, 0), 3), np.uint8)


def png(path: Path, pixels: NDArray[Any]) -> Path:
    """Write `[h, w, 3]` RGB or `[h, w]` grey pixels, 8 or 16 bits."""
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return path


def photo_of(pixels: NDArray[Any], **changes: Any) -> Photo:
    """A photo in memory, `[h, w, 3]` or `[h, w, 1]`, as if read from a PNG."""
    depth = 8 * pixels.dtype.itemsize
    made = Photo(path=Path("photo.png"), source=b"", format=Format.PNG, stored=pixels, depth=depth)
    return dataclasses.replace(made, **changes)


def box_checkpoint(resolution: int = 32, **arguments: Any) -> Checkpoint:
    """A random checkpoint that takes the centred square of any photo, so that no face is looked for."""
    return random_checkpoint(resolution, domain="unknown", alignment="box", **arguments)


def save_model(checkpoint: Checkpoint, path: Path) -> Path:
    """The checkpoint as a file that `--model` takes."""
    state = checkpoint.generator.state_dict()
    generator = {name.replace("_network.", ".", 1): t.clone().contiguous() for name, t in state.items()}
    encoder = {} if checkpoint.encoder is None else dict(checkpoint.encoder.state_dict())
    codes, names = {}, ()
    if checkpoint.codes is not None:
        codes = {name: getattr(checkpoint.codes, name) for name in ("mean", "components", "std")}
        if (motions := checkpoint.codes.motions) is not None:
            names = motions.names
            codes |= {"motions": motions.ways, "motion_ranges": motions.ranges}
    metadata = {"domain": checkpoint.domain, "alignment": checkpoint.alignment, "licence": "none"}
    metadata |= {"motions": json.dumps(names)} if names else {}
    write_model(StoredModel(str(path), generator, encoder, codes, {}, metadata), path)
    return path


def inverted(checkpoint: Checkpoint, path: Path, settings: InversionSettings = QUICK) -> Session:
    """The session of the photo at `path`, aligned and inverted."""
    session = stages.align(read_photo(path), checkpoint, photo_path=path, settings=settings, quality="draft")
    return stages.invert(session, checkpoint, settings)


def random_session(seed: int, *, tuned: bool = True, landmarks: bool = True) -> Session:
    """A session with random content in every place."""
    random = np.random.default_rng(seed)
    rng = torch.Generator().manual_seed(seed)
    mask = (random.random((9, 12)) > 0.5).astype(np.uint8) * 255

    def points(count: int = 2) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in random.normal(50, 20, (count, 2))]

    history = (
        Drag(points(), points(), points(), 12, "arrived", "local", mask_name(mask)),
        Drag(
            points(3), points(3), points(3), 0, "arrived", "all", None,
            carried=[0, 2], moves=Moves(left_eye=Lids(1.0), lips=Lips(0.1 + 0.2, -1 / 3)),
        ),
    )  # fmt: skip
    tuning = {"a.weight": torch.randn(2, 3, generator=rng).half()} if tuned else {}
    return Session(
        photo_path=Path("/photos/Zoë und Jürgen 山.jpg"),
        photo_sha256=f"{seed:064x}",
        photo_size=(12, 9),
        model="random",
        model_sha256=f"{seed + 1:064x}",
        quality="draft",
        seed=seed,
        settings=dataclasses.asdict(InversionSettings(seed=seed)),
        face=0 if landmarks else None,
        landmarks=random.normal(50, 20, (68, 2)) if landmarks else None,
        alignment=Alignment(centre=(random.normal(), 1 / 3), side=7.7, angle=float(random.normal())),
        crop=random.integers(0, 256, (16, 16, 3), dtype=np.uint8),
        valid=random.random((16, 16)) > 0.3,
        pivot=torch.randn(1, 4, 8, generator=rng),
        current=torch.randn(1, 4, 8, generator=rng),
        tuning=tuning,
        history=history,
        masks={mask_name(mask): mask},
        points=random.normal(50, 20, (478, 2)) if landmarks else None,
    )
