"""How far the judge agrees with the eye: labels that people's eyes gave, and the figures of these edits.

`scripts/looks/labels.csv` has the labels (photo, recipe, commit of the code that made the edit, verdict,
reason). `scripts/looks/figures.jsonl` has what was measured on these edits, so that limits are set and
agreement is counted without making them again; a change of how something is measured needs the edits.
"""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from commands import SCRIPTS

from bench.shared.measuring import Row, row
from realedit.looks import GRADES
from realedit.looks.effects import Did
from realedit.looks.verdict import Verdict, conclude

LABELS = SCRIPTS / "looks" / "labels.csv"
FIGURES = SCRIPTS / "looks" / "figures.jsonl"
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Labelled:
    """One labelled edit, its figures and what the judge makes of them."""

    photo: str
    recipe: str
    commit: str
    label: str
    said: str
    verdict: Verdict

    @property
    def person(self) -> str:
        """The photo's file without what was done to a copy of it."""
        stem = Path(self.photo).stem
        for made in ("tilted-", "grey-", "small-"):
            stem = stem.removeprefix(made)
        return stem

    @property
    def tuned(self) -> bool:
        """Whether limits were set on this person; on the other half of the people agreement is counted."""
        return int(hashlib.sha256(self.person.encode()).hexdigest(), 16) % 2 == 0


def labelled_edits(labels: Path = LABELS, figures: Path = FIGURES) -> list[Labelled]:
    """Each label whose edit was measured, with the judge's present verdict."""
    known = known_figures(figures)
    with labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for each in rows:
        key = each["photo"], each["recipe"], each["commit"]
        if key in known:
            done, measures = known[key]
            verdict = conclude(done, measures, {each["recipe"]})
            found.append(Labelled(*key, each["verdict"], each["reason"], verdict))
    return found


def known_figures(path: Path = FIGURES) -> dict[Key, tuple[list[Did], dict[str, float]]]:
    """What was measured so far, by photo, recipe and commit."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(map(_figures, lines))


def write_figures(
    found: Mapping[Key, tuple[Sequence[Did], Mapping[str, float]]], path: Path = FIGURES
) -> None:
    """Keep what was measured, an edit a line."""
    lines = [
        json.dumps(
            {
                "edit": key,
                "did": [{k: _rounded(v) for k, v in asdict(each).items()} for each in done],
                "measures": {name: _rounded(value) for name, value in measures.items()},
            }
        )
        for key, (done, measures) in sorted(found.items())
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def agreement(edits: Sequence[Labelled], who: str) -> list[Row]:
    """Rows: how often judge and eye say the same of three grades, and of good or not."""
    pairs = [(each.label, each.verdict.grade) for each in edits]
    if not pairs:
        return []
    same = sum(eye == judge for eye, judge in pairs) / len(pairs)
    good = sum((eye == "good") == (judge == "good") for eye, judge in pairs) / len(pairs)
    bad = sum((eye == "bad") == (judge == "bad") for eye, judge in pairs) / len(pairs)
    apart = sum(abs(GRADES.index(eye) - GRADES.index(judge)) > 1 for eye, judge in pairs) / len(pairs)
    return [
        row(f"{who}: labels", len(pairs), ""),
        row(f"{who}: same of good, weak, bad", same, "1", 0.9, least=True),
        row(f"{who}: same of good or not", good, "1", 0.9, least=True),
        row(f"{who}: same of bad or not", bad, "1", 0.9, least=True),
        row(f"{who}: good for bad or bad for good", apart, "1"),
    ]


def agreement_rows(edits: Sequence[Labelled]) -> list[Row]:
    """For the half that limits were set on, for the other half, and by recipe."""
    held = [each for each in edits if not each.tuned]
    table = agreement([each for each in edits if each.tuned], "people the limits were set on")
    table += agreement(held, "other people")
    for recipe in sorted({each.recipe.partition(":")[0] for each in edits}):
        some = [each for each in edits if each.recipe.partition(":")[0] == recipe]
        same = sum(each.label == each.verdict.grade for each in some)
        table.append(row(f"{recipe}: same of good, weak, bad, of {len(some)}", same / len(some), "1"))
    return table


def contradicted(edits: Sequence[Labelled]) -> list[str]:
    """A line for each edit that eye and judge see differently."""
    return [
        f"{each.photo} {each.recipe} {each.commit}: the eye says {each.label} ({each.said}), the judge "
        f"{each.verdict.in_words()}"
        for each in edits
        if each.label != each.verdict.grade
    ]


def _figures(text: str) -> tuple[Key, tuple[list[Did], dict[str, float]]]:
    line: dict[str, Any] = json.loads(text)
    photo, recipe, commit = line["edit"]
    return (photo, recipe, commit), ([Did(**each) for each in line["did"]], line["measures"])


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
