"""The offer of a better loss: on a terminal, once, and never in the way of the work."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from checkpoints import models
from checkpoints.errors import DownloadError
from inversion import InversionSettings
from realedit.cli.perception import BEST, offer_backbone

pty = pytest.importorskip("pty")


class Terminal:
    """stdin and stderr of this process are a terminal, at whose other end somebody types and reads."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.streams = [os.fdopen(os.dup(self.slave), mode) for mode in ("r", "w")]

    def offers(self, settings: InversionSettings, *, quiet: bool = False, piped: bool = False) -> None:
        """`offer_backbone` on this terminal; piped: stdin is none."""
        with pytest.MonkeyPatch.context() as patch, Path(os.devnull).open() as nobody:
            patch.setattr(sys, "stdin", nobody if piped else self.streams[0])
            patch.setattr(sys, "stderr", self.streams[1])
            offer_backbone(settings, quiet=quiet)

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    def shown(self) -> str:
        """What was written since the last time."""
        self.streams[1].flush()
        os.set_blocking(self.master, False)
        parts = []
        with suppress(BlockingIOError):
            while True:
                parts.append(os.read(self.master, 1 << 16))
        return b"".join(parts).decode()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    for stream in made.streams:
        stream.close()
    os.close(made.master)
    os.close(made.slave)


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(models, "pull", lambda name, **_: names.append(name))
    return names


@pytest.mark.parametrize(("answer", "expected"), [("y\n", [BEST]), ("n\n", []), ("\n", [])])
def test_it_is_asked_once_and_done_as_answered(
    terminal: Terminal, pulled: list[str], answer: str, expected: list[str]
) -> None:
    terminal.types(answer)
    terminal.offers(InversionSettings())
    assert "528 MB" in terminal.shown() and pulled == expected
    terminal.offers(InversionSettings())
    assert terminal.shown() == "" and pulled == expected


def test_where_it_cannot_be_fetched_one_sentence_says_so(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(name: str, **_: Any) -> None:
        raise DownloadError(f"{name} cannot be fetched: no network")

    monkeypatch.setattr(models, "pull", offline)
    terminal.types("y\n")
    terminal.offers(InversionSettings())
    said = f"realedit: {BEST} cannot be fetched: no network; going on without it"
    assert terminal.shown().rstrip().endswith(said)


def test_nothing_is_asked_without_need(terminal: Terminal, pulled: list[str]) -> None:
    terminal.offers(InversionSettings(), quiet=True)
    terminal.offers(InversionSettings(perceptual="pyramid"))
    terminal.offers(InversionSettings(), piped=True)
    assert terminal.shown() == "" and pulled == []
