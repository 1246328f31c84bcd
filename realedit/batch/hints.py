"""Events of the file system, as hints that it is time to look."""

import logging
import os
import threading
from pathlib import Path

from watchfiles import watch

from realedit.batch.wake import Wake

log = logging.getLogger(__name__)


class Hints:
    """Wakes somebody when something changes below a folder; `changed` is set until it is read.

    Where events fail (too many folders for inotify, an unmounted share) it says so and stays silent: looking
    again from time to time finds everything anyway.
    """

    def __init__(self, folder: Path, wake: Wake, *, recursive: bool) -> None:
        self._folder, self._wake, self._recursive = folder, wake, recursive
        self._changed, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
        self._thread.start()

    def read(self) -> bool:
        """Whether something has changed since the last call."""
        changed = self._changed.is_set()
        self._changed.clear()
        return changed

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            events = watch(
                self._folder,
                watch_filter=None,
                recursive=self._recursive,
                stop_event=self._stop,
                debounce=200,
                step=50,
                rust_timeout=500,
                raise_interrupt=False,
                force_polling=False,
            )
            for _ in events:
                self._changed.set()
                self._wake.up()
        except (OSError, RuntimeError) as error:
            log.warning(
                "no events from %s (%s); it is looked through from time to time instead",
                os.fspath(self._folder),
                error,
            )
