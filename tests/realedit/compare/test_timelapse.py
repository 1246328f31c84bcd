"""The drag as it happened: every drag of the session, from the pivot to the result."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from realedit.compare.pair import resized
from realedit.compare.timelapse import MOST_FRAMES, SIDE, Recorder, write_timelapse
from realedit.drag import DragSettings
from realedit.editing import stages
from realedit.sessions.pictures import pictures
from tests.realedit.samples import box_checkpoint, inverted, picture, png


@pytest.mark.parametrize("steps", [3, 70])
def test_the_frames_are_the_steps_of_all_drags(steps: int, tmp_path: Path) -> None:
    checkpoint = box_checkpoint(seed=3)
    session = inverted(checkpoint, png(tmp_path / "photo.png", picture()))
    recorder = Recorder(lambda step: True)
    for x in (40.0, 50.0):
        session = stages.drag(
            session,
            checkpoint,
            [(x, 40)],
            [(x + 30, 40)],
            reach="all",
            settings=DragSettings(max_steps=steps, patience=1000, until=0.01),
            on_step=recorder,
        )
    made = [entry.steps for entry in session.history]
    assert len(recorder.steps) == sum(made)
    write_timelapse(tmp_path / "drag.webp", recorder.steps, [session], checkpoint)
    with Image.open(tmp_path / "drag.webp") as file:
        frames = [np.asarray(frame.convert("RGB"), int) for frame in ImageSequence.Iterator(file)]
    assert frames[0].shape == (SIDE, SIDE, 3)
    assert 3 <= len(frames) <= min(1 + sum(made), MOST_FRAMES + 3), "equal neighbours are one frame in WebP"
    before, after = (
        resized((each * 255 + 0.5).astype(np.uint8), (SIDE, SIDE)) for each in pictures(session, checkpoint)
    )
    bottom = np.s_[SIDE * 3 // 4 :]  # below the marks
    assert np.abs(frames[0][bottom] - before[bottom]).mean() < 6
    assert np.abs(frames[-1][bottom] - after[bottom]).mean() < 6
