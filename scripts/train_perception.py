#!/usr/bin/env python
"""Train the network that sees a face: points, matte, pose. See docs/training.md.

    scripts/train_perception.py prepare  --photos DIR [--photos DIR ...] --out chips.npz
    TEACHER scripts/train_perception.py label --data chips.npz --out labels.npz
    scripts/train_perception.py train    --data chips.npz --labels labels.npz --run DIR --part view --minutes 60
    scripts/train_perception.py export   --labels labels.npz --run DIR --out perception.safetensors
    scripts/train_perception.py evaluate --data chips.npz --labels labels.npz [--weights FILE] [--json FILE]

TEACHER is the interpreter of an environment with `mediapipe==0.10.21`. `train` goes on where the part's state
ended.
"""

import argparse
import os
from pathlib import Path


def main() -> None:
    arguments = parse()
    arguments.command(arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    add_prepare(commands.add_parser("prepare", help="align folders of photos into one file"))
    add_label(commands.add_parser("label", help="let the teacher label the faces"))
    return parser.parse_args()


def add_prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photos", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--like", type=Path, help="model file: hold out the people that it held out, too")
    parser.add_argument(
        "--seen", type=Path, action="append", default=[], help="folder of people it was trained from"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.set_defaults(command=prepare)


def prepare(arguments: argparse.Namespace) -> None:
    from training.perceiving import chips

    chips.build(
        arguments.photos,
        arguments.out,
        like=arguments.like,
        seen=arguments.seen,
        processes=arguments.processes,
    )


def add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.set_defaults(command=label)


def label(arguments: argparse.Namespace) -> None:
    from training.perceiving import teacher

    teacher.label(arguments.data, arguments.out)


if __name__ == "__main__":
    main()
