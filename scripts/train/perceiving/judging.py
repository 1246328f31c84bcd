"""How well the shipped way of looking at faces agrees with the teacher, on people held out, by group."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment, AlignmentError, find_faces
from realedit.perception import Perceived, perceive
from realedit.perception import points as parts
from realedit.perception.frames import VIEW
from realedit.perception.network import MATTE_SIZE
from realedit.perception.pose import head_pose
from realedit.perception.weights import Eyesight
from realedit.photos import read_photo

from . import bending, teacher
from .checking import iou
from .chips import SIZE, Chips, interocular

Points = NDArray[np.float64]

_LIDS = [i for eye in parts.EYES for i in eye.upper + eye.lower]
_INNER = list(parts.INNER_LIP_UPPER + parts.INNER_LIP_LOWER)
GOALS = {
    "points": 0.015,
    "lids": 0.01,
    "inner lips": 0.01,
    "matte IoU": 0.95,
    "pose": 3.0,
    "glasses wrong": 0.05,
}
_EVEN = ("points", "lids", "inner lips", "matte IoU", "pose")  # should be so in every group
SHUT = 0.06  # apertures below this, in interocular distances, are shut eyes
APART = 0.035  # gaps above this are open mouths


@dataclass(frozen=True)
class Judged:
    """One photo: distances by what they are of, and the groups it is in. counts: as one of the whole."""

    counts: bool
    values: dict[str, float]
    groups: frozenset[str]


def found_by_dlib(chips: Chips, cache: Path) -> dict[int, Alignment]:
    """The FFHQ squares that dlib finds on the held-out photos; kept in a file, for it takes minutes."""
    known: dict[str, Any] = json.loads(cache.read_text()) if cache.exists() else {}
    squares = {}
    for index in chips.indices(held_out=True):
        name = chips.name(index)
        if name not in known:
            known[name] = _found(read_photo(chips.paths[index]).srgb(), chips.squares[index])
            cache.write_text(json.dumps(known))
        if known[name] is not None:
            squares[index] = Alignment.from_dict(known[name])
    return squares


def _found(photo: NDArray[np.uint8], chip: Alignment) -> dict[str, Any] | None:
    try:
        faces = find_faces(photo)
    except AlignmentError:
        return None
    near = [face for face in faces if face.alignment.contains([chip.centre]).all()]
    return near[0].alignment.to_dict() if near else None


def judge(
    chips: Chips,
    sight: Eyesight,
    squares: Mapping[int, Alignment],
    groups: Mapping[str, Sequence[str]],
) -> list[Judged]:
    """Look at held-out photos as the product does, from dlib's `squares` on.

    Each is looked at once more in black and white. groups: further ones, by the photos' folders and names.
    """
    judged = []
    for index, square in squares.items():
        photo = read_photo(chips.paths[index]).srgb()
        whole = _compared(chips, index, perceive(photo, square, eyesight=sight), sight)
        judged.append(replace(whole, groups=whole.groups | frozenset(groups.get(chips.name(index), ()))))
        grey = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        again = _compared(chips, index, perceive(grey, square, eyesight=sight), sight)
        judged.append(replace(again, counts=False, groups=frozenset({"made black and white"})))
    return judged


def _compared(chips: Chips, index: int, seen: Perceived, sight: Eyesight) -> Judged:
    square = chips.squares[index]
    truth = chips.points[index].astype(np.float64) * square.side
    truth[:, :2] = square.to_photo(chips.points[index][:, :2], 1)
    unit = float(interocular(truth[None])[0])
    apart = np.linalg.norm(seen.points - truth[:, :2], axis=1) / unit
    pose = head_pose(truth, sight.shape)
    told = Perceived(truth[:, :2], truth[:, 2], pose, 1.0, 0.0, seen.view, seen.view_matte)
    depth = (seen.depth - seen.depth.mean()) - (truth[:, 2] - truth[:, 2].mean())
    inner = Alignment(centre=square.centre, side=square.side * VIEW / teacher.WIDTH, angle=square.angle)
    whole = chips.mattes[index].astype(np.float32) / 255
    matte = _part(whole, square, inner)
    known = _part(chips.valid[index].astype(np.float32), square, inner) > 0.99
    values = {
        "points": apart.mean(),
        "lids": apart[_LIDS].mean(),
        "inner lips": apart[_INNER].mean(),
        "irises": apart[468:].mean(),
        "face oval": apart[list(parts.FACE_OVAL)].mean(),
        "depth": np.abs(depth).mean() / unit,
        "matte IoU": iou(seen.matte(inner, MATTE_SIZE) > 0.5, matte > 0.5, known),
        "pose": float(np.abs(np.subtract(seen.pose, pose)).max()),
        "aperture": float(np.abs(np.subtract(seen.aperture, told.aperture)).mean()),
        "mouth gap": abs(seen.mouth_gap - told.mouth_gap),
        "not a face": float(seen.sure < 0.5),
    }
    worn = chips.glasses(index)
    if worn is not None:
        values["glasses wrong"] = float((seen.glasses > 0.5) != worn)
    groups = _groups(chips, index, told, unit)
    return Judged(True, {name: float(value) for name, value in values.items()}, groups)


def _part(picture: NDArray[np.float32], square: Alignment, inner: Alignment) -> NDArray[np.float32]:
    """A smaller square with the same centre and angle, as large as a matte."""
    share = inner.side / square.side / 2
    low, high = (0.5 - share) * picture.shape[0], (0.5 + share) * picture.shape[0]
    index = low + (np.arange(MATTE_SIZE, dtype=np.float32) + 0.5) * (high - low) / MATTE_SIZE - 0.5
    mx, my = np.meshgrid(index, index)
    return np.asarray(cv2.remap(picture, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR))


def _groups(chips: Chips, index: int, told: Perceived, unit: float) -> frozenset[str]:
    """What a photo shows, as far as numbers tell."""
    chip = chips.pixels(index)
    at = np.clip((chips.points[index][[50, 280, 205, 425], :2] * SIZE).astype(int), 4, SIZE - 5)
    cheeks = np.concatenate([chip[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3) for x, y in at]).mean(axis=0)
    level = float(cheeks @ (0.299, 0.587, 0.114))
    colour = float(np.ptp(chip.reshape(-1, 3).astype(int), axis=1).mean())
    found = {
        "turned over 12 degrees": abs(told.pose.yaw) > 12,
        "black and white": colour < 6,
        "dark cheeks (below 110 of 255)": level < 110 and colour >= 6,
        "bright cheeks (above 190)": level > 190,
        "glasses": bool(chips.glasses(index)),
        "lips apart": told.mouth_gap > 0.08,
        "lips closed": told.mouth_gap < 0.02,
        "small (interocular below 40 px)": unit < 40,
        "large (above 100 px)": unit > 100,
        f"folder {chips.paths[index].parent.name}": True,
    }
    return frozenset(name for name, holds in found.items() if holds)


def judge_bent(chips: Chips, sight: Eyesight, count: int) -> dict[str, float]:
    """The same faces with eyes shut and lips moved by known motions: does the network see it?"""
    face = Alignment(centre=(SIZE / 2, SIZE / 2), side=SIZE / teacher.WIDTH, angle=0.0)
    rng = np.random.default_rng(0)
    chosen = chips.indices(held_out=True)
    chosen = chosen[:: max(1, len(chosen) // count)][:count]
    rows: list[dict[str, float]] = []
    for index in chosen:
        points = chips.points[index].astype(np.float64) * SIZE
        plain = bending.Bent(chips.pixels(index), np.zeros((SIZE, SIZE), np.float32), points)
        shut = plain
        for eye in parts.EYES:
            shut = bending.move_lid(shut, eye, 1.0)
        apart = bending.move_lips(plain, float(rng.uniform(0.1, 0.35)), rng)
        seen = {
            name: (perceive(bent.picture, face, eyesight=sight), bent.points)
            for name, bent in (("plain", plain), ("shut", shut), ("apart", apart))
        }
        upturned = perceive(np.ascontiguousarray(plain.picture[::-1]), face, eyesight=sight)
        rows.append(
            {
                "open eyes seen as open": float(np.mean(np.array(seen["plain"][0].aperture) > SHUT)),
                "shut eyes seen as shut": float(np.mean(np.array(seen["shut"][0].aperture) < SHUT)),
                "parted lips seen as apart": float(seen["apart"][0].mouth_gap > APART),
                "lids, eyes shut": _error(*seen["shut"], _LIDS),
                "inner lips, lips parted": _error(*seen["apart"], _INNER),
                "upturned seen as no face": float(upturned.sure < 0.5),
            }
        )
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _error(seen: Perceived, points: Points, chosen: list[int]) -> float:
    apart = np.linalg.norm(seen.points - points[:, :2], axis=1)[chosen].mean()
    return float(apart / interocular(points[None])[0])


def table(judged: list[Judged]) -> list[dict[str, Any]]:
    """Rows of what, value, unit, goal and whether it holds: the whole, then each group of at least 8.

    A group's goal is to be no more than 1.3 times as wrong as the whole.
    """
    counted = [each for each in judged if each.counts]
    names = dict.fromkeys(name for each in counted for name in each.values)
    whole = {name: _mean(counted, name) for name in names}
    count = len(counted)
    rows = [_row(f"all ({count}): {name}", value, name, GOALS.get(name)) for name, value in whole.items()]
    for group in sorted({group for each in judged for group in each.groups}):
        inside = [each for each in judged if group in each.groups]
        if len(inside) < 8:
            continue
        for name in _EVEN:
            limit = 1 - 1.3 * (1 - whole[name]) if name == "matte IoU" else 1.3 * whole[name]
            rows.append(_row(f"{group} ({len(inside)}): {name}", _mean(inside, name), name, limit))
    return rows


def bare_rows(values: dict[str, float]) -> list[dict[str, Any]]:
    """Rows without goals."""
    return [
        {"what": name, "value": value, "unit": "", "goal": None, "holds": None}
        for name, value in values.items()
    ]


def _mean(judged: list[Judged], name: str) -> float:
    return float(np.mean([each.values[name] for each in judged if name in each.values]))


def _row(what: str, value: float, name: str, goal: float | None) -> dict[str, Any]:
    unit = {"matte IoU": "", "pose": "degrees", "not a face": "", "glasses wrong": ""}.get(
        name, "interocular"
    )
    holds = None if goal is None else bool(value >= goal if name == "matte IoU" else value <= goal)
    return {"what": what, "value": value, "unit": unit, "goal": goal, "holds": holds}


def sheet(chips: Chips, sight: Eyesight, indices: list[int], target: Path, columns: int = 6) -> None:
    """Held-out faces with the points, lids, lips and matte that are seen in them."""
    face = Alignment(centre=(SIZE / 2, SIZE / 2), side=SIZE / teacher.WIDTH, angle=0.0)
    tiles = []
    for index in indices:
        picture = chips.pixels(index)
        seen = perceive(picture, face, eyesight=sight)
        tiles.append(drawn(picture, seen))
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    cv2.imwrite(str(target), np.vstack(rows)[..., ::-1])


def drawn(picture: NDArray[np.uint8], seen: Perceived) -> NDArray[np.uint8]:
    """The view with all points, the lids' and lips' curves, and beside it the picture through the matte."""
    fine = seen.fine_matte(picture)[..., None]
    view = seen.view
    low = np.clip(np.array(view.centre) - view.side / 2, 0, None).astype(int)
    high = (np.array(view.centre) + view.side / 2).astype(int)
    marked = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    for x, y in seen.points * 2:
        cv2.circle(marked, (int(x), int(y)), 1, (0, 255, 0), -1)
    for eye in parts.EYES:
        for curve in (eye.upper, eye.lower, (*eye.iris, eye.iris[0])):
            _line(marked, seen.points, curve, (255, 220, 0))
    for curve in (parts.INNER_LIP_UPPER, parts.INNER_LIP_LOWER):
        _line(marked, seen.points, curve, (255, 0, 255))
    for curve in (parts.OUTER_LIP_UPPER, parts.OUTER_LIP_LOWER):
        _line(marked, seen.points, curve, (0, 255, 255))
    cut = np.asarray(picture * fine + (0, 160, 0) * (1 - fine), np.uint8)[low[1] : high[1], low[0] : high[0]]
    middle, half = np.array(view.centre) * 2, int(view.side * 0.6)
    top, left = int(middle[1] - half * 0.75), int(middle[0] - half)
    close = marked[max(0, top) : top + 2 * half, max(0, left) : left + 2 * half]
    size = 320
    pair = [cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in (close, cut)]
    return np.asarray(np.hstack(pair), np.uint8)


def _line(
    picture: NDArray[np.uint8], points: Points, curve: parts.Curve, colour: tuple[int, int, int]
) -> None:
    at = np.rint(points[list(curve)] * 2).astype(np.int32)
    cv2.polylines(picture, [at], False, colour, 1, cv2.LINE_AA)
