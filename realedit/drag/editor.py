"""The drag itself: an iterator that moves a latent until the handles are where they should be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from checkpoints import Generator, fast_dtype
from inversion import CodeSpace
from realedit.drag.adam import Adam
from realedit.drag.maps import Maps, Source
from realedit.drag.settings import DragSettings, Lengths, feature_resolution, moving_layers
from realedit.drag.supervision import disc, mask_loss, motion_loss, templates_at, track
from realedit.errors import UsageError

Ending = Literal["running", "arrived", "stalled", "steps", "nothing"]


@dataclass(frozen=True)
class DragStep:
    """One step of a drag.

    index counts from 1. motion and held are the loss's two terms: what the handles still ask for, and how
    far what the mask holds has changed; loss is their weighted sum. handles `[K, 2]` are tracked positions
    in crop pixels; distances `[K]` to the targets, crop pixels. ending says why this was the last step, or
    `running`. latent is the W+ reached, `[1, num_ws, w_dim]`.
    """

    index: int
    total: int
    loss: float
    motion: float
    held: float
    handles: NDArray[np.float64]
    distances: NDArray[np.float64]
    ending: Ending
    latent: Tensor


@dataclass(frozen=True)
class _Place:
    """A latent and where its handles are, `[K, 2]` in cells."""

    latent: Tensor
    handles: Tensor


@dataclass(frozen=True)
class _State:
    """What undo goes back to. movable `[1, 1, r, r]`: the mask; original `[1, C, r, r]`: what it holds."""

    place: _Place
    targets: Tensor
    templates: Tensor
    movable: Tensor | None = None
    original: Tensor | None = None


class _Run:
    """A drag under way: the optimiser, and the best place so far."""

    def __init__(self, latent: Tensor, layers: int, rate: float) -> None:
        self.moving = latent[:, :layers].clone().requires_grad_(True)
        self.optimiser = Adam(self.moving, rate)
        self.index = 0
        self.terms = (0.0, 0.0, 0.0)
        self.forget()

    def forget(self) -> None:
        """What was best counts no more: the points or the mask are other ones."""
        self.best: _Place | None = None
        self.distance = float("inf")
        self.since_progress = 0
        self.maps: Maps | None = None  # features of the current latent, which the next update supervises

    def remember(self, place: _Place, distance: float) -> None:
        """Keep the best place; progress is a hundredth of a cell."""
        if distance < self.distance - 0.01:
            self.best, self.distance, self.since_progress = place, distance, 0
        else:
            self.since_progress += 1


class Editor:
    """Drags points of one latent.

    Points are crop pixels (`resolution` x `resolution`, centres at +0.5); `mask` `[R, R]` in [0, 1], 1 = may
    move, None = everything may. Iterate over `steps()`. Not asking for more pauses a drag, calling `steps()`
    again goes on with it; `finish` ends it where it is. `add`, `remove` and `set_mask` may be called at any
    time, also between two steps: the optimiser goes on, and what is new is taken from the picture of the last
    step. `undo` and `redo` go over finished drags; any number of drags may follow each other.
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
        dtype: torch.dtype | None = None,
    ) -> None:
        """layers: the checkpoint's advice on how many move. dtype: what features are computed in; None takes
        the device's fastest. Raises UsageError, CapacityError.
        """
        self.generator = generator
        self.settings = settings
        self.resolution = generator.resolution
        self.cells = feature_resolution(generator.resolution)
        self.lengths = Lengths.of(settings, self.cells)
        self.layers = moving_layers(settings, generator, layers)
        self.rate = settings.learning_rate * codes.scale
        self.device = latent.device
        latent = latent.detach().clone()
        self.source = Source(
            generator,
            latent,
            cells=self.cells,
            moving=self.layers,
            reach=self.lengths.reach,
            dtype=dtype or fast_dtype(self.device),
        )
        none = torch.zeros(0, 2, device=self.device)
        patch = len(disc(self.lengths.r1))
        templates = torch.zeros(0, patch, generator.channels[self.cells], device=self.device)
        self._state = _State(_Place(latent, none), none, templates)
        self._run: _Run | None = None
        self._undone: list[_State] = []
        self._done: list[_State] = []
        self.set_mask(mask)

    @property
    def latent(self) -> Tensor:
        """The latent reached so far: the best one, by the handles' mean distance."""
        return self._best().latent

    @property
    def handles(self) -> NDArray[np.float64]:
        """Where the handles of `latent` are, crop pixels `[K, 2]`."""
        return self._pixels(self._best().handles)

    @property
    def targets(self) -> NDArray[np.float64]:
        """Where the handles should go, crop pixels `[K, 2]`."""
        return self._pixels(self._state.targets)

    def add(self, handles: ArrayLike, targets: ArrayLike) -> None:
        """Add points `[K, 2]`, crop pixels of the picture of the last step. Raises UsageError outside of the
        crop, and where the mask holds a handle.
        """
        new, goals = self._cells(handles), self._cells(targets)
        for points in (new, goals):
            if not bool(((points >= 0) & (points <= self.cells)).all()):
                raise UsageError("a handle or target lies outside of the crop")
        if len(new) == 0:
            return
        state = self._state
        self._check_free(new, state.movable)
        with torch.no_grad():
            maps = self.source(state.place.latent, new, hold=False)
            templates = templates_at(maps, new, r1=self.lengths.r1)
        place = replace(state.place, handles=torch.cat([state.place.handles, new]))
        self._change(
            replace(
                state,
                place=place,
                targets=torch.cat([state.targets, goals]),
                templates=torch.cat([state.templates, templates]),
            )
        )

    def remove(self, indices: Sequence[int]) -> None:
        """Forget points by their place in the order they were added."""
        state = self._state
        keep = [i for i in range(len(state.targets)) if i not in set(indices)]
        place = replace(state.place, handles=state.place.handles[keep])
        self._change(
            replace(state, place=place, targets=state.targets[keep], templates=state.templates[keep])
        )

    def set_mask(self, mask: NDArray[np.float32] | None) -> None:
        """What may move, `[R, R]` in [0, 1]; None: everything. The rest is held as it is now.

        Raises UsageError where it holds a handle.
        """
        if mask is None:
            self._change(replace(self._state, movable=None, original=None))
            return
        full = torch.from_numpy(np.asarray(mask, np.float32)).to(self.device)[None, None]
        movable = torch.nn.functional.adaptive_avg_pool2d(full, self.source.hold)
        self._check_free(self._state.place.handles, movable)
        original = self.source.held(self._state.place.latent)
        self._change(replace(self._state, movable=movable, original=original))

    def finish(self) -> None:
        """End the drag under way, if any, with the best it reached."""
        if self._run is not None:
            self._state = replace(self._state, place=self._best())
            self._run = None

    def undo(self) -> bool:
        """Back to before the last drag; False when there is none."""
        self.finish()
        if not self._done:
            return False
        self._undone.append(self._state)
        self._state = self._done.pop()
        return True

    def redo(self) -> bool:
        """Again what was undone; False when nothing was, or something else was dragged since."""
        self.finish()
        if not self._undone:
            return False
        self._done.append(self._state)
        self._state = self._undone.pop()
        return True

    def steps(self) -> Iterator[DragStep]:
        """Drag until every handle has arrived, progress ends, or the steps are used up.

        The generator runs once per step: the features that say where the handles are now are the ones the
        next update supervises.
        """
        if self._run is None:
            self._done.append(self._state)
            self._undone.clear()
            self._run = _Run(self._state.place.latent, self.layers, self.rate)
        run = self._run
        while self._run is run:
            if len(self._state.targets) == 0 or float(self._distances().max()) <= 1e-6:
                yield self._step(run, "arrived" if run.index else "nothing")
                return
            if run.best is None:  # a drag never ends farther away than it began
                run.remember(self._state.place, float(self._distances().mean()))
            self._update(run, run.maps or self._maps(run))
            run.maps = self._maps(run)
            self._track(run, run.maps)
            run.index += 1
            yield self._step(run, self._ending(run))

    @torch.enable_grad()
    def _maps(self, run: _Run) -> Maps:
        """Features of the current latent, with the gradient leading to its first layers."""
        place = self._state.place
        latent = torch.cat([run.moving, place.latent[:, self.layers :]], 1)
        return self.source(latent, place.handles, hold=self._state.movable is not None)

    @torch.enable_grad()
    def _update(self, run: _Run, maps: Maps) -> None:
        """One step of Adam on the first layers."""
        state = self._state
        lengths, handles = self.lengths, state.place.handles
        motion = motion_loss(
            maps, state.templates, handles, state.targets, r1=lengths.r1, shift=lengths.shift
        )
        loss, held = motion, motion.new_zeros(())
        if state.movable is not None and state.original is not None and maps.held is not None:
            held = mask_loss(maps.held, state.original, 1 - state.movable)
            loss = motion + self.settings.mask_weight * held
        (gradient,) = torch.autograd.grad(loss, run.moving)
        run.optimiser.step(gradient)
        run.terms = (float(loss.detach()), float(motion.detach()), float(held.detach()))
        latent = torch.cat([run.moving.detach().clone(), state.place.latent[:, self.layers :]], 1)
        self._state = replace(state, place=replace(state.place, latent=latent))

    def _track(self, run: _Run, maps: Maps) -> None:
        state = self._state
        lengths = self.lengths
        handles = track(maps, state.templates, state.place.handles, r1=lengths.r1, r2=lengths.r2)
        self._state = replace(state, place=replace(state.place, handles=handles))
        run.remember(self._state.place, float(self._distances().mean()))

    def _ending(self, run: _Run) -> Ending:
        if float(self._distances().max()) <= self.lengths.until:
            run.best = self._state.place
            return "arrived"
        if run.since_progress >= self.settings.patience or not np.isfinite(run.terms[0]):
            return "stalled"
        return "steps" if run.index >= self.settings.max_steps else "running"

    def _distances(self) -> Tensor:
        distances: Tensor = (self._state.targets - self._state.place.handles).norm(dim=-1)  # [K], cells
        return distances

    def _step(self, run: _Run, ending: Ending) -> DragStep:
        """The step to report; an ended drag is settled on its best place first."""
        if ending != "running":
            self.finish()
        place = self._state.place
        loss, motion, held = run.terms
        return DragStep(
            index=run.index,
            total=self.settings.max_steps,
            loss=loss,
            motion=motion,
            held=held,
            handles=self._pixels(place.handles),
            distances=self._pixels(self._distances()),
            ending=ending,
            latent=place.latent,
        )

    def _best(self) -> _Place:
        return self._state.place if self._run is None or self._run.best is None else self._run.best

    def _change(self, state: _State) -> None:
        self._state = state
        if self._run is not None:
            self._run.forget()

    def _check_free(self, handles: Tensor, movable: Tensor | None) -> None:
        """Raise UsageError for a handle `[K, 2]` with nothing movable in its cell of the mask."""
        if movable is None:
            return
        size = movable.shape[-1]
        places = (handles * (size / self.cells)).long().clamp(0, size - 1)
        held = movable[0, 0, places[:, 1], places[:, 0]] <= 0
        for x, y in self._pixels(handles[held]):
            raise UsageError(f"the mask holds the handle at {x:g},{y:g}; let it move, or drag another point")

    def _cells(self, points: ArrayLike) -> Tensor:
        array = np.asarray(points, np.float64).reshape(-1, 2) * (self.cells / self.resolution)
        return torch.from_numpy(array.astype(np.float32)).to(self.device)

    def _pixels(self, cells: Tensor) -> NDArray[np.float64]:
        array: NDArray[np.float64] = cells.cpu().numpy().astype(np.float64) * (self.resolution / self.cells)
        return array
