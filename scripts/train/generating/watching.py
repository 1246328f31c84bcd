"""Seeing how a training goes: figures on held-out faces, a CSV file with its plot, sheets of pictures."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from train.faces.expressions import LIDS, LIPS_APART
from train.faces.recogniser import Recogniser
from train.faces.source import Source
from train.generating.losses import face_losses, psnr
from train.generating.networks import Networks, encode, synthesise
from train.generating.prior import PSI

Pixels = NDArray[np.uint8]


@torch.no_grad()
def check(nets: Networks, source: Source, recogniser: Recogniser, count: int) -> dict[str, float]:
    """PSNR and descriptor distance of the first `count` faces after the encoder alone, medians."""
    distances, ratios = [], []
    for first in range(0, min(count, len(source)), 16):
        chosen = torch.arange(first, min(first + 16, count, len(source)))
        batch = source.batch(chosen, nets.generator.resolution, None, torch.Generator())
        images = synthesise(nets.generator, encode(nets.encoder, batch.crops, torch.float32), torch.float32)
        ratios.append(psnr(images, batch))
        distances.append(face_losses(recogniser, images, batch, torch.float32)[2])
    return {
        "held_out_psnr": float(torch.cat(ratios).median()),
        "held_out_identity": float(torch.cat(distances).median()),
    }


@torch.no_grad()
def sheet(nets: Networks, source: Source, columns: int = 12, seed: int = 0) -> Pixels:
    """Rows: photos, their encodings, the encodings with mean codes, with mouths opened and eyes closed by the
    directions, mixtures, and samples at psi 0.7.
    """
    generator = nets.generator
    batch = source.batch(torch.arange(columns), generator.resolution, None, torch.Generator())
    ws = encode(nets.encoder, batch.crops, torch.float32)
    half = generator.num_ws // 2
    mixed = torch.cat([ws[:, :half], ws.roll(1, 0)[:, half:]], 1)
    z = torch.randn(2 * columns, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    samples = generator.mapping(z.to(ws.device), truncation=PSI)
    flat = ws.mean(1, keepdim=True).expand_as(ws)
    acting = [ws + nets.directions[kind] for kind in (LIPS_APART, LIDS)]
    rows = [
        batch.crops,
        *(synthesise(generator, w, torch.float32) for w in (ws, flat, *acting, mixed, *samples.chunk(2))),
    ]
    return np.vstack([np.hstack(list(pixels(row))) for row in rows])


def pixels(images: Tensor) -> Pixels:
    """`[N, 3, H, W]` in [-1, 1] -> `[N, H, W, 3]` uint8."""
    array = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return np.asarray(array, np.uint8)


def write_sheet(picture: Pixels, path: Path) -> None:
    Image.fromarray(picture).save(path)


class Metrics:
    """Rows of a CSV file; a new column begins when it first has a value."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="") as file:
                self.rows = list(csv.DictReader(file))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """One row; rows of later steps, from a run that was resumed before them, go."""
        self.rows = [row for row in self.rows if int(row["step"]) < step]
        self.rows.append({"step": str(step), **{name: f"{value:.5g}" for name, value in values.items()}})
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)

    def plot(self, path: Path) -> None:
        """Every column over the steps, each in a panel of its own with its first, lowest, highest and last
        value.
        """
        names = [name for name in dict.fromkeys(n for row in self.rows for n in row) if name != "step"]
        panels = [self._panel(name) for name in names]
        panels += [np.full_like(panels[0], 255)] * (-len(panels) % 3)
        write_sheet(np.vstack([np.hstack(panels[i : i + 3]) for i in range(0, len(panels), 3)]), path)

    def _panel(self, name: str, width: int = 420, height: int = 200) -> Pixels:
        picture = np.full((height, width, 3), 255, np.uint8)
        points = [(int(r["step"]), float(r[name])) for r in self.rows if r.get(name)]
        steps, values = np.array(points, np.float64).T
        low, high = float(values.min()), float(values.max())
        x = 10 + (steps - steps.min()) / max(float(np.ptp(steps)), 1) * (width - 20)
        y = height - 15 - (values - low) / max(high - low, 1e-9) * (height - 55)
        cv2.polylines(picture, [np.stack([x, y], 1).astype(np.int32)], False, (30, 60, 160), 1, cv2.LINE_AA)
        text = f"{name}: {values[0]:.3g} to {values[-1]:.3g} ({low:.3g} .. {high:.3g})"
        cv2.putText(picture, text, (10, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
        return picture


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every value over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
