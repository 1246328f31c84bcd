"""A small disk of one's own, where one may mount."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rights import held_to_rights


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """`folder` as a tmpfs of `size`; yields what remounts it with other options. PermissionError where
    mounting is not allowed."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "realedit", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        raise PermissionError(made.stderr.decode().strip())

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)

    try:
        yield remount
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def forbidding(*folders: Path) -> Iterator[Callable[[bool], None]]:
    """Yields what forbids, and allows again, to make files in the folders. It holds for what is started
    within, and for root too."""

    def forbid(forbidden: bool) -> None:
        for folder in folders:
            folder.chmod(0o555 if forbidden else 0o755)

    with held_to_rights():
        try:
            yield forbid
        finally:
            forbid(False)
