"""The truncated network: the same features as the whole one, on whole maps and in windows."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from checkpoints import TruncatedSynthesis, fast_dtype
from checkpoints.testing import random_checkpoint
from checkpoints.windows import LayerShape, Plan, make_plan

G = random_checkpoint(64, channel_base=2048, channel_max=48, seed=1).generator
WS = G.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))
CELLS = 32
FEATURES = G.features(WS, upto=CELLS, noise="none")[CELLS]
NETWORKS = {moving: TruncatedSynthesis(G, WS, upto=CELLS, moving=moving) for moving in (0, 3, 7)}


@pytest.mark.parametrize("moving", NETWORKS)
def test_whole_maps_are_the_generators(moving: int) -> None:
    network = NETWORKS[moving]
    found = network(WS, network.plan(), hold=8)
    assert torch.allclose(found.windows, FEATURES, atol=2e-5)
    assert found.held is not None and torch.allclose(
        found.held, G.features(WS, upto=8, noise="none")[8], atol=2e-5
    )


@settings(deadline=None, max_examples=80)
@given(data=st.data(), moving=st.sampled_from(sorted(NETWORKS)), split=st.integers(1, 6))
def test_windows_are_cut_from_the_whole_maps(data: st.DataObject, moving: int, split: int) -> None:
    height, width = (data.draw(st.integers(1, 20)) for _ in "hw")
    place = st.tuples(st.integers(0, CELLS - height), st.integers(0, CELLS - width))
    origins = tuple(data.draw(st.lists(place, min_size=1, max_size=4)))
    found = NETWORKS[moving](WS, Plan(split, origins, (height, width), (), 0)).windows
    expected = torch.cat([FEATURES[:, :, y : y + height, x : x + width] for y, x in origins])
    assert torch.allclose(found, expected, atol=2e-5)


def test_clamped_networks_are_clamped() -> None:
    clamped = random_checkpoint(16, conv_clamp=0.5).generator
    ws = clamped.mapping(torch.randn(1, 32))
    network = TruncatedSynthesis(clamped, ws, upto=8, moving=2)
    assert torch.allclose(
        network(ws, network.plan()).windows, clamped.features(ws, upto=8, noise="none")[8], atol=1e-5
    )


def test_gradients_of_moving_styles_are_the_generators() -> None:
    network, slopes = NETWORKS[3], []
    moved = WS + 0.1
    moved[:, 3:] = WS[:, 3:]
    for run in (
        lambda ws: network(ws, network.plan()).windows,
        lambda ws: G.features(ws, upto=CELLS, noise="none")[CELLS],
    ):
        ws = moved.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(run(ws)[..., 5:20, 7:30].square().mean(), ws)
        slopes.append(slope)
    assert torch.allclose(slopes[0][:, :3], slopes[1][:, :3], rtol=1e-3, atol=1e-6)
    assert not slopes[0][:, 3:].any(), "the others are part of the weights"


@settings(deadline=None, max_examples=20)
@given(data=st.data(), split=st.integers(1, 6))
def test_gradients_through_windows_are_those_through_whole_maps(data: st.DataObject, split: int) -> None:
    """Also where only a part of each window has one."""
    network = NETWORKS[3]
    origins = tuple(data.draw(st.lists(st.tuples(*[st.integers(0, CELLS - 10)] * 2), min_size=1, max_size=3)))
    parts = [tuple(data.draw(st.integers(0, 6)) for _ in "yx") for _ in origins]
    wanted = torch.randn(48, 4, 4, generator=torch.Generator().manual_seed(4))
    slopes = []
    for plan in (Plan(split, origins, (10, 10), (), 0), network.plan()):
        ws = WS.clone().requires_grad_(True)
        maps, loss = network(ws, plan).windows, torch.zeros(())
        for number, ((top, left), (y, x)) in enumerate(zip(origins, parts, strict=True)):
            window = maps[number] if plan.split == split else maps[0, :, top : top + 10, left : left + 10]
            loss = loss + (window[:, y : y + 4, x : x + 4] * wanted).sum()
        slopes.append(torch.autograd.grad(loss, ws)[0][:, :3])
    assert torch.allclose(slopes[0], slopes[1], rtol=1e-3, atol=1e-4 * float(slopes[1].abs().max()))


def test_bfloat16_is_near() -> None:
    network = TruncatedSynthesis(G, WS, upto=CELLS, moving=3, dtype=torch.bfloat16)
    error = network(WS, network.plan()).windows.float() - FEATURES
    assert float(error.norm() / FEATURES.norm()) < 2e-2


def test_the_fast_dtype_is_one_to_compute_in() -> None:
    assert fast_dtype(torch.device("cpu")) in (torch.float32, torch.bfloat16)
    assert fast_dtype(torch.device("mps")) == torch.float32


@pytest.mark.parametrize(
    ("most", "dtype"),
    [
        ("AVX2", torch.float32),
        ("avx512_core_vnni", torch.float32),
        ("SSE41", torch.float32),
        ("AVX512_CORE_BF16", torch.bfloat16),
        ("AVX512_CORE_AMX", torch.bfloat16),
        ("DEFAULT", torch.bfloat16),
    ],
)
@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
def test_the_fast_dtype_is_not_one_that_is_imitated(
    name: str, most: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, most)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert fast_dtype(torch.device("cpu")) == dtype


LAYERS = [LayerShape(512, 512, 4, False)] + [
    LayerShape(512, 512, 8 << (i // 2), i % 2 == 0) for i in range(10)
]
SPLITS = [1, 3, 5, 7, 9, 11]


def _boxes(*centres: tuple[int, int]) -> NDArray[np.int64]:
    return np.array([[y - 6, x - 6, y + 6, x + 6] for y, x in centres])


def test_a_few_points_get_windows_of_their_own_and_many_the_whole_map() -> None:
    one = make_plan(LAYERS, _boxes((40, 50)), splits=SPLITS)
    assert one.origins == ((34, 44),) and one.shape == (12, 12)
    far = make_plan(LAYERS, _boxes((20, 20), (100, 100)), splits=SPLITS)
    assert len(far.origins) == 2 and far.shape == (12, 12)
    near = make_plan(LAYERS, _boxes((40, 50), (42, 51)), splits=SPLITS)
    assert len(near.origins) == 1
    grid = [(y, x) for y in range(6, 128, 12) for x in range(6, 128, 12)]
    everywhere = make_plan(LAYERS, _boxes(*grid), splits=SPLITS)
    assert everywhere.shape == (128, 128)
    works = [plan.work for plan in (one, near, far, everywhere)]
    assert all(a < b for a, b in pairwise(works))


def test_what_must_be_whole_is_whole() -> None:
    assert make_plan(LAYERS, _boxes((40, 50)), splits=SPLITS).split < 7
    assert make_plan(LAYERS, _boxes((40, 50)), splits=[7, 9, 11]).split == 7


@settings(deadline=None, max_examples=50)
@given(
    centres=st.lists(st.tuples(st.integers(6, 122), st.integers(6, 122)), min_size=1, max_size=12),
    step=st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
)
def test_windows_hold_their_boxes_also_when_moved(
    centres: list[tuple[int, int]], step: tuple[int, int]
) -> None:
    boxes = _boxes(*centres)
    plan = make_plan(LAYERS, boxes, splits=SPLITS)
    boxes = np.clip(boxes + np.tile(step, 2), 0, 128)
    moved = plan.moved(boxes, 128)
    assert moved is not None and replace(moved, origins=plan.origins) == plan
    assert sorted(i for members in moved.members for i in members) == list(range(len(boxes)))
    for members, (top, left) in zip(moved.members, moved.origins, strict=True):
        for box in boxes[list(members)]:
            assert top <= box[0] and left <= box[1]
            assert top + moved.shape[0] >= box[2] and left + moved.shape[1] >= box[3]


def test_boxes_that_part_do_not_fit_any_more() -> None:
    boxes = _boxes((40, 50), (42, 51))
    plan = make_plan(LAYERS, boxes, splits=SPLITS)
    boxes[1] += [20, 0, 20, 0]
    assert plan.moved(boxes, 128) is None
