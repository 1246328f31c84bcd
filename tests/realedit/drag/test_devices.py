"""Nothing of a drag is bound to one device. No GPU is asked for: torch's `meta` device has shapes and no
numbers, and refuses to meet tensors that are elsewhere.
"""

import numpy as np
import torch

from checkpoints import TruncatedSynthesis
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, Editor, Lengths
from realedit.drag.goal import Goal
from realedit.drag.maps import Layout, Maps, Sight
from realedit.drag.supervision import fixed_share, templates_at, track

SIZE, CELLS, HOLD = 64, 32, 16


def test_the_arithmetic_of_a_step_stays_where_the_latent_is() -> None:
    generator = random_checkpoint(SIZE, encoder=False).generator.to("meta")
    ws = torch.empty(1, generator.num_ws, generator.w_dim, device="meta")
    network = TruncatedSynthesis(generator, ws, upto=CELLS, moving=4, dtype=torch.bfloat16)
    plan = network.plan(np.array([[0, 4, 12, 16], [20, 20, 32, 32]]), hold=HOLD)
    trace = network.run(ws, plan, hold=HOLD)
    features = trace.features
    maps = Maps.of(features.windows, Layout.of(plan, ws.device), CELLS, features.held)
    handles = torch.empty(2, 2, device="meta")
    templates = templates_at(maps, handles, r1=2.0)
    movable = torch.empty(1, 1, HOLD, HOLD, device="meta")
    assert features.held is not None
    goal = Goal(handles + 1, templates, fixed_share(movable, features.held.shape[1]), features.held)
    lengths = Lengths.of(DragSettings(), CELLS)
    loss, gradient, held = goal.slope(Sight(maps, trace), handles, lengths, 1.0)
    slope = network.back(trace, gradient, held=held)
    found = track(maps, templates, handles, r1=2.0, r2=2.0)
    assert slope.shape == ws[:, :4].shape and found.shape == handles.shape
    assert {t.device.type for t in (slope, found, templates, loss, maps.table)} == {"meta"}


def test_no_tensor_of_a_drag_is_left_to_the_default_device() -> None:
    checkpoint = random_checkpoint(SIZE, seed=1)
    generator, codes = checkpoint.generator, CodeSpace.of(checkpoint)
    latent = generator.mapping(torch.randn(1, 32))
    mask = np.ones((SIZE, SIZE), np.float32)
    with torch.device("meta"):  # where everything lands that names no device
        editor = Editor(generator, latent, DragSettings(max_steps=3), codes, mask=mask)
        editor.add([(20.0, 24.0), (40.0, 30.0)], [(30.0, 30.0), (44.0, 30.0)])
        steps = list(editor.steps())
    assert len(steps) == 3 and bool(editor.latent.isfinite().all())
