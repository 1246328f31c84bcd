"""What a drag's step decides once it knows where the handles are: whether to believe it, how long the next
one is, and whether the drag is over.

The same few lines of arithmetic decide on numbers of Python's, where asking the device costs nothing, and on
scalars that stay on a GPU.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from realedit.drag.settings import DragSettings, Lengths

NEARER = 0.01  # cells: less is no better place
NEAR = 0.7  # cells: steps are shorter where the handles are nearer than this to their targets,
SHORTEST = 0.2  # down to this share
LEAST = 1e-3  # share of a step: a shorter one is believed wherever it takes a handle
CHANGE = (0.5, 1.2)  # how much shorter or longer the handles' way makes the next step, at most
LAST = 4  # steps that a drag which is near enough waits for a nearer place
PROGRESS = 0.03  # of the distance that is left: less in `patience` steps is none

Number = Any  # a scalar: a float or bool of Python's, or a tensor of the device's


class Numbers(NamedTuple):
    """What a drag remembers from step to step, all of it scalars.

    share: of a step, as much as takes no handle farther than it should go in one. near: what being near the
    targets makes of it. left, farthest: root mean square and largest distance to the targets, cells.
    distance, arrived: of the best place, and whether all handles are near enough there. since_nearer: steps
    since it was found. progress, since_progress: the distance at the last progress, and steps since then.
    step: the number of the last one. loss, motion, held: the loss that step went down, and its terms.
    fresh: 1 where the latent was not looked at yet, so that its handles are where they were. over: 1 where
    the drag has ended.
    """

    share: Number = 1.0
    near: Number = 1.0
    left: Number = 0.0
    farthest: Number = 0.0
    distance: Number = math.inf
    arrived: Number = 0.0
    since_nearer: Number = 0.0
    progress: Number = math.inf
    since_progress: Number = 0.0
    step: Number = 0.0
    loss: Number = 0.0
    motion: Number = 0.0
    held: Number = 0.0
    fresh: Number = 1.0
    over: Number = 0.0


@dataclass(frozen=True)
class Verdict:
    """back: the step went too far, and half of it is taken back. took: it counts. better: it leads to the
    best place so far. All of them scalars, 0 or 1."""

    back: Number
    took: Number
    better: Number


def begun(numbers: Numbers, left: Number, farthest: Number, lengths: Lengths) -> Numbers:
    """Where a drag begins, or goes on with other points: that is its best place so far."""
    return numbers._replace(
        left=left, farthest=farthest, distance=left, progress=left, fresh=1.0, over=0.0,
        arrived=float(float(farthest) <= lengths.enough), since_nearer=0.0, since_progress=0.0,
    )  # fmt: skip


def decide(
    n: Numbers, moved: Number, left: Number, farthest: Number, lengths: Lengths, settings: DragSettings
) -> tuple[Numbers, Verdict]:
    """What becomes of the numbers once a step was looked at. moved: how far the handle went that went
    farthest; left, farthest: as in `Numbers`, there. All in cells.
    """
    tried = (n.over == 0) & (n.fresh == 0)
    back = tried & (moved > lengths.rim) & (n.share > LEAST)
    took = tried & (back == 0)
    factor = _clip(lengths.stride / _clip(moved, 1e-6, math.inf), *CHANGE)
    share = _where(back, n.share / 2, _where(took, _clip(n.share * factor, 0.0, 1.0), n.share))
    near = farthest <= lengths.enough
    nearer = (near & (n.arrived == 0)) | ((near == (n.arrived != 0)) & (left < n.distance - NEARER))
    better = took & nearer
    ahead = left < n.progress * (1 - PROGRESS)
    found = n._replace(
        share=share,
        left=_where(took, left, n.left),
        farthest=_where(took, farthest, n.farthest),
        distance=_where(better, left, n.distance),
        arrived=_where(better, near * 1.0, n.arrived),
        since_nearer=_where(took, _where(nearer, 0.0, n.since_nearer + 1.0), n.since_nearer),
        progress=_where(took & ahead, left, n.progress),
        since_progress=_where(took, _where(ahead, 0.0, n.since_progress + 1.0), n.since_progress),
        step=n.step + took,
        fresh=n.fresh * (n.over != 0),
    )
    over = took & ends(found, lengths, settings)
    return found._replace(over=_where(over, 1.0, n.over)), Verdict(back, took, better)


def ends(n: Numbers, lengths: Lengths, settings: DragSettings) -> Number:
    """Whether the last step was the last one."""
    there = (n.farthest <= lengths.until) | stuck(n, settings) | (n.step >= settings.max_steps)
    return there | ((n.arrived != 0) & (n.since_nearer >= LAST))


def stuck(n: Numbers, settings: DragSettings) -> Number:
    """Whether there is no progress, or the loss is no number."""
    return (n.since_progress >= settings.patience) | (abs(n.loss) == math.inf) | (n.loss != n.loss)


def shortened(left: Number) -> Number:
    """What being near the targets makes of a step."""
    return _clip(left / NEAR, SHORTEST, 1.0)


def _where(chosen: Number, one: Number, other: Number) -> Number:
    if isinstance(chosen, Tensor):
        return torch.where(chosen, one, other)
    return one if chosen else other


def _clip(value: Number, least: float, most: float) -> Number:
    return value.clamp(least, most) if isinstance(value, Tensor) else min(max(value, least), most)
