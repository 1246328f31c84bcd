"""Where photos come from: a folder, looked through again and again, and each file held until it rests.

What a look finds is the truth; events of the file system only say when to look (`hints`). Time is the
monotonic clock's, so that a jump of the wall clock changes nothing.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from realedit.batch.names import is_entered, is_photo


@dataclass(frozen=True, slots=True)
class Seen:
    """A photo's file: its name below the folder, and size and times as one word. There may be a million, so
    paths are made when they are asked for."""

    folder: Path
    name: str
    signature: str

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.folder / self.name

    @property
    def relative(self) -> Path:
        """The path below the folder."""
        return Path(self.name)


@dataclass(slots=True)
class _Watched:
    """A file between two looks. since: when it last changed; due: when it may be taken; offered: it was."""

    seen: Seen
    since: float
    due: float
    offered: bool = False
    wait: float = 0.0


def signature_of(status: os.stat_result) -> str:
    """Size and times of modification and change; inodes are not stable on every network."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def walk(folder: Path, *, recursive: bool, skip: Sequence[Path] = (), links: bool = True) -> Iterator[Seen]:
    """The photos of a folder in the order of their names. Folders in `skip`, linked folders and folders that
    vanish or cannot be entered are left out, and without `links` files that are links out of the folder;
    OSError where `folder` itself cannot be read."""
    skipped = {os.path.realpath(path) for path in skip}
    start = len(os.path.join(folder, ""))  # of a name in a path  # noqa: PTH118
    stack = [folder]
    while stack:
        here = stack.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name, reverse=True)
        except OSError:
            if here == folder:
                raise
            continue
        folders = []
        while entries:
            entry = entries.pop()  # each remembers all that was asked of its file
            try:
                if entry.is_dir(follow_symlinks=False):
                    if recursive and is_entered(entry.name) and os.path.realpath(entry.path) not in skipped:
                        folders.append(Path(entry.path))
                elif is_photo(entry.name) and entry.is_file() and (links or not _leads_out(entry, folder)):
                    yield Seen(folder, entry.path[start:], signature_of(entry.stat()))
            except OSError:  # it vanished, or is a link to nothing
                continue
        stack.extend(reversed(folders))


def _leads_out(entry: os.DirEntry[str], folder: Path) -> bool:
    """Whether a file is a link to one that is not in the folder (resolved)."""
    return entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(folder)


class Intake:
    """The photos of a folder that rest: unchanged in size and times for `settle` seconds."""

    def __init__(
        self,
        folder: Path,
        *,
        recursive: bool,
        settle: float,
        skip: Sequence[Path] = (),
        links: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """folder: resolved; skip: folders in it that are not looked into; links: see `walk`."""
        self.folder, self.recursive, self.settle, self.skip = folder, recursive, settle, tuple(skip)
        self.links = links
        self._clock = clock
        self._files: dict[str, _Watched] = {}  # by name
        self._open: dict[str, _Watched] = {}  # of _files those that were not offered
        self._ready: deque[_Watched] = deque()  # of _open those that are due
        self._due = float("inf")  # when the first of those that wait is due
        self.took = 0.0  # seconds of the last look

    def look(self) -> None:
        """Look through the folder; OSError where it cannot be read."""
        started = self._clock()
        found = {}
        for seen in walk(self.folder, recursive=self.recursive, skip=self.skip, links=self.links):
            known = self._files.get(seen.name)
            if known is None or known.seen.signature != seen.signature:
                known = _Watched(seen, started, started + self.settle)
            found[seen.name] = known
        self._files = found
        self._open = {name: file for name, file in found.items() if not file.offered}
        self._ready = deque(file for file in self._open.values() if file.due <= started)
        self._due = min(
            (file.due for file in self._open.values() if file.due > started), default=float("inf")
        )
        self.took = self._clock() - started

    def take(self) -> Seen | None:
        """The next file that rests; each is offered once, until it changes or is put back."""
        if not self._ready:
            return None
        file = self._ready.popleft()
        file.offered = True
        del self._open[file.seen.name]
        return file.seen

    def rested(self, path: Path) -> float:
        """For how many seconds a file has not changed; 0 for one that is no longer there."""
        file = self._files.get(self._name(path))
        return 0.0 if file is None else self._clock() - file.since

    def put_back(self, path: Path, seconds: float | None = None) -> None:
        """Offer a file again after `seconds` (None: twice as long as the last time), or when it changes."""
        file = self._files.get(self._name(path))
        if file is None or not file.offered:
            return
        self._open[file.seen.name] = file
        file.wait = max(self.settle, 0.5, 2 * file.wait) if seconds is None else seconds
        file.due, file.offered = self._clock() + file.wait, False
        self._due = min(self._due, file.due)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.folder))

    def offer_again(self) -> None:
        """Offer every file again at the next look: the ledger was changed by somebody else."""
        for file in self._files.values():
            file.offered = False

    @property
    def ready(self) -> int:
        """Files that can be taken now."""
        return len(self._ready)

    @property
    def restless(self) -> int:
        """Files that are waited for."""
        return len(self._open) - len(self._ready)

    @property
    def found(self) -> int:
        """Photos that the last look found."""
        return len(self._files)

    def next_due(self) -> float | None:
        """Seconds until a waiting file may be taken; None when none waits."""
        if not self._open:
            return None
        return 0.0 if self._ready else max(0.0, self._due - self._clock())
