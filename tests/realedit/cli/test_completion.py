"""Completion in the shell, by click's own means, as the guides describe it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.realedit.cli.running import ROOT

GUIDE = ROOT / "docs" / "guide" / "index.md"


def _asked(shell: str, words: str, folder: Path) -> list[str]:
    """What the shell is offered for the last of `words`."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "_REALEDIT_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from realedit.cli.main import main; main()"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("realedit ed", {"plain,edit"}),
        ("realedit edit --qu", {"plain,--quality", "plain,--quiet"}),
        ("realedit edit a.jpg --quality ", {"plain,draft", "plain,standard", "plain,best"}),
        ("realedit recipes sh", {"plain,show"}),
    ],
)
def test_bash_is_offered_commands_options_and_values(words: str, offered: set[str], tmp_path: Path) -> None:
    assert set(_asked("bash", words, tmp_path)) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_lines_of_the_guide_give_the_shell_its_script(shell: str, tmp_path: Path) -> None:
    assert f"_REALEDIT_COMPLETE={shell}_source realedit" in GUIDE.read_text()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_REALEDIT_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        [sys.executable, "-c", "from realedit.cli.main import main; main()"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert "_REALEDIT_COMPLETE" in done.stdout and "Traceback" not in done.stderr
