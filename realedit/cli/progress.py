"""The progress bar, and Ctrl-C during the work."""

import signal
import sys
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from realedit.api import DragStep, Step

if TYPE_CHECKING:
    from rich.progress import Progress

TITLES = {"project": "finding the face", "tune": "tuning to the photo", "drag": "dragging"}


class Watcher:
    """An `OnStep` that draws stage, step, loss and handle distance, and listens for Ctrl-C.

    The first Ctrl-C during a drag ends it with what was reached; anywhere else, and the second time, it
    interrupts. Use as a context manager. Draws on a terminal only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.bar = _bar() if not quiet and sys.stderr.isatty() else None
        self.stopped = False
        self._dragging = False
        self._stage = ""

    def __enter__(self) -> "Watcher":
        if self.bar is not None:
            self._task = self.bar.add_task("reading", total=None, note="")
            self.bar.start()
        self._before = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, step: Step | DragStep) -> bool:
        """Draw one step; False once the user asked to stop dragging."""
        self._dragging = isinstance(step, DragStep) and step.ending == "running"
        if self.bar is not None:
            self._draw(step, self.bar)
        return not self.stopped

    def _draw(self, step: Step | DragStep, bar: "Progress") -> None:
        stage = "drag" if isinstance(step, DragStep) else step.stage
        note = f"loss {step.loss:.3f}"
        if isinstance(step, DragStep):
            note += f", {step.distances.max(initial=0):.1f} px to go"
        if stage != self._stage:
            self._stage = stage
            bar.reset(self._task, total=step.total, description=TITLES[stage], note=note)
        bar.update(self._task, completed=step.index, note=note)

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._dragging or self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        print("realedit: stopping; Ctrl-C again to give up", file=sys.stderr)  # noqa: T201


def _bar() -> "Progress":
    from rich.console import Console  # imported here: few commands are watched on a terminal
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<20}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
