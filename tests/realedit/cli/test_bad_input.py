"""Bad input: one sentence that names it, the contract's exit code, nothing written and nothing changed."""

import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from checkpoints.testing import random_checkpoint
from realedit import pipeline
from tests.realedit.cli.running import Result, call, snapshot
from tests.realedit.samples import box_checkpoint, picture, png, save_model
from tests.rights import held_to_rights

DRAG = "--drag=40,40:46,40"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A photo, models and all kinds of files that are none."""
    png(tmp_path / "photo.png", picture())
    save_model(box_checkpoint(), tmp_path / "box.safetensors")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "cut.png").write_bytes((tmp_path / "photo.png").read_bytes()[:3000])
    (tmp_path / "folder.png").mkdir()
    png(tmp_path / "mask.png", np.full((81, 96), 255, np.uint8))
    png(tmp_path / "black.png", np.zeros((80, 96), np.uint8))
    png(tmp_path / "white.png", np.full((80, 96), 255, np.uint8))
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "holiday.jpg").write_bytes(b"precious")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "box.safetensors").read_bytes()[:500])
    return tmp_path


def _refused(result: Result, code: int, *said: str) -> None:
    assert result.code == code, result
    assert result.out == ""
    message = result.err.strip()
    sentence = message.splitlines()[-1]
    assert "Traceback" not in message
    if "Usage:" not in message:
        assert "\n" not in message and message.startswith("realedit: ")
    for part in said:
        assert part in sentence, sentence


EDITS: dict[str, tuple[list[str], int, list[str]]] = {
    "missing photo": (["none.png", DRAG], 2, ["there is no photo", "none.png"]),
    "folder as photo": (["folder.png", DRAG], 4, ["folder.png", "it is a folder"]),
    "empty photo": (["empty.jpg", DRAG], 4, ["empty.jpg", "empty"]),
    "text as photo": (["text.jpg", DRAG], 4, ["text.jpg"]),
    "truncated photo": (["cut.png", DRAG], 4, ["cut.png"]),
    "point outside of the photo": (["photo.png", "--drag=140,40:46,40"], 2, ["140,40", "96 x 80"]),
    "target outside of the photo": (["photo.png", "--drag=40,40:46,90"], 2, ["46,90", "96 x 80"]),
    "point outside of the square": (["photo.png", "--drag=3,40:46,40"], 2, ["3,40", "square"]),
    "mask of another size": (["photo.png", DRAG, "--mask=mask.png"], 2, ["mask.png", "96 x 81", "96 x 80"]),
    "black mask": (["photo.png", DRAG, "--mask=black.png"], 2, ["black.png", "black everywhere"]),
    "missing mask": (["photo.png", DRAG, "--mask=none.png"], 2, ["no mask", "none.png"]),
    "text as mask": (["photo.png", DRAG, "--mask=text.jpg"], 2, ["mask", "text.jpg"]),
    "output folder missing": (["photo.png", DRAG, "-o", "none/out.png"], 2, ["no folder", "none"]),
    "output a folder": (["photo.png", DRAG, "-o", "folder.png"], 2, ["folder.png", "it is a folder"]),
    "output of no format": (["photo.png", DRAG, "-o", "out.gif"], 2, ["out.gif", ".png"]),
    "output equal to the photo": (["photo.png", DRAG, "-o", "photo.png"], 2, ["photo.png", "never changed"]),
    "output equal to the photo in other words": (
        ["photo.png", DRAG, "-o", "album/../photo.png"],
        2,
        ["never changed"],
    ),
    "comparison of no kind": (["photo.png", DRAG, "--compare=both.txt"], 2, ["both.txt", ".png"]),
    "comparison over the photo": (["photo.png", DRAG, "--compare=photo.png"], 2, ["never changed"]),
    "comparison over the output": (["photo.png", DRAG, "--compare=out.png"], 2, ["out.png", "--compare"]),
    "unknown model": (["photo.png", DRAG, "--model=nobody"], 5, ["nobody", "models list"]),
    "text as model": (["photo.png", DRAG, "--model=text.jpg"], 5, ["text.jpg"]),
    "truncated model": (["photo.png", DRAG, "--model=cut.safetensors"], 5, ["cut.safetensors"]),
    "folder as model": (["photo.png", DRAG, "--model=album"], 5, ["album"]),
    "unknown device": (["photo.png", DRAG, "--device=gpu"], 2, ["'gpu'", "cuda"]),
    "session folder of other things": (["photo.png", DRAG, "--keep=album"], 2, ["album", "other files"]),
    "session folder a file": (["photo.png", DRAG, "--keep=text.jpg"], 2, ["text.jpg", "file"]),
    "session folder without parent": (["photo.png", DRAG, "--keep=none/session"], 2, ["none"]),
    "until no length": (["photo.png", DRAG, "--until=near"], 2, ["'near'", "2px"]),
    "until zero": (["photo.png", DRAG, "--until=0px"], 2, ["'0px'"]),
    "step of nothing": (["photo.png", DRAG, "--step-size=0"], 2, ["--step-size"]),
    "more layers than there are": (["photo.png", DRAG, "--layers=99"], 2, ["99", "layers"]),
    "drag of one point": (["photo.png", "--drag=1,2"], 2, ["'1,2'", "X,Y:X,Y"]),
    "drag of words": (["photo.png", "--drag=a,b:c,d"], 2, ["'a,b:c,d'", "X,Y:X,Y"]),
    "drag of three points": (["photo.png", "--drag=1,2:3,4:5,6"], 2, ["X,Y:X,Y"]),
    "drag to infinity": (["photo.png", "--drag=1,2:inf,4"], 2, ["'1,2:inf,4'"]),
    "drag to nowhere": (["photo.png", "--drag=1,2:nan,4"], 2, ["'1,2:nan,4'"]),
    "no drag": (["photo.png"], 2, ["--drag"]),
    "unknown option": (["photo.png", DRAG, "--smile"], 2, ["--smile"]),
    "unknown quality": (["photo.png", DRAG, "--quality=superb"], 2, ["superb", "draft"]),
    "negative seed": (["photo.png", DRAG, "--seed=-1"], 2, ["-1"]),
    "log file in no folder": (["photo.png", DRAG, "--log-file=none/log.txt"], 2, ["none"]),
}


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("case", EDITS)
def test_edit_refuses(
    case: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments, code, said = EDITS[case]
    if "-o" not in arguments:
        arguments = [*arguments, "-o", "out.png"]
    if not any(a.startswith("--model") for a in arguments):
        arguments = [*arguments, "--model=box.safetensors"]
    monkeypatch.chdir(folder)
    before = snapshot(folder)
    _refused(call(["edit", *arguments], monkeypatch, capfd), code, *said)
    assert snapshot(folder) == before


def test_a_picture_without_a_face_is_exit_code_3(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    save_model(random_checkpoint(32), folder / "face.safetensors")
    monkeypatch.chdir(folder)
    before = snapshot(folder)
    for command in (["edit", "photo.png", DRAG], ["align", "photo.png"]):
        result = call([*command, "-o", "out.png", "--model=face.safetensors"], monkeypatch, capfd)
        _refused(result, 3, "photo.png", "face")
    assert snapshot(folder) == before


@pytest.mark.parametrize("face", ["-1", "1.5", "left"])
def test_a_face_that_is_no_number_is_usage(
    face: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import skimage.data

    save_model(random_checkpoint(32), folder / "face.safetensors")
    png(folder / "astronaut.png", np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352]))
    monkeypatch.chdir(folder)
    result = call(
        ["align", "astronaut.png", "-o", "out.png", "--model=face.safetensors", f"--face={face}"],
        monkeypatch,
        capfd,
    )
    assert result.code in (2, 3), result
    _refused(result, result.code, face)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_missing_cuda_device(
    device: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    command = ["edit", "photo.png", DRAG, "-o", "out.png", f"--device={device}"]
    _refused(call(command, monkeypatch, capfd), 2, device, "--device auto or cpu")


def test_an_output_folder_that_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "locked").mkdir(mode=0o500)
    monkeypatch.chdir(folder)
    for more in (["-o", "locked/out.png"], ["-o", "out.png", "--keep=locked/session"]):
        command = ["edit", "photo.png", DRAG, "--model=box.safetensors", *more]
        with held_to_rights():
            result = call(command, monkeypatch, capfd)
        _refused(result, 2, "locked", "no right to write")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["align", "none.png", "-o", "out.png"], 2, "none.png"),
        (["align", "photo.png", "-o", "out.jpg"], 2, ".png"),
        (["align", "photo.png", "-o", "photo.png"], 2, "never changed"),
        (["invert", "photo.png", "--keep=album"], 2, "other files"),
        (["invert", "text.jpg", "--keep=new"], 4, "text.jpg"),
        (["drag", "none", DRAG], 2, "holds no session"),
        (["drag", "album", DRAG], 2, "holds no session"),
        (["drag", "text.jpg", DRAG], 2, "holds no session"),
        (["paste", "album", "-o", "out.png"], 2, "holds no session"),
        (["paste", "album"], 2, "--output"),
        (["fly"], 2, "fly"),
        (["demo", "-o", "text.jpg"], 2, "text.jpg"),
        (["demo", "-o", "text.jpg/deep"], 2, "text.jpg"),
    ],
)
def test_other_commands_refuse(
    command: list[str],
    code: int,
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    before = snapshot(folder)
    if command[0] in ("align", "invert"):
        command = [*command, "--model=box.safetensors"]
    _refused(call(command, monkeypatch, capfd), code, said)
    assert snapshot(folder) == before


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no sockets with names here")
def test_a_socket_is_no_photo(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("photo.sock")
        command = ["edit", "photo.sock", DRAG, "-o", "out.png"]
        _refused(call(command, monkeypatch, capfd), 4, "photo.sock", "not a plain file")


def test_a_bug_is_exit_code_1_and_asks_for_a_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(pipeline, "planned", fail)
    monkeypatch.chdir(folder)
    command = ["edit", "photo.png", DRAG, "-o", "out.png", "--model=box.safetensors"]
    _refused(call(command, monkeypatch, capfd), 1, "ZeroDivisionError", "report")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory"),
        (OSError(28, "No space left on device", "out.png"), "no space left"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out of memory"),
    ],
)
def test_full_memory_and_disks_are_exit_code_7(
    error: Exception,
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(pipeline, "planned", fail)
    monkeypatch.chdir(folder)
    command = ["edit", "photo.png", DRAG, "-o", "out.png", "--model=box.safetensors"]
    _refused(call(command, monkeypatch, capfd), 7, said)
