"""`realedit compare`, and the comparisons that `edit` writes: names, styles, refusals, exit codes."""

from pathlib import Path

import pytest

from realedit.photos import read_photo
from tests.realedit.cli.running import Result, call, snapshot
from tests.realedit.samples import box_checkpoint, picture, png, save_model


class Shell:
    """`realedit ...` in a folder with two photos, two folders and a model."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.patch, self.capture = folder, patch, capture
        patch.chdir(folder)
        png(folder / "before.png", picture())
        png(folder / "after.png", picture(seed=1))
        png(folder / "wide.png", picture(160, 80))
        for name in ("one", "two"):
            (folder / name).mkdir()
            png(folder / name / "a.png", picture())

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        result = call(list(arguments), self.patch, self.capture)
        assert result.code == code and "Traceback" not in result.err, result
        return result


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capfd)


def _size(path: Path) -> tuple[int, int]:
    photo = read_photo(path)
    return photo.width, photo.height


@pytest.mark.parametrize(
    ("options", "output", "size"),
    [
        ([], "out.png", (193, 80)),
        (["--style=stack", "--labels"], "out.jpg", (96, 161)),
        (["--style=split", "--divider=diagonal"], "out.webp", (96, 80)),
        (["--style=difference"], "out.png", (96, 80)),
        (["--size=48", "--style=split"], "out.png", (48, 40)),
        (["--zoom=10,10,58,34", "--style=split"], "out.png", (480, 240)),
    ],
)
def test_stills(shell: Shell, options: list[str], output: str, size: tuple[int, int]) -> None:
    before = snapshot(shell.folder)
    told = shell("compare", "before.png", "after.png", "-o", output, *options)
    assert told.out.startswith(output) and ("differences x" in told.out) == ("difference" in str(options))
    assert _size(shell.folder / output) == size
    after = snapshot(shell.folder)
    assert set(after) - set(before) == {output} and {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("options", "output"),
    [([], "out.gif"), (["--style=blink", "--labels"], "out.webp"), ([], "out.html")],
)
def test_moving_pictures_and_pages(shell: Shell, options: list[str], output: str) -> None:
    shell("compare", "before.png", "after.png", "-o", output, *options)
    assert (shell.folder / output).stat().st_size > 1000


REFUSED: dict[str, tuple[list[str], int, list[str]]] = {
    "name of no kind": (["before.png", "after.png", "-o", "out.txt"], 2, ["out.txt", ".mp4"]),
    "a still in a gif": (["before.png", "after.png", "-o", "a.gif", "--style=side"], 2, ["side", ".png"]),
    "a wipe in a png": (["before.png", "after.png", "-o", "a.png", "--style=wipe"], 2, ["a.png", ".mp4"]),
    "a split page": (["before.png", "after.png", "-o", "a.html", "--style=split"], 2, ["a.html", "slider"]),
    "a slider in a png": (["before.png", "after.png", "-o", "a.png", "--style=slider"], 2, [".html"]),
    "over the photo": (["before.png", "after.png", "-o", "before.png"], 2, ["the photo itself"]),
    "over the other photo": (["before.png", "after.png", "-o", "after.png"], 2, ["the photo itself"]),
    "in no folder": (["before.png", "after.png", "-o", "none/out.png"], 2, ["none"]),
    "missing photo": (["before.png", "gone.png", "-o", "out.png"], 2, ["gone.png"]),
    "other shapes": (["before.png", "wide.png", "-o", "out.html"], 2, ["96 x 80 and 160 x 80", "side"]),
    "zoom of words": (["before.png", "after.png", "-o", "out.png", "--zoom=nose"], 2, ["'nose'", "face"]),
    "zoom outside": (["before.png", "after.png", "-o", "out.png", "--zoom=99,0,120,9"], 2, ["99,0,120,9"]),
    "no face": (["before.png", "after.png", "-o", "out.png", "--zoom=face"], 3, ["before.png", "face"]),
    "a photo and a folder": (["before.png", "two", "-o", "out.png"], 2, ["two is a folder"]),
    "sheet of no kind": (["one", "two", "-o", "sheet.gif"], 2, ["sheet.gif", ".html"]),
    "sheet with a style": (["one", "two", "-o", "sheet.png", "--style=split"], 2, ["--style"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_compare_refuses_in_one_sentence(case: str, shell: Shell) -> None:
    arguments, code, said = REFUSED[case]
    before = snapshot(shell.folder)
    refused = shell("compare", *arguments, code=code)
    assert refused.out == ""
    for words in said:
        assert words in refused.err, refused.err
    assert snapshot(shell.folder) == before


def test_a_sheet_says_what_is_missing_and_what_cannot_be_read(shell: Shell) -> None:
    png(shell.folder / "one" / "b.png", picture())
    told = shell("compare", "one", "two", "-o", "sheet.html")
    assert told.out == "sheet.html\n" and "b.png: no counterpart in two" in told.err
    (shell.folder / "two" / "b.png").write_bytes(b"damaged")
    told = shell("compare", "one", "two", "-o", "sheet.png", code=6)
    assert "b.png" in told.err and "1 of 2 pairs shown" in told.err and (shell.folder / "sheet.png").exists()


def test_edit_writes_a_page_and_the_drag_as_it_happened(shell: Shell) -> None:
    save_model(box_checkpoint(seed=3), shell.folder / "box.safetensors")
    edit = ["edit", "before.png", "-o", "out.png", "--drag=40,40:46,40", "--model=box.safetensors"]
    edit += ["--quality=draft", "--max-steps=3"]
    told = shell(*edit, "--compare=page.html", "--timelapse=drag.webp")
    assert "page.html" in told.out and "drag.webp" in told.out
    assert (shell.folder / "page.html").read_text().count("<img") == 2
    assert (shell.folder / "drag.webp").stat().st_size > 1000 and not list(shell.folder.glob("*marked*"))
    before = snapshot(shell.folder)
    for wrong, said in (
        (["--timelapse=drag.png"], "drag.png"),
        (["--timelapse=none/drag.gif"], "none"),
        (["--compare=page.txt"], "page.txt"),
        (["--compare=out.png"], "--compare another name"),
        (["--compare=a.gif", "--timelapse=./a.gif"], "--timelapse another name"),
    ):
        assert said in shell(*edit, *wrong, code=2).err
    assert snapshot(shell.folder) == before
