"""Where messages go: to stderr, and all of them to a log file."""

import logging
import sys
from pathlib import Path
from typing import TextIO

from realedit import __version__
from realedit.cli.streams import complain
from realedit.errors import UsageError
from realedit.plumbing.printing import printable


class Terminal(logging.StreamHandler[TextIO]):
    """Messages on stderr, with names as they may be shown; what cannot be said there is lost."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, its lines harmless."""
        return "\n".join(map(printable, super().format(record).splitlines()))

    def handleError(self, record: logging.LogRecord) -> None:
        """Nowhere to say it."""


class LogFile(logging.FileHandler):
    """All messages in a file. A disk that is full meanwhile is said once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self._path, self._failed = path, False

    def handleError(self, record: logging.LogRecord) -> None:
        """Say it once."""
        if not self._failed:
            self._failed = True
            complain(f"the log file {self._path} is not complete: {sys.exception()}")


def set_up_logging(*, verbose: bool, quiet: bool, log_file: Path | None) -> None:
    """Send the packages' messages to stderr and, all of them, to `log_file`."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if log_file else logging.INFO if verbose else logging.WARNING)
    to_terminal: logging.Handler = Terminal()
    to_terminal.setLevel(logging.INFO if verbose else logging.ERROR if quiet else logging.WARNING)
    to_terminal.setFormatter(logging.Formatter("realedit: %(message)s"))
    handlers: list[logging.Handler] = [to_terminal]
    if log_file is not None:
        try:
            to_file = LogFile(log_file)
        except OSError as error:
            raise UsageError(
                f"the log file {log_file} cannot be written: {error.strerror}; choose another"
            ) from error
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handlers.append(to_file)
    root.handlers[:] = handlers
    what = " ".join(map(printable, sys.argv[1:]))
    logging.getLogger("realedit").debug("this is the log of realedit %s: %s", __version__, what)
    logging.captureWarnings(True)
    for noisy in ("PIL", "numba", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # one sentence of ours says what is damaged
