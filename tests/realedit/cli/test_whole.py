"""The main job with the bundled weights, in processes of its own: the demo, a real edit, Ctrl-C."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from alignment import find_faces
from alignment.identity import descriptor, distance
from realedit.cli.demo import RECIPE
from realedit.photos import read_photo
from realedit.recipes import Frame, load, place
from realedit.sessions.session import Session
from tests.realedit.cli.running import run, snapshot, started
from tests.realedit.samples import png

pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
SLOW = ["--drag=200.5,139.5:190,134", "--quality=draft", "--max-steps=10000", "--step-size=0.001"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    png(tmp_path / "photo.png", np.ascontiguousarray(skimage.data.astronaut()))
    return tmp_path


def test_the_demo_widens_the_smile_of_the_same_person(tmp_path: Path) -> None:
    done = run(["demo"], tmp_path)
    assert done.code == 0, done
    made = tmp_path / "realedit-demo"
    names = {"photo.png", "edited.png", "before-after.png"}
    assert {path.name for path in made.iterdir()} == names
    assert "edited.png" in done.out and "before-after.png" in done.out
    before, after = (read_photo(made / name).view() for name in ("photo.png", "edited.png"))
    (old,), (new,) = find_faces(before), find_faces(after)
    assert distance(descriptor(before, old.landmarks), descriptor(after, old.landmarks)) < 0.3
    width = [face.landmarks[54, 0] - face.landmarks[48, 0] for face in (old, new)]
    left, right, *_ = np.diff(place(load(RECIPE), Frame.of_face(old.landmarks)), axis=1)[:, 0]
    asked = right[0] - left[0]
    assert width[1] - width[0] > 0.2 * asked, "the mouth is wider"
    differs = (before != after).any(-1)
    assert 0.001 < differs.mean() < 0.1
    assert not differs[:60].any() and not differs[260:].any(), "only around the mouth"


def test_stages_and_edit_give_the_same_bytes_with_a_face(folder: Path) -> None:
    drag = ["--drag=200.5,139.5:195,136", "--max-steps=15"]
    edited = run(["edit", "photo.png", "-o", "edited.png", *drag, "--quality=draft", "--json"], folder)
    report = json.loads(edited.out)
    assert report["face"] == 0 and report["model"] == "face128" and 0 < report["identity"] < 0.4
    for command in (
        ["invert", "photo.png", "--keep=session", "--quality=draft"],
        ["drag", "session", *drag],
        ["paste", "session", "-o", "pasted.png"],
    ):
        assert run(command, folder).code == 0
    assert (folder / "pasted.png").read_bytes() == (folder / "edited.png").read_bytes()


@pytest.fixture
def dragging(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A long edit that has reached its drag: the session is kept just before."""
    process = started(["edit", "photo.png", "-o", "out.png", *SLOW, "--keep=session"], folder)
    deadline = time.monotonic() + 120
    while not (folder / "session" / "session.json").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    time.sleep(3.0)  # some of its hundreds of steps
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


@posix
def test_the_first_interrupt_keeps_what_was_reached(folder: Path, dragging: "subprocess.Popen[str]") -> None:
    before = (folder / "photo.png").read_bytes()
    dragging.send_signal(signal.SIGINT)
    out, err = dragging.communicate(timeout=60)
    assert dragging.returncode == 0, err
    assert "stopped after" in out and "Ctrl-C again to give up" in err
    assert (folder / "photo.png").read_bytes() == before
    after = read_photo(folder / "out.png").view()
    assert (after != read_photo(folder / "photo.png").view()).any()


@posix
def test_the_second_interrupt_gives_up_and_writes_nothing(
    folder: Path, dragging: "subprocess.Popen[str]"
) -> None:
    before = snapshot(folder)
    dragging.send_signal(signal.SIGSTOP)  # both signals are pending before it can paste
    dragging.send_signal(signal.SIGINT)
    dragging.send_signal(signal.SIGCONT)
    time.sleep(0.05)
    dragging.send_signal(signal.SIGINT)
    out, err = dragging.communicate(timeout=60)
    assert dragging.returncode == 130, (out, err)
    assert "interrupted" in err and "Traceback" not in err and out == ""
    after = snapshot(folder)
    assert set(after) == set(before) and after["photo.png"] == before["photo.png"]
    Session.load(folder / "session")


@posix
def test_an_interrupt_before_the_drag_gives_up(folder: Path) -> None:
    process = started(["edit", "photo.png", "-o", "out.png", *SLOW, "--quality=best"], folder)
    time.sleep(7)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err and out == "", err
    assert [path.name for path in folder.iterdir()] == ["photo.png"]
