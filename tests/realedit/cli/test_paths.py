"""No option writes over what a command reads, over another output, or over a file that is somebody else's."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from realedit.cli.paths import Fills, Keeps, Logs, Named, PathCommand, Reads, Sessions, Writes, name_of
from realedit.cli.watch import Put
from realedit.plumbing.places import is_ours
from tests.realedit.cli.commands import COMMANDS
from tests.realedit.cli.conftest import Shell
from tests.realedit.cli.running import snapshot
from tests.realedit.samples import PUSH, picture, png, random_session

WRITTEN = (Writes, Fills, Keeps, Put)
NO_PATHS = {"--label", "--device", "--face", "--c2pa-timestamp", "--ray-address", "NAME"}
"""The options that take any text, and that are no paths."""
EDITED = {("edit", "--output"), ("paste", "--output")}
"""The outputs that replace any picture but an input: the photo a person names for the edit."""
NEEDED = {  # what a command has to be given, by its name in the usage line
    "PHOTO": "photo.png",
    "BEFORE": "photo.png",
    "AFTER": "after.png",
    "DIR": "kept",
    "IN": "in",
    "OUT": "out",
    "OUT.safetensors": "new.safetensors",
    "NAME": "face256",
    "--recipe": "push.toml",
    "--keep": "session",
}
SUFFIX = {"--debug": "", "--keep": "", "--log-file": ".log", "--quarantine": "", "--done": "", "OUT": ""}


def _arguments(name: str, values: dict[str, str]) -> list[str]:
    """A command line with what the command needs, and `values` by parameter."""
    command = COMMANDS[name]
    needed = {
        name_of(each): "box.safetensors" if name == "models convert" and name_of(each) == "IN" else None
        for each in command.params
        if each.required
    }
    output = {"--output": f"new{_suffix(name, '--output')}"}
    filled = {key: value or {**NEEDED, **output}[key] for key, value in needed.items()} | values
    options, arguments = [], []
    for each in command.params:
        value = filled.get(name_of(each))
        if value is None:
            continue
        value = f"move:{value}" if isinstance(each.type, Put) else value
        if isinstance(each, click.Option):
            options += [name_of(each), value]
        else:
            arguments.append(value)
    if name in ("edit", "drag"):
        options += ["--drag", "40,40:46,40"]
    return [*name.split(), *options, *arguments]


def _suffix(name: str, option: str) -> str:
    """An extension that the option takes."""
    if option == "--output" and name == "recipes record":
        return ".toml"
    if option == "--output" and name == "demo":
        return ""
    return {"OUT.safetensors": ".safetensors", "--timelapse": ".gif", **SUFFIX}.get(option, ".png")


def _of(name: str, *kinds: type) -> list[str]:
    return [name_of(each) for each in COMMANDS[name].params if isinstance(each.type, kinds)]


PAIRS = [
    (name, output, source)
    for name in COMMANDS
    for output in _of(name, *WRITTEN)
    for source in _of(name, Reads, Named)
    if source != "IN" or name == "models convert"
]
OUTPUTS = [
    (name, one, other)
    for name in COMMANDS
    for number, one in enumerate(_of(name, *WRITTEN))
    for other in _of(name, *WRITTEN)[number + 1 :]
]


@pytest.fixture
def full(shell: Shell) -> Shell:
    """A folder with everything that a command may be pointed at."""
    png(shell.folder / "after.png", picture(seed=1))
    (shell.folder / "push.toml").write_text(PUSH)
    for name in ("in", "out"):
        (shell.folder / name).mkdir()
    shutil.copy(shell.folder / "photo.png", shell.folder / "in" / "photo.png")
    random_session(1).save(shell.folder / "kept")
    return shell


def _refused(shell: Shell, arguments: list[str]) -> str:
    """What a command says that is refused with 2 and changes nothing."""
    before = snapshot(shell.folder)
    result = shell(*arguments, code=2)
    assert result.out == ""
    assert snapshot(shell.folder) == before
    return result.err


def test_every_parameter_that_may_be_a_path_says_what_becomes_of_it() -> None:
    for name, command in COMMANDS.items():
        for each in command.params:
            assert type(each.type) is not click.Path, (name, name_of(each))
            assert each.type is not click.STRING or name_of(each) in NO_PATHS, (name, name_of(each))
        if _of(name, *WRITTEN):
            assert isinstance(command, PathCommand), name
    assert len(PAIRS) > 60


LINKS: dict[str, Callable[[Path, Path], object]] = {
    "itself": lambda place, file: None,
    "by a link": lambda place, file: place.symlink_to(file),
    "by a hard link": lambda place, file: os.link(file, place),
}


LINKED = [
    (*pair, how) for pair in PAIRS for how in LINKS if how == "itself" or pair[:2] == ("edit", "--output")
]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("name", "output", "source", "how"), LINKED)
def test_an_input_is_not_written(name: str, output: str, source: str, how: str, full: Shell) -> None:
    file = full.folder / f"some{_suffix(name, output) or '.png'}"
    if source == "--recipe":
        file.write_text(PUSH)
    else:
        shutil.copy(full.folder / ("box.safetensors" if source == "--model" else "photo.png"), file)
    place = file if how == "itself" else file.with_name(f"other{file.suffix}")
    LINKS[how](place, file)
    said = _refused(full, _arguments(name, {source: file.name, output: place.name}))
    assert "never changed" in said or "no log" in said


@pytest.mark.parametrize(("name", "one", "other"), OUTPUTS)
def test_no_file_is_written_twice(name: str, one: str, other: str, full: Shell) -> None:
    file = f"some{_suffix(name, one) or _suffix(name, other)}"
    said = _refused(full, _arguments(name, {one: file, other: file.upper() if "." in file else file}))
    assert file.casefold() in said.casefold()


@pytest.mark.parametrize(
    ("name", "output"),
    [
        (name, each)
        for name in COMMANDS
        for each in _of(name, Writes, Keeps)
        if (name, each) not in EDITED  # the name of the edited photo may be that of any picture
    ],
)
def test_a_file_that_realedit_did_not_make_is_not_replaced(name: str, output: str, full: Shell) -> None:
    file = full.folder / f"some{_suffix(name, output)}"
    file.write_bytes(b"precious")
    assert file.name in _refused(full, _arguments(name, {output: file.name}))


@pytest.mark.parametrize("output", ["kept/crop.png", "kept/session.json", "kept/latents.safetensors"])
def test_a_session_keeps_its_files(output: str, full: Shell) -> None:
    for command in (
        ["paste", "kept", "--photo=photo.png", f"--output={output}"],
        ["drag", "kept", "--drag=40,40:46,40", f"--log-file={output}"],
        ["edit", "photo.png", "--drag=40,40:46,40", "--keep=kept", f"--output={output}"],
        ["edit", output, "--drag=40,40:46,40", "--keep=kept", "--output=new.png"],
    ):
        assert output in _refused(full, command)


def test_outputs_do_not_replace_what_is_in_a_folder_that_is_read(full: Shell) -> None:
    said = _refused(full, ["batch", "in", "out", "--recipe=push.toml", "--sheet=in/photo.png"])
    assert "in/photo.png" in said
    (full.folder / "after").mkdir()
    shutil.copy(full.folder / "after.png", full.folder / "after" / "photo.png")
    for place in ("in/photo.png", "in/../after/photo.png"):
        assert "photo.png" in _refused(full, ["compare", "in", "after", "-o", place])


@pytest.mark.parametrize("name", ["before.png", "crop.png", "mask.png"])
def test_pictures_of_a_paste_do_not_replace_others(name: str, full: Shell) -> None:
    (full.folder / "debug").mkdir()
    shutil.copy(full.folder / "photo.png", full.folder / "debug" / name)
    edit = ["edit", "--drag=40,40:46,40", "--model=box.safetensors", "--debug=debug", "-o", "new.png"]
    assert name in _refused(full, [*edit, "photo.png"])
    assert name in _refused(full, [*edit, f"debug/{name}"])


def test_the_demo_leaves_a_folder_of_photos_alone(full: Shell) -> None:
    for name in ("photo.png", "edited.png", "before-after.png"):
        folder = full.folder / name.removesuffix(".png")
        folder.mkdir()
        shutil.copy(full.folder / "after.png", folder / name)
        assert name in _refused(full, ["demo", "-o", folder.name])


def test_every_page_of_a_sheet_is_checked_before_the_first_is_written(full: Shell) -> None:
    (full.folder / "after").mkdir()
    for number in range(25):
        for folder in ("in", "after"):
            (full.folder / folder / f"{number}.png").write_bytes(b"no photo")
    shutil.copy(full.folder / "after.png", full.folder / "sheet-2.png")
    assert "sheet-2.png" in _refused(full, ["compare", "in", "after", "-o", "sheet.png"])


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a photo": lambda path: png(path, picture()),
    "a text": lambda path: path.write_text("2026-01-01 12:00:00,000 DEBUG other: started\n"),
    "a folder": lambda path: path.mkdir(),
    "a link to a photo": lambda path: path.symlink_to(path.parent / "photo.png"),
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("name", [name for name in COMMANDS if _of(name, Logs)])
def test_only_a_log_of_realedit_gets_messages(name: str, what: str, full: Shell) -> None:
    FOREIGN[what](full.folder / "foreign.png")
    assert "foreign.png" in _refused(full, _arguments(name, {"--log-file": "foreign.png"}))


def test_a_log_is_continued(full: Shell) -> None:
    (full.folder / "log.txt").touch()
    for _ in range(2):
        full("drag", "none", "--drag=1,1:2,2", "--log-file=log.txt", code=2)
    lines = (full.folder / "log.txt").read_text().splitlines()
    assert sum("this is the log of realedit" in line for line in lines) == 2


def test_what_realedit_made_is_made_again(full: Shell) -> None:
    for name in ("a.png", "a.jpg", "a.webp", "a.gif", "a.html"):
        for _ in range(2):
            full("compare", "photo.png", "after.png", "-o", name)
        assert is_ours(full.folder / name)
    for _ in range(2):
        full("align", "photo.png", "--model=box.safetensors", "-o", "crop.png")
        full("models", "convert", "box.safetensors", "new.safetensors")
        full("recipes", "record", "kept", "-o", "new.toml")


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Makes a folder with files in it."""

    def make(**files: bytes) -> Path:
        folder = tmp_path / "folder"
        folder.mkdir()
        for name, content in files.items():
            (folder / name.replace("_", ".")).write_bytes(content)
        return folder

    yield make


