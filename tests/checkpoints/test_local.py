"""Convolutions that go back only through the part with a gradient have the gradients of plain ones."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from checkpoints import local
from checkpoints.local import Places, convolve, take, upsample

RNG = torch.Generator().manual_seed(0)
WEIGHT, FIR = torch.randn(4, 3, 3, 3, generator=RNG), torch.randn(4, 1, 4, 4, generator=RNG)


@st.composite
def cotangents(draw: st.DrawFn, channels: int) -> Tensor:
    """Gradients [N, C, h, w] that are zero but for a part of each map, or everywhere."""
    count, height, width = (draw(st.integers(1, most)) for most in (3, 12, 12))
    gradient = torch.zeros(count, channels, height, width)
    for each in gradient:
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        tall, wide = draw(st.integers(0, height - top)), draw(st.integers(0, width - left))
        each[:, top : top + tall, left : left + wide] = torch.randn(channels, tall, wide, generator=RNG)
    return gradient


@settings(deadline=None, max_examples=30)
@given(gradient=cotangents(4))
def test_a_convolution_has_its_gradients(gradient: Tensor) -> None:
    count, _, height, width = gradient.shape
    x = torch.randn(count, 3, height + 2, width + 2, generator=RNG).requires_grad_(True)
    y = convolve(x, WEIGHT)
    assert torch.equal(y, F.conv2d(x, WEIGHT))
    slopes = [torch.autograd.grad(found, x, gradient)[0] for found in (y, F.conv2d(x, WEIGHT))]
    assert torch.allclose(*slopes, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(gradient=cotangents(4), data=st.data())
def test_an_upsampling_has_its_gradients(gradient: Tensor, data: st.DataObject) -> None:
    count, _, height, width = gradient.shape
    offsets = np.array(data.draw(st.lists(st.tuples(*[st.sampled_from([1, 2])] * 2),
                                          min_size=count, max_size=count)))  # fmt: skip
    x = torch.randn(count, 3, height // 2 + 3, width // 2 + 3, generator=RNG).requires_grad_(True)
    weight = WEIGHT.transpose(0, 1).contiguous()

    def plainly() -> tuple[Tensor, Places]:
        y = F.conv_transpose2d(x, weight, stride=2)
        filtered = Places.of(offsets, (height + 3, width + 3), (y.shape[2], y.shape[3]), y)
        return F.conv2d(take(y, filtered), FIR, groups=4), filtered

    plain, filtered = plainly()
    ours = upsample(x, weight, FIR, offsets, filtered)
    assert torch.equal(ours, plain)
    slopes = [torch.autograd.grad(found, x, gradient)[0] for found in (ours, plain)]
    assert torch.allclose(*slopes, atol=1e-4)


def test_nothing_is_computed_where_there_is_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(2, 3, 22, 22, generator=RNG).requires_grad_(True)
    gradient = torch.zeros(2, 4, 20, 20)
    gradient[0, 1, 3:7, 12:16], gradient[1, 2, 15:18, :4] = 1, 1
    seen = []

    def watched(some: Tensor, weight: Tensor) -> Tensor:
        seen.append(tuple(some.shape))
        return plain(some, weight)

    plain = F.conv_transpose2d
    y = convolve(x, WEIGHT)
    monkeypatch.setattr(local.F, "conv_transpose2d", watched)
    torch.autograd.grad(y, x, gradient)
    assert seen == [(2, 4, 4, 4)]


def test_what_is_taken_beyond_a_map_is_zero() -> None:
    x = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    places = Places.of(np.array([[-1, -1], [2, 1]]), (2, 2), (3, 3), x, np.array([0, 0]))
    assert take(x, places).flatten(1).tolist() == [[0, 0, 0, 1], [8, 9, 0, 0]]
