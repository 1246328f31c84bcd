"""The benchmark of looks: its rows, labels, records and sheets."""

import json
from pathlib import Path

import numpy as np
import pytest
from bench import looks
from bench.parts import look_labels
from bench.parts.look_sheets import keep_strip, write_sheets
from bench.parts.looked import DRAGS, Looked, as_looked
from bench.parts.recording import record

from realedit.looks import GRADES
from realedit.looks.effects import Did
from realedit.looks.verdict import LIMITS
from realedit.recipes import load, shipped

LEAST = {"of good, weak, bad": 0.72, "of good or not": 0.76, "of bad or not": 0.88}


def one(verdict: str, what: str = "smile", photo: str = "a/b.jpg", reasons: tuple[str, ...] = ()) -> Looked:
    return Looked(
        photo=photo, person=Path(photo).stem, what=what, digest="d", kinds=("glasses", "upright"),
        verdict=verdict, reasons=reasons, words=reasons, identity=0.2, seconds=1.0, judged=0.1,
        measures={"seam": 0.1},
    )  # fmt: skip


def test_rows_tell_shares_by_recipe_and_kind_and_what_was_wrong() -> None:
    some = [one("good")] * 6 + [one("bad", reasons=("seam",))] * 2 + [one("weak", "frown", reasons=("seam",))]
    table = {each["what"]: each for each in looks.rows(some)}
    assert table["smile: good"]["value"] == 0.75 and table["smile: good"]["holds"]
    assert table["glasses: good"]["holds"] is False and table["frown: good"]["goal"] is None
    assert table["because of seam"]["value"] == pytest.approx(0.333)
    assert table["seconds of the judge, median"]["holds"]


def test_a_kept_edit_is_read_again() -> None:
    from dataclasses import asdict

    assert as_looked(json.loads(json.dumps(asdict(one("weak", reasons=("bent",)))))) == one(
        "weak", reasons=("bent",)
    )


def test_photos_come_from_all_folders(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.jpg", "a/3.jpg", "b/4.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    chosen = looks.photos([tmp_path / "a", tmp_path / "b"], None, 3)
    assert len(chosen) == 3 and {path.parent.name for path in chosen} == {"a", "b"}


def test_figures_are_recorded_in_recipe_and_page(tmp_path: Path) -> None:
    text = 'name = "smile"\ndescription = "x"\n\n[[points]]\nat = "nose.tip"\nmove = [0.1, 0.0]\n'
    (tmp_path / "smile.toml").write_text(text)
    page = tmp_path / "recipes.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n")
    figures = {"model": "m", "model_sha256": "ab", "portraits": 4, "good": 0.5, "weak": 0.25, "bad": 0.25}
    for identity in (0.1, 0.2):
        record({"smile": {**figures, "identity": identity}}, tmp_path, page)
    (kept,) = load(str(tmp_path / "smile.toml")).verified_on
    assert kept.good == 0.5 and kept.identity == 0.2
    assert "| smile | 4 | 50% | 25% | 25% | 0.20 |" in page.read_text() and "old" not in page.read_text()


def test_the_worst_are_first_on_the_sheet(tmp_path: Path) -> None:
    edits = [one("good", photo="a/1.jpg"), one("bad", photo="a/2.jpg", reasons=("seam",))]
    for each, level in zip(edits, (40, 220), strict=True):
        keep_strip(tmp_path, each, np.full((300, 600, 3), level, np.uint8))
    (page,) = write_sheets(tmp_path, edits)
    from realedit.photos import read_photo

    pixels = read_photo(page).srgb()
    assert pixels[150, 300].mean() > 200 and pixels[150, 900].mean() < 60


def test_labels_name_recipes_that_there_are_and_are_many() -> None:
    edits = look_labels.labelled_edits()
    names = {each.recipe for each in edits}
    assert len(edits) >= 120 and names >= set(shipped()) and names <= {*shipped(), *DRAGS}
    assert {each.label for each in edits} == set(GRADES)
    tuned = {each.person for each in edits if each.tuned}
    assert tuned and {each.person for each in edits} - tuned


def test_the_judge_agrees_with_the_eye_on_people_the_limits_were_not_set_on() -> None:
    table = {row["what"]: row["value"] for row in look_labels.agreement_rows(look_labels.labelled_edits())}
    for what, least in LEAST.items():
        assert table[f"other people: same {what}"] >= least, what


def test_figures_are_kept_as_they_were_measured(tmp_path: Path) -> None:
    key = ("a/b.jpg", "smile", "abc")
    path, labels = tmp_path / "figures.jsonl", tmp_path / "labels.csv"
    done = Did("smile", 1.5, 0.3, "the corners of the mouth were to rise")
    look_labels.write_figures({key: ([done], {"seam": LIMITS["seam"].bad + 0.01})}, path)
    labels.write_text(
        "photo,recipe,commit,quality,verdict,better,reason\na/b.jpg,smile,abc,draft,bad,,a line\n"
    )
    (edit,) = look_labels.labelled_edits(labels, path)
    assert edit.verdict.grade == "bad" and edit.label == "bad" and edit.person == "b"
    assert look_labels.contradicted([edit]) == []
    assert {row["value"] for row in look_labels.agreement([edit], "x")[1:4]} == {1.0}