@pytest.mark.parametrize(
    "files",
    [
        {"crop_png": b"a photo"},
        {"session_json": b'{"windows": []}'},
        {"report_json": b"{}"},
        {"history_jsonl": b""},
        {"crop_png": b"", "holiday_jpg": b"a photo"},
    ],
)
def test_a_folder_of_other_things_is_no_session(
    files: dict[str, bytes], folders: Callable[..., Path], full: Shell
) -> None:
    folder = folders(**files)
    said = _refused(full, ["invert", "photo.png", "--model=box.safetensors", f"--keep={folder}"])
    assert "other files" in said


def test_a_session_that_was_interrupted_is_replaced(full: Shell) -> None:
    kept = full.folder / "kept"
    (kept / "session.json").unlink()
    (kept / ".realedit-0123456789abcdef.part").write_bytes(b"half")
    random_session(2).save(kept)
    assert (kept / "session.json").exists()


def test_saving_a_session_deletes_nothing_but_its_own(full: Shell) -> None:
    for name in ("mask-eyes.png", "face.safetensors", "notes.txt"):
        (full.folder / "kept" / name).write_bytes(b"precious")
    random_session(2, tuned=False).save(full.folder / "kept")
    assert {"mask-eyes.png", "face.safetensors", "notes.txt"} <= {
        path.name for path in (full.folder / "kept").iterdir()
    }
    assert not (full.folder / "kept" / "tuned.safetensors").exists()


def test_sessions_are_a_kind_of_path_of_their_own() -> None:
    assert {name for name in COMMANDS if _of(name, Sessions)} == {"drag", "paste", "recipes record"}
