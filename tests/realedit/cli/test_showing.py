"""What a batch draws on a terminal, read back from a terminal."""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from realedit.batch.events import Counts, Happening
from realedit.cli.showing import Pace, Shown
from realedit.plumbing.printing import printable

pyte = pytest.importorskip("pyte", reason="pyte is missing (pip install 'realedit[dev]')")
pty = pytest.importorskip("pty", reason="there are no terminals of this kind here")

IN, OUT = Path("/in"), Path("/out")


class Terminal:
    """A terminal of 100 x 20, and what stands on it."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(100, 20)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        self.file = os.fdopen(slave, "w", encoding="utf-8")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # how the end of a terminal is said
                return
            self._stream.feed(data)

    def lines(self) -> list[str]:
        """What is shown, once everything has been written."""
        self.file.close()
        self._reader.join(60)
        os.close(self._master)
        return [line.rstrip() for line in self.screen.display if line.strip()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


@contextmanager
def shown(terminal: Terminal, stdout: TextIO | None = None) -> Iterator[Shown]:
    """Left without its end, as a run that is still going on; the log goes to stderr, as for a command."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", terminal.file)
        patch.setattr(sys, "stdout", stdout or terminal.file)
        root.handlers[:] = [logging.StreamHandler()]
        try:
            with Shown() as show:
                assert show._bars is not None
                yield show
                show._bars._bar.refresh()
                show._bars._bar.stop()
        finally:
            root.handlers[:] = handlers


def tell(kind: str, name: str = "", text: str = "", *, counts: Counts, **data: object) -> Happening:
    number = sum(map(ord, name)) if name else None
    paths = {"photo": IN / name, "output": OUT / name} if name else {}
    return Happening(kind=kind, counts=counts, id=number, text=text, data=data, **paths)  # type: ignore[arg-type]


def test_photos_in_work_their_stages_and_totals_are_drawn(terminal: Terminal) -> None:
    counts = Counts(queued=3, running=2)
    with shown(terminal) as show:
        show(tell("started", "a.jpg", counts=counts))
        show(tell("started", "b [red].jpg", counts=counts))
        show(tell("stage", "a.jpg", counts=counts, stage="project", index=28, total=40))
        show(tell("stage", "b [red].jpg", counts=counts, stage="drag", index=7, total=300))
        show(tell("stage", "b [red].jpg", counts=counts, stage="paste", index=0, total=0))
        counts.failed, counts.queued = 1, 2
        show(tell("failed", "c.jpg", "no face was found", counts=counts))
    above, whole, first, second = terminal.lines()
    assert above == "realedit: /in/c.jpg failed: no face was found"
    assert whole.startswith("photos ") and "1/5" in whole and whole.endswith("1 failed")
    assert first.startswith("  a.jpg ") and first.endswith("28/40 finding the face")
    assert second.startswith("  b [red].jpg ") and second.endswith("pasting") and "300" not in second


def test_lines_of_photos_that_ended_stay_above_whole(terminal: Terminal) -> None:
    name = f"{'long_' * 30}.jpg"
    counts = Counts(queued=1, running=1)
    with shown(terminal) as show:
        show(tell("started", name, counts=counts))
        counts.done, counts.running = 1, 0
        show(tell("done", name, counts=counts, timings={"drag": 2.0}, warnings=["it stalled"]))
        logging.getLogger().handlers[0].emit(logging.makeLogRecord({"msg": "said by the log"}))
    text = "\n".join(terminal.lines())
    assert f"/out/{name}  (2.0 s)" in text.replace("\n", "") and "it stalled" in text
    assert "said by the log" in text and "1/2" in text and "finding" not in text


def test_results_go_to_a_file_when_only_messages_go_to_the_terminal(
    terminal: Terminal, tmp_path: Path
) -> None:
    counts = Counts(done=1)
    with (tmp_path / "list").open("w") as file, shown(terminal, file) as show:
        show(tell("done", "a.jpg", counts=counts, timings={"drag": 2.0}))
    assert (tmp_path / "list").read_text() == "/out/a.jpg  (2.0 s)\n"
    assert not any("/out" in line for line in terminal.lines())


def test_a_pause_is_drawn_until_it_ends(terminal: Terminal) -> None:
    counts = Counts(queued=1)
    with shown(terminal) as show:
        show(tell("paused", text="waiting for room: full", counts=counts))
    assert terminal.lines()[-1].endswith("waiting for room on the disk")


def test_names_are_no_commands_to_the_terminal() -> None:
    assert printable("a\x1b]0;x\x07\nb\udcff.jpg") == "a\\x1b]0;x\\x07\\nb\ufffd.jpg"
    assert printable("ü 山 é") == "ü 山 é"


def test_the_time_left_follows_from_work_and_not_from_waiting() -> None:
    pace = Pace()
    assert pace(tell("started", "a.jpg", counts=Counts(running=1, queued=9)), 100.0) == ""
    assert pace(tell("done", "a.jpg", counts=Counts(done=1, queued=9)), 110.0) == "0:01:30"
    assert pace(tell("skipped", "s.jpg", counts=Counts(done=1, queued=9)), 5000.0) == "0:01:30"
    assert pace(tell("started", "b.jpg", counts=Counts(running=1, queued=8)), 6000.0) == "0:01:30"
    assert pace(tell("done", "b.jpg", counts=Counts(done=2, queued=8)), 6030.0) == "0:02:40"
    assert pace(tell("done", "c.jpg", counts=Counts(done=3)), 6040.0) == ""
