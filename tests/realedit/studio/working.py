"""The studio's engine in this process, with a tiny model and a scripted hand."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realedit.studio.engine import Engine
from realedit.studio.messages import Choose, Commands
from realedit.studio.settings import EngineSettings
from tests.realedit.samples import box_checkpoint, picture, png, save_model

LONGEST = 120.0  # seconds: of a busy machine


class Desk:
    """An engine whose inbox is worked off step by step. events, pictures: what it told, and headers."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self.pictures: list[dict[str, Any]] = []
        settings = EngineSettings(folder=folder, model=str(model), device="cpu")
        self.engine = Engine(settings, self._hear)
        for entry in self.engine.album.entries.values():
            self.engine.strip.look(entry)
        self.engine.inversions.wanted()

    def _hear(self, event: dict[str, Any], picture: bytes | None) -> None:
        (self.events if picture is None else self.pictures).append(event)

    def do(self, *commands: Commands) -> None:
        """Commands, and everything that waits."""
        for command in commands:
            self.engine.inbox.put(command)
        self.settle()

    def settle(self) -> None:
        """Work off what waits."""
        while self.engine.inbox._items:
            item = self.engine.inbox.get()
            if callable(item):
                item()
            else:
                self.engine.do(item)

    def until(self, done: Callable[[], object]) -> None:
        """Work off what comes until something is so."""
        end = time.monotonic() + LONGEST
        while not done():
            assert time.monotonic() < end, "it never came"
            self.settle()
            time.sleep(0.01)

    def ask(self, question: Callable[[Callable[[Callable[[], Any]], None]], None]) -> Any:
        """A question's answer."""
        found: list[Any] = []
        question(lambda make: found.append(make()))
        self.until(lambda: found)
        return found[0]

    def opened(self, photo: Path) -> str:
        """A photo, with its one face chosen and inverted to the end."""
        source = photo.read_bytes()
        id_: str = self.ask(lambda answer: self.engine.strip.add(source, photo.name, answer))
        self.until(lambda: self.engine.album.entries[id_].about.faces)
        self.do(Choose(id_, 0))
        self.until(lambda: self.engine.work is not None and self.engine.work.session.quality == "standard")
        return id_


def tiny(folder: Path) -> Path:
    """A model of random weights that takes the centred square of any photo."""
    return save_model(box_checkpoint(32), folder / "tiny.safetensors")


def photo(folder: Path, *, seed: int = 0, suffix: str = ".png") -> Path:
    """A picture of 96 x 80 pixels."""
    return png(folder / f"photo{seed}{suffix}", picture(seed=seed))
