"""File names of any bytes harm nobody where they are shown, and are kept exactly where they are written."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from realedit.plumbing.printing import printable
from realedit.sessions.session import Session
from tests.realedit.cli.conftest import Shell
from tests.realedit.cli.running import Result
from tests.realedit.samples import PUSH, box_checkpoint, picture, png, random_session, save_model

pytestmark = pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")

NAMES = {
    "Latin-1": b"caf\xe9",
    "a broken line": b"a\nb",
    "a terminal's command": b"a\x1b[31mb\x07",
    "placeholders": b"a%s{0}{x}%(y)d",
    "quotes": b"a'\"`b",
    "a leading minus": b"-a",
    "markup": b"<b>[red]&amp;",
    "text that runs backwards": "a\u202eb".encode(),
}


ALL = b"-" + b"".join(NAMES.values())


@pytest.fixture
def name() -> str:
    """The beginning of a file's name that has everything, as Python has it."""
    return os.fsdecode(ALL)


@pytest.fixture
def named(shell: Shell, name: str) -> Shell:
    """A folder whose photo has the name."""
    shutil.copy(shell.folder / "photo.png", shell.folder / f"{name}.png")
    return shell


def _harmless(*results: Result) -> None:
    """Nothing on stdout or stderr steers a terminal, and a line is a line."""
    for each in results:
        for text in (each.out, each.err):
            assert all(line.isprintable() for line in text.splitlines()), text
            assert "\udce9" not in text


EDIT = ["--drag=40,40:44,40", "--model=box.safetensors", "--max-steps=1", "--set=projection.steps=1"]
EDIT += ["--set=tuning.steps=0"]


def test_an_edit(name: str, named: Shell) -> None:
    files = [f"./{name}-{kind}" for kind in ("out.png", "page.html", "drag.gif", "kept", "debug", "log.txt")]
    out, page, drag, kept, debug, log = files
    options = [f"-o{out}", f"--compare={page}", f"--timelapse={drag}", f"--keep={kept}", f"--debug={debug}"]
    done = named("edit", f"./{name}.png", *options, f"--log-file={log}", *EDIT)
    _harmless(done)
    assert printable(out.removeprefix("./")) in done.out
    assert all((named.folder / each).exists() for each in files)
    assert Session.load(named.folder / kept).photo_path == named.folder / f"{name}.png"
    again = named("edit", f"./{name}.png", f"-o{out}", f"--keep={kept}", "--json", *EDIT)
    report = json.loads(again.out)
    assert os.fsencode(report["output"]) == os.fsencode(Path(out))
    _harmless(named("paste", kept, f"-o{out}"), named("drag", kept, "--drag=40,40:44,40", "--max-steps=1"))
    _harmless(named("recipes", "record", kept, "-o", "new.toml"), named("cache", "show"))


def test_a_model_and_a_mask(name: str, named: Shell) -> None:
    save_model(box_checkpoint(seed=3), named.folder / f"{name}.safetensors")
    done = named("align", f"./{name}.png", f"--model=./{name}.safetensors", f"-o./{name}-crop.png")
    made = named(
        "invert", f"./{name}.png", f"--model=./{name}.safetensors", "--keep=kept", "--report", *EDIT[3:]
    )
    assert Session.load(named.folder / "kept").model == str(named.folder / f"{name}.safetensors")
    _harmless(done, made, named("models", "info", f"./{name}.safetensors"))
    facts = json.loads(named("models", "info", f"./{name}.safetensors", "--json").out)
    assert os.fsencode(facts["path"]).endswith(os.fsencode(f"{name}.safetensors"))
    _harmless(named("models", "convert", "box.safetensors", f"./{name}-new.safetensors"))


