"""How edits look: every recipe and three drags on photographs of people, judged as an eye would.

    python scripts/bench looks --photos DIR [DIR ...] [--without DIR] [--count 20] [--recipe NAME ...]
                               [--quick] [--quality draft] [--json FILE] [--raw FILE.jsonl] [--sheets DIR]
                               [--again NAME ...] [--record]
    python scripts/bench looks --agreement    how far the judge agrees with labels that people's eyes gave
    python scripts/bench looks --measure EDITS --photos ROOT    measures labelled edits
    python scripts/bench looks --pictures     makes the pictures of docs/recipes.md

Every photo is edited once per recipe and drag, and inverted once where any of them needs it;
`realedit.looks` says of each result whether it is good, weak or bad, and why. Splits go by person: names the
generator was trained on are left out with --without DIR (files of the same stem). Of several folders each
gives its share of the photos.

--raw keeps every edit's verdict as it comes; what is in it already (recipe, model, quality) is not done
again, but for the recipes named with --again. --sheets writes contact sheets, the worst first. --record
writes the figures into the recipes (`verified_on`) and the table of docs/recipes.md. --agreement lists what
eye and judge see differently (see `parts/look_labels.py`). --measure measures those labelled edits that have
no figures yet (all of them, where scripts/looks/figures.jsonl is not there): EDITS holds
COMMIT/FOLDER_NAME__RECIPE.png.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

import checkpoints
from bench.parts.look_labels import (
    agreement_rows,
    contradicted,
    known_figures,
    labelled_edits,
    write_figures,
)
from bench.parts.look_measuring import measured_labels
from bench.parts.look_sheets import keep_strip, strip_of, write_sheets
from bench.parts.looked import DRAGS, Looked, Picture, as_looked, kinds_of, look
from bench.parts.recording import figures_of, make_pictures, record
from bench.shared.measuring import Kept, Row, aligned, choose_photos, report, row
from checkpoints import Checkpoint
from inversion import QUALITIES, InversionSettings, Quality
from realedit.editing import stages
from realedit.errors import EXPECTED, SessionError
from realedit.looks import Verdict
from realedit.photos import Photo
from realedit.recipes import Recipe, load, shipped
from realedit.sessions.session import Session

GOOD, BAD, KIND = 0.9, 0.02, 0.75  # goals: of all edits, of all edits, of each recipe and each kind of photo
FEW = 8  # edits of a kind that a share is told from
QUICK = ("smile", "close-eyes", "open-mouth", "turn-left")


def main() -> None:
    """Measure, print and, if asked to, write."""
    arguments = parse()
    if arguments.measure:
        known = known_figures()
        write_figures({**known, **dict(measured_labels(arguments.measure, arguments.photos, known))})
    if arguments.agreement or arguments.measure:
        edits = labelled_edits()
        print("\n".join(contradicted(edits)))
        report(agreement_rows(edits), f"{len(edits)} labelled edits", arguments.json)
        return
    checkpoint = checkpoints.load(arguments.model)
    if arguments.pictures:
        make_pictures(checkpoint, arguments.recipe or [], arguments.quality)
        return
    recipes = [load(name) for name in arguments.recipe or shipped()]
    drags = [] if arguments.recipe else list(DRAGS)
    results = list(all_results(recipes, drags, checkpoint, arguments))
    if not results:
        raise SystemExit("no photo could be edited")
    if arguments.sheets:
        print("\n".join(str(page) for page in write_sheets(arguments.sheets, results)))
    if arguments.record:
        by_name = {each.name: [one for one in results if one.what == each.name] for each in recipes}
        record({name: figures_of(some, checkpoint) for name, some in by_name.items() if some})
    about = f"{arguments.model} at {arguments.quality}, {len({each.photo for each in results})} photos"
    report(rows(results), about, arguments.json)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--agreement", action="store_true")
    what.add_argument("--pictures", action="store_true")
    parser.add_argument("--photos", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--measure", type=Path, metavar="EDITS")
    parser.add_argument("--without", type=Path)
    parser.add_argument("--count", type=int, default=20, help="photos, of all folders together")
    parser.add_argument("--recipe", action="append", help="only these, and no drags; names or files")
    parser.add_argument("--model", default="face128")
    parser.add_argument("--quality", choices=QUALITIES, default="draft")
    parser.add_argument("--quick", action="store_true", help=f"2 photos; {', '.join(QUICK)}")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--raw", type=Path, help="go on from here")
    parser.add_argument("--again", action="append", default=[], help="judge this recipe anew")
    parser.add_argument("--sheets", type=Path, metavar="DIR")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.photos or arguments.agreement or arguments.pictures):
        parser.error("name photos with --photos DIR, or ask for --agreement or --pictures")
    if arguments.quick:
        arguments.count, arguments.recipe = 2, arguments.recipe or list(QUICK)
    return arguments


def all_results(
    recipes: Sequence[Recipe], drags: Sequence[str], checkpoint: Checkpoint, arguments: argparse.Namespace
) -> Iterator[Looked]:
    """Every recipe and drag on every photo: from the raw file what is there, the rest anew."""
    kept = Kept(arguments.raw)
    asked: list[tuple[str, Recipe | None, str]] = [(each.name, each, each.digest) for each in recipes]
    asked += [(name, None, str(DRAGS[name])) for name in drags]
    for path in photos(arguments.photos, arguments.without, arguments.count):
        name = f"{path.parent.name}/{path.name}"
        keys = {
            what: f"{name} {what} {digest} {checkpoint.sha256} {arguments.quality}"
            for what, _, digest in asked
        }
        done = {what for what, key in keys.items() if key in kept.known and what not in arguments.again}
        yield from (as_looked(kept.known[keys[what]]) for what in keys if what in done)
        missing = [each for each in asked if each[0] not in done]
        if missing:
            for result in measured(path, name, missing, checkpoint, arguments):
                kept.add(keys[result.what], asdict(result))
                yield result


def photos(folders: Sequence[Path], without: Path | None, count: int) -> list[Path]:
    """`count` photos, an equal share of each folder as far as it has them, always the same."""
    queues = [choose_photos(folder, without, count) for folder in folders]
    chosen: list[Path] = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(queue.pop(0))
    return chosen


def measured(
    path: Path,
    name: str,
    asked: Sequence[tuple[str, Recipe | None, str]],
    checkpoint: Checkpoint,
    arguments: argparse.Namespace,
) -> Iterator[Looked]:
    """The edits of one photo; what is refused is said and left out."""
    try:
        photo, session = aligned(path, checkpoint, arguments.quality)
        kinds = kinds_of(photo, session)
    except EXPECTED as error:
        print(f"{path.name}: left out: {error}")
        return
    for what, recipe, digest in asked:
        try:
            session, seen = looked_at(what, recipe, photo, session, checkpoint, arguments.quality)
            verdict, identity, (seconds, judged), after = seen
        except EXPECTED as error:
            print(f"{path.stem:16} {what:13} refused: {error}")
            continue
        result = Looked(
            photo=name, person=path.stem, what=what, digest=digest, kinds=kinds, verdict=verdict.grade,
            reasons=tuple(each.measure for each in verdict.reasons),
            words=tuple(each.said for each in verdict.reasons),
            identity=round(identity, 4), seconds=round(seconds, 3), judged=round(judged, 3),
            measures={key: round(value, 4) for key, value in verdict.measures.items()},
        )  # fmt: skip
        print(f"{path.stem:16} {what:13} {verdict.in_words()}", flush=True)
        if arguments.sheets:
            keep_strip(arguments.sheets, result, strip_of(photo.srgb(), after, session.alignment))
        yield result


def looked_at(
    what: str, recipe: Recipe | None, photo: Photo, session: Session, checkpoint: Checkpoint, quality: Quality
) -> tuple[Session, tuple[Verdict, float, tuple[float, float], Picture]]:
    """`look`, and the session, which is inverted where this edit is the first that needs it."""
    try:
        return session, look(what, recipe, photo, session, checkpoint)
    except SessionError:
        session = stages.invert(session, checkpoint, InversionSettings.preset(quality))
        return session, look(what, recipe, photo, session, checkpoint)


def rows(results: Sequence[Looked]) -> list[Row]:
    """All edits, each recipe and drag, each kind of photo; then the reasons, the most frequent first."""
    table = shares(results, "all edits", GOOD, BAD)
    share = table[1]["value"]
    spread = 1.96 * float(np.sqrt(max(share * (1 - share), 0.25 / len(results)) / len(results)))
    table.append(row("all edits: good, give or take (95 %)", spread, "1"))
    for what in dict.fromkeys(each.what for each in results):
        table += shares([each for each in results if each.what == what], what, KIND)
    for kind in sorted({kind for each in results for kind in each.kinds}):
        table += shares([each for each in results if kind in each.kinds], kind, KIND)
    reasons = [reason for each in results for reason in set(each.reasons)]
    for reason in sorted(set(reasons), key=lambda each: -reasons.count(each)):
        table.append(row(f"because of {reason}", reasons.count(reason) / len(results), "1"))
    table.append(
        row("seconds for drag and paste, median", float(np.median([e.seconds for e in results])), "s")
    )
    judged = float(np.median([each.judged for each in results]))
    return [*table, row("seconds of the judge, median", judged, "s", 0.2)]


def shares(results: Sequence[Looked], what: str, good: float, bad: float | None = None) -> list[Row]:
    """How many of some edits are good, weak and bad; goals where there are enough to tell."""
    count = len(results)
    share = {
        grade: sum(each.verdict == grade for each in results) / count for grade in ("good", "weak", "bad")
    }
    enough = count >= FEW
    return [
        row(f"{what}: edits", count, ""),
        row(f"{what}: good", share["good"], "1", good if enough else None, least=True),
        row(f"{what}: weak", share["weak"], "1"),
        row(f"{what}: bad", share["bad"], "1", bad if enough else None),
    ]
