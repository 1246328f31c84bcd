"""Sessions as data from elsewhere: whatever a folder says, one sentence or a picture, and nothing outside of
the folder is read."""

import contextlib
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from checkpoints import Checkpoint
from realedit.drag import DragSettings
from realedit.editing import stages
from realedit.editing.kept import check_belongs
from realedit.errors import PhotoError, SessionError
from realedit.photos import read_photo
from realedit.sessions.session import Session
from tests.realedit.samples import box_checkpoint, inverted, picture, png, random_session

FILES = ("session.json", "crop.png", "latents.safetensors", "tuned.safetensors", "history.jsonl", "mask")
VALUES: dict[str, Any] = {
    "null": None,
    "text": "x",
    "empty": "",
    "zero byte": "a\0b",
    "a path": "../../etc/passwd",
    "a device": "/dev/zero",
    "a long name": "x" * 300,
    "a long path": "x/" * 3000,
    "a list": [],
    "a map": {},
    "true": True,
    "negative": -1,
    "huge": 10**30,
    "huge float": 1e300,
    "deep": [[[[[[[[1]]]]]]]],
}
NO_JSON = {"NaN": "NaN", "infinite": "-Infinity", "too large": "1e999", "too deep": "[" * 200_000}


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return box_checkpoint(seed=3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, checkpoint: Checkpoint) -> Path:
    """A folder with a photo and a session of it that was dragged within a mask."""
    folder = tmp_path_factory.mktemp("whole")
    photo = png(folder / "photo.png", picture())
    session = inverted(checkpoint, photo)
    mask = np.full((80, 96), 255, np.uint8)
    points = [(48.0, 40.0)], [(52.0, 40.0)]
    session = stages.drag(session, checkpoint, *points, mask=mask, settings=DragSettings(max_steps=1))
    name = next(name for name in checkpoint.generator.state_dict() if name.endswith("weight"))
    change = torch.zeros_like(checkpoint.generator.state_dict()[name]).half()
    import dataclasses

    dataclasses.replace(session, tuning={name: change}).save(folder / "session")
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole / "session", tmp_path / "session")
    return tmp_path / "session"


def _paste(folder: Path, checkpoint: Checkpoint, *, render: bool = True) -> bool:
    """As `realedit paste` does, with the model at hand; False where it was refused. render: to the end, which
    takes most of the time."""
    try:
        session = Session.load(folder)
        if not session.photo_path.exists():
            raise SessionError(f"the session's photo {session.photo_path} is gone")
        photo = read_photo(session.photo_path)
        check_belongs(session, photo, checkpoint, folder)
        if render:
            stages.render(photo, session, checkpoint)
    except (SessionError, PhotoError) as error:
        assert "\n" not in str(error) and len(str(error)) < 600, error
        return False
    return True


USED = ("('alignment'", "('handles'", "('targets'", "('mask',) null")
"""Values that pictures are made of."""


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values are in JSON; of a list the first item stands for all."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*path, 0))


