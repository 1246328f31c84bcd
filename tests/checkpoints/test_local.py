"""Convolutions that go back only through the part with a gradient have the gradients of plain ones."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from checkpoints import local
from checkpoints.local import Part, Places, convolve_back, take, turned, upsample, upsample_back

RNG = torch.Generator().manual_seed(0)
WEIGHT, FIR = torch.randn(4, 3, 3, 3, generator=RNG), torch.randn(4, 1, 4, 4, generator=RNG)


@st.composite
def cotangents(draw: st.DrawFn, channels: int) -> tuple[Tensor, Part | None]:
    """Gradients [N, C, h, w] that are zero but for a part of each map, and that part, or everywhere."""
    count, height, width = (draw(st.integers(1, most)) for most in (3, 12, 12))
    if draw(st.booleans()):
        return torch.randn(count, channels, height, width, generator=RNG), None
    tall, wide = draw(st.integers(1, height)), draw(st.integers(1, width))
    place = st.tuples(st.integers(0, height - tall), st.integers(0, width - wide))
    origins = np.array([draw(place) for _ in range(count)])
    gradient = torch.zeros(count, channels, height, width)
    for each, (top, left) in zip(gradient, origins, strict=True):
        each[:, top : top + tall, left : left + wide] = torch.randn(channels, tall, wide, generator=RNG)
    return gradient, (origins, (tall, wide))


def _only_there(gradient: Tensor, part: Part | None) -> bool:
    """Whether a gradient is zero beyond its part."""
    if part is None:
        return True
    rest = gradient.clone()
    for each, (top, left) in zip(rest, part[0], strict=True):
        each[:, top : top + part[1][0], left : left + part[1][1]] = 0
    return not rest.any()


@settings(deadline=None, max_examples=30)
@given(given=cotangents(4))
def test_a_convolution_has_its_gradients(given: tuple[Tensor, Part | None]) -> None:
    gradient, part = given
    count, _, height, width = gradient.shape
    x = torch.randn(count, 3, height + 2, width + 2, generator=RNG).requires_grad_(True)
    (expected,) = torch.autograd.grad(F.conv2d(x, WEIGHT), x, gradient)
    found, there = convolve_back(gradient, turned(WEIGHT), part)
    assert torch.allclose(found, expected, atol=1e-5) and _only_there(found, there)


@settings(deadline=None, max_examples=30)
@given(given=cotangents(4), data=st.data())
def test_an_upsampling_has_its_gradients(given: tuple[Tensor, Part | None], data: st.DataObject) -> None:
    gradient, part = given
    count, _, height, width = gradient.shape
    offsets = np.array(data.draw(st.lists(st.tuples(*[st.sampled_from([1, 2])] * 2),
                                          min_size=count, max_size=count)))  # fmt: skip
    size = height // 2 + 3, width // 2 + 3
    x = torch.randn(count, 3, *size, generator=RNG).requires_grad_(True)
    weight, bias = WEIGHT.transpose(0, 1).contiguous(), torch.randn(4, generator=RNG)
    y = F.conv_transpose2d(x, weight, stride=2)
    filtered = Places.of(offsets, (height + 3, width + 3), (y.shape[2], y.shape[3]), y)
    plain = F.conv2d(take(y, filtered), FIR, bias, groups=4)
    assert torch.allclose(upsample(x, weight, FIR, bias, offsets, filtered), plain, atol=1e-5)
    (expected,) = torch.autograd.grad(plain, x, gradient)
    found, there = upsample_back(gradient, weight, FIR.flip((2, 3)), offsets, size, part)
    assert torch.allclose(found, expected, atol=1e-4) and _only_there(found, there)


def test_nothing_is_computed_where_there_is_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = torch.zeros(2, 4, 20, 20)
    gradient[0, 1, 3:7, 12:16], gradient[1, 2, 15:19, :4] = 1, 1
    seen = []

    def watched(some: Tensor, weight: Tensor, *, padding: int) -> Tensor:
        seen.append(tuple(some.shape))
        return plain(some, weight, padding=padding)

    plain = F.conv2d
    monkeypatch.setattr(local.F, "conv2d", watched)
    convolve_back(gradient, turned(WEIGHT), (np.array([[3, 12], [15, 0]]), (4, 4)))
    assert seen == [(2, 4, 4, 4)]


def test_what_is_taken_beyond_a_map_is_zero() -> None:
    x = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    places = Places.of(np.array([[-1, -1], [2, 1]]), (2, 2), (3, 3), x, np.array([0, 0]))
    assert take(x, places).flatten(1).tolist() == [[0, 0, 0, 1], [8, 9, 0, 0]]
