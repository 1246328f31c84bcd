"""Ending a wait from a signal handler or another thread."""

import contextlib
import os


class Wake:
    """A pipe: `up` makes its reading end readable, `rest` empties it."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)

    def up(self) -> None:
        """Wake whoever waits; safe in signal handlers and threads."""
        with contextlib.suppress(OSError):  # full: it is awake; closed: nobody waits
            os.write(self._writer, b"\0")

    def rest(self) -> None:
        """Forget that somebody called."""
        with contextlib.suppress(OSError):
            while os.read(self.reader, 4096):
                pass

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self.reader)
        os.close(self._writer)
