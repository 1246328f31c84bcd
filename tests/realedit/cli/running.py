"""Running the command line: in this process through `main`, or in one of its own."""

import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from realedit.cli.main import main

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Result:
    """Exit code, stdout and stderr."""

    code: int
    out: str
    err: str


def call(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
) -> Result:
    """`realedit ARGUMENTS` in this process; logging and signals are put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    interrupt = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "argv", ["realedit", *arguments])
    capture.readouterr()
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:], root.level = handlers, level
        logging.captureWarnings(False)
    assert signal.getsignal(signal.SIGINT) is interrupt, "the handler of Ctrl-C was not put back"
    captured = capture.readouterr()
    assert isinstance(ended.value.code, int)
    return Result(ended.value.code, captured.out, captured.err)


def started(arguments: list[str], folder: Path) -> "subprocess.Popen[str]":
    """`python -m realedit ARGUMENTS` in a process of its own, in `folder`, on one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "realedit", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(arguments: list[str], folder: Path) -> Result:
    """`started`, to its end."""
    process = started(arguments, folder)
    out, err = process.communicate(timeout=240)
    return Result(process.returncode, out, err)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file under `folder` with its content."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
