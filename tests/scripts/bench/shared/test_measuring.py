import json
from pathlib import Path

import numpy as np
import pytest
from bench.shared.measuring import Kept, choose_photos, report, row


def test_photos_are_the_same_ones_each_time_and_none_of_known_people(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    for folder, names in ((new, "abcdefgh"), (old, "ceg")):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.jpg").touch()
    (new / "folder").mkdir()
    chosen = choose_photos(new, old, 3)
    assert chosen == choose_photos(new, old, 3)
    assert len(chosen) == 3 and {path.stem for path in chosen} <= set("abdfh")
    assert {path.stem for path in choose_photos(new, None, 100)} == set("abcdefgh")
    split = tmp_path / "faces.npz"
    np.savez(split, names=json.dumps({"people": list("abcxy"), "held_out": ["b", "x"]}))
    assert {path.stem for path in choose_photos(new, split, 100)} == set("bdefgh")


@pytest.mark.parametrize(
    ("value", "goal", "least", "holds"),
    [(0.5, 0.5, True, True), (0.4, 0.5, True, False), (0.5, 0.5, False, True), (0.6, 0.5, False, False)],
)
def test_a_row_says_whether_its_goal_holds(value: float, goal: float, least: bool, holds: bool) -> None:
    assert row("what", value, "1", goal, least=least)["holds"] is holds


def test_a_figure_without_a_goal_neither_holds_nor_misses() -> None:
    assert row("what", 1.23456, "s") == {
        "what": "what",
        "value": 1.235,
        "unit": "s",
        "goal": None,
        "holds": None,
    }


def test_a_report_prints_what_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = [row("kept", 0.9, "share", 0.8, least=True), row("lost", 3, "px", 2), row("time", 1.5, "s")]
    report(table, "face128, 2 photos", tmp_path / "rows.json")
    assert json.loads((tmp_path / "rows.json").read_text()) == {"rows": table}
    said = capsys.readouterr().out
    assert "face128, 2 photos" in said
    assert "0.9 share  (goal 0.8, holds)" in said and "3.0 px  (goal 2, MISSED)" in said
    assert said.rstrip().endswith("1.5 s")


def test_what_was_measured_is_known_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    first = Kept(path)
    assert first.known == {}
    first.add("one", {"seconds": [1.5, 2]})
    second = Kept(path)
    second.add("two", None)
    assert Kept(path).known == second.known == {"one": {"seconds": [1.5, 2]}, "two": None}
    nowhere = Kept(None)
    nowhere.add("one", 1)
    assert nowhere.known == {"one": 1} and Kept(None).known == {}
