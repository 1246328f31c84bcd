"""Train a StyleGAN2 face generator and its encoder from a folder of portraits. See docs/training.md.

    python scripts/train generator prepare --photos DIR [--photos DIR ...] [--seen DIR] --out faces.npz
    python scripts/train generator train   --data faces.npz --run DIR --init face128 --steps 2000
                                           [--adversarial]
    python scripts/train generator export  --data faces.npz --run DIR --out model.safetensors
    python scripts/train generator samples --data faces.npz --model model.safetensors
    python scripts/train generator describe --model model.safetensors --metrics rows.json

`train` goes on where the folder's state.pt ended. Splits go by person (file name without ending); a tenth is
held out.
"""

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import torch

from checkpoints.information import inspect
from train.faces import dataset
from train.faces.source import Source
from train.generating import watching
from train.generating.export import add_metrics, code_scale, export, fit_again
from train.generating.networks import Shape, make
from train.generating.settings import Settings, Weights
from train.generating.trainer import Trainer


def main() -> None:
    arguments = parse()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    arguments.command(arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int)
    commands = parser.add_subparsers(required=True)
    prepare = commands.add_parser("prepare", help="align a folder of photos into one file")
    prepare.add_argument("--photos", type=Path, action="append", required=True)
    prepare.add_argument(
        "--seen",
        type=Path,
        action="append",
        default=[],
        help="folder of people that the weights to start from know: none of them is held out",
    )
    prepare.add_argument(
        "--unseen-by", help="model to start from: the people whom it names as held out stay so"
    )
    prepare.add_argument("--out", type=Path, required=True)
    prepare.set_defaults(command=align)
    for name, command in (("train", train), ("export", write)):
        each = commands.add_parser(name)
        each.add_argument("--data", type=Path, required=True)
        each.add_argument(
            "--run", type=Path, required=True, help="folder for state.pt, metrics.csv and sheets"
        )
        each.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
        add_shape(each)
        each.set_defaults(command=command)
        if name == "export":
            each.add_argument("--out", type=Path, required=True)
            each.add_argument("--name", default="face128")
            each.add_argument(
                "--sources", required=True, help="whose photographs these were, and their licences"
            )
        else:
            add_training(each)
    again = commands.add_parser("samples", help="fit the samples of an exported model once more")
    again.add_argument("--model", type=Path, required=True)
    again.add_argument("--data", type=Path, required=True)
    again.set_defaults(command=lambda a: fit_again(a.model, a.data))
    describe = commands.add_parser("describe", help="write what was measured into a model file")
    describe.add_argument("--model", type=Path, required=True)
    describe.add_argument(
        "--metrics",
        type=Path,
        action="append",
        required=True,
        help="what scripts/train evaluate --json wrote",
    )
    describe.set_defaults(command=lambda a: add_metrics(a.model, a.metrics))
    return parser.parse_args()


def add_shape(parser: argparse.ArgumentParser) -> None:
    default = Shape()
    parser.add_argument("--resolution", type=int, default=default.resolution)
    parser.add_argument("--channel-base", type=int, default=default.channel_base)
    parser.add_argument("--channel-max", type=int, default=default.channel_max)


def add_training(parser: argparse.ArgumentParser) -> None:
    default, weights = Settings(), Weights()
    parser.add_argument("--init", help="a model to start from; without it, random weights")
    parser.add_argument("--steps", type=int, default=1000, help="stop at this step")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many minutes")
    parser.add_argument("--batch", type=int, default=default.batch)
    parser.add_argument("--float32", action="store_true", help="no bfloat16")
    parser.add_argument("--adversarial", action="store_true")
    parser.add_argument(
        "--coarse", type=int, default=0, help="compare at half the resolution for so many steps"
    )
    parser.add_argument("--rate", type=float, default=1.0, help="factor on all learning rates")
    parser.add_argument(
        "--half-life", type=float, default=default.half_life, help="of the averaged weights, in pictures"
    )
    parser.add_argument(
        "--adversarial-weight", type=float, default=weights.adversarial, help="0: judge details alone"
    )
    parser.add_argument("--details-weight", type=float, default=weights.details)
    parser.add_argument("--identity-weight", type=float, default=weights.identity)
    parser.add_argument("--features-weight", type=float, default=weights.features)
    parser.add_argument("--seen-weight", type=float, default=weights.seen, help="of lids and lips")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=50)
    parser.add_argument("--check", type=int, default=48, help="held-out faces to look at when saving")


