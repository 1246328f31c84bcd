"""Contact sheets: which photos go together, pages, figures, and what is said of what is missing."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from realedit.compare import Pair
from realedit.compare.sheet import PER_PAGE, Entry, find_pairs, measured, write_sheet
from realedit.errors import UsageError
from tests.realedit.samples import picture, png


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    return before, after


def test_photos_pair_by_name_then_by_stem(folders: tuple[Path, Path]) -> None:
    before, after = folders
    for name in ("a.png", "b.heic", "c.png", "d.png", "notes.txt"):
        (before / name).touch()
    for name in ("a.png", "a.jpg", "b.jpg", "d.jpg", "d.webp", "e.png", "b.jpg.compare.png"):
        (after / name).touch()
    entries = {entry.name: entry for entry in find_pairs(before, after)}
    assert entries["a.png"].after == after / "a.png" and entries["b.heic"].after == after / "b.jpg"
    assert "no counterpart" in str(entries["c.png"].trouble)
    assert "d.jpg, d.webp" in str(entries["d.png"].trouble)
    assert "no counterpart" in str(entries["e.png"].trouble) and entries["e.png"].before is None
    assert set(entries) == {"a.png", "a.jpg", "b.heic", "c.png", "d.png", "e.png"}


def test_folders_that_do_not_go_together_are_refused(folders: tuple[Path, Path]) -> None:
    png(folders[0] / "a.png", picture())
    with pytest.raises(UsageError, match="go together"):
        find_pairs(*folders)


def test_a_sheet_has_as_many_pages_as_it_takes(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for number in range(PER_PAGE + 2):
        for folder in folders:
            png(folder / f"{number:02}.png", picture(32, 24, seed=number))
    (folders[0] / "07.png").write_bytes(b"damaged")
    entries = find_pairs(*folders)
    pages, done = write_sheet(tmp_path / "sheet.html", entries)
    assert [page.name for page in pages] == ["sheet.html", "sheet-2.html"]
    first, second = (page.read_text() for page in pages)
    assert first.count("<img") == 2 * (PER_PAGE - 1) and second.count("<img") == 4
    assert 'href="sheet-2.html"' in first and 'href="sheet.html"' in second
    assert "00.png" in first and "25.png" in second and "no face, 0.0% changed" in first
    assert "07.png" in str(done[7].trouble) and [entry.trouble for entry in done].count(None) == PER_PAGE + 1
    pages, _ = write_sheet(tmp_path / "sheet.png", entries[: PER_PAGE + 1])
    shapes = [cv2.imread(str(page)).shape for page in pages]
    assert len(shapes) == 2 and shapes[0][0] > 5 * shapes[1][0], "eight rows, and one"


def test_the_figures_are_of_the_face_and_the_changed_share(tmp_path: Path) -> None:
    face = np.ascontiguousarray(skimage.data.astronaut()[:256])
    entry = Entry("a", tmp_path, tmp_path)
    same = measured(entry, Pair(face, face))
    assert same.identity == 0 and same.changed == 0
    noisy = face.copy()
    noisy[200:228, :256] ^= 64
    noisy[:100, 300:400] ^= 4  # as compression would
    changed = measured(entry, Pair(face, noisy))
    assert changed.changed == pytest.approx(28 * 256 / (256 * 512)) and changed.identity is not None
    assert "identity distance" in changed.note


def test_a_sheet_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sheet\.gif"):
        write_sheet(tmp_path / "sheet.gif", [Entry("a", None, None, "x")])
