"""One folder worked off from start to end: the lock, the parts put together, the signals."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from realedit.batch.engine import Engine
from realedit.batch.events import Counts, Show
from realedit.batch.filesystems import is_remote
from realedit.batch.hints import Hints
from realedit.batch.intake import Intake
from realedit.batch.job import State
from realedit.batch.ledger import Ledger
from realedit.batch.ledger_file import FOLDER, has_ledger
from realedit.batch.outputs import Outputs
from realedit.batch.pressure import Pressure
from realedit.batch.queue import Queue
from realedit.batch.reception import Reception
from realedit.batch.results import Results
from realedit.batch.settings import EngineSettings
from realedit.batch.wake import Wake
from realedit.batch.work import Pool, Work
from realedit.errors import OutputError, UsageError
from realedit.plumbing.files import output_error

MakePool = Callable[[Work], Pool]


@dataclass(frozen=True, kw_only=True)
class FolderRequest:
    """What to work off, and where to. settle: seconds that a file must rest; events: whether to listen for
    them (only while watching); links: whether files that are links out of the folder are taken, which whoever
    may write into a watched folder could point at anything."""

    folder: Path
    output: Path
    recursive: bool = False
    settle: float = 0.0
    events: bool = True
    links: bool = True
    quarantine: Path | None = None
    settings: EngineSettings = field(default_factory=EngineSettings)

    def resolved(self) -> "FolderRequest":
        """The same with whole paths, so that the ledger knows a photo from wherever it is called."""
        changes = {"folder": _real(self.folder), "output": _real(self.output)}
        if self.quarantine is not None:
            changes["quarantine"] = _real(self.quarantine)
        return FolderRequest(**{**vars(self), **changes})

    def intake(self) -> Intake:
        """Where its photos come from."""
        skip = [self.output, self.quarantine, self.settings.done.folder]
        return Intake(
            self.folder,
            recursive=self.recursive,
            settle=self.settle,
            links=self.links,
            skip=[path for path in skip if path is not None],
        )


def _real(path: Path) -> Path:
    """The whole path without links; one that goes round in circles stays, and is refused when it is used."""
    return Path(os.path.realpath(path))


def _is_folder(path: Path) -> bool:
    """Whether a folder is there; no for a name that none can have."""
    try:
        return path.is_dir()
    except OSError:
        return False


def check_folders(request: FolderRequest) -> None:
    """Raise UsageError or OutputError for folders that cannot be worked with; makes the output folder."""
    folder, output = request.folder, request.output
    if not _is_folder(folder):
        raise UsageError(f"there is no folder {folder}; name the folder that holds the photos")
    if folder.is_relative_to(output):
        raise UsageError(
            f"{output} holds the photos themselves; name an output folder that {folder} is not in"
        )
    away = {"--quarantine": request.quarantine, "--done move": request.settings.done.folder}
    for option, path in away.items():
        if path is not None and any(_same(path, each) for each in (folder, output)):
            raise UsageError(f"{option} cannot be {path}, which is IN or OUT itself; name another folder")
    made = [output, *away.values()]
    for path in (each for each in made if each is not None):
        try:
            if path.exists() and not path.is_dir():
                raise OutputError(f"{path} is a file; name a folder")
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(error, path) from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise OutputError(f"no right to write into {path}; choose another folder")


def _same(one: Path, other: Path) -> bool:
    """Whether two folders are one, under whatever names."""
    try:
        return one == other or one.samefile(other)
    except OSError:  # one of them is not there, or nobody may look
        return False


def run_folder(
    request: FolderRequest,
    work: Work,
    make_pool: MakePool,
    show: Show,
    *,
    reread: Callable[[], Work] | None = None,
) -> Counts:
    """Work a folder off, or watch it until a signal. Raises UsageError when another realedit works on the
    output folder, OutputError, ResourceError, and the errors with which workers cannot start."""
    request = request.resolved()
    check_folders(request)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(request.output))
            ledger = Ledger(request.output)
        except OSError as error:
            raise output_error(error, request.output) from error
        stack.callback(ledger.close)
        wake = Wake()
        stack.callback(wake.close)
        watching = not request.settings.once and request.events and not is_remote(request.folder)
        hints = Hints(request.folder, wake, recursive=request.recursive) if watching else None
        if hints is not None:
            stack.callback(hints.close)
        pool = make_pool(work)
        stack.callback(pool.close)
        engine = Engine(
            intake=request.intake(),
            ledger=ledger,
            outputs=Outputs(request.output, request.quarantine),
            pool=pool,
            work=work,
            settings=request.settings,
            show=show,
            wake=wake,
            hints=hints,
            reread=reread,
        )
        stack.enter_context(_signals(engine))
        return engine.run()


def plan(request: FolderRequest, work: Work) -> Iterator[tuple[Path, Path]]:
    """What a batch would do: (photo, output) for each that is not done. Nothing is written."""
    request = request.resolved()
    if not _is_folder(request.folder):
        raise UsageError(f"there is no folder {request.folder}; name the folder that holds the photos")
    there = has_ledger(request.output)
    ledger = Ledger(request.output, read_only=True) if there else Ledger(None)
    copy = ledger.in_memory()
    ledger.close()
    intake = request.intake()
    settings = replace(request.settings, queue=1 << 62)
    results = Results(
        copy, Outputs(request.output, request.quarantine), intake, Queue(), settings, Counts(), lambda _: None
    )
    reception = Reception(results, Pressure(results.outputs, lambda: 0, lambda kind, text: None))
    intake.look()
    reception.take(work, float("inf"))
    while results.queue:
        job = copy.job(results.queue.pop())
        assert job is not None
        yield job.source, request.output / job.output
    copy.close()


def pairs(request: FolderRequest) -> Iterator[tuple[str, Path, Path]]:
    """(name, photo, output) of what is done and still there, for a contact sheet."""
    request = request.resolved()
    ledger = Ledger(request.output)
    for job in ledger.jobs(State.DONE):
        output = request.output / job.output
        if job.source.is_relative_to(request.folder) and job.source.is_file() and output.is_file():
            yield str(job.source.relative_to(request.folder)), job.source, output
    ledger.close()


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Hold an output folder for this process. Raises UsageError when another one holds it."""
    folder = output / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(folder / "lock", blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(
            f"another realedit (process {_holder(folder)}) works on {output}; wait for it or use another "
            "folder"
        ) from error
    except NotImplementedError as error:
        raise OutputError(f"the file system of {folder} knows no locks; use another output folder") from error
    try:
        (folder / "holder").write_text(f"{os.getpid()}\n")
        yield
    finally:
        lock.release()


def _holder(folder: Path) -> str:
    """The number of the process that holds an output folder, as it wrote it there."""
    try:
        return f"{int((folder / 'holder').read_text(encoding='ascii'))}"
    except (OSError, ValueError):
        return "unknown"


@contextmanager
def _signals(engine: Engine) -> Iterator[None]:
    """SIGTERM and SIGINT stop the engine, SIGHUP makes it read the recipe again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    actions: dict[int, Callable[[], None]] = {
        signal.SIGINT: engine.stop,
        signal.SIGTERM: engine.stop,
    }
    if hasattr(signal, "SIGHUP"):
        actions[signal.SIGHUP] = engine.reload
    before = {
        number: signal.signal(number, lambda *_, action=action: action())
        for number, action in actions.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
