#!/usr/bin/env python
"""Recipes over many portraits: is the asked movement there, is it the same person, does a warp do as well?

Every photo is inverted once and edited once per recipe; dlib looks for the landmarks in the photo and in the
result, in the same square. Splits go by person: names the generator was trained on are left out with
--without DIR (files of the same stem).

    scripts/bench_recipes.py --photos DIR [--without DIR] [--count 10] [--recipe NAME ...] [--quick]
                             [--quality draft] [--json FILE] [--sheet FILE.jpg] [--record]
    scripts/bench_recipes.py --pictures     makes the pictures of docs/recipes.md

--record writes the figures into the recipes (`verified_on`) and the table of docs/recipes.md. They mean:

found     share of the asked movement that dlib sees, along it, mean over the points; median over portraits.
          Points beside a landmark (hair) cannot be seen by it: such recipes have none.
identity  distance of dlib's face descriptors between photo and result, median; 0.6 is another person.
good      share of the portraits with found >= 0.5 and identity <= 0.35.
warp_*    the same for the photo's own pixels, warped smoothly by the same points without any model.
inside    (open-mouth) share of the portraits whose lips stand apart with something unlike lips between them.
"""

import argparse
import json
import platform
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import checkpoints
from alignment import extract_crop
from alignment.identity import descriptor, distance
from alignment.landmarks import landmarks_in
from checkpoints import Checkpoint
from inversion import QUALITIES, InversionSettings
from realedit import __version__, pipeline
from realedit.compare.comparison import write_still
from realedit.compare.labels import labelled
from realedit.errors import EXPECTED
from realedit.files import write_png
from realedit.photos import Photo, read_photo
from realedit.recipes import Frame, Recipe, Use, load, place, shipped
from realedit.recipes.applying import drag
from realedit.session import Session

Points = NDArray[np.float64]
Picture = NDArray[np.uint8]
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "recipes.md"
PICTURES = ROOT / "docs" / "recipes"
ENOUGH, SAME_PERSON, MOST = 0.5, 0.35, 0.8
GOALS = ("smile", "open-mouth", "raise-brows")
ONE_WAY = ("close-mouth", "close-eyes", "hair-volume")  # at -1 they make no sense
SIDE = 232  # pixels of one face in a picture or sheet
WARP_WIDTH = 0.4  # interocular distances


@dataclass(frozen=True)
class Result:
    """One edit of one portrait; see the module."""

    recipe: str
    found: float
    identity: float
    warp_found: float
    warp_identity: float
    inside: bool
    ending: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it did what was asked and left the person who they were."""
        return (np.isnan(self.found) or self.found >= ENOUGH) and self.identity <= SAME_PERSON


def main() -> None:
    arguments = parse()
    checkpoint = checkpoints.load(arguments.model)
    if arguments.pictures:
        make_pictures(checkpoint, arguments)
        return
    recipes = [load(name) for name in arguments.recipe or shipped()]
    results: list[Result] = []
    rows: list[Picture] = []
    for path in choose_photos(arguments):
        try:
            photo, session = inverted(path, checkpoint, arguments.quality)
        except EXPECTED as error:
            print(f"{path.name}: left out: {error}")
            continue
        tiles = [tile(photo, session, path.stem)]
        for recipe in recipes:
            try:
                result, edited = run(recipe, photo, session, checkpoint)
            except EXPECTED as error:
                print(f"{path.stem:10} {recipe.name:13} left out: {error}")
                tiles.append(np.zeros_like(tiles[0]))
                continue
            results.append(result)
            tiles.append(tile(edited, session, f"{recipe.name} {result.found:.2f} {result.identity:.2f}"))
            print(f"{path.stem:10} {recipe.name:13} found {result.found:5.2f} identity {result.identity:.2f} "
                  f"warp {result.warp_found:5.2f} {result.warp_identity:.2f} {result.ending} "
                  f"{'inside' if result.inside else ''}", flush=True)  # fmt: skip
        rows.append(np.hstack(tiles))
    if arguments.sheet:
        write_still(arguments.sheet, np.vstack(rows))
    figures = {recipe.name: figures_of(recipe, results, checkpoint) for recipe in recipes}
    if arguments.record:
        record(figures, arguments.quality)
    report(figures, results, arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--photos", type=Path)
    what.add_argument("--pictures", action="store_true")
    parser.add_argument("--without", type=Path)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--recipe", action="append", help="only these; names or files")
    parser.add_argument("--model", default="face128")
    parser.add_argument("--quality", choices=QUALITIES, default="draft")
    parser.add_argument("--quick", action="store_true", help="2 photos, the three recipes with a goal")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.count, arguments.recipe = 2, arguments.recipe or list(GOALS)
    return arguments


def choose_photos(arguments: argparse.Namespace) -> list[Path]:
    known = {path.stem for path in arguments.without.iterdir()} if arguments.without else set()
    photos = sorted(p for p in arguments.photos.iterdir() if p.is_file() and p.stem not in known)
    random.Random(0).shuffle(photos)
    return photos[: arguments.count]


def inverted(path: Path, checkpoint: Checkpoint, quality: str) -> tuple[Photo, Session]:
    photo = read_photo(path)
    settings = InversionSettings.preset(quality)
    session = pipeline.align(photo, checkpoint, photo_path=path, settings=settings, quality=quality)
    return photo, pipeline.invert(session, checkpoint, settings)


def run(recipe: Recipe, photo: Photo, session: Session, checkpoint: Checkpoint) -> tuple[Result, Photo]:
    started = time.perf_counter()
    dragged = drag(session, checkpoint, [], [Use(recipe=recipe)])
    edited = pipeline.render(photo, dragged, checkpoint)
    seconds = time.perf_counter() - started
    before, after = photo.srgb(), edited.srgb()
    old, new = (landmarks_in(pixels, session.alignment) for pixels in (before, after))
    warped = warp(before, place(recipe, Frame.of_face(old)), old)
    bent = landmarks_in(warped, session.alignment)
    result = Result(
        recipe=recipe.name,
        found=found(recipe, old, new),
        identity=distance(descriptor(before, old), descriptor(after, new)),
        warp_found=found(recipe, old, bent),
        warp_identity=distance(descriptor(before, old), descriptor(warped, bent)),
        inside=shows_inside(after, old, new),
        ending=dragged.history[-1].ending,
        seconds=seconds,
    )
    return result, edited


def found(recipe: Recipe, old: Points, new: Points) -> float:
    """The share of the asked movements that the landmarks made; nan where no landmark sees them."""
    frame, other = Frame.of_face(old), Frame.of_face(new)
    shares = []
    for point in recipe.points:
        asked = frame.movement(point)
        if not any(point.offset) and float(asked @ asked) > 0:
            made = other.handle(point) - frame.handle(point)
            shares.append(float(made @ asked / (asked @ asked)))
    return float(np.mean(shares)) if shares else float("nan")


def warp(picture: Picture, points: Points, landmarks: Points) -> Picture:
    """The picture moved so that each handle comes to its target: Shepard's interpolation between the targets,
    fading out around them."""
    handles, targets = points[:, 0], points[:, 1]
    width = WARP_WIDTH * float(np.linalg.norm(Frame.of_face(landmarks).right))
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    grid = np.stack([x, y], axis=-1) + 0.5
    apart = np.linalg.norm(grid[..., None, :] - targets, axis=-1)  # [H, W, K]
    weights = 1 / (apart**4 + 1e-6)
    fade = np.exp(-((apart.min(axis=-1, keepdims=True) / width) ** 2) / 2)
    share = fade * weights / weights.sum(axis=-1, keepdims=True)
    source = (grid + share @ (handles - targets) - 0.5).astype(np.float32)
    moved = cv2.remap(
        np.ascontiguousarray(picture), source, None, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def shows_inside(after: Picture, old: Points, new: Points) -> bool:
    """Whether the lips came apart by a tenth of the interocular distance, and what is between them is mostly
    dark, or as pale and light as teeth, beside the lips' own colour."""
    unit = float(np.linalg.norm(Frame.of_face(old).right))
    gaps = [np.linalg.norm(points[66] - points[62]) / unit for points in (old, new)]
    if gaps[1] - gaps[0] < 0.1:
        return False
    inner, outer = (fill(after.shape, new[numbers]) for numbers in (range(60, 68), range(48, 60)))
    colours = cv2.cvtColor(np.ascontiguousarray(after), cv2.COLOR_RGB2HSV).astype(float)
    lips = np.median(colours[outer & ~inner], axis=0)
    within = colours[inner]
    dark = within[:, 2] < 0.6 * lips[2]
    teeth = (within[:, 1] < 0.6 * lips[1]) & (within[:, 2] > lips[2])
    return bool((dark | teeth).mean() > 0.5)


