"""The studio's server with a worker that only writes down what it is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from realedit.errors import PhotoError
from realedit.photos import read_photo
from realedit.studio.bridge import WrongError
from realedit.studio.messages import Export
from realedit.studio.server import Studio
from realedit.studio.settings import EngineSettings, StudioSettings

PORT = 8123
ORIGIN = f"http://127.0.0.1:{PORT}"
PHOTO = "0123456789abcdef01234567"


class FakeBridge:
    """Reads photos as the worker does, and makes nothing of them."""

    failure = None

    def __init__(self, hear: Callable[[dict[str, Any], bytes | None], None]) -> None:
        self.hear = hear
        self.asked: list[tuple[Any, ...]] = []
        self.sent: list[Any] = []

    def start(self) -> None:
        """The worker's first word."""
        self.hear({"type": "facts", "recipes": [], "styles": [], "extensions": []}, None)

    def tell(self) -> None:
        """The state."""
        self.hear({"type": "state"}, None)

    def send(self, command: Any) -> None:
        """A command."""
        self.sent.append(command)

    def close(self) -> None:
        """Nothing to end."""

    async def ask(self, name: str, *arguments: Any) -> Any:
        """A question."""
        if name == "add":
            try:
                read_photo(Path(arguments[1]), source=arguments[0], max_pixels=1_000_000)
            except PhotoError as error:
                raise WrongError(str(error)) from error
        self.asked.append((name, *arguments))
        if name == "export":
            assert isinstance(arguments[0], Export)
            return "photo-edited.jpg", b"jpeg", ()
        return {"add": PHOTO, "mask": True}.get(name, b"jpeg")


def studio(output: Path | None = None) -> tuple[Studio, FakeBridge]:
    """A server, and its worker."""
    made = Studio(StudioSettings(engine=EngineSettings(folder=Path("unused")), output=output), PORT)
    bridge = FakeBridge(made._hear)
    made.bridge = bridge  # type: ignore[assignment]
    made.seats._ask = bridge.send
    return made, bridge


def client(made: Studio) -> TestClient:
    """A browser that has not entered yet; it follows no redirects."""
    return TestClient(made.app, base_url=ORIGIN, follow_redirects=False)


def entered(made: Studio) -> TestClient:
    """A browser with the cookie."""
    browser = client(made)
    assert browser.get(made.keys.link).status_code == 200
    return browser
