"""What needs no photo is answered at once: without torch, OpenCV and dlib, in 0.4 s of the processor."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.realedit.cli.running import ROOT

HEAVY = ("torch", "torchvision", "cv2", "dlib", "lpips", "PIL", "imagecodecs", "pillow_heif", "ray", "rich")
SECONDS = 0.4
ANSWERS = {  # command line: exit code, and what is said
    ("--version",): (0, "realedit, version"),
    ("--help",): (0, "Edit PHOTO by dragging points."),
    ("edit", "--help"): (0, "--recipe smile"),
    ("faces", "--help"): (0, "--picture"),
    ("batch", "--help"): (0, "--dry-run"),
    ("models", "--help"): (0, "verify"),
    ("models", "verfy"): (2, "verfy"),
    ("edit", "photo.png", "--recipie", "smile", "-o", "out.png"): (2, "--recipie"),
    ("edit", "photo.png", "--recipe", "smlie", "-o", "out.png"): (2, "no recipe 'smlie'"),
    ("edit", "phto.png", "--recipe", "smile", "-o", "out.png"): (2, "there is no photo phto.png"),
    ("edti", "photo.png"): (2, "edti"),
}


def _started(arguments: tuple[str, ...], folder: Path) -> tuple[subprocess.CompletedProcess[str], float]:
    """`realedit ARGUMENTS` with its imports on stderr, and the processor's seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "realedit", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
def test_what_needs_no_photo_loads_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"is not looked into")
    done, seconds = _started(arguments, tmp_path)
    code, said = ANSWERS[arguments]
    assert done.returncode == code and said in done.stdout + done.stderr
    loaded = set(re.findall(r"^import time:[\s\d|]+?(\S+)$", done.stderr, re.MULTILINE))
    assert "click" in loaded and not loaded & set(HEAVY)
    for _ in range(2):
        if seconds < SECONDS:
            break
        seconds = min(seconds, _started(arguments, tmp_path)[1])
    assert seconds < SECONDS


def test_no_command_loads_anything_heavy_to_say_what_it_takes() -> None:
    code = (
        "import sys, click\n"
        "from realedit.cli.main import COMMANDS, cli\n"
        "for name in COMMANDS:\n"
        "    cli.get_command(click.Context(cli), name)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=240
    )
    assert not set(done.stdout.split()) & {"torch", "torchvision", "cv2", "dlib", "lpips", "imagecodecs"}
