import math
import time
from collections.abc import Iterator

import pytest
from bench.parts.inversion_race import Race, race, race_rows

from checkpoints import Generator
from checkpoints.testing import random_checkpoint


def _walk(generator: Generator, losses: dict[Generator, float], values: list[float]) -> Iterator[Generator]:
    for value in values:
        losses[generator] = value
        yield generator


def test_the_plain_loop_runs_until_it_is_as_far() -> None:
    ours, plain = (random_checkpoint(16, seed=seed).generator for seed in (0, 1))
    losses = {ours: 0.5}
    found = race(lambda: ours, _walk(plain, losses, [2.0, 1.0, 0.4, 0.1]), losses.__getitem__)
    assert found.wanted == 0.5 and found.losses == [2.0, 1.0, 0.4] and found.reached and found.needed == 3
    short = race(lambda: ours, _walk(plain, losses, [2.0, 1.0, 0.4]), losses.__getitem__, most=2)
    assert short.losses == [2.0, 1.0] and not short.reached


def test_the_plain_loop_stops_when_it_has_taken_so_many_times_as_long() -> None:
    def slow(seconds: float, loss: float) -> float:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass
        return loss

    plain = (slow(0.01, 1.0) for _ in range(50))
    found = race(lambda: slow(0.02, 0.5), plain, lambda loss: loss, times=3)
    assert 4 <= len(found.losses) <= 7 and found.plain >= 3 * found.ours


def test_what_was_not_run_is_extrapolated_and_said_to_be() -> None:
    falling = Race(0.01, 2.0, [1 / n for n in range(1, 21)], 40.0)
    assert falling.needed == pytest.approx(100, rel=1e-6)
    table = {each["what"]: each for each in race_rows("tuning", falling)}
    least = table["tuning: times as fast to the same loss, at least (as far as it was run)"]
    assert least["value"] == 20 and least["holds"]
    assert table["tuning: times as fast to the same loss, extrapolated"]["value"] == pytest.approx(100)
    assert math.isinf(Race(0.01, 2.0, [1.0, 1.0, 1.0, 1.0], 4.0).needed)
