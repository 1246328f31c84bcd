"""The notebook of the guides runs from its first cell to its last, and shows pictures."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "guide" / "drag.ipynb"

nbclient = pytest.importorskip("nbclient", reason="pip install 'realedit[dev]'")
nbformat = pytest.importorskip("nbformat", reason="pip install 'realedit[dev]'")


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_it_drags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = NOTEBOOK.parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "kept without outputs"
    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 6, "the photo, the face, the session, previews of the drag, the result"
    told = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "smiling.png" in told and "identity distance 0." in told
