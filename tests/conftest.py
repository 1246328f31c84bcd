"""What all tests share: tiny networks run on one thread, which is faster, most of all on a busy machine."""

import os
import re
import socket
import threading
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest
import torch

# how long an example takes says how busy the machine is
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

MAY_BE_ABSENT = re.compile(
    "no reference outputs of the original networks|needs the portraits|this machine has a CUDA device|"
    "nobody may mount here|cannot give up rights here|PyTorch finds no CUDA device|systemd is not here"
)
"""Why a test may be skipped where everything is installed: reference files that are not in the repository,
and what a machine or its container does not let anybody do."""


def _told(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With REALEDIT_SKIPS=none, a skip for any other reason is a failure."""
    if report.skipped and os.environ.get("REALEDIT_SKIPS") == "none" and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not MAY_BE_ABSENT.search(reason):
            report.outcome = "failed"
            report.longrepr = f"skipped, where nothing may be: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _told(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _told(report)
    return report


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
