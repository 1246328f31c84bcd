"""Faces that do not fit into memory side by side are inverted in smaller batches, and that is said."""

import logging
from typing import Any, cast

import pytest
import torch

from checkpoints import CapacityError
from inversion import InversionSettings
from realedit.drag import keep_going
from realedit.editing import kept, stages
from realedit.sessions.session import Session


def _inverted(most: int, error: Exception, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """Seven faces on a device with room for `most`: the results, and the sizes of the batches that fitted."""
    batches: list[int] = []

    def invert(sessions: list[int], *_: Any, **__: Any) -> list[int]:
        if len(sessions) > most:
            raise error
        batches.append(len(sessions))
        return [10 * each for each in sessions]

    monkeypatch.setattr(stages, "invert_together", invert)
    sessions = cast("list[Session]", list(range(7)))
    found = kept._side_by_side(sessions, cast(Any, None), InversionSettings(), keep_going)
    return cast("list[int]", found), batches


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), CapacityError("no room")])
def test_batches_are_halved_until_they_fit(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found, batches = _inverted(2, error, monkeypatch)
    assert found == [0, 10, 20, 30, 40, 50, 60] and batches == [2, 2, 2, 1]
    assert caplog.messages[0] == "7 faces side by side do not fit into memory: 4 at a time"


def test_one_that_does_not_fit_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CapacityError, match="no room"):
        _inverted(0, CapacityError("no room"), monkeypatch)


def test_other_errors_are_no_reason_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="odd"):
        _inverted(6, ValueError("odd"), monkeypatch)
