"""A drag under way: one step of the latent after the other, and the best place so far."""

from collections import deque
from dataclasses import replace
from typing import TypedDict

import torch
from torch import Tensor

from realedit.drag.course import Course, Found
from realedit.drag.decisions import Numbers, begun, stuck
from realedit.drag.device import DeviceCourse
from realedit.drag.maps import Source
from realedit.drag.motions import Lead
from realedit.drag.settings import DragSettings, Lengths
from realedit.drag.state import Ending, Place, State

KEPT = 3  # recorded courses, for as many handles each


class _How(TypedDict):
    layers: int
    rate: float


class Run:
    """Moves the first `layers` of a latent. rate: a step's length, in the latent's units. lead: what goes
    along motions instead, if it finds any that bring the handles nearer.
    """

    def __init__(
        self,
        source: Source,
        settings: DragSettings,
        lengths: Lengths,
        latent: Tensor,
        *,
        layers: int,
        rate: float,
        lead: Lead | None = None,
    ) -> None:
        self.source, self.settings, self.lengths, self.layers = source, settings, lengths, layers
        self.rate, self.lead = rate, lead
        self.direction: Tensor | None = None  # of the last step
        self.numbers = Numbers()
        self.forget()

    @property
    def index(self) -> int:
        """The last step's."""
        return int(self.numbers.step)

    @property
    def terms(self) -> tuple[float, float, float]:
        """Loss, motion and held of the last step."""
        return float(self.numbers.loss), float(self.numbers.motion), float(self.numbers.held)

    def forget(self) -> None:
        """What was best counts no more: the points or the mask are other ones."""
        self.best: Place | None = None
        self.course: Course | DeviceCourse | None = None
        self.ahead: deque[Found] = deque()  # steps that were made and not asked for yet
        if self.lead is not None:
            self.lead.forget()

    def step(self, state: State) -> State:
        """One update of the latent, and where the handles are then."""
        if self.best is None:  # a drag never ends farther away than it began
            self.best = state.place
            farthest = float(state.distances.max())
            self.numbers = begun(self.numbers, state.left, farthest, self.lengths)
        if self.lead is not None:
            if self.lead.start is None:
                self.lead.begin(state)
            if not self.lead.over:
                return self._led(state, self.lead)
            self.lead = None  # which found nothing
        if self.course is None:
            self.course = self._course(state)
        if not self.ahead:
            self.ahead.extend(self.course.steps())
        found = self.ahead.popleft()
        latent = torch.cat([found.moving, state.place.latent[:, self.layers :]], 1)
        place = Place(latent, found.handles)
        self.numbers, self.direction = found.numbers, found.direction
        if found.better:
            self.best = place
        return replace(state, place=place)

    def _course(self, state: State) -> Course | DeviceCourse:
        how: _How = {"layers": self.layers, "rate": self.rate}
        if not self.source.resident:
            return Course(
                self.source, state, self.lengths, self.settings, self.numbers, direction=self.direction, **how
            )
        key = (len(state.targets), state.movable is None, self.lengths, self.settings, *how.values())
        course = self.source.kept.pop(key, None)
        if not isinstance(course, DeviceCourse):
            course = DeviceCourse(self.source, state, self.lengths, self.settings, **how)
        self.source.kept[key] = course  # the last is the newest
        while len(self.source.kept) > KEPT:
            del self.source.kept[next(iter(self.source.kept))]
        course.load(state, self.numbers, self.direction)
        return course

    def _led(self, state: State, lead: Lead) -> State:
        """A step along the motions. They end where the handles asked them to, whatever the tracker makes of
        what came to light on the way; where amounts were given, that is where the handles should be."""
        found = lead.step(state)
        if lead.over and lead.amounts is not None:
            found = replace(found, targets=found.place.handles)
        self.best = found.place
        self.numbers = self.numbers._replace(step=self.numbers.step + 1)
        return found

    def ending(self, state: State) -> Ending:
        """Whether that was the last step, and why."""
        over = self.numbers.step >= self.settings.max_steps
        if self.lead is not None and not self.lead.over:
            return "steps" if over else "running"
        if self.lead is not None:
            return "arrived"
        if self.numbers.farthest <= self.lengths.until:
            self.best = state.place
            return "arrived"
        if not self.numbers.over:
            return "running"
        if self.numbers.arrived:
            return "arrived"
        return "stalled" if stuck(self.numbers, self.settings) else "steps"
