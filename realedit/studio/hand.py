"""Drags while they go on: under a hand that moves, and of points that were set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from realedit.api import Dragging, DragSettings, DragStep, Session, State
from realedit.errors import SessionError
from realedit.plumbing.newest import Newest
from realedit.studio.inbox import Inbox
from realedit.studio.messages import Configure, Move, Press, Stop
from realedit.studio.work import Pair, Point, Work

SHORTEST = 0.5  # photo pixels: a hand that moved less wanted nothing


@dataclass(frozen=True)
class Seen:
    """What a picture shows: the session as it is then, the hand's number that it answers, and the step."""

    state: State
    number: int
    step: DragStep | None


Show = Callable[[Seen], object]


def pull(work: Work, press: Press, options: Configure, inbox: Inbox, show: Show) -> Session | None:
    """Drag what is under the hand along with it until it lets go, and on to where it let go.

    Returns the session with the drag, None where the hand did not move. A stop ends the drag where it is.
    Raises OutsideError for a press beside the face's square, UsageError where the mask holds it.
    """
    handle = (press.x, press.y)
    session, dragging = _begun(work, [Pair(handle, handle)], options)
    number, target, held = press.number, handle, True
    with Newest[Seen](show) as shown:
        while True:
            news = inbox.hand(wait=held and dragging.over)
            if isinstance(news, Move):
                number, target = news.number, _within(session, (news.x, news.y))
                dragging.aim([target])
                if dragging.over:  # it slides or turns, at once; a step shows the rest
                    shown.offer(Seen(session.state, number, dragging.last))
            elif news is not None:
                if isinstance(news, Stop):
                    break
                held = False
            try:
                step = dragging.step()
            except SessionError:  # not inverted yet: only lids and lips follow
                if not held:
                    return None
                shown.offer(Seen(session.state, number, None))
                if (news := inbox.hand(wait=True)) is not None:
                    inbox.put_back(news)
                continue
            if step is not None:
                shown.offer(Seen(session.state, number, step))
            elif not held:
                break
    if np.hypot(*np.subtract(target, handle)) < SHORTEST:
        return None
    return session


def run(work: Work, options: Configure, inbox: Inbox, show: Show) -> tuple[Session, tuple[Pair, ...]]:
    """Drag the points that are set until they have arrived, or a stop comes: the session, and the points with
    their handles where they are then."""
    session, dragging = _begun(work, work.points, options)
    with Newest[Seen](show) as shown:
        while True:
            step = dragging.step()
            if step is not None or dragging.last is None:  # lids and lips have none, and are there at once
                shown.offer(Seen(session.state, 0, step))
            if step is None or inbox.stopped():
                break
    reached = session.history[-1].reached
    return session, tuple(Pair(at, each.target) for at, each in zip(reached, work.points, strict=True))


def told(seen: Seen) -> dict[str, Any] | None:
    """A step as the page shows it; distances are crop pixels."""
    step = seen.step
    if step is None or not seen.state.history:
        return None
    drag = seen.state.history[-1]
    return {
        "index": drag.steps,
        "total": step.total,
        "loss": _finite(step.loss),
        "left": [_finite(each) for each in step.distances],
        "handles": [[round(x, 2), round(y, 2)] for x, y in drag.reached],
        "ending": step.ending,
    }


def settings_of(options: Configure) -> DragSettings:
    """How drags work."""
    return DragSettings(max_steps=options.steps)


def _begun(work: Work, points: tuple[Pair, ...] | list[Pair], options: Configure) -> tuple[Session, Dragging]:
    """A copy of the face's session, and a drag of these points in it."""
    session = work.session.copy()
    ways = [(each.handle, _within(session, each.target)) for each in points]
    settings = settings_of(options)
    return session, session.drag(ways, mask=work.mask, reach=options.reach, settings=settings)


def _within(session: Session, target: Point) -> Point:
    """The target, in the photo."""
    width, height = session.photo_size
    return min(max(target[0], 0.0), float(width)), min(max(target[1], 0.0), float(height))


def _finite(number: float) -> float | None:
    return round(float(number), 4) if np.isfinite(number) else None
