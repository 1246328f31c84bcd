"""stdout and stderr that are closed, full, read by nobody or unable to say a name; photos through pipes."""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image

from realedit.cli import streams
from realedit.photos import read_photo
from tests.realedit.cli.conftest import Shell
from tests.realedit.cli.running import ROOT, snapshot

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full and /proc are Linux's")

EDIT = ["--drag=40,40:44,40", "--model=box.safetensors", "--max-steps=1", "--set=projection.steps=1"]
EDIT += ["--set=tuning.steps=0"]


def _sh(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of bash under pipefail, in which $R is the realedit command."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "R": f"{sys.executable} -m realedit",
            "PY": sys.executable,
            **environment,
        },
        capture_output=True,
        timeout=240,
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("$R --help | true", (0, 141), ""),
        ("$R --help | head -1", (0, 141), ""),
        ("$R --help > /dev/full", (7,), "stdout: No space left"),
        ("$R --help >&-", (7,), "it is closed"),
        ("$R --version 2>&-", (0,), ""),
        ("$R --nonsense 2>&-", (2,), ""),
        ("$R --nonsense 2>/dev/full", (2,), ""),
        ("$R --version <&-", (0,), ""),
    ],
)
def test_what_is_asked_for_must_arrive_unless_nobody_reads(
    line: str, code: tuple[int, ...], said: str, tmp_path: Path
) -> None:
    done = _sh(line, tmp_path)
    assert done.returncode in code, done
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("where", ["| true", "> /dev/full", ">&-", ">&- 2>&-"])
def test_a_lost_message_does_not_change_the_exit_code(where: str, tmp_path: Path) -> None:
    script = (
        "import sys, time; from realedit.cli.streams import guarded, message\n"
        "with guarded():\n time.sleep(.3); [message('a' * 9000) for _ in range(9)]; open('written', 'w')"
    )
    done = _sh(f'$PY -c "$SCRIPT" {where}', tmp_path, SCRIPT=script)
    assert done.returncode == 0, done
    assert (tmp_path / "written").read_bytes() == b""
    told = done.stderr.decode().count("could not be written to stdout")
    assert told == (where in ("> /dev/full", ">&-"))


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ],
    ids=str,
)
def test_stdout_says_any_name_in_any_encoding(locale: dict[str, str], tmp_path: Path) -> None:
    script = (
        "import os; from realedit.cli.streams import guarded, message, complain\n"
        "with guarded():\n message(os.fsdecode(b'caf\\xe9')); message('\\u5c71'); complain('\\u5c71')\n"
        " print('\\udce9')"
    )
    done = _sh('$PY -c "$SCRIPT"', tmp_path, SCRIPT=script, **locale)
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 3


@contextmanager
def _stdout(file: str) -> Iterator[None]:
    """sys.stdout as `guarded` makes it, on another file."""
    before = sys.stdout
    with open(file, "wb") as target:  # noqa: PTH123 (a descriptor is wanted)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(streams.Out(target.fileno(), "wb", closefd=False)))
        try:
            yield
        finally:
            with suppress(streams.LostOutput):
                sys.stdout.close()
            sys.stdout = before


def test_the_photo_counts_where_its_message_is_lost(shell: Shell) -> None:
    with _stdout("/dev/full"):
        done = shell("edit", "photo.png", "-oout.png", *EDIT)
    assert "out.png" in done.err and "No space left" in done.err
    read_photo(shell.folder / "out.png")


def test_a_report_that_cannot_be_printed_is_exit_code_7(shell: Shell) -> None:
    with _stdout("/dev/full"):
        done = shell("edit", "photo.png", "-oout.png", "--json", *EDIT, code=7)
    assert "out.png is written" in done.err and "No space left" in done.err
    read_photo(shell.folder / "out.png")


@pytest.mark.parametrize(
    "command", ["recipes list", "recipes show smile", "models list --json", "cache show --json"]
)
def test_a_list_that_cannot_be_printed_is_exit_code_7(command: str, shell: Shell) -> None:
    with _stdout("/dev/full"):
        done = shell(*command.split(), code=7)
    assert "stdout" in done.err


def test_a_photo_goes_through_pipes(shell: Shell) -> None:
    shell("edit", "photo.png", "-oout.png", *EDIT)
    line = f"cat photo.png | $R edit - -o - {' '.join(EDIT)} --keep kept 2>messages | cmp - out.png"
    done = _sh(line, shell.folder)
    assert done.returncode == 0, done
    assert "stdout  (" in (shell.folder / "messages").read_text()
    assert "came from stdin" in shell("paste", "kept", "-onew.png", code=2).err
    with (shell.folder / "photo.png").open() as file:
        shell.patch.setattr(sys, "stdin", file)
        shell("paste", "kept", "-onew.png", "--photo=-")
    assert (shell.folder / "new.png").read_bytes() == (shell.folder / "out.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["edit", "photo.png", "-o-", "--json"], "--json"),
        (["edit", "photo.png", "-oout.png", "--output-format=jpg"], "--output-format"),
        (["edit", "photo.png", "-oout.png", "--output-format=gif"], "gif"),
        (["compare", "photo.png", "photo.png", "-o-"], "-"),
    ],
)
def test_what_does_not_go_together_with_pipes(arguments: list[str], said: str, shell: Shell) -> None:
    options = EDIT if arguments[0] == "edit" else []
    before = snapshot(shell.folder)
    refused = shell(*arguments, *options, code=2)
    assert said in refused.err and refused.out == ""
    assert snapshot(shell.folder) == before


@pytest.mark.parametrize(
    ("content", "code", "said"), [(b"", 4, "stdin"), (b"no photo", 4, "stdin"), (b"x" * 99, 4, "stdin")]
)
def test_stdin_that_holds_no_photo(content: bytes, code: int, said: str, shell: Shell) -> None:
    with (shell.folder / "input").open("wb+") as file:
        file.write(content)
        file.seek(0)
        shell.patch.setattr(sys, "stdin", io.TextIOWrapper(file))
        refused = shell("edit", "-", "-oout.png", *EDIT, code=code)
    assert said in refused.err
    assert not (shell.folder / "out.png").exists()


def test_a_file_called_minus_is_a_file(shell: Shell) -> None:
    (shell.folder / "photo.png").rename(shell.folder / "-")
    shell("edit", "./-", "-oout.png", *EDIT)
    assert (shell.folder / "out.png").is_file()


def test_an_edit_needs_no_folder_for_temporary_files(shell: Shell) -> None:
    Image.open(shell.folder / "photo.png").save(shell.folder / "photo.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(shell.folder / "missing"))
        patch.setattr(tempfile, "tempdir", str(shell.folder / "missing"))
        shell("edit", "photo.jpg", "-oout.jpg", "--compare=both.png", "--timelapse=drag.gif", *EDIT)
