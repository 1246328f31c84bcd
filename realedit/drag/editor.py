"""The drag itself: an iterator that moves a latent until the handles are where they should be."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from checkpoints import Generator, Motions, fast_dtype
from inversion import CodeSpace
from realedit.drag.maps import Source
from realedit.drag.motions import Lead
from realedit.drag.run import Run
from realedit.drag.settings import DragSettings, Lengths, feature_resolution, moving_layers
from realedit.drag.state import DragStep, Ending, Place, State
from realedit.drag.supervision import DISTINCT, disc, distinctness, templates_at
from realedit.errors import UsageError


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
        motions: Motions | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """layers: the checkpoint's advice on how many move. motions: the ones it
        knows. dtype: what features are computed in; None takes
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
        self.motions = motions
        self.source = Source(
            generator,
            latent,
            cells=self.cells,
            moving=self.layers,
            reach=self.lengths.reach,
            dtype=dtype or fast_dtype(self.device),
        )
        none = torch.zeros(0, 2, device="cpu")
        patch = len(disc(self.lengths.r1))
        templates = torch.zeros(0, patch, generator.channels[self.cells], device=self.device)
        self._state = State(Place(latent, none), none, templates, none[:, 0] > 0)
        self._run: Run | None = None
        self._undone: list[State] = []
        self._done: list[State] = []
        self.set_mask(mask)

    @property
    def latent(self) -> Tensor:
        """The latent reached so far: the best one, by the handles' distances (root mean square)."""
        return self._best().latent

    @property
    def handles(self) -> NDArray[np.float64]:
        """Where the handles of `latent` are, crop pixels `[K, 2]`."""
        return self._pixels(self._best().handles)

    @property
    def targets(self) -> NDArray[np.float64]:
        """Where the handles should go, crop pixels `[K, 2]`."""
        return self._pixels(self._state.targets)

    @property
    def vague(self) -> NDArray[np.bool_]:
        """Which handles lie where all looks alike, `[K]`: where they go cannot be told while they are
        dragged, so that what is said of them (`handles`, `DragStep`) means little.
        """
        found: NDArray[np.bool_] = self._state.vague.numpy()
        return found

    def add(self, handles: ArrayLike, targets: ArrayLike) -> None:
        """Add points `[K, 2]`, crop pixels of the picture of the last step. Raises UsageError outside of the
        crop, and where the mask holds a handle.
        """
        new, goals = self._cells(handles), self._cells(targets)
        self._check_inside(new, goals)
        if len(new) == 0:
            return
        state = self._state
        self._check_free(new, state.movable)
        with torch.no_grad():
            there = new.to(self.device)
            maps = self.source(state.place.latent, there, hold=False)
            templates = templates_at(maps, there, r1=self.lengths.r1)
            vague = distinctness(maps, templates, there, r1=self.lengths.r1).cpu() < DISTINCT
        place = replace(state.place, handles=torch.cat([state.place.handles, new]))
        self._change(
            replace(
                state,
                place=place,
                targets=torch.cat([state.targets, goals]),
                templates=torch.cat([state.templates, templates]),
                vague=torch.cat([state.vague, vague]),
            )
        )

    def remove(self, indices: Sequence[int]) -> None:
        """Forget points by their place in the order they were added."""
        state = self._state
        keep = [i for i in range(len(state.targets)) if i not in set(indices)]
        place = replace(state.place, handles=state.place.handles[keep])
        self._change(
            replace(
                state,
                place=place,
                targets=state.targets[keep],
                templates=state.templates[keep],
                vague=state.vague[keep],
            )
        )

    def set_mask(self, mask: NDArray[np.float32] | None) -> None:
        """What may move, `[R, R]` in [0, 1]; None: everything. The rest is held as it is now.

        Raises UsageError where it holds a handle.
        """
        if mask is None:
            self._change(replace(self._state, movable=None, original=None))
            return
        movable = self._movable(mask)
        self._check_free(self._state.place.handles, movable)
        original = self.source.held(self._state.place.latent)
        self._change(replace(self._state, movable=movable, original=original))

    def aim(self, targets: ArrayLike, mask: NDArray[np.float32] | None = None) -> None:
        """Let the handles go to other targets `[K, 2]`, crop pixels, within another mask `[R, R]` (None: the
        one there is). What is held stays as it was when the mask was first set. Raises UsageError as `add`
        and `set_mask` do.
        """
        goals, state = self._cells(targets), self._state
        if goals.shape != state.targets.shape:
            raise UsageError(f"there are {len(state.targets)} handles, and {len(goals)} targets were given")
        self._check_inside(goals)
        if mask is not None and state.movable is not None:
            movable = self._movable(mask)
            self._check_free(state.place.handles, movable)
            state = replace(state, movable=movable)
        self._change(replace(state, targets=goals))

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
        """Drag until every handle has arrived, progress ends, or the steps are used up."""
        if self._run is None:
            self._done.append(self._state)
            self._undone.clear()
            self._run = self._begun()
        run = self._run
        while self._run is run:
            if len(self._state.targets) == 0 or float(self._state.distances.max()) <= 1e-6:
                yield self._step(run, "arrived" if run.index else "nothing")
                return
            self._state = run.step(self._state)
            yield self._step(run, run.ending(self._state))

    def _begun(self) -> Run:
        latent = self._state.place.latent
        lead = None
        known, settings = self.motions, self.settings
        asked: list[int] = []
        if known is not None and settings.amounts:
            asked = known.all_of(settings.motions) or []
        elif known is not None:
            asked = [known.names.index(name) for name in settings.motions if name in known.names]
        if known is not None and asked:
            count = min(self.layers, known.ways.shape[1])
            ways = latent.new_zeros(len(asked), *latent.shape[1:])
            ways[:, :count] = known.ways[asked, :count]  # in layers that move
            amounts = torch.tensor(settings.amounts, device="cpu") if settings.amounts else None
            lead = Lead(self.source, self.lengths, ways, known.ranges[asked], amounts)
        return Run(
            self.source, self.settings, self.lengths, latent, layers=self.layers, rate=self.rate, lead=lead
        )

    def _step(self, run: Run, ending: Ending) -> DragStep:
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
            distances=self._pixels(self._state.distances),
            ending=ending,
            latent=place.latent,
        )

    def _best(self) -> Place:
        return self._state.place if self._run is None or self._run.best is None else self._run.best

    def _change(self, state: State) -> None:
        self._state = state
        if self._run is not None:
            self._run.forget()

    def _movable(self, mask: NDArray[np.float32]) -> Tensor:
        """A mask `[R, R]` at the cells that are held, `[1, 1, r, r]`."""
        full = torch.from_numpy(np.asarray(mask, np.float32)).to(self.device)[None, None]
        return torch.nn.functional.adaptive_avg_pool2d(full, self.source.hold)

    def _check_inside(self, *points: Tensor) -> None:
        """Raise UsageError for a point `[K, 2]` outside of the crop."""
        if not all(bool(((each >= 0) & (each <= self.cells)).all()) for each in points):
            raise UsageError("a handle or target lies outside of the crop")

    def _check_free(self, handles: Tensor, movable: Tensor | None) -> None:
        """Raise UsageError for a handle `[K, 2]` with nothing movable in its cell of the mask."""
        if movable is None:
            return
        size = movable.shape[-1]
        places = (handles * (size / self.cells)).long().clamp(0, size - 1)
        held = movable.cpu()[0, 0, places[:, 1], places[:, 0]] <= 0
        for x, y in self._pixels(handles[held]):
            raise UsageError(f"the mask holds the handle at {x:g},{y:g}; let it move, or drag another point")

    def _cells(self, points: ArrayLike) -> Tensor:
        array = np.asarray(points, np.float64).reshape(-1, 2) * (self.cells / self.resolution)
        return torch.from_numpy(array.astype(np.float32))

    def _pixels(self, cells: Tensor) -> NDArray[np.float64]:
        array: NDArray[np.float64] = cells.numpy().astype(np.float64) * (self.resolution / self.cells)
        return array
