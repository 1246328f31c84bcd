"""What was measured, written into the shipped recipes and docs/recipes.md; the pictures of that page."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from commands import ROOT

from alignment import extract_crop
from bench.parts.looked import Looked, Picture
from bench.shared.measuring import aligned
from checkpoints import Checkpoint
from inversion import InversionSettings, Quality
from realedit.compare.comparison import write_still
from realedit.compare.labels import labelled
from realedit.editing import stages
from realedit.editing.applying import drag
from realedit.errors import SessionError
from realedit.plumbing.files import write_png
from realedit.recipes import Use, load, shipped
from realedit.sessions.session import Session

SHIPPED = ROOT / "realedit" / "recipes" / "shipped"
DOCS = ROOT / "docs" / "recipes.md"
PICTURES = ROOT / "docs" / "recipes"
# at -1 they make no sense
ONE_WAY = (
    "close-mouth",
    "close-eyes",
    "wink-left",
    "wink-right",
    "hair-volume",
    "serious",
    "frown",
    "smile-with-teeth",
)
SIDE = 232  # pixels of one face in a picture
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->"


def figures_of(results: Sequence[Looked], checkpoint: Checkpoint) -> dict[str, object]:
    """What `verified_on` holds of one recipe, in its order."""
    count = len(results)
    shares = {
        grade: round(sum(each.verdict == grade for each in results) / count, 2)
        for grade in ("good", "weak", "bad")
    }
    identity = round(float(np.median([each.identity for each in results])), 2)
    return {
        "model": checkpoint.name,
        "model_sha256": checkpoint.sha256[:16],
        "portraits": count,
        **shares,
        "identity": identity,
    }


def record(figures: Mapping[str, Mapping[str, object]], folder: Path = SHIPPED, docs: Path = DOCS) -> None:
    """The figures at the end of the shipped recipes, and in the table of docs/recipes.md."""
    for name, values in figures.items():
        path = folder / f"{name}.toml"
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8").split("[[verified_on]]")[0].rstrip()
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        path.write_text("\n".join([text, "", "[[verified_on]]", *lines, ""]), encoding="utf-8")
    table = ["| recipe | portraits | good | weak | bad | identity |", "|---|---|---|---|---|---|"]
    for path in sorted(folder.glob("*.toml")):
        for each in load(str(path)).verified_on:
            table.append(
                f"| {path.stem} | {each.portraits} | {each.good:.0%} | {each.weak:.0%} | {each.bad:.0%} | "
                f"{each.identity:.2f} |"
            )
    text = docs.read_text(encoding="utf-8")
    new = _BEGIN + "\n" + "\n".join(table) + "\n\n" + _END
    docs.write_text(re.sub(f"{_BEGIN}.*?{_END}", lambda _: new, text, flags=re.DOTALL), encoding="utf-8")


def make_pictures(checkpoint: Checkpoint, names: Sequence[str], quality: Quality) -> None:
    """The astronaut by every recipe: as she is, at 0.5, at 1, and at -1 where that makes sense."""
    from realedit.cli.demo import astronaut

    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "astronaut.png"
        write_png(path, astronaut())
        photo, session = aligned(path, checkpoint, quality)
    for name in names or shipped():
        recipe = load(name)
        tiles = [_tile(photo.srgb(), session, "0")]
        for strength in (0.5, 1.0, *(() if name in ONE_WAY else (-1.0,))):
            use = Use(recipe=recipe, strength=strength)
            try:
                dragged = drag(session, checkpoint, [], [use])
            except SessionError:  # what slides needs no inversion
                session = stages.invert(session, checkpoint, InversionSettings.preset(quality))
                dragged = drag(session, checkpoint, [], [use])
            edited = stages.render(photo, dragged, checkpoint).srgb()
            tiles.append(_tile(edited, session, f"{strength:g}"))
            print(f"{name} {strength:g}: {dragged.history[-1].ending}", flush=True)
        picture = PICTURES / f"{recipe.name}.jpg"
        picture.unlink(missing_ok=True)  # it may be one that carries no mark of ours
        write_still(picture, np.hstack(tiles))


def _tile(pixels: Picture, session: Session, text: str) -> Picture:
    return labelled(extract_crop(pixels, session.alignment, SIDE).pixels, text, "bottom left")
