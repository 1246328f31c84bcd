"""The ledger's file: where it is, opening it whatever lies there, and SQLite's errors as everybody else's."""

import errno
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from realedit.batch.filesystems import is_remote
from realedit.batch.rows import COLUMNS, MIGRATIONS, SCHEMA, TABLES, DamagedRowError
from realedit.errors import OutputError
from realedit.plumbing.files import output_error

FOLDER = ".realedit"
PATIENCE = 30.0  # seconds to wait for another process that writes

_LONGEST_REASON = 200  # characters

_ERRNO = {
    "SQLITE_FULL": errno.ENOSPC,
    "SQLITE_IOERR_WRITE": errno.ENOSPC,
    "SQLITE_IOERR_FSYNC": errno.ENOSPC,
    "SQLITE_IOERR_SHM": errno.ENOSPC,
    "SQLITE_READONLY": errno.EROFS,
    "SQLITE_CANTOPEN": errno.EROFS,
}


def ledger_of(folder: Path) -> Path:
    """Where the ledger of an output folder is, or would be."""
    return folder / FOLDER / "ledger.sqlite"


def has_ledger(folder: Path) -> bool:
    """Whether something is in the ledger's place. Raises OutputError where nobody may look."""
    try:
        ledger_of(folder).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(ledger_of(folder), error) from error
    return True


def opened(path: Path | None, patience: float, *, read_only: bool) -> sqlite3.Connection:
    """The file, made or brought to the present version where it is to be written; None: one in memory.
    Errors: see `Ledger`."""
    try:
        if path is not None:
            if not read_only:
                path.parent.mkdir(mode=0o700, exist_ok=True)
            _check_file(path)
        with reading(path):
            base = _connected(path, patience, read_only=read_only)
            try:
                return _prepared(base, path, read_only=read_only)
            except BaseException:
                base.close()
                raise
    except OSError as error:
        assert path is not None
        raise output_error(error, path) from error


def _prepared(base: sqlite3.Connection, path: Path | None, *, read_only: bool) -> sqlite3.Connection:
    """The base with the tables of the present version; a copy in memory where it must not be changed."""
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if not 0 <= version <= SCHEMA:
        raise OutputError(
            f"the ledger {path} is of version {version}, this realedit reads {SCHEMA}; "
            "use the realedit that made it"
        )
    if read_only and version < SCHEMA:
        with closing(base) as old:
            base = sqlite3.connect(":memory:", isolation_level=None)
            old.backup(base)
    elif path is not None and not read_only:
        shared = is_remote(path.parent)  # WAL needs memory that processes share
        base.execute(f"PRAGMA journal_mode={'DELETE' if shared else 'WAL'}")
        base.execute("PRAGMA synchronous=FULL")
    base.execute("PRAGMA trusted_schema=OFF")
    if version == 0:
        base.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version={SCHEMA}; COMMIT;")
    for number in range(version or SCHEMA, SCHEMA):
        script = f"{MIGRATIONS[number]} PRAGMA user_version={number + 1};"
        base.executescript(f"BEGIN IMMEDIATE; {script} COMMIT;")
    base.execute(f"SELECT {', '.join(COLUMNS)} FROM jobs LIMIT 0")  # they are there
    return base


@contextmanager
def reading(path: Path | None) -> Iterator[None]:
    """SQLite's own words as the errors everything else raises: OSError for a full or read-only disk,
    OutputError for what the ledger itself is to blame for."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        number = next((n for start, n in _ERRNO.items() if name.startswith(start)), None)
        if number is not None:
            raise OSError(number, str(error), str(path)) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise OutputError(f"another program holds the ledger {path}; wait for it, or end it") from error
        raise _damaged(path, error) from error
    except DamagedRowError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path | None, error: Exception) -> OutputError:
    reason = " ".join(str(error).split())  # may quote what is in there
    reason = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}..."
    return OutputError(f"the ledger {path} is damaged ({reason}); move it away to begin a new one")


def _connected(path: Path | None, patience: float, *, read_only: bool) -> sqlite3.Connection:
    """The open file. One on a disk that cannot be written is taken as it lies there."""
    if path is None or not read_only:
        name = ":memory:" if path is None else str(path)
        return sqlite3.connect(name, timeout=patience, isolation_level=None)
    address = f"{path.absolute().as_uri()}?mode=ro"
    base = sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)
    try:
        base.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
            raise
        if path.with_name(f"{path.name}-wal").exists():
            raise
        base.close()
        base = sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None)
    return base


def _check_file(path: Path) -> None:
    """Raise OutputError for what is there and no file that may be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OutputError(f"the ledger {path} is no file; move it away to begin a new one")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"the ledger {path} cannot be read ({error.strerror or error}); check what is there and who owns it"
    )
