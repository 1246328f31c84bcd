"""Train the network that sees a face: points, matte, pose. See docs/training.md.

    TEACHER python scripts/train perception label --photos DIR [--photos DIR ...] --out labels.npz
    python scripts/train perception prepare  --labels labels.npz --out chips.npz [--like MODEL]
    python scripts/train perception train    --data chips.npz --run DIR --part view --minutes 60
    python scripts/train perception export   --data chips.npz --run DIR --out perception.safetensors
    python scripts/train perception evaluate --data chips.npz [--weights FILE] [--json FILE]

TEACHER is the interpreter of an environment with `mediapipe==0.10.21`. `train` goes on where the part's state
ended.
"""

import argparse
import dataclasses
import json
import os
import time
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
    add_train(commands.add_parser("train", help="train the networks"))
    add_export(commands.add_parser("export", help="write the weights that are shipped"))
    add_evaluate(commands.add_parser("evaluate", help="compare with the teacher, on people held out"))
    return parser.parse_args()


def add_prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--like", type=Path, help="model file: hold out the people that it held out, too")
    parser.add_argument(
        "--seen", type=Path, action="append", default=[], help="folder of people it was trained from"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.set_defaults(command=prepare)


def prepare(arguments: argparse.Namespace) -> None:
    from train.perceiving import chips

    chips.build(
        arguments.labels,
        arguments.out,
        like=arguments.like,
        seen=arguments.seen,
        processes=arguments.processes,
    )


def add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photos", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many minutes")
    parser.set_defaults(command=label)


def label(arguments: argparse.Namespace) -> None:
    from train.perceiving import teacher

    teacher.label(arguments.photos, arguments.out, arguments.minutes)


def add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder for state.pt and metrics.csv")
    parser.add_argument("--steps", type=int, default=6000, help="stop at this step; the rate falls to 0")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many minutes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=0, help="that make the copies; 0: none of their own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--check", type=int, default=96, help="held-out faces to look at when saving")
    parser.set_defaults(command=train)


def train(arguments: argparse.Namespace) -> None:
    import torch

    from train.perceiving import checking, chips, trainer

    torch.set_num_threads(arguments.threads)
    arguments.run.mkdir(parents=True, exist_ok=True)
    data = chips.load(arguments.data)
    unseen = data.indices(held_out=True)
    unseen = unseen[:: max(1, len(unseen) // arguments.check)][: arguments.check]
    training = trainer.Trainer(data, trainer.Settings(seed=arguments.seed), arguments.steps)
    state = arguments.run / "state.pt"
    if state.exists():
        training.resume(state)
    print(f"{len(training.pool)} faces to learn from; from step {training.step} on", flush=True)
    started, rows = time.monotonic(), []
    batches = training.batches(arguments.processes)
    while training.step < arguments.steps:
        rows.append(training.advance(next(batches)))
        late = time.monotonic() - started > arguments.minutes * 60
        if training.step % arguments.save_every == 0 or training.step == arguments.steps or late:
            training.save(state)
            means = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
            means |= {"minutes": (time.monotonic() - started) / 60}
            seen = checking.check(training.averaged, training.copier, unseen)
            values = means | {f"seen {name}": value for name, value in dataclasses.asdict(seen).items()}
            write_row(arguments.run / "metrics.csv", training.step, values)
            rows = []
        if late:
            break


def write_row(path: Path, step: int, values: dict[str, float]) -> None:
    """Add a line to the run's table, and print it."""
    line = {"step": step} | {name: round(value, 5) for name, value in values.items()}
    if not path.exists():
        path.write_text(",".join(line) + "\n")
    with path.open("a") as file:
        file.write(",".join(map(str, line.values())) + "\n")
    print(line, flush=True)


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.set_defaults(command=export)


def export(arguments: argparse.Namespace) -> None:
    from train.perceiving import chips
    from train.perceiving.export import export as write

    write(arguments.run / "state.pt", chips.load(arguments.data), arguments.out)


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="by default those that come with the package")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="PNG of held-out faces with what is seen in them")
    parser.add_argument("--groups", type=Path, help="lines of a photo's folder/name and the groups it is in")
    parser.add_argument("--quick", action="store_true", help="a quarter of the photos")
    parser.set_defaults(command=evaluate)


def evaluate(arguments: argparse.Namespace) -> None:
    from realedit.perception import weights
    from train.perceiving import chips, judging

    data = chips.load(arguments.data)
    sight = weights.load(arguments.weights) if arguments.weights else weights.bundled()
    lines = [line.split() for line in arguments.groups.read_text().splitlines()] if arguments.groups else []
    groups = {name: tags for name, *tags in lines}
    squares = judging.found_by_dlib(data, arguments.data.with_suffix(".faces.json"))
    if arguments.quick:
        squares = dict(list(squares.items())[::4])
    rows = judging.table(judging.judge(data, sight, squares, groups))
    bent = judging.judge_bent(data, sight, 24 if arguments.quick else 96)
    rows += judging.bare_rows(bent)
    for row in rows:
        holds = {None: "", True: "holds", False: "fails"}[row["holds"]]
        goal = "" if row["goal"] is None else f"goal {row['goal']:.4f} {holds}"
        print(f"{row['what']:60} {row['value']:8.4f} {row['unit']:12} {goal}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    if arguments.sheet:
        unseen = data.indices(held_out=True)
        judging.sheet(data, sight, unseen[:: max(1, len(unseen) // 24)][:24], arguments.sheet)
