"""The steps of a drag, decided on the device itself.

A GPU that is asked after every step waits for the answer as long as the step takes. So all that a drag
remembers lies in tensors that stay where they are, what would be a branch is a choice between two values, and
steps are replayed as one recorded graph (`checkpoints.replay`), several before anything is read. The
arithmetic and the decisions are those of `course`; the generator runs on whole maps.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from checkpoints.replay import Replay
from realedit.drag.course import Found
from realedit.drag.decisions import Numbers, decide, shortened
from realedit.drag.descent import MOMENTUM, unit_slope
from realedit.drag.goal import Goal, measure
from realedit.drag.maps import Source
from realedit.drag.settings import DragSettings, Lengths
from realedit.drag.state import State
from realedit.drag.supervision import track

AT_ONCE = 8  # steps between two answers


@dataclass(frozen=True)
class Shelf:
    """Everything a drag remembers, and the last `AT_ONCE` steps: tensors that stay where they are.

    moving, direction `[1, layers, w_dim]`; handles `[K, 2]`; numbers `[N]`, as `Numbers`; row `[1]`: how many
    steps were made since the device was asked. past_* `[AT_ONCE, ...]` has those steps, and whether each led
    to the best place so far.
    """

    moving: Tensor
    direction: Tensor
    handles: Tensor
    numbers: Tensor
    row: Tensor
    past_moving: Tensor
    past_direction: Tensor
    past_report: Tensor

    @classmethod
    def of(cls, moving: Tensor, count: int) -> "Shelf":
        """For a latent's moving layers and `count` handles."""
        new = moving.new_zeros
        report = len(Numbers._fields) + 1 + 2 * count
        return cls(
            new(moving.shape), new(moving.shape), new(count, 2), new(len(Numbers._fields)),
            torch.zeros(1, dtype=torch.int64, device=moving.device),
            new(AT_ONCE, *moving.shape), new(AT_ONCE, *moving.shape), new(AT_ONCE, report),
        )  # fmt: skip

    def tensors(self) -> list[Tensor]:
        """All of them."""
        return [getattr(self, field.name) for field in fields(self)]


class DeviceCourse:
    """As `course.Course`, with answers every few steps. It may be loaded anew for other drags of as many
    handles (and with a mask, or without) by the same settings, which makes the recorded graph serve again.
    """

    def __init__(
        self,
        source: Source,
        state: State,
        lengths: Lengths,
        settings: DragSettings,
        *,
        layers: int,
        rate: float,
    ) -> None:
        self.source, self.lengths, self.settings = source, lengths, settings
        self.layers, self.rate = layers, rate
        self.shelf = Shelf.of(state.place.latent[:, :layers], len(state.targets))
        self.goal = Goal.of(state).copy()
        device = self.shelf.moving.device
        pinned = device.type == "cuda"
        self.answer = torch.zeros(self.shelf.past_report.shape, device="cpu", pin_memory=pinned)
        self.made = torch.zeros(1, dtype=torch.int64, device="cpu", pin_memory=pinned)
        self.replay = Replay(self.evaluate, device)

    @torch.no_grad()
    def load(self, state: State, numbers: Numbers, direction: Tensor | None) -> None:
        """Go on from there."""
        shelf = self.shelf
        shelf.moving.copy_(state.place.latent[:, : self.layers])
        shelf.handles.copy_(state.place.handles)
        shelf.direction.zero_() if direction is None else shelf.direction.copy_(direction)
        shelf.numbers.copy_(torch.tensor(numbers, dtype=torch.float32, device="cpu"))
        for mine, theirs in zip(self.goal.tensors(), Goal.of(state).tensors(), strict=True):
            if mine is not None and theirs is not None:
                mine.copy_(theirs)

    @torch.no_grad()
    def steps(self) -> list[Found]:
        """The next steps, at least one: as many as were made until the device was asked."""
        while True:
            self.shelf.row.zero_()
            for _ in range(AT_ONCE):
                self.replay()
            self.answer.copy_(self.shelf.past_report, non_blocking=True)
            self.made.copy_(self.shelf.row, non_blocking=True)
            moving, direction = self.shelf.past_moving.clone(), self.shelf.past_direction.clone()
            if moving.device.type == "cuda":
                torch.cuda.current_stream(moving.device).synchronize()
            if count := int(self.made):
                return [self._found(i, moving[i], direction[i]) for i in range(count)]

    def _found(self, row: int, moving: Tensor, direction: Tensor) -> Found:
        report = self.answer[row].clone()
        numbers = Numbers(*report[: len(Numbers._fields)].tolist())
        better, handles = report[len(Numbers._fields)], report[len(Numbers._fields) + 1 :]
        return Found(moving, handles.view(-1, 2), numbers, bool(better), direction)

    def evaluate(self) -> None:
        """Look at the latent, decide, and go on, or half of the way back. Nothing is asked of the device."""
        shelf = self.shelf
        before = Numbers(*shelf.numbers.unbind())
        hold = self.goal.fixed is not None
        sight = self.source.look(shelf.moving, shelf.handles, hold=hold)
        r1, r2 = self.lengths.r1, self.lengths.r2
        tracked = track(sight.maps, self.goal.templates, shelf.handles, r1=r1, r2=r2)
        handles = torch.where(before.fresh != 0, shelf.handles, tracked)
        moved, left, farthest = measure(shelf.handles, handles, self.goal.targets).unbind()
        numbers, verdict = decide(before, moved, left, farthest, self.lengths, self.settings)
        shelf.handles.copy_(torch.where(verdict.took, handles, shelf.handles))
        self._remember(numbers, verdict.better)
        shelf.row.add_(verdict.took)
        terms, gradient, held = self.goal.slope(sight, shelf.handles, self.lengths, self.settings.mask_weight)
        slope = unit_slope(self.source.back(sight, gradient, held=held, layers=self.layers))
        forward = (verdict.back == 0) & (numbers.over == 0)
        near = torch.where(forward, shortened(numbers.left), numbers.near)
        # before the first step there is no direction, and all of it is zero
        kept = torch.where(shelf.direction.abs().amax() > 0, MOMENTUM, 0.0)
        turned = slope.lerp(shelf.direction, kept)
        shelf.direction.copy_(torch.where(forward, turned, shelf.direction))
        length = torch.where(forward, -1.0, torch.where(verdict.back, 1.0, 0.0)) * numbers.share * near
        shelf.moving.add_(shelf.direction * (self.rate * length))
        terms = torch.where(forward, terms, torch.stack([numbers.loss, numbers.motion, numbers.held]))
        loss, motion, held_term = terms.unbind()
        numbers = numbers._replace(near=near, loss=loss, motion=motion, held=held_term)
        shelf.numbers.copy_(torch.stack(list(numbers)))

    def _remember(self, numbers: Numbers, better: Tensor) -> None:
        """Write down the step, in the row of the next one that counts."""
        shelf = self.shelf
        report = torch.cat([torch.stack([*numbers, better.float()]), shelf.handles.flatten()])
        shelf.past_report.index_copy_(0, shelf.row, report[None])
        shelf.past_moving.index_copy_(0, shelf.row, shelf.moving[None])
        shelf.past_direction.index_copy_(0, shelf.row, shelf.direction[None])
