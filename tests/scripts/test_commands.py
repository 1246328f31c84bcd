"""`python scripts/FOLDER NAME`: every script is listed, and one that is not there is told."""

import importlib
import sys

import commands
import pytest


@pytest.mark.parametrize("folder", ["bench", "train"])
def test_every_script_says_what_it_is_and_has_a_main(folder: str) -> None:
    known = commands.names(folder)
    assert known
    for name, said in known.items():
        assert len(said) > 20, name
        source = (commands.SCRIPTS / folder / f"{name}.py").read_text(encoding="utf-8")
        assert "\ndef main() -> None:" in source, name


def test_a_script_gets_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    module = importlib.import_module("train.perception")
    monkeypatch.setattr(module, "main", lambda: seen.append(sys.argv))
    monkeypatch.setattr(sys, "argv", ["scripts/train", "perception", "evaluate", "--data", "x"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    commands.run("train")
    assert seen == [["scripts/train perception", "evaluate", "--data", "x"]]


@pytest.mark.parametrize(("words", "code"), [(["nothing"], 2), ([], 2), (["--help"], 0)])
def test_names_are_listed(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scripts/bench", *words])
    with pytest.raises(SystemExit) as ended:
        commands.run("bench")
    shown = capsys.readouterr()
    said = shown.err if code else shown.out
    assert ended.value.code == code
    assert all(name in said for name in commands.names("bench"))
    assert ("no 'nothing'" in said) == (words == ["nothing"])
