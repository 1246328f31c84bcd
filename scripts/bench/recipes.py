"""Recipes over many portraits: is the asked movement there, is it the same person, does a warp do as well?

Every photo is inverted once and edited once per recipe; dlib looks for the landmarks in the photo and in the
result, in the same square. Splits go by person: names the generator was trained on are left out with
--without DIR (files of the same stem).

    python scripts/bench recipes --photos DIR [--without DIR] [--count 20] [--recipe NAME ...] [--quick]
                             [--quality draft] [--json FILE] [--raw FILE.jsonl] [--looks DIR] [--record]
    python scripts/bench recipes --pictures     makes the pictures of docs/recipes.md

--raw keeps every edit's figures as they come; what is in it already (recipe, model and quality) is not done
again. --record writes the figures into the recipes (`verified_on`) and the table of docs/recipes.md. Figures:

found     share of the asked movement that dlib sees (of lids and lips: the network for dense points),
          along it, mean over the points; median over portraits.
          Points beside a landmark (hair) cannot be seen by it: such recipes have none.
identity  distance of dlib's face descriptors between photo and result, median; 0.6 is another person.
good      share of the portraits with found >= 0.5 and identity <= 0.35.
warp_*    the same for the photo's own pixels, warped smoothly by the same points without any model.
inside    (open-mouth) share of the portraits whose lips come apart with something unlike lips between them; a
          warp that stretches the teeth it finds passes as well.
"""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from commands import ROOT

import checkpoints
from alignment import extract_crop
from bench.parts.recipe_edits import Picture, Result, run
from bench.shared.measuring import Kept, Row, choose_photos, inverted, report, row
from checkpoints import Checkpoint
from inversion import QUALITIES
from realedit.compare.comparison import write_still
from realedit.compare.labels import labelled
from realedit.editing import stages
from realedit.editing.applying import drag
from realedit.errors import EXPECTED
from realedit.plumbing.files import write_png
from realedit.recipes import Recipe, Use, load, shipped
from realedit.sessions.session import Session

DOCS = ROOT / "docs" / "recipes.md"
PICTURES = ROOT / "docs" / "recipes"
GOALS = {"good": (("smile", "open-mouth", "raise-brows"), 0.8), "inside": (("open-mouth",), 0.5)}
# at -1 they make no sense
ONE_WAY = ("close-mouth", "close-eyes", "wink-left", "wink-right", "hair-volume", "serious", "frown")
SIDE = 232  # pixels of one face in a picture


