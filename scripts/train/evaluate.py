"""How good a face generator is: held-out photos, random samples, drags. See docs/training.md.

    python scripts/train evaluate --data faces.npz [--model face128] [--quick] [--json FILE]
                                  [--sheet FILE.png]

--data is what `scripts/train generator prepare` wrote: it says who was held out. Distances are between dlib's
descriptors (0.6: another person).
"""

import argparse
from pathlib import Path

import torch
from bench.shared.measuring import Row, report, row

import checkpoints
from train.faces import dataset
from train.generating import watching
from train.generating.evaluation import DIVERSITY, MEMORISED, Counts, drags, reconstruction, samples
from train.generating.groups import CORNERS, LIPS, WORST_KIND, groups

# what -> goal at 128 px, goal at 256 px, whether higher is better
GOALS: dict[str, tuple[float, float, bool]] = {
    "samples with exactly one face": (0.95, 0.99, True),
    DIVERSITY: (0.8, 0.9, True),
    MEMORISED: (0.05, 0.05, False),
    "identity distance, encoder": (0.45, 0.35, False),
    "identity distance, projection": (0.30, 0.22, False),
    "identity distance, tuning": (0.18, 0.13, False),
    "handles that arrive, all drags": (0.85, 0.95, True),
    WORST_KIND: (1.15, 1.15, False),
    CORNERS: (0.03, 0.03, False),
    LIPS: (0.03, 0.03, False),
}
PARTS = {
    "samples": samples,
    "reconstruction": reconstruction,
    "groups": lambda checkpoint, faces, _: groups(checkpoint, faces),
    "drags": drags,
}


def main() -> None:
    arguments = parse()
    torch.manual_seed(0)
    checkpoint = checkpoints.load(arguments.model)
    counts = Counts.quick() if arguments.quick else Counts()
    if arguments.drags is not None:
        counts = counts.with_drags(arguments.drags)
    faces = dataset.load(arguments.data, dataset.SIZE)
    values: dict[str, tuple[float, str]] = {}
    for name, part in PARTS.items():
        if arguments.only in (None, name):
            found, tiles = part(checkpoint, faces, counts)
            values |= found
            for what, (value, unit) in found.items():
                print(f"{what:68} {value:8.3f} {unit}", flush=True)
            if arguments.sheet and len(tiles):
                watching.write_sheet(tiles, arguments.sheet.with_stem(f"{arguments.sheet.stem}-{name}"))
    report(rows(values, checkpoint.generator.resolution), f"{arguments.model}, {counts}", arguments.json)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default=checkpoints.DEFAULT, help="name or file")
    parser.add_argument(
        "--quick", action="store_true", help="few photos: under two minutes on two idle cores"
    )
    parser.add_argument("--drags", type=int, help="portraits to drag")
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="one picture per part, the part's name added")
    return parser.parse_args()


def rows(values: dict[str, tuple[float, str]], resolution: int) -> list[Row]:
    found = []
    for what, (value, unit) in values.items():
        small, large, higher = GOALS.get(what, (None, None, False))
        found.append(row(what, value, unit, large if resolution >= 256 else small, least=higher, digits=4))
    return found
