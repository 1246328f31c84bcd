"""Which paths are one place, and which files are realedit's to replace."""

import os
from pathlib import Path

import pytest

from realedit.errors import OutputError
from realedit.plumbing.places import MARK, check_apart, check_ours, is_ours, same_place


def test_one_place_has_many_names(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "soft.png").symlink_to(file)
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    os.link(file, tmp_path / "hard.png")
    for other in ("folder/../a.png", "./a.png", "soft.png", "hard.png"):
        assert same_place(file, tmp_path / other)
    assert same_place(tmp_path / "folder" / "new.png", tmp_path / "link" / "new.png")
    assert same_place(tmp_path / "Ne\u0301w.png", tmp_path / "n\u00e9W.PNG")
    assert not same_place(file, tmp_path / "b.png")
    assert not same_place(tmp_path / "folder" / "new.png", tmp_path / "new.png")


def test_a_mark_makes_a_file_ours(tmp_path: Path) -> None:
    contents = {
        "empty": b"",
        "marked": b"x" * 1000 + MARK.encode(),
        "marked at its end": bytes(1 << 19) + MARK.encode() + b"end",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert is_ours(tmp_path / name)
        check_ours(tmp_path / name)
    (tmp_path / "foreign").write_bytes(b"realedit")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("foreign", "dangling", "pipe"):
        with pytest.raises(OutputError, match=name):
            check_ours(tmp_path / name)
    check_ours(tmp_path / "none", tmp_path)


def test_inputs_and_outputs_are_apart(tmp_path: Path) -> None:
    photo, folder = tmp_path / "photo.png", tmp_path / "folder"
    photo.write_bytes(b"photo")
    folder.mkdir()
    (folder / "inside.png").write_bytes(b"photo")
    inputs = {"PHOTO": [photo], "IN": [folder]}
    check_apart({"-o": tmp_path / "new.png", "--compare": None, "--log-file": folder / "new.txt"}, inputs)
    for output in (photo, folder / ".." / "photo.png", folder / "inside.png"):
        with pytest.raises(OutputError, match=output.name):
            check_apart({"-o": output}, inputs)
    check_apart({"--log-file": folder / "inside.png"}, inputs, appended=("--log-file",))
    with pytest.raises(OutputError, match="named by -o already; give --compare another name"):
        check_apart({"-o": folder / "new.png", "--compare": folder / "." / "NEW.png"}, inputs)
