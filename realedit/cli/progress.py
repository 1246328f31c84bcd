"""The progress bar, and Ctrl-C during the work."""

import signal
import sys
from types import FrameType, TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from inversion import Step
from realedit.drag import DragStep

TITLES = {"project": "finding the face", "tune": "tuning to the photo", "drag": "dragging"}


class Watcher:
    """An `OnStep` that draws stage, step, loss and handle distance, and listens for Ctrl-C.

    The first Ctrl-C during a drag ends it with what was reached; anywhere else, and the second time, it
    interrupts. Use as a context manager. Draws on a terminal only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True)
        self._drawn = not quiet and self.console.is_terminal
        self.bar = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self._drawn,
        )
        self.stopped = False
        self._dragging = False
        self._task = self.bar.add_task("reading", total=None, note="")
        self._stage = ""

    def __enter__(self) -> "Watcher":
        if self._drawn:
            self.bar.start()
        self._before = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)
        if self._drawn:
            self.bar.stop()

    def __call__(self, step: Step | DragStep) -> bool:
        """Draw one step; False once the user asked to stop dragging."""
        stage = "drag" if isinstance(step, DragStep) else step.stage
        self._dragging = isinstance(step, DragStep) and step.ending == "running"
        note = f"loss {step.loss:.3f}"
        if isinstance(step, DragStep):
            note += f", {step.distances.max(initial=0):.1f} px to go"
        if stage != self._stage:
            self._stage = stage
            self.bar.reset(self._task, total=step.total, description=TITLES[stage], note=note)
        self.bar.update(self._task, completed=step.index, note=note)
        return not self.stopped

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._dragging or self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        print("realedit: stopping; Ctrl-C again to give up", file=sys.stderr)  # noqa: T201
