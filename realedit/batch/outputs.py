"""The output folder: attempts, outputs put into place, originals put away, quarantine.

An attempt writes into a hidden folder of its own beside the output, so that nobody meets a half-made file
and a worker that was given up cannot touch another's. Everything here may be done twice to the same end.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from realedit.batch.intake import signature_of
from realedit.batch.job import Job
from realedit.batch.ledger_file import FOLDER
from realedit.batch.names import fitted, numbered
from realedit.batch.settings import Done
from realedit.batch.work import no_room
from realedit.errors import OutputError
from realedit.plumbing.files import complete, sync_folder, write_bytes
from realedit.plumbing.places import check_ours

_ATTEMPT = ".realedit-"  # and the job's number, and what is different for each attempt


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Outputs:
    """An output folder with its quarantine."""

    def __init__(self, folder: Path, quarantine: Path | None = None) -> None:
        """Both resolved; by default the quarantine is in the output folder."""
        self.folder = folder
        self.quarantine = quarantine or folder / "quarantine"
        self._attempts: dict[int, set[Path]] = {}  # the folders of attempts, by job

    def place(self, job: Job) -> Path:
        """Where the output of a job belongs."""
        return self.folder / job.output

    def stage(self, job: Job) -> Path:
        """A file for one attempt, of the output's name, in a new folder of the attempt's own. Raises
        OutputError where the output would lie elsewhere than in the output folder."""
        place = self.place(job)
        _check_inside(self.folder, place)
        folder = place.parent / f"{_ATTEMPT}{job.id}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        self._attempts.setdefault(job.id, set()).add(folder)
        return folder / place.name

    def sweep(self, job: Job) -> None:
        """Remove what attempts of a job have left in this run; OSError while the folder cannot be written."""
        left = self._attempts.get(job.id, set())
        for folder in list(left):
            _remove(folder)
            if not folder.exists():
                left.discard(folder)
        if not left:
            self._attempts.pop(job.id, None)

    def sweep_all(self) -> None:
        """Remove what attempts of earlier runs have left, wherever in the output folder."""
        for here, folders, _ in os.walk(self.folder):
            for name in [name for name in folders if name.startswith(_ATTEMPT)]:
                folders.remove(name)
                _remove(Path(here, name))

    def is_foreign(self, job: Job) -> bool:
        """Whether something that this job did not make is in its place."""
        place = self.place(job)
        if not place.exists():
            return False
        return not place.is_file() or digest(place) not in (job.output_sha256, job.claim)

    def publish(self, job: Job, staged: Path, sha256: str) -> None:
        """Rename an attempt's files into place, the output last. Raises OutputError when the file is not
        the one that was verified, or a comparison's place holds what realedit did not make."""
        place = self.place(job)
        if not staged.exists() and place.is_file() and digest(place) == sha256:
            return  # a try before this one came so far
        if digest(staged) != sha256:
            raise OutputError(f"{place} was read back differently than it was written; check the disk")
        besides = [each for each in sorted(staged.parent.iterdir()) if each != staged]
        check_ours(*(place.with_name(each.name) for each in besides))
        for beside in besides:
            beside.replace(place.with_name(beside.name))
        staged.replace(place)
        sync_folder(place.parent)

    def copy(self, twin: Job, staged: Path, beside: Callable[[Path], tuple[Path, ...]]) -> bool:
        """Copy the output of a job with the same content and work, and what is `beside` it; False where it is
        no longer as it was made, or of another format."""
        source = self.place(twin)
        if source.suffix.lower() != staged.suffix.lower() or not source.is_file():
            return False
        files = {staged: source, **dict(zip(beside(staged), beside(source), strict=True))}
        for copy, made in files.items():
            if not made.is_file():
                return False
            shutil.copyfile(made, copy)
            with copy.open("rb+") as file:
                os.fsync(file.fileno())
        return digest(staged) == twin.output_sha256

    def put_away(self, job: Job, relative: Path, done: Done) -> bool:
        """Move or delete an original once its output is verified; False where that was not done because the
        file or the output changed."""
        if digest(self.place(job)) != job.output_sha256:
            return False
        before = signature_of(job.source.stat())
        if digest(job.source) != job.content:
            return False
        kept = None
        if done.mode == "move":
            assert done.folder is not None
            kept = _kept(job.source, done.folder / relative, job.content)
        linked = kept is not None and kept.samefile(job.source)
        if not linked and signature_of(job.source.stat()) != before:
            return False  # another photo has come under this name
        job.source.unlink()
        return True

    def confine(self, job: Job, relative: Path, reason: Mapping[str, Any]) -> Path:
        """Copy a photo that was given up to the quarantine, and say why beside it. Returns the copy's place,
        which stays empty where the photo cannot be read."""
        number = 1
        _check_inside(self.quarantine, self.quarantine / relative)
        while True:
            place = numbered(self.quarantine / relative, number)
            if not place.exists() or digest(place) == job.content:
                break
            number += 1
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            try:
                source = job.source.open("rb")
            except OSError:
                source = None
            if source is not None:
                with source, complete(place) as out:
                    shutil.copyfileobj(source, out, 1 << 20)
        text = json.dumps({**reason, "content": job.content}, indent=1)
        write_bytes(_reason_of(place), text.encode())
        return place

    def release(self, job: Job, relative: Path) -> None:
        """Remove quarantined beginnings of a photo that has arrived whole since."""
        number = 1
        _check_inside(self.quarantine, self.quarantine / relative)
        while (place := numbered(self.quarantine / relative, number)).exists():
            if _begins_with(job.source, place):
                place.unlink()
                _reason_of(place).unlink(missing_ok=True)
            number += 1

    def probe(self, size: int) -> bool:
        """Whether `size` bytes can be written now, and an attempt's folder be made."""
        try:
            write_bytes(self.folder / FOLDER / "probe", bytes(size))
            (self.folder / FOLDER / "probe").unlink()
            folder = self.folder / f".realedit-probe-{secrets.token_hex(4)}"
            folder.mkdir()
            folder.rmdir()
        except OSError:
            return False
        return True


