"""Windows of feature maps: which to compute, and what they cost.

Once the constant is there nothing in StyleGAN2's synthesis is global: demodulation is per channel and every
filter is local. So a window of a layer's output can be computed from a window of its input, exactly. All
windows of a plan have one shape, so that they run as one batch and moving them changes no shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.int64]
"""Parts of a map, [N, 4]: top, left, bottom, right (the latter two exclusive)."""

Shape = tuple[int, int]

# What a layer costs beside its arithmetic, in multiply-adds; measured on a CPU, only to compare plans with.
OVERHEAD = 30_000_000


@dataclass(frozen=True)
class LayerShape:
    """A 3x3 convolution's sizes: out_size is the side of its output, twice its input's where up."""

    in_channels: int
    out_channels: int
    out_size: int
    up: bool

    @property
    def in_size(self) -> int:
        """The side of its input."""
        return self.out_size // 2 if self.up else self.out_size

    def input_shape(self, shape: Shape) -> Shape:
        """Height and width it reads for a window of its output, wherever that lies."""
        height, width = shape
        if self.up:  # see `input_origins`
            return height // 2 + 3, width // 2 + 3
        return height + 2, width + 2

    def input_origins(self, origins: NDArray[np.int64]) -> NDArray[np.int64]:
        """Top and left [N, 2] of the input windows for output windows that begin at origins.

        Row o of an upsampling layer's output filters rows o-1 to o+2 of its transposed convolution, and row t
        of that adds up the input's rows (t-2)/2 to t/2.
        """
        return origins // 2 - 1 if self.up else origins - 1

    def work(self, shape: Shape) -> int:
        """Multiply-adds for one window of its output (the low-pass filter's are a thousandth of these)."""
        height, width = self.input_shape(shape) if self.up else shape
        return 9 * self.in_channels * self.out_channels * height * width

    def whole(self) -> int:
        """Multiply-adds for the whole map."""
        return 9 * self.in_channels * self.out_channels * self.in_size**2


@dataclass(frozen=True)
class Plan:
    """Layers before `split` run on whole maps, the others in windows of the last one's output.

    origins: top and left of every window; shape: of each of them. Whole maps are one window at (0, 0).
    members: which of the boxes that were asked for each window holds. work: multiply-adds of one run.
    """

    split: int
    origins: tuple[tuple[int, int], ...]
    shape: Shape
    members: tuple[tuple[int, ...], ...]
    work: int

    def moved(self, boxes: Boxes, size: int) -> "Plan | None":
        """The same windows where boxes are now; None where one of them would have to be larger."""
        joined = [join(boxes[list(each)]) for each in self.members]
        if any(b[2] - b[0] > self.shape[0] or b[3] - b[1] > self.shape[1] for b in joined):
            return None
        return replace(self, origins=_centred(joined, self.shape, size))


def make_plan(layers: Sequence[LayerShape], boxes: Boxes, *, splits: Sequence[int]) -> Plan:
    """The cheapest way to have the last layer's output in all boxes [N, 4], N > 0.

    splits: after how many layers windows may begin; len(layers) means whole maps.
    """
    size = layers[-1].out_size
    shared = []
    for members in _groupings(boxes):
        joined = [join(boxes[list(each)]) for each in members]
        shape = _shape(joined, size, exact=len(members) == len(boxes))
        shared.append((members, _centred(joined, shape, size), shape))
    plans = []
    for split in splits:
        begun = sum(layer.whole() + OVERHEAD for layer in layers[:split])
        if split == len(layers):
            plans.append(Plan(split, ((0, 0),), (size, size), (tuple(range(len(boxes))),), begun))
            continue
        for members, origins, shape in shared:
            work = begun + chain_work(layers[split:], shape, len(members))
            plans.append(Plan(split, origins, shape, members, work))
    return min(plans, key=lambda plan: plan.work)


def chain_work(layers: Sequence[LayerShape], shape: Shape, count: int) -> int:
    """Multiply-adds of a chain of layers, in order, for `count` windows of the last one's output."""
    total = 0
    for layer in reversed(layers):
        total += count * layer.work(shape) + OVERHEAD
        shape = layer.input_shape(shape)
    return total


def convolutions(layers: Sequence[LayerShape], plan: Plan) -> list[tuple[LayerShape, int, Shape]]:
    """Every layer of a run, with the number and the shape of the maps that its convolution goes over."""
    found = [(layer, 1, (layer.in_size, layer.in_size)) for layer in layers[: plan.split]]
    late, shape = [], plan.shape
    for layer in reversed(layers[plan.split :]):
        read = layer.input_shape(shape)
        late.append((layer, len(plan.origins), read if layer.up else shape))
        shape = read
    return found + late[::-1]


def join(boxes: Boxes) -> NDArray[np.int64]:
    """The smallest box that holds all of them."""
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])


def _groupings(boxes: Boxes) -> list[tuple[tuple[int, ...], ...]]:
    """Ways to share windows, from one per box to one for all: always the two join that grow least."""
    groups: list[tuple[int, ...]] = [(i,) for i in range(len(boxes))]
    joined = boxes.copy()
    found = [tuple(groups)]
    while len(groups) > 1:
        low = np.minimum(joined[:, None, :2], joined[None, :, :2])
        high = np.maximum(joined[:, None, 2:], joined[None, :, 2:])
        sides = (high - low).max(-1).astype(float)
        np.fill_diagonal(sides, np.inf)
        i, j = sorted(map(int, np.unravel_index(int(sides.argmin()), sides.shape)))
        joined[i] = join(joined[[i, j]])
        joined = np.delete(joined, j, 0)
        groups[i] += groups.pop(j)
        found.append(tuple(groups))
    return found


def _shape(joined: Sequence[NDArray[np.int64]], size: int, *, exact: bool) -> Shape:
    """The shape that holds each; with some room where several boxes in one window move against each other."""
    height, width = (max(int(box[i + 2] - box[i]) for box in joined) for i in (0, 1))
    if not exact:
        height, width = (-(-(side + 1) // 4) * 4 for side in (height, width))
    return min(height, size), min(width, size)


def _centred(joined: Sequence[NDArray[np.int64]], shape: Shape, size: int) -> tuple[tuple[int, int], ...]:
    """Windows around the boxes, inside of the map."""
    found = []
    for box in joined:
        top = int(box[0]) - (shape[0] - int(box[2] - box[0])) // 2
        left = int(box[1]) - (shape[1] - int(box[3] - box[1])) // 2
        found.append((min(max(top, 0), size - shape[0]), min(max(left, 0), size - shape[1])))
    return tuple(found)