def shape_of(arguments: argparse.Namespace) -> Shape:
    return Shape(
        resolution=arguments.resolution,
        channel_base=arguments.channel_base,
        channel_max=arguments.channel_max,
    )


def settings_of(arguments: argparse.Namespace) -> Settings:
    default, rate = Settings(), arguments.rate
    return replace(
        default,
        shape=shape_of(arguments),
        weights=Weights(
            adversarial=arguments.adversarial_weight,
            details=arguments.details_weight,
            identity=arguments.identity_weight,
            features=arguments.features_weight,
            seen=arguments.seen_weight,
        ),
        dtype="float32" if arguments.float32 else "bfloat16",
        batch=arguments.batch,
        adversarial=arguments.adversarial,
        coarse=arguments.coarse,
        half_life=arguments.half_life,
        generator_rate=default.generator_rate * rate,
        encoder_rate=default.encoder_rate * rate,
        face_rate=default.face_rate * rate,
        discriminator_rate=default.discriminator_rate * rate,
        seed=arguments.seed,
    )


def align(arguments: argparse.Namespace) -> None:
    unseen: list[str] = []
    if arguments.unseen_by:
        unseen = json.loads(inspect(arguments.unseen_by).origin["held_out"])
    processes = arguments.threads or os.cpu_count() or 1
    dataset.build(arguments.photos, arguments.out, seen=arguments.seen, unseen=unseen, processes=processes)


def train(arguments: argparse.Namespace) -> None:
    run: Path = arguments.run
    run.mkdir(parents=True, exist_ok=True)
    device = torch.device(arguments.device)
    settings = settings_of(arguments)
    faces = dataset.load(arguments.data, round(settings.shape.resolution * dataset.MARGIN))
    source, unseen = (Source.of(faces, held_out=held_out, device=device) for held_out in (False, True))
    nets = make(settings.shape, arguments.init, settings.seed)
    trainer = Trainer(nets, settings, source, code_scale(arguments.init))
    state = run / "state.pt"
    if state.exists():
        trainer.resume(state)
    trainer.begin_game()
    print(
        f"{len(source)} faces to learn from, {len(unseen)} held out; from step {trainer.step} on {device}",
        flush=True,
    )
    metrics, rows, started = watching.Metrics(run / "metrics.csv"), [], time.monotonic()
    while trainer.step < arguments.steps:
        rows.append(trainer.advance())
        late = time.monotonic() - started > arguments.minutes * 60
        if trainer.step % arguments.save_every == 0 or trainer.step == arguments.steps or late:
            trainer.save(state)
            seconds = (time.monotonic() - started) / len(rows)
            values = watching.means(rows[-arguments.save_every :]) | {"seconds": seconds}
            values |= watching.check(trainer.averaged, unseen, trainer.recogniser, arguments.check)
            metrics.add(trainer.step, values)
            metrics.plot(run / "metrics.png")
            watching.write_sheet(
                watching.sheet(trainer.averaged, unseen), run / f"sheet-{trainer.step:06}.png"
            )
            print(trainer.step, {name: round(value, 4) for name, value in values.items()}, flush=True)
        if late:
            break


def write(arguments: argparse.Namespace) -> None:
    export(
        arguments.run / "state.pt",
        arguments.data,
        arguments.out,
        name=arguments.name,
        sources=arguments.sources,
    )
