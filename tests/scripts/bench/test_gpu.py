"""The benchmark of a device runs with torch, numpy, OpenCV and Pillow alone; here on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MISSING = ("dlib", "pillow_heif", "jpeglib", "rawpy", "ray")
SCRIPT = """
import sys
for name in {missing}:
    sys.modules[name] = None
sys.path[:0] = [{root!r}, {root!r} + "/scripts"]
sys.argv = ["gpu", "--device", "cpu", "--quick", "--json", {json!r}]
import checkpoints.recogniser
from checkpoints import CheckpointError
def absent():
    raise CheckpointError("dlib's file is not there")
if {nothing}:
    checkpoints.recogniser._file = absent
from bench.gpu import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("nothing", [False, True], ids=["with dlib's file", "without"])
def test_it_measures_everything_without_what_photos_need(nothing: bool, tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    script = SCRIPT.format(missing=MISSING, root=str(ROOT), json=str(file), nothing=nothing)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("no likeness, and from the mean face" in done.stdout) == nothing
    rows = {row["what"]: row["value"] for row in json.loads(file.read_text())["rows"]}
    for mask in ("", ", mask"):
        assert 0 < rows[f"face128, 1 point{mask}: a step"] < 60_000
        assert 100 < rows[f"face128, 1 point{mask}: operations of a step"] < 400
    for what in ("start: import torch", "an inversion at standard", "an inversion at standard: PSNR"):
        assert rows[what] > 0
    assert any(what.startswith("a known face: drag (") for what in rows)
