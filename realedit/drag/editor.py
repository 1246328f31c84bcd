"""The drag itself: an iterator that moves a latent until the handles are where they should be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from checkpoints import Generator
from inversion import CodeSpace
from realedit.drag.settings import DragSettings, Lengths, feature_resolution, moving_layers
from realedit.drag.supervision import mask_loss, motion_loss, sample, track
from realedit.errors import UsageError

Ending = Literal["running", "arrived", "stalled", "steps", "nothing"]


@dataclass(frozen=True)
class DragStep:
    """One step of a drag.

    index counts from 1. handles `[K, 2]` are tracked positions in crop pixels; distances `[K]` to the
    targets, crop pixels. ending says why this was the last step, or `running`. latent is the W+ reached,
    `[1, num_ws, w_dim]`.
    """

    index: int
    total: int
    loss: float
    handles: NDArray[np.float64]
    distances: NDArray[np.float64]
    ending: Ending
    latent: Tensor


@dataclass(frozen=True)
class _State:
    """What undo goes back to."""

    latent: Tensor
    handles: Tensor
    targets: Tensor
    templates: Tensor
    best: Tensor | None = None
    best_handles: Tensor | None = None
    best_distance: float = float("inf")


class Editor:
    """Drags points of one latent.

    Points are crop pixels (`resolution` x `resolution`, centres at +0.5); `mask` `[R, R]` in [0, 1], 1 = may
    move, None = everything may. Iterate over `steps()`; stop by not asking for more, go on by calling it
    again. `add`, `remove` and `set_mask` may be called between steps, `undo` goes back to before the last
    `steps()`.
    """

    def __init__(
        self,
        generator: Generator,
        latent: Tensor,
        settings: DragSettings,
        codes: CodeSpace,
        *,
        mask: NDArray[np.float32] | None = None,
        layers: int | None = None,
    ) -> None:
        self.generator = generator
        self.settings = settings
        self.resolution = generator.resolution
        self.cells = feature_resolution(generator.resolution)
        self.lengths = Lengths.of(settings, self.cells)
        self.layers = moving_layers(settings, generator, layers)
        self.rate = settings.learning_rate * codes.scale
        self.device = latent.device
        with torch.no_grad():
            self.original = self._features(latent)
        none = torch.zeros(0, 2, device=self.device)
        self.state = _State(
            latent.detach().clone(), none, none, self.original.new_zeros(0, self.original.shape[1])
        )
        self.history: list[_State] = []
        self._optimiser: tuple[Tensor, torch.optim.Adam] | None = None
        self.set_mask(mask)

    @property
    def latent(self) -> Tensor:
        """The latent reached so far: the best one, by the handles' mean distance."""
        return self.state.latent if self.state.best is None else self.state.best

    @property
    def handles(self) -> NDArray[np.float64]:
        """Where the handles of `latent` are, crop pixels `[K, 2]`."""
        best = self.state.best_handles
        return self._pixels(self.state.handles if best is None else best)

    def add(self, handles: ArrayLike, targets: ArrayLike) -> None:
        """Add points `[K, 2]`, crop pixels of the current picture. Raises UsageError outside of the crop."""
        self._settle()
        new, goals = self._cells(handles), self._cells(targets)
        for points in (new, goals):
            if bool(((points < 0) | (points > self.cells)).any()):
                raise UsageError("a handle or target lies outside of the crop")
        with torch.no_grad():
            features = self._features(self.state.latent)
        self.state = replace(
            self.state,
            handles=torch.cat([self.state.handles, new]),
            targets=torch.cat([self.state.targets, goals]),
            templates=torch.cat([self.state.templates, sample(features, new)]),
        )

    def remove(self, indices: Sequence[int]) -> None:
        """Forget points by their place in the order they were added."""
        self._settle()
        keep = [i for i in range(len(self.state.handles)) if i not in set(indices)]
        self.state = replace(
            self.state,
            handles=self.state.handles[keep],
            targets=self.state.targets[keep],
            templates=self.state.templates[keep],
        )

    def set_mask(self, mask: NDArray[np.float32] | None) -> None:
        """What may move, `[R, R]` in [0, 1]; None: everything."""
        self.fixed: Tensor | None = None
        if mask is not None:
            movable = torch.from_numpy(np.asarray(mask, np.float32)).to(self.device)[None, None]
            self.fixed = 1 - torch.nn.functional.adaptive_avg_pool2d(movable, self.cells)

    def undo(self) -> bool:
        """Back to before the last `steps()`; False when there is nothing to go back to."""
        if not self.history:
            return False
        self.state = self.history.pop()
        self._settle()
        return True

    def steps(self) -> Iterator[DragStep]:
        """Drag until every handle has arrived, progress ends, or the steps are used up.

        The generator runs once per step: the features that say where the handles are now are the ones the
        next update supervises.
        """
        self._settle()
        self.history.append(self.state)
        total, since_progress, loss = self.settings.max_steps, 0, 0.0
        if len(self.state.handles) == 0 or float(self._distance().max()) <= 1e-6:
            yield self._step(0, total, loss, "nothing")
            return
        self._remember()  # the start is the first best: a drag never ends farther away than it began
        for index in range(total + 1):
            features = self._features(self._trainable())
            if index:
                self._track(features)
                since_progress = 0 if self._remember() else since_progress + 1
                ending = self._ending(index, since_progress)
                yield self._step(index, total, loss, ending)
                if ending != "running":
                    return
            loss = self._update(features)

    def _settle(self) -> None:
        """Go on from the best latent, with a fresh optimiser."""
        state = self.state
        if state.best is not None and state.best_handles is not None:
            state = replace(state, latent=state.best, handles=state.best_handles)
        self.state = replace(state, best=None, best_handles=None, best_distance=float("inf"))
        self._optimiser = None

    def _ending(self, index: int, since_progress: int) -> Ending:
        if float(self._distance().max()) <= self.lengths.until:
            self.state = replace(self.state, best=self.state.latent, best_handles=self.state.handles)
            return "arrived"
        if since_progress >= self.settings.patience:
            return "stalled"
        return "steps" if index == self.settings.max_steps else "running"

    def _trainable(self) -> Tensor:
        """The current latent, with the gradient leading to its first layers."""
        if self._optimiser is None:
            moving = self.state.latent[:, : self.layers].clone().requires_grad_(True)
            self._optimiser = (moving, torch.optim.Adam([moving], lr=self.rate))
        return torch.cat([self._optimiser[0], self.state.latent[:, self.layers :]], 1)

    def _track(self, features: Tensor) -> None:
        state = self.state
        handles = track(features.detach(), state.templates, state.handles, r2=self.lengths.r2)
        self.state = replace(state, handles=handles)

    def _update(self, features: Tensor) -> float:
        """One step of Adam on the first layers; the loss before it."""
        assert self._optimiser is not None
        moving, optimiser = self._optimiser
        state = self.state
        loss = motion_loss(
            features, state.handles, state.targets, r1=self.lengths.r1, shift=self.lengths.shift
        )
        if self.fixed is not None:
            loss = loss + self.settings.mask_weight * mask_loss(features, self.original, self.fixed)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        latent = torch.cat([moving.detach().clone(), state.latent[:, self.layers :]], 1)
        self.state = replace(state, latent=latent)
        return float(loss.detach())

    def _remember(self) -> bool:
        """Keep the best latent so far; True when this one is better by a hundredth of a cell."""
        distance = float(self._distance().mean())
        if distance >= self.state.best_distance - 0.01:
            return False
        self.state = replace(
            self.state, best=self.state.latent, best_handles=self.state.handles, best_distance=distance
        )
        return True

    def _distance(self) -> Tensor:
        distance: Tensor = (self.state.targets - self.state.handles).norm(dim=-1)  # [K], cells
        return distance

    def _step(self, index: int, total: int, loss: float, ending: Ending) -> DragStep:
        last = ending != "running"
        handles = self.handles if last else self._pixels(self.state.handles)
        distances = np.linalg.norm(self._pixels(self.state.targets) - handles, axis=-1)
        return DragStep(
            index, total, loss, handles, distances, ending, self.latent if last else self.state.latent
        )

    def _features(self, latent: Tensor) -> Tensor:
        features: Tensor = self.generator.features(latent, upto=self.cells)[self.cells]
        return features

    def _cells(self, points: ArrayLike) -> Tensor:
        array = np.asarray(points, np.float64).reshape(-1, 2) * (self.cells / self.resolution)
        return torch.from_numpy(array.astype(np.float32)).to(self.device)

    def _pixels(self, cells: Tensor) -> NDArray[np.float64]:
        array: NDArray[np.float64] = cells.cpu().numpy().astype(np.float64) * (self.resolution / self.cells)
        return array
