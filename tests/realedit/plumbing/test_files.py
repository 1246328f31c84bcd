"""write_bytes: complete or absent, whatever fails on the way."""

import builtins
import errno
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realedit.errors import OutputError, ResourceError
from realedit.plumbing.files import path_of, write_bytes, write_png


class _Failing:
    """Raises a full disk at the nth call, and works before."""

    def __init__(self, real: Callable[..., Any], failing: int) -> None:
        self.real, self.left = real, failing

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.real(*args, **kwargs)


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_content_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "Größe 山.bin"
    write_bytes(path, b"one")
    write_bytes(path, b"two" * 100_000)
    assert path.read_bytes() == b"two" * 100_000
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("module", "name"),
    [(os, "fsync"), (os, "replace"), (os, "rename"), (builtins, "open")],
)
@pytest.mark.parametrize("old", [None, b"the old file"])
def test_a_fault_leaves_the_old_file_and_nothing_else(
    module: Any, name: str, old: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.bin"
    if old is not None:
        path.write_bytes(old)
    faulty = _Failing(getattr(module, name), 0)
    with monkeypatch.context() as patch:
        patch.setattr(module, name, faulty)
        if name in ("replace", "rename"):
            patch.setattr(Path, "replace", faulty)
        with pytest.raises(OSError, match="No space left"):
            write_bytes(path, b"new")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if old is None else [old])


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_bytes(tmp_path / "file.bin", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_bytes(tmp_path / "none" / "file.bin", b"")


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask_and_private_files_are_the_owners(mask: int, tmp_path: Path) -> None:
    with _umask(mask):
        write_bytes(tmp_path / "open", b"")
        write_bytes(tmp_path / "private", b"", private=True)
        assert os.umask(mask) == mask, "the umask is as it was"
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_a_folder_that_may_only_be_written_gets_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, flags, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        write_bytes(tmp_path / "file.bin", b"new")
    assert (tmp_path / "file.bin").read_bytes() == b"new"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_path_holds_the_content_while_it_is_needed(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with path_of([b"one", b"two"]) as path:
        assert path.read_bytes() == b"onetwo"
    assert not path.exists()


def test_a_folder_for_temporary_files_is_named_where_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(ResourceError, match=r"temporary files .*none.* TMPDIR"), path_of([b"one"]):
        pass


def test_pictures_to_look_at_replace_only_their_like(tmp_path: Path) -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    for _ in range(2):
        write_png(tmp_path / "new.png", picture)
    (tmp_path / "photo.png").write_bytes(b"photo")
    with pytest.raises(OutputError, match=r"photo\.png"):
        write_png(tmp_path / "photo.png", picture)
    assert (tmp_path / "photo.png").read_bytes() == b"photo"
