"""Nothing of a drag is bound to one device. No GPU is asked for: torch's `meta` device has shapes and no
numbers, and refuses to meet tensors that are elsewhere.
"""

import numpy as np
import torch

from checkpoints import TruncatedSynthesis
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, Editor
from realedit.drag.maps import Maps
from realedit.drag.supervision import mask_loss, motion_loss, templates_at, track

SIZE, CELLS, HOLD = 64, 32, 16


def test_the_arithmetic_of_a_step_stays_where_the_latent_is() -> None:
    generator = random_checkpoint(SIZE, encoder=False).generator.to("meta")
    ws = torch.empty(1, generator.num_ws, generator.w_dim, device="meta", requires_grad=True)
    network = TruncatedSynthesis(generator, ws.detach(), upto=CELLS, moving=4, dtype=torch.bfloat16)
    plan = network.plan(np.array([[0, 4, 12, 16], [20, 20, 32, 32]]), hold=HOLD)
    features = network(ws, plan, hold=HOLD)
    maps = Maps.of(features.windows, plan, CELLS, features.held)
    handles = torch.empty(2, 2, device="meta")
    templates = templates_at(maps, handles, r1=2.0)
    assert maps.held is not None
    held = mask_loss(maps.held, maps.held.detach(), torch.empty(1, 1, HOLD, HOLD, device="meta"))
    loss = motion_loss(maps, templates, handles, handles + 1, r1=2.0, shift=1.0) + held
    (gradient,) = torch.autograd.grad(loss, ws)
    found = track(maps, templates, handles, r1=2.0, r2=2.0)
    assert gradient.shape == ws.shape and found.shape == handles.shape
    assert {t.device.type for t in (gradient, found, templates, loss, maps.table)} == {"meta"}


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
