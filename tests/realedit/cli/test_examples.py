"""The command lines that `--help` shows can be copied: each is one that its command takes."""

import shlex
from pathlib import Path

import click
import pytest

from realedit.cli.examples import ExampleCommand
from realedit.cli.main import COMMANDS, cli

FILES = ("portrait.jpg", "portrait.heic", "group.heic", "group.jpg", "smiling.jpg")
FOLDERS = ("album", "smiling", "inbox", "outbox")


def _command(name: str) -> click.Command | None:
    return cli.get_command(click.Context(cli), name)


EXAMPLES = [
    line for name in COMMANDS if isinstance(each := _command(name), ExampleCommand) for line in each.examples
]


def test_what_people_use_most_has_examples() -> None:
    assert {line.split()[1] for line in EXAMPLES} >= {"edit", "faces", "batch", "watch", "compare", "studio"}


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_taken(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes(b"is not looked into")
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    program, name, *arguments = shlex.split(line.split(" < ")[0])
    command = _command(name)
    assert program == "realedit" and command is not None
    command.make_context(name, arguments, parent=click.Context(cli))
