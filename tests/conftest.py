"""What all tests share: tiny networks run on one thread, which is faster, most of all on a busy machine."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import torch

# how long an example takes says how busy the machine is
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(autouse=True, scope="session")
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test finds what another one, or the person who runs it, has in the cache."""
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("checkpoints.cache._said", threading.Event())


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to connect somewhere or to look a name up fails the test."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"the network was used: {args}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
