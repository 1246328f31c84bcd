"""A shell for the tests of commands."""

from pathlib import Path

import pytest

from tests.realedit.cli.running import Result, call
from tests.realedit.samples import box_checkpoint, picture, png, save_model


class Shell:
    """`realedit ...` in this process, in a folder with a photo and a model."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.patch, self.capture = folder, patch, capture
        patch.chdir(folder)

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        result = call(list(arguments), self.patch, self.capture)
        assert result.code == code, result
        return result


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    png(tmp_path / "photo.png", picture())
    save_model(box_checkpoint(seed=3), tmp_path / "box.safetensors")
    return Shell(tmp_path, monkeypatch, capfd)