def _reason_of(place: Path) -> Path:
    """The file that says why, beside the copy."""
    end = ".reason.json"
    return place.with_name(fitted(place.name, len(end)) + end)


def _check_inside(folder: Path, place: Path) -> None:
    """Raise OutputError for a place that a linked folder leads out of `folder` (resolved): what is there is
    somebody else's, perhaps the photos themselves."""
    real = Path(os.path.realpath(place.parent))
    if not real.is_relative_to(folder):
        raise OutputError(
            f"{place} would be written to {real}, outside of {folder}; remove the link that leads there"
        )


def _remove(folder: Path) -> None:
    """Remove an attempt's folder, unless a worker that was given up is still in there, or was faster. OSError
    while the folder cannot be written."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        if isinstance(error, PermissionError) or no_room(error):
            raise


def _kept(source: Path, target: Path, content: str) -> Path:
    """Where a file is kept under a name that was free: as a link, or across file systems as a copy that was
    read back."""
    target.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        place = numbered(target, number)
        if place.exists():
            if place.name == source.name and place.parent.samefile(source.parent):
                raise OutputError(f"{place.parent} is the photo's own folder under another name")
            if digest(place) == content:  # moved before, and interrupted
                break
        else:
            try:
                if source.is_symlink():
                    raise OSError("a link may lead nowhere from another place")
                os.link(source, place)
            except FileExistsError:
                continue
            except OSError:  # another file system, or one without links
                with source.open("rb") as file, complete(place) as out:
                    shutil.copyfileobj(file, out, 1 << 20)
                if digest(place) != content:
                    place.unlink()
                    raise OutputError(f"{place} was read back differently than it was written") from None
                shutil.copystat(source, place)
            break
        number += 1
    sync_folder(place.parent)
    return place


def _begins_with(whole: Path, beginning: Path) -> bool:
    """Whether a longer file starts with a shorter one."""
    if beginning.stat().st_size >= whole.stat().st_size:
        return False
    with whole.open("rb") as one, beginning.open("rb") as other:
        while block := other.read(1 << 20):
            if one.read(len(block)) != block:
                return False
    return True
