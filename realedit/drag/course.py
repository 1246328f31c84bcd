"""The steps of a drag down the slope of its loss.

The generator runs once per step: the features that say where the handles are now are the ones the next update
supervises. On a CPU and on devices that have to be asked anyway every step is decided by Python, the
generator runs in windows, and nothing is computed that is not needed. `device` has the same steps for GPUs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from realedit.drag.decisions import Numbers, decide, shortened
from realedit.drag.descent import Descent
from realedit.drag.goal import Goal, measure
from realedit.drag.maps import Sight, Source
from realedit.drag.settings import DragSettings, Lengths
from realedit.drag.state import State
from realedit.drag.supervision import supervised, track


@dataclass(frozen=True)
class Found:
    """A step that was made: the layers that move `[1, layers, w_dim]`, the handles `[K, 2]` in cells, on the
    CPU, the numbers, whether that is the best place so far, and the direction the step took.
    """

    moving: Tensor
    handles: Tensor
    numbers: Numbers
    better: bool
    direction: Tensor


class Course:
    """From the state on. direction: of the step before, where there was one."""

    def __init__(
        self,
        source: Source,
        state: State,
        lengths: Lengths,
        settings: DragSettings,
        numbers: Numbers,
        *,
        layers: int,
        rate: float,
        direction: Tensor | None,
    ) -> None:
        self.source, self.lengths, self.settings, self.numbers = source, lengths, settings, numbers
        latent = state.place.latent
        self.moving = latent[:, :layers].clone()
        self.descent = Descent(self.moving, rate)
        self.descent.direction = direction
        self.goal = Goal.of(state)
        self.handles = state.place.handles.to(latent.device)
        self.sight: Sight | None = None  # of the latent as it is, where what is supervised lies in it

    @torch.no_grad()
    def steps(self) -> list[Found]:
        """The next step."""
        sight = self.sight or self._look()
        slope, terms = self._slope(sight)
        near = shortened(self.numbers.left)
        self.numbers = self.numbers._replace(
            near=near, fresh=0.0, **dict(zip(("loss", "motion", "held"), terms, strict=True))
        )
        self.descent.turn(slope)
        self.descent.go(float(self.numbers.share) * float(near))
        while True:
            sight = self._look()
            handles = self._tracked(sight)
            moved, left, farthest = measure(self.handles, handles, self.goal.targets).tolist()
            self.numbers, verdict = decide(self.numbers, moved, left, farthest, self.lengths, self.settings)
            if not verdict.back:
                break
            self.descent.go(-float(self.numbers.share) * float(near))
        self.handles, self.sight = handles, self._kept(sight, handles)
        assert self.descent.direction is not None
        return [
            Found(
                self.moving.clone(), handles.cpu(), self.numbers, bool(verdict.better), self.descent.direction
            )
        ]

    def _look(self) -> Sight:
        return self.source.look(self.moving, self.handles, hold=self.goal.fixed is not None)

    def _tracked(self, sight: Sight) -> Tensor:
        lengths = self.lengths
        return track(sight.maps, self.goal.templates, self.handles, r1=lengths.r1, r2=lengths.r2)

    def _kept(self, sight: Sight, handles: Tensor) -> Sight | None:
        """Whether what is supervised next lies in the windows around where the handles were."""
        if sight.maps.everywhere:
            return sight
        patches = supervised(handles, self.goal.targets, r1=self.lengths.r1, shift=self.lengths.shift)
        return sight if sight.maps.holds(torch.cat(patches, 1)) else None

    def _slope(self, sight: Sight) -> tuple[Tensor, list[float]]:
        """The loss's gradient, and loss, motion and held."""
        loss, gradient, held = self.goal.slope(sight, self.handles, self.lengths, self.settings.mask_weight)
        part = None
        if not sight.maps.everywhere and gradient.device.type == "cpu":
            there = supervised(self.handles, self.goal.targets, r1=self.lengths.r1, shift=self.lengths.shift)[
                1
            ]
            part = sight.maps.touched(there)
        slope = self.source.back(sight, gradient, held=held, part=part, layers=self.moving.shape[1])
        return slope, loss.tolist()
