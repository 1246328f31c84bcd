"""Pictures and boxes of any size and place: dlib, which checks little, stays within its memory."""

import os
import subprocess
import sys

import numpy as np
import pytest

from alignment import AlignmentError, find_faces
from alignment.detection import Box
from alignment.landmarks import find_landmarks
from alignment.models import LEAST_SIDE, face_models

# The allocator of glibc then finds what was written past the end of a block when the block is freed.
_STRICT = {"MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165", "OMP_NUM_THREADS": "1"}
_FUZZ = """
import numpy as np
from alignment.detection import CnnDetector, FaceDetector
from alignment.models import LEAST_SIDE, face_models

random = np.random.default_rng(0)
sides = [*map(int, random.integers(1, 100, 4)), *map(int, random.integers(100, 9000, 2))]
sizes = [(1, 1), (8, 8), (30, 3000), (3000, 30), (40, 9000), (9000, 40), (1, 60000), (60000, 1)]
sizes += [(int(random.integers(1, 60)), side) for side in sides]
sizes += [(side, int(random.integers(1, 60))) for side in sides]
sizes += [(1600, 7), (7, 1600), (1200, 9), (12, 1200), (LEAST_SIDE, 400), (400, LEAST_SIDE)]
for height, width in sizes:
    print(height, width, flush=True)
    pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    FaceDetector()(pixels)
    face_models().hog(pixels[:200, :200].copy(), -1.0)
    face_models().cnn(pixels[:200, :200].copy())
    CnnDetector(300)(pixels)
    blocks = [np.zeros(n) for n in range(1, 900, 7)]  # memory is taken and freed, which has it checked
    del blocks
"""


def test_no_size_makes_a_detector_write_outside_of_its_memory() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _FUZZ],
        env={**os.environ, **_STRICT},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, f"{run.returncode} at {run.stdout.splitlines()[-1:]}: {run.stderr[-500:]}"


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (30, 3000), (3000, 30), (9000, 40), (5, 40000)])
def test_there_is_no_face_in_a_picture_too_thin_for_one(size: tuple[int, int]) -> None:
    assert find_faces(np.zeros((*size, 3), np.uint8)) == []


@pytest.mark.parametrize("size", [(LEAST_SIDE - 1, 400), (400, LEAST_SIDE - 1)])
def test_a_thin_picture_does_not_reach_dlib(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    models = face_models()
    for search in (models.hog, models.cnn):
        monkeypatch.setitem(search.__dict__, "detector", None)
    picture = np.zeros((*size, 3), np.uint8)
    assert models.hog(picture, 0.0) == models.cnn(picture) == []


@pytest.mark.parametrize(
    "edges",
    [
        *((5, 5, 5, 5), (9, 9, 2, 2), (1e6, 1e6, 1e6 + 50, 1e6 + 50), (-1e15, -1e15, 1e15, 1e15)),
        *((-1e300, -1e300, 1e300, 1e300), (float("nan"), 0, 5, 5), (0, 0, float("inf"), 5)),
    ],
)
@pytest.mark.parametrize("turn", [0, 3, None])
@pytest.mark.parametrize("size", [(1, 1), (2, 40000), (300, 300)])
def test_a_box_that_can_hold_no_face_is_refused(
    edges: tuple[float, float, float, float], turn: int | None, size: tuple[int, int]
) -> None:
    with pytest.raises(AlignmentError):
        find_landmarks(np.zeros((*size, 3), np.uint8), Box(*edges, score=1.0, turn=turn))