def fill(shape: tuple[int, ...], points: Points) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(points - 0.5).astype(np.int32)], 1)
    return mask.astype(bool)


def figures_of(recipe: Recipe, results: Sequence[Result], checkpoint: Checkpoint) -> dict[str, object]:
    """What `verified_on` holds, in its order."""
    these = [each for each in results if each.recipe == recipe.name]

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


def record(figures: dict[str, dict[str, object]], quality: str) -> None:
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


def report(
    figures: dict[str, dict[str, object]], results: Sequence[Result], arguments: argparse.Namespace
) -> None:
    rows = []
    for name, values in figures.items():
        for key in ("found", "identity", "good", "warp_found", "warp_identity", "inside"):
            if key in values:
                goal = MOST if key == "good" and name in GOALS else 0.5 if key == "inside" else None
                holds = None if goal is None else float(str(values[key])) >= goal
                rows.append(
                    {
                        "what": f"{name}: {key}",
                        "value": values[key],
                        "unit": "1",
                        "goal": goal,
                        "holds": holds,
                    }
                )
    seconds = round(float(np.median([each.seconds for each in results])), 2)
    rows.append({"what": "seconds for drag and paste, median", "value": seconds, "unit": "s", "goal": None,
                 "holds": None})  # fmt: skip
    print(f"realedit {__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads,")
    print(f"{platform.machine()}, {arguments.model} at {arguments.quality}")
    for row in rows:
        held = "holds" if row["holds"] else "MISSED"
        goal = "" if row["goal"] is None else f"  (goal {row['goal']}, {held})"
        print(f"{row['what']:40} {row['value']:>6} {row['unit']}{goal}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows}, indent=1))


def tile(photo: Photo, session: Session, text: str) -> Picture:
    return labelled(extract_crop(photo.srgb(), session.alignment, SIDE).pixels, text, "bottom left")


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
        tiles = [tile(photo, session, "0")]
        for strength in (0.5, 1.0, *(() if name in ONE_WAY else (-1.0,))):
            dragged = drag(session, checkpoint, [], [Use(recipe=recipe, strength=strength)])
            tiles.append(tile(pipeline.render(photo, dragged, checkpoint), session, f"{strength:g}"))
            print(f"{name} {strength:g}: {dragged.history[-1].ending}", flush=True)
        write_still(PICTURES / f"{recipe.name}.jpg", np.hstack(tiles))


if __name__ == "__main__":
    main()
