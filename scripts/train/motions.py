r"""Learn ways of W+ from photographs as they are, and add them to a model's motions. See docs/training.md.

    python scripts/train motions project --data faces.npz --model face128 --out pairs.pt
    python scripts/train motions smile --data faces.npz --model face128 --pairs pairs.pt --out m.safetensors \
        --source "whose photographs, under which licence" --licence CC-BY-4.0
    python scripts/train motions sheet --data faces.npz --model m.safetensors --pairs pairs.pt --out sheet.png
    python scripts/train motions heads --data faces.npz --model face128 --out m.safetensors \
        --sheet heads.png --source "whose photographs, under which licence" --licence CC-BY-4.0

`project` finds the codes of people who were photographed at rest and smiling (`NNN_03`, `NNN_08-smiling`),
about four seconds of a core each. `smile` learns one way from them and writes the model again with it; all
its other tensors stay bit for bit. The file says whose photographs these were, and is under the licence that
they ask for. People held out take no part; `sheet` shows them. `heads` learns `turn` and `nod`, in degrees,
from portraits, in two to three minutes of a core.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import checkpoints
from checkpoints.bundled import BUNDLED, bundled_file
from checkpoints.convert import write_model
from checkpoints.storage import StoredModel, read_safetensors
from train.faces import dataset
from train.faces.codes import projected, squares
from train.generating.export import commit_of
from train.generating.watching import pixels
from train.moving.heads import head_ways, sheet_of
from train.moving.ways import Pairs, pairs_of, smile

NAME = "smile"
RANGE = (-1.2, 1.8)  # of the way as learned: beyond, pictures show faces less and less
SHOWN = (-1.0, -0.5, 0.5, 1.0, 1.5)


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    arguments.command(arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    commands = parser.add_subparsers(required=True)
    for command in (project, learn, sheet, heads):
        each = commands.add_parser("smile" if command is learn else command.__name__)
        each.add_argument(
            "--data", type=Path, required=True, help="what scripts/train generator prepare wrote"
        )
        each.add_argument("--model", default=checkpoints.DEFAULT, help="name or file")
        each.add_argument("--out", type=Path, required=True)
        if command in (learn, sheet):
            each.add_argument("--pairs", type=Path, required=True, help="what `project` wrote")
        if command is heads:
            each.add_argument(
                "--every", type=int, default=2, help="learn from every so many of the portraits"
            )
            each.add_argument("--people", type=int, default=12, help="held out, to tell degrees by")
            each.add_argument("--sheet", type=Path, help="a picture of what the ways do to people held out")
        if command in (learn, heads):
            each.add_argument(
                "--source", required=True, help="whose photographs these are, and their licence"
            )
            each.add_argument("--licence", required=True, help="of the model with the way")
        each.set_defaults(command=command)
    return parser.parse_args()


def project(arguments: argparse.Namespace) -> None:
    checkpoint = checkpoints.load(arguments.model)
    faces = faces_for(arguments, checkpoint)
    indices = [i for pair in pairs_of(faces) for i in pair]
    codes = projected(checkpoint, faces, indices)
    photos = [f"{faces.folders[i]}/{faces.photos[i]}" for i in indices]
    torch.save({"photos": photos, "codes": codes, "model": checkpoint.sha256}, arguments.out)


def learn(arguments: argparse.Namespace) -> None:
    checkpoint = checkpoints.load(arguments.model)
    pairs = read_pairs(arguments, checkpoint, held_out=False)
    layers = checkpoint.drag_layers or checkpoint.generator.num_ws
    way = smile(checkpoint, pairs, layers=layers)
    data = f"{len(pairs)} people, {arguments.source}"
    stored = with_motion(read_stored(arguments.model), NAME, way, RANGE, data)
    stored = replace(stored, metadata={**stored.metadata, "licence": arguments.licence})
    write_model(stored, arguments.out)
    print(f"{arguments.out}: {NAME} from {len(pairs)} people")


def heads(arguments: argparse.Namespace) -> None:
    checkpoint = checkpoints.load(arguments.model)
    faces = faces_for(arguments, checkpoint)
    ways = head_ways(checkpoint, faces, every=arguments.every, people=arguments.people)
    stored = read_stored(arguments.model)
    for each in ways:
        count = len(faces.indices(held_out=False)[:: arguments.every])
        stored = with_motion(
            stored, each.name, each.way, each.limits, f"{count} portraits, {arguments.source}"
        )
        print(f"{each.name}: {each.limits[0]:.0f} to {each.limits[1]:.0f} degrees")
        for asked, (seen, apart) in each.measured.items():
            print(f"  asked {asked:6.1f}: seen {seen:6.1f} degrees, identity distance {apart:.2f}")
    stored = replace(stored, metadata={**stored.metadata, "licence": arguments.licence})
    write_model(stored, arguments.out)
    if arguments.sheet is not None:
        Image.fromarray(sheet_of(checkpoint, ways, faces, people=8)).save(arguments.sheet)


def sheet(arguments: argparse.Namespace) -> None:
    """People held out: at rest, as projected, along the way, smiling as projected, smiling."""
    checkpoint = checkpoints.load(arguments.model)
    assert checkpoint.codes is not None and checkpoint.codes.motions is not None
    motions = checkpoint.codes.motions
    pairs = read_pairs(arguments, checkpoint, held_out=True)
    way = torch.zeros_like(pairs.still[0])
    way[: motions.ways.shape[1]] = motions.ways[motions.names.index(NAME)]
    codes = [pairs.still, *(pairs.still + amount * way for amount in SHOWN), pairs.smiling]
    with torch.no_grad():
        drawn = [pixels(checkpoint.generator.synthesis(ws)) for ws in codes]
    columns = [pixels(pairs.crops_still), *drawn, pixels(pairs.crops_smiling)]
    rows = [np.hstack([column[i] for column in columns]) for i in range(len(pairs))]
    Image.fromarray(np.vstack(rows)).save(arguments.out)


def faces_for(arguments: argparse.Namespace, checkpoint: checkpoints.Checkpoint) -> dataset.Faces:
    return dataset.load(arguments.data, round(checkpoint.generator.resolution * dataset.MARGIN))


def read_pairs(arguments: argparse.Namespace, checkpoint: checkpoints.Checkpoint, *, held_out: bool) -> Pairs:
    """The pairs of people who are held out, or of all others."""
    faces = faces_for(arguments, checkpoint)
    stored: dict[str, Any] = torch.load(arguments.pairs, weights_only=True)
    at = {photo: i for i, photo in enumerate(stored["photos"])}
    chosen = [pair for pair in pairs_of(faces) if (faces.people[pair[0]] in faces.held_out) == held_out]
    codes = [
        torch.stack([stored["codes"][at[f"{faces.folders[i]}/{faces.photos[i]}"]] for i in side])
        for side in zip(*chosen, strict=True)
    ]
    size = checkpoint.generator.resolution
    (still, _), (smiling, valid) = (squares(faces, side, size) for side in zip(*chosen, strict=True))
    marks = torch.from_numpy(np.stack([faces.landmarks_in(i, size) for _, i in chosen]))
    return Pairs(*codes, still, smiling, valid, marks)


def read_stored(model: str) -> StoredModel:
    if model in BUNDLED:
        with bundled_file(model) as path:
            return read_safetensors(path)
    return read_safetensors(Path(model))


def with_motion(
    stored: StoredModel, name: str, way: torch.Tensor, limits: tuple[float, float], data: str
) -> StoredModel:
    """The model with one motion more, or with another way of that name; all ways have as many layers."""
    names: list[str] = json.loads(stored.metadata.get("motions", "[]"))
    ways = dict(zip(names, stored.codes.get("motions", ()), strict=True))
    ranges = dict(zip(names, stored.codes.get("motion_ranges", ()), strict=True))
    layers = next((len(each) for each in ways.values()), len(way))
    ways[name], ranges[name] = way[:layers].half(), torch.tensor(limits)
    learned = json.loads(stored.metadata.get("motions_learned", "{}")) | {
        name: {"data": data, "commit": commit_of(Path(__file__).parent)}
    }
    found = {
        **stored.codes,
        "motions": torch.stack([each.half() for each in ways.values()]),
        "motion_ranges": torch.stack([each.float() for each in ranges.values()]),
    }
    metadata = {**stored.metadata, "motions": json.dumps(list(ways)), "motions_learned": json.dumps(learned)}
    return replace(stored, codes=found, metadata=metadata)