def _set(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


def _variants(text: str) -> Iterator[tuple[str, str]]:
    """JSON with one value changed or gone."""
    for place in _places(json.loads(text)):
        if place[0] == "settings" and len(place) > 1:
            continue  # compared, and used for nothing
        for what, new in VALUES.items():
            found = json.loads(text)
            _set(found, place, new)
            yield f"{place} {what}", json.dumps(found)
        for what, raw in NO_JSON.items():
            found = json.loads(text)
            _set(found, place, "@")
            yield f"{place} {what}", json.dumps(found).replace('"@"', raw)
        found = json.loads(text)
        if isinstance(place[-1], str):
            holder = found
            for key in place[:-1]:
                holder = holder[key]
            del holder[place[-1]]
        else:
            _set(found, place[:-1], [])
        yield f"{place} gone", json.dumps(found)


@pytest.mark.parametrize("name", ["session.json", "history.jsonl"])
def test_no_value_is_anything_but_used_or_told(name: str, folder: Path, checkpoint: Checkpoint) -> None:
    text = (folder / name).read_text()
    refused = used = 0
    for what, changed in _variants(text.strip()):
        (folder / name).write_text(changed)
        try:
            if _paste(folder, checkpoint, render=what.startswith(USED)):
                used += 1
            else:
                refused += 1
        except Exception as error:
            raise AssertionError(f"{what}: {error!r}") from error
    assert refused > 5 * used, (refused, used)


def _bomb(width: int, height: int) -> bytes:
    """A PNG that claims to be larger than any memory."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def _link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _elsewhere(path: Path) -> None:
    """The very file, but outside of the folder."""
    path.rename(path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "absent": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 4),
    "a folder": _folder,
    "a link out": _elsewhere,
    "a link to a device": lambda path: _link(path, "/dev/zero"),
    "a link to nothing": lambda path: _link(path, "nowhere"),
    "a loop": lambda path: _link(path, path.name),
    "a pipe": _pipe,
    "a hole of a terabyte": _sparse,
    "a picture of 10^18 pixels": lambda path: path.write_bytes(_bomb(10**9, 10**9)),
    "a picture of no pixels": lambda path: path.write_bytes(_bomb(0, 0)),
    "tensors of another shape": lambda path: save_file(
        {"pivot": torch.zeros(1, 2, 3), "current": torch.zeros(1, 2, 3)}, path
    ),
    "tensors of another type": lambda path: save_file({"pivot": torch.zeros(1, dtype=torch.int64)}, path),
    "no numbers": lambda path: save_file({"pivot": torch.full((1, 6, 32), float("nan"))}, path),
}


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_anything_but_used_or_told(
    name: str, whole: Path, tmp_path: Path, checkpoint: Checkpoint
) -> None:
    for number, (what, damage) in enumerate(DAMAGES.items()):
        folder = tmp_path / str(number) / "session"
        shutil.copytree(whole / "session", folder)
        path = next(folder.glob("mask-*")) if name == "mask" else folder / name
        damage(path)
        try:
            used = _paste(folder, checkpoint)
        except Exception as error:
            raise AssertionError(f"{what}: {error!r}") from error
        harmless = {("tuned.safetensors", "absent"), ("history.jsonl", "empty")}
        assert used == ((name, what) in harmless), what


@pytest.mark.parametrize(
    "name", ["../photo.png", "mask-0123456789ab.png/../../x.png", "/etc/passwd", "mask.png"]
)
def test_a_mask_is_no_path(name: str, folder: Path) -> None:
    drag = json.loads((folder / "history.jsonl").read_text())
    (folder / "history.jsonl").write_text(json.dumps({**drag, "mask": name}))
    with pytest.raises(SessionError, match="no name of a mask"):
        Session.load(folder)


def test_a_session_that_may_not_be_read_is_not_called_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(SessionError, match=r"may not be read \(Permission denied\)"):
        Session.load(folder)


@pytest.mark.skipif(os.name != "posix", reason="bytes of names are POSIX's")
def test_the_photo_may_have_a_name_of_any_bytes(tmp_path: Path) -> None:
    import dataclasses

    photo = Path("/photos") / os.fsdecode(b"caf\xe9.jpg")
    dataclasses.replace(random_session(1), photo_path=photo).save(tmp_path / "session")
    assert Session.load(tmp_path / "session").photo_path == photo


def test_saving_over_what_is_no_file_reads_nothing_of_it(folder: Path, tmp_path: Path) -> None:
    session = Session.load(folder)
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    _link(folder / "history.jsonl", str(outside))
    (folder / "crop.png").unlink()
    os.mkfifo(folder / "crop.png")
    session.save(folder)
    assert outside.read_bytes() == b"mine" and not (folder / "history.jsonl").is_symlink()
    with contextlib.suppress(SessionError):
        Session.load(folder)
