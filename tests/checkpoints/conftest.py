"""The user's cache is not even a folder yet."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _absent_cache(
    _own_cache: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("REALEDIT_CACHE", str(folder / "realedit"))
