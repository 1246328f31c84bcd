"""Our inversion against a plain loop to the same loss: processor's seconds of both, from the same start."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.shared.measuring import Row, row

T = TypeVar("T")

PUBLISHED = 350  # tuning steps
GOAL = 5.0


@dataclass(frozen=True)
class Race:
    """wanted: the loss that ours ended at after `ours` seconds. losses: of the plain loop after each step, up
    to the first that is as low or the last that was made, after `plain` seconds.
    """

    wanted: float
    ours: float
    losses: Sequence[float]
    plain: float

    @property
    def reached(self) -> bool:
        """Whether the plain loop came as far as ours."""
        return self.losses[-1] <= self.wanted

    @property
    def needed(self) -> float:
        """Steps the plain loop needs; where it did not come that far, those of the line through the second
        half of its losses, both axes logarithmic (infinite where they do not fall).
        """
        if self.reached:
            return len(self.losses)
        points = [(math.log(n), math.log(loss)) for n, loss in enumerate(self.losses, 1)][
            len(self.losses) // 2 :
        ]
        across, up = (sum(values) / len(points) for values in zip(*points, strict=True))
        spread = sum((x - across) ** 2 for x, _ in points)
        slope = sum((x - across) * (y - up) for x, y in points) / spread if spread else 0.0
        if slope >= 0:
            return math.inf
        return math.exp(min(across + (math.log(self.wanted) - up) / slope, 700))


def race(
    ours: Callable[[], T],
    plain: Iterator[T],
    loss_of: Callable[[T], float],
    *,
    most: int = PUBLISHED,
    times: float = math.inf,
) -> Race:
    """Run ours, then walk the plain loop until its loss is as low, at most for `most` steps or `times`
    as long. Looking at the loss is not counted.
    """
    begun = time.process_time()
    found = ours()
    seconds = time.process_time() - begun
    wanted, losses, spent = loss_of(found), [], 0.0
    while len(losses) < most and spent < times * seconds:
        begun = time.process_time()
        found = next(plain)
        spent += time.process_time() - begun
        losses.append(loss_of(found))
        if losses[-1] <= wanted:
            break
    return Race(wanted, seconds, losses, spent)


def race_rows(what: str, found: Race) -> list[Row]:
    """The table; what was not run through says so."""
    per_step = found.plain / len(found.losses)
    table = [
        row(f"{what}: loss where ours ends", found.wanted, "1", digits=6),
        row(f"{what}: seconds of ours", found.ours, "s"),
        row(f"{what}: plain loop, loss after {len(found.losses)} steps", found.losses[-1], "1", digits=6),
    ]
    if found.reached:
        ratio = found.plain / found.ours
        return [*table, row(f"{what}: times as fast to the same loss", ratio, "x", GOAL, least=True)]
    least = found.plain / found.ours
    return [
        *table,
        row(
            f"{what}: times as fast to the same loss, at least (as far as it was run)",
            least,
            "x",
            GOAL,
            least=True,
        ),
        row(f"{what}: plain steps to it, extrapolated", found.needed, "1", digits=0),
        row(
            f"{what}: times as fast to the same loss, extrapolated", found.needed * per_step / found.ours, "x"
        ),
    ]