def main() -> None:
    arguments = parse()
    checkpoint = checkpoints.load(arguments.model)
    if arguments.pictures:
        make_pictures(checkpoint, arguments)
        return
    recipes = [load(name) for name in arguments.recipe or shipped()]
    results = list(all_results(recipes, checkpoint, arguments))
    figures = {recipe.name: figures_of(recipe, results, checkpoint) for recipe in recipes}
    if arguments.record:
        record(figures)
    about = f"{arguments.model} at {arguments.quality}, {len({each.photo for each in results})} photos"
    report(rows(figures, results), about, arguments.json)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--photos", type=Path)
    what.add_argument("--pictures", action="store_true")
    parser.add_argument("--without", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--recipe", action="append", help="only these; names or files")
    parser.add_argument("--model", default="face128")
    parser.add_argument("--quality", choices=QUALITIES, default="draft")
    parser.add_argument("--quick", action="store_true", help="2 photos, the three recipes with a goal")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--raw", type=Path, help="go on from here")
    parser.add_argument("--looks", type=Path, help="a folder for photo, result and warp of every edit")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.count, arguments.recipe = 2, arguments.recipe or list(GOALS["good"][0])
    return arguments


def all_results(
    recipes: Sequence[Recipe], checkpoint: Checkpoint, arguments: argparse.Namespace
) -> Iterator[Result]:
    """Every recipe on every photo: from the raw file what is there, the rest anew."""
    kept = Kept(arguments.raw)
    for path in choose_photos(arguments.photos, arguments.without, arguments.count):
        keys = {
            each: f"{path.stem} {each.name} {each.digest} {checkpoint.sha256} {arguments.quality}"
            for each in recipes
        }
        yield from (Result(**kept.known[key]) for key in keys.values() if key in kept.known)
        missing = [each for each in recipes if keys[each] not in kept.known]
        if missing:
            for recipe, result in measured(path, missing, checkpoint, arguments):
                kept.add(keys[recipe], asdict(result))
                yield result


def measured(
    path: Path, recipes: Sequence[Recipe], checkpoint: Checkpoint, arguments: argparse.Namespace
) -> Iterator[tuple[Recipe, Result]]:
    try:
        photo, session = inverted(path, checkpoint, arguments.quality)
    except EXPECTED as error:
        print(f"{path.name}: left out: {error}")
        return
    for recipe in recipes:
        try:
            result, pictures = run(recipe, photo, session, checkpoint)
        except EXPECTED as error:
            print(f"{path.stem:10} {recipe.name:13} left out: {error}")
            continue
        print(f"{path.stem:10} {recipe.name:13} found {result.found:5.2f} identity {result.identity:.2f} "
              f"warp {result.warp_found:5.2f} {result.warp_identity:.2f} {result.ending} "
              f"{'inside' if result.inside else ''}", flush=True)  # fmt: skip
        if arguments.looks:
            arguments.looks.mkdir(exist_ok=True)
            tiles = [extract_crop(each, session.alignment, SIDE).pixels for each in (photo.srgb(), *pictures)]
            write_still(arguments.looks / f"{recipe.name}-{path.stem}.jpg", np.hstack(tiles))
        yield recipe, result


def figures_of(recipe: Recipe, results: Sequence[Result], checkpoint: Checkpoint) -> dict[str, object]:
    """What `verified_on` holds, in its order."""
    these = [each for each in results if each.digest == recipe.digest]

    def median(key: str) -> float | None:
        value = float(np.median([getattr(each, key) for each in these]))
        return None if np.isnan(value) else round(value, 2)

    values = {key: median(key) for key in ("found", "identity", "warp_found", "warp_identity")}
    good = round(float(np.mean([each.good for each in these])), 2)
    figures: dict[str, object] = {"model": checkpoint.name, "model_sha256": checkpoint.sha256[:16]}
    figures |= {"portraits": len(these), **{k: v for k, v in values.items() if v is not None}, "good": good}
    if recipe.name == "open-mouth":
        figures["inside"] = round(float(np.mean([each.inside for each in these])), 2)
    return figures


def record(figures: dict[str, dict[str, object]]) -> None:
    """The figures at the end of the shipped recipes, and in the table of docs/recipes.md."""
    for name, values in figures.items():
        path = ROOT / "realedit" / "recipes" / "shipped" / f"{name}.toml"
        text = path.read_text(encoding="utf-8").split("[[verified_on]]")[0].rstrip()
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        path.write_text("\n".join([text, "", "[[verified_on]]", *lines, ""]), encoding="utf-8")
    table = [
        "| recipe | found | identity | good | warp: found | warp: identity |",
        "|---|---|---|---|---|---|",
    ]
    for name in shipped():
        for each in load(name).verified_on:
            seen, warp_seen = (
                "-" if value is None else f"{value:.2f}" for value in (each.found, each.warp_found)
            )
            table.append(f"| {name} | {seen} | {each.identity:.2f} | {each.good:.0%} | {warp_seen} | "
                         f"{each.warp_identity:.2f} |")  # fmt: skip
    begin, end = "<!-- figures -->\n", "<!-- end of figures -->"
    text = DOCS.read_text(encoding="utf-8")
    new = begin + "\n" + "\n".join(table) + "\n\n" + end
    DOCS.write_text(re.sub(f"{begin}.*?{end}", lambda _: new, text, flags=re.DOTALL), encoding="utf-8")


def rows(figures: dict[str, dict[str, object]], results: Sequence[Result]) -> list[Row]:
    table = []
    for name, values in figures.items():
        for key in ("found", "identity", "good", "warp_found", "warp_identity", "inside"):
            if key in values:
                these, least = GOALS.get(key, ((), None))
                goal = least if name in these else None
                table.append(row(f"{name}: {key}", float(str(values[key])), "1", goal, least=True))
        for parted, who in ((True, "lips apart in the photo"), (False, "lips closed in the photo")):
            some = [each for each in results if each.recipe == name and each.parted == parted]
            if name == "open-mouth" and some:
                table += [
                    row(f"{name}, {who}: portraits", len(some), ""),
                    row(f"{name}, {who}: good", float(np.mean([each.good for each in some])), "1"),
                    row(f"{name}, {who}: inside", float(np.mean([each.inside for each in some])), "1"),
                    row(
                        f"{name}, {who}: warp_inside",
                        float(np.mean([each.warp_inside for each in some])),
                        "1",
                    ),
                ]
    seconds = float(np.median([each.seconds for each in results]))
    return [*table, row("seconds for drag and paste, median", seconds, "s")]


def make_pictures(checkpoint: Checkpoint, arguments: argparse.Namespace) -> None:
    """The astronaut by every recipe: as she is, at 0.5, at 1, and at -1 where that makes sense."""
    from realedit.cli.demo import astronaut

    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "astronaut.png"
        write_png(path, astronaut())
        photo, session = inverted(path, checkpoint, arguments.quality)
    for name in arguments.recipe or shipped():
        recipe = load(name)
        tiles = [tile(photo.srgb(), session, "0")]
        for strength in (0.5, 1.0, *(() if name in ONE_WAY else (-1.0,))):
            dragged = drag(session, checkpoint, [], [Use(recipe=recipe, strength=strength)])
            edited = stages.render(photo, dragged, checkpoint).srgb()
            tiles.append(tile(edited, session, f"{strength:g}"))
            print(f"{name} {strength:g}: {dragged.history[-1].ending}", flush=True)
        picture = PICTURES / f"{recipe.name}.jpg"
        picture.unlink(missing_ok=True)  # it may be one that carries no mark of ours
        write_still(picture, np.hstack(tiles))


def tile(pixels: Picture, session: Session, text: str) -> Picture:
    return labelled(extract_crop(pixels, session.alignment, SIDE).pixels, text, "bottom left")
