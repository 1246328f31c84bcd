"""Drags while they go on: under a hand that moves, and of points that were set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkpoints import Checkpoint
from realedit.drag import DragSettings, DragStep
from realedit.editing.plan import reachable
from realedit.editing.stages import Dragging
from realedit.errors import SessionError
from realedit.geometry.reach import Reach
from realedit.live import Quick
from realedit.plumbing.newest import Newest
from realedit.sessions.session import Session
from realedit.studio.inbox import Inbox
from realedit.studio.messages import Move, Press, Stop
from realedit.studio.work import Pair, Point, Work

SHORTEST = 0.5  # photo pixels: a hand that moved less wanted nothing


@dataclass(frozen=True)
class Seen:
    """What a picture shows: the session as it is then, the hand's number that it answers, and the step."""

    session: Session
    number: int
    step: DragStep | None


@dataclass(frozen=True, kw_only=True)
class Way:
    """How drags work: their reach, settings and model."""

    checkpoint: Checkpoint
    reach: Reach
    settings: DragSettings


def pull(
    work: Work, press: Press, way: Way, inbox: Inbox, quick: Quick, show: Callable[[Quick, Seen], object]
) -> Session:
    """Drag what is under the hand along with it until it lets go, and on to where it let go.

    Returns the session with the drag, or `work.session()` where the hand did not move. A stop ends the drag
    where it is. Raises OutsideError for a press beside the face's square, UsageError where the mask holds it.
    """
    session = work.session()
    handle = (press.x, press.y)
    dragging = _dragging(session, [handle], [handle], way, work)
    number, target, held = press.number, handle, True
    with Newest[Seen](lambda seen: show(quick, seen)) as shown:
        while True:
            news = inbox.hand(wait=held and dragging.over)
            if isinstance(news, Move):
                number, target = news.number, _within(session, handle, (news.x, news.y))
                dragging.aim([target])
                if dragging.over:  # it slides or turns, at once; a step shows the rest
                    shown.offer(Seen(dragging.session, number, dragging.last))
            elif news is not None:
                if isinstance(news, Stop):
                    break
                held = False
            try:
                step = dragging.step()
            except SessionError:  # not inverted yet: only lids and lips follow
                if not held:
                    return session
                shown.offer(Seen(dragging.session, number, None))
                if (news := inbox.hand(wait=True)) is not None:
                    inbox.put_back(news)
                continue
            if step is not None:
                shown.offer(Seen(dragging.session, number, step))
            elif not held:
                break
    if np.hypot(*np.subtract(target, handle)) < SHORTEST:
        return session
    return dragging.session


def run(
    work: Work, way: Way, inbox: Inbox, quick: Quick, show: Callable[[Quick, Seen], object]
) -> tuple[Session, tuple[Pair, ...]]:
    """Drag the points that are set until they have arrived, or a stop comes: the session, and the points with
    their handles where they are then."""
    session = work.session()
    handles = [each.handle for each in work.points]
    targets = [_within(session, each.handle, each.target) for each in work.points]
    dragging = _dragging(session, handles, targets, way, work)
    with Newest[Seen](lambda seen: show(quick, seen)) as shown:
        shown.offer(Seen(dragging.session, 0, None))
        while (step := dragging.step()) is not None:
            shown.offer(Seen(dragging.session, 0, step))
            if inbox.stopped():
                break
    session = dragging.session
    reached = session.history[-1].reached
    points = tuple(Pair(_point(at), each.target) for at, each in zip(reached, work.points, strict=True))
    return session, points


def told(seen: Seen) -> dict[str, Any] | None:
    """A step as the page shows it; distances are crop pixels."""
    step = seen.step
    if step is None:
        return None
    with suppress(IndexError):
        reached = seen.session.history[-1].reached
        return {
            "index": seen.session.history[-1].steps,
            "total": step.total,
            "loss": _finite(step.loss),
            "left": [_finite(each) for each in step.distances],
            "handles": [[round(x, 2), round(y, 2)] for x, y in reached],
            "ending": step.ending,
        }
    return None


def _dragging(
    session: Session, handles: Sequence[Point], targets: Sequence[Point], way: Way, work: Work
) -> Dragging:
    return Dragging(
        session, way.checkpoint, handles, targets,
        mask=work.mask, reach=way.reach, settings=way.settings,
    )  # fmt: skip


def _within(session: Session, handle: Point, target: Point) -> Point:
    """The target in the photo and in the face's square: the way there ends at their edge."""
    width, height = session.photo_size
    x, y = min(max(target[0], 0.0), float(width)), min(max(target[1], 0.0), float(height))
    drags, _ = reachable(session, [(handle, (x, y))])
    return drags[0][1]


def _point(pair: Sequence[float]) -> Point:
    return float(pair[0]), float(pair[1])


def _finite(number: float) -> float | None:
    return round(float(number), 4) if np.isfinite(number) else None
