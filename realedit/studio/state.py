"""Everything that the page shows, as plain data: the page draws it, and a reload begins with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from realedit import __version__
from realedit.api import recipe_names
from realedit.api.light import EXTENSIONS
from realedit.api.recipes import load
from realedit.plumbing.choices import STYLES
from realedit.studio.album import Entry
from realedit.studio.work import Label, Work

if TYPE_CHECKING:
    from realedit.studio.engine import Engine


def facts() -> dict[str, Any]:
    """What does not change while the studio runs."""
    return {
        "version": __version__,
        "recipes": [{"name": name, "description": load(name).description} for name in recipe_names()],
        "styles": list(STYLES),
        "extensions": list(dict.fromkeys(EXTENSIONS)),
    }


def described(engine: Engine) -> dict[str, Any]:
    """The filmstrip, what is chosen, and the work on it. Points are photo pixels."""
    entry, work = engine.entry, engine.work
    return {
        "photos": [_photo(engine, each) for each in engine.album.entries.values()],
        "photo": engine.shown,
        "face": engine.face,
        "work": None if entry is None or work is None else _work(engine, entry, work),
        "running": engine.running,
        "progress": engine.inversions.progress,
        "options": {
            "reach": engine.options.reach,
            "quality": engine.options.quality,
            "seed": engine.options.seed,
            "steps": engine.options.steps,
        },
    }


def _photo(engine: Engine, entry: Entry) -> dict[str, Any]:
    faces = [
        {
            "corners": np.round(face.square.corners(), 2).tolist(),
            "landmarks": [[round(x, 2), round(y, 2)] for x, y in face.landmarks],
            "edited": face.index in entry.works and entry.works[face.index].edited,
        }
        for face in entry.about.faces or ()
    ]
    return {
        "id": entry.id,
        "name": entry.about.name,
        "width": entry.about.size[0],
        "height": entry.about.size[1],
        "looking": entry.looking,
        "error": entry.error,
        "faces": faces,
        "revision": entry.revision,
        "rendered": entry.rendered,
        "thumbnail": engine.pictures.name_thumbnail(entry, None, 0),
    }


def _work(engine: Engine, entry: Entry, work: Work) -> dict[str, Any]:
    assert engine.face is not None
    last = work.last
    return {
        "quality": work.session.quality if work.session.inverted else None,
        "at": work.at,
        "history": [
            {
                "label": label.text,
                "strength": None if label.recipe is None else label.strength,
                "thumbnail": engine.pictures.name_thumbnail(entry, engine.face, at),
            }
            for at, label in enumerate((Label("Original"), *work.labels))
        ],
        "recipe": None if last is None or last.recipe is None else [last.recipe, last.strength],
        "points": [{"handle": list(each.handle), "target": list(each.target)} for each in work.points],
        "mask": work.mask is not None,
        "masked": id(work.mask) % (1 << 30) if work.mask is not None else 0,
    }