def test_comparisons_and_sheets(name: str, named: Shell) -> None:
    folders = [named.folder / f"{name}-{which}" for which in ("before", "after")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        png(named.folder / "plain.png", picture(seed=number))
        (named.folder / "plain.png").rename(folder / f"{name}.png")
    (folders[0] / f"{name}-alone.png").write_bytes(b"no photo")
    before, after = (f"./{folder.name}" for folder in folders)
    for suffix in (".png", ".html"):
        _harmless(named("compare", before, after, f"-o./{name}-sheet{suffix}"))
        pair = [f"{folder}/{name}.png" for folder in (before, after)]
        _harmless(named("compare", *pair, f"-o./{name}-pair{suffix}"))
    page = (named.folder / f"{name}-sheet.html").read_text(encoding="utf-8")
    shown = printable(name).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown.replace('"', "&quot;").replace("'", "&#x27;") in page
    assert "\udce9" not in page


def test_pages_of_a_sheet_find_each_other(name: str, tmp_path: Path) -> None:
    from urllib.parse import unquote_to_bytes

    from realedit.compare.sheet import Entry, write_sheet

    pages, _ = write_sheet(tmp_path / f"{name}.html", [Entry(str(n), None, None, "alone") for n in range(25)])
    link = re.search(r'<nav><a href="([^"]*)"', pages[0].read_text())
    assert link is not None and unquote_to_bytes(link[1]) == os.fsencode(pages[1].name)


def test_recipes(name: str, named: Shell) -> None:
    (named.folder / f"{name}.toml").write_text(PUSH)
    random_session(1).save(named.folder / "kept")
    checked = named("recipes", "check", f"./{name}.toml")
    assert printable(f"{name}.toml is a recipe.") in checked.out
    (named.folder / f"{name}-bad.toml").write_text("name = 3")
    _harmless(checked, named("recipes", "check", f"./{name}-bad.toml", code=2))


@pytest.mark.parametrize(
    "command",
    [
        ["edit", "{}", "-oout.png", *EDIT],
        ["edit", "photo.png", "-o{}/out.png", *EDIT],
        ["edit", "photo.png", "-oout.png", "--mask={}", *EDIT],
        ["edit", "photo.png", "-oout.png", "--recipe={}"],
        ["edit", "photo.png", "-oout.png", "--log-file={}/x", *EDIT],
        ["edit", "photo.png", "-oout.png", "--drag={}"],
        ["edit", "photo.png", "-oout.png", "--{}", *EDIT],
        ["align", "photo.png", "--model={}", "-oout.png"],
        ["paste", "{}", "-oout.png"],
        ["compare", "{}", "photo.png", "-oout.png"],
        ["batch", "{}", "out", "--recipe=smile"],
        ["jobs", "{}", "list"],
        ["models", "info", "{}"],
        ["models", "convert", "{}", "new.safetensors"],
        ["recipes", "show", "{}"],
        ["{}"],
    ],
    ids=lambda command: command[0],
)
def test_sentences(command: list[str], shell: Shell) -> None:
    for name in NAMES.values():
        text = f"./{os.fsdecode(name)}" if command != ["{}"] else os.fsdecode(name)
        arguments = [each.replace("{}", text) for each in command]
        result = shell(*arguments, code=5 if command[0] == "models" or "--model={}" in command else 2)
        _harmless(result)
        assert "Traceback" not in result.err
        assert result.err.startswith(("Usage: ", "realedit: "))


def test_a_batch(shell: Shell) -> None:
    """One batch of photos of odd names, one of them damaged."""
    folder, out = shell.folder / "in", shell.folder / "out"
    folder.mkdir()
    (shell.folder / "push.toml").write_text(PUSH)
    names = [ALL, NAMES["Latin-1"], b"-"]
    for number, name in enumerate(names):
        png(shell.folder / "plain.png", picture(seed=number))
        (shell.folder / "plain.png").rename(folder / f"{os.fsdecode(name)}.png")
        if name == ALL:
            (folder / f"{os.fsdecode(name)}-bad.png").write_bytes(b"no photo")
    batch = ["batch", "in", "out", "--recipe=push.toml", "--model=box.safetensors", "--workers=1", *EDIT[3:]]
    planned = shell(*batch, "--dry-run")
    done = shell(*batch, "--compare-format=png", "--sheet=sheet.html", code=6)
    again = shell(*batch, "--json", code=6)
    listed, as_json = shell("jobs", "out", "list"), shell("jobs", "out", "list", "--json")
    _harmless(planned, done, again, listed, as_json)
    sources = {os.fsencode(json.loads(line)["source"]) for line in as_json.out.splitlines()}
    assert sources == {os.fsencode(path) for path in folder.iterdir()}
    for name in names:
        assert (out / f"{os.fsdecode(name)}.png").is_file()
    numbers = [str(json.loads(line)["id"]) for line in as_json.out.splitlines()]
    _harmless(*(shell("jobs", "out", "show", number) for number in numbers))
