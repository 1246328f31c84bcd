"""How outputs are called where the photo's own name cannot be written."""

import os
from pathlib import Path

import pytest

from realedit.batch.edits import EditWork
from realedit.batch.names import fitted, mirrored, numbered, writable
from realedit.editing.request import EditRequest


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.jpg", "a.jpg"),
        ("CON.jpg", "CON_.jpg"),
        ("nul", "nul_"),
        ("Com1.tar.jpg", "Com1_.tar.jpg"),
        ("LPT\u00b9.png", "LPT\u00b9_.png"),
        ("AUX .jpg", "AUX _.jpg"),
        ("CONIN$.jpg", "CONIN$_.jpg"),
        ("CONSOLE.jpg", "CONSOLE.jpg"),
        ("a. .jpg", "a. .jpg"),
        ("album. ", "album__"),
        ("x.jpg...", "x.jpg___"),
        ("a:b.jpg", "a_b.jpg"),
        ("..\\..\\x.jpg", ".._.._x.jpg"),
        ("C:\\x.jpg", "C__x.jpg"),
        ('a<b>"c|d?e*\t.jpg', "a_b__c_d_e__.jpg"),
        ("Zo\u00eb \u5c71.jpg", "Zo\u00eb \u5c71.jpg"),
        ("\udcff.jpg", "\udcff.jpg"),
    ],
)
def test_what_windows_cannot_write_is_written_under_another_name(name: str, written: str) -> None:
    assert writable(name, windows=True) == written
    assert writable(name, windows=False) == name
    assert mirrored(Path("album") / name, windows=False).parts[:1] == ("album",)


def test_every_folder_of_an_output_can_be_written() -> None:
    assert mirrored(Path("NUL/b. /a:b.nef"), windows=True) == Path("NUL_/b__/a_b.jpg")


@pytest.mark.parametrize(
    "name", ["n" * 251 + ".jpg", "é" * 125 + ".jpeg", "山" * 83 + ".png", "\udcff" * 251 + ".jpg"]
)
def test_long_names_are_cut_to_what_fits_and_stay_different(name: str) -> None:
    assert fitted(name) == name and numbered(Path(name), 1) == Path(name)
    seen = {name}
    for spare in (3, 19, 40):
        cut = fitted(name, spare)
        assert len(os.fsencode(cut)) + spare <= 255 and Path(cut).suffix == Path(name).suffix
        assert cut != fitted("x" + name[1:], spare), "names that begin alike stay apart"
        seen.add(cut)
    for number in (2, 3, 1000):
        place = numbered(Path("a") / name, number)
        assert len(os.fsencode(place.name)) <= 255 and place.parent == Path("a")
        seen.add(place.name)
    assert len(seen) == 7


def test_a_name_without_a_short_extension_is_cut_at_its_end() -> None:
    cut = fitted("a." + "b" * 300)
    assert len(cut) == 255 and cut.startswith("a.bbb") and "~" in cut


@pytest.mark.parametrize("compare", ["html", "png", "gif"])
def test_comparisons_of_long_names_have_room(compare: str) -> None:
    work = EditWork(EditRequest(photo=Path(), output=Path()), "", compare)
    found = [
        path.name
        for name in ("a" * 251, "a" * 250 + "b")
        for path in work.beside(Path("out") / f"{name}.jpg")
    ]
    assert len(set(found)) == 2 and all(len(name) <= 255 for name in found)
    assert work.beside(Path("out/a.jpg")) == (Path(f"out/a.jpg.compare.{compare}"),)
