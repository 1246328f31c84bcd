"""Sampling, supervision and tracking on feature maps made by hand."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from checkpoints.windows import Plan
from realedit.drag import supervision
from realedit.drag.maps import Layout, Maps
from realedit.drag.supervision import (
    DISTINCT,
    disc,
    distinctness,
    fixed_share,
    mask_term,
    motion,
    templates_at,
)

SIZE = 32


def sample(features: Tensor, points: Tensor) -> Tensor:
    """Samples [K, C] of whole maps at points [K, 2]."""
    return Maps.whole(features).sample(points[None])[0]


def track(features: Tensor, original: Tensor, handles: Tensor, *, r2: float, r1: float = 2.0) -> Tensor:
    """Tracks handles [K, 2] of the original features in others."""
    templates = templates_at(Maps.whole(original, len(handles)), handles, r1=r1)
    return supervision.track(Maps.whole(features, len(handles)), templates, handles, r1=r1, r2=r2)


def _features(shift: tuple[float, float] = (0.0, 0.0), channels: int = 24, size: int = SIZE) -> Tensor:
    """Smooth, distinctive features `[1, C, size, size]`, shifted right and down by `shift` cells."""
    rng = torch.Generator().manual_seed(3)
    frequencies = torch.randn(channels, 2, generator=rng) * 0.35
    phases = torch.rand(channels, generator=rng) * 6.28
    line = torch.arange(size) + 0.5
    y, x = torch.meshgrid(line - shift[1], line - shift[0], indexing="ij")
    waves = torch.sin(frequencies[:, :1, None] * x + frequencies[:, 1:, None] * y + phases[:, None, None])
    return waves[None]


def test_samples_at_centres_are_the_cells() -> None:
    features = _features()
    points = torch.tensor([[0.5, 0.5], [3.5, 7.5], [31.5, 0.5]])
    expected = torch.stack([features[0, :, 0, 0], features[0, :, 7, 3], features[0, :, 0, 31]])
    assert torch.allclose(sample(features, points), expected, atol=1e-5)


def test_samples_between_cells_are_bilinear_and_the_border_goes_on() -> None:
    features = torch.arange(4.0).reshape(1, 1, 2, 2)  # 0 1 / 2 3
    points = torch.tensor([[1.0, 1.0], [1.0, 0.5], [-5.0, 0.0], [9.0, 9.0]])
    assert sample(features, points)[:, 0].tolist() == pytest.approx([1.5, 0.5, 0.0, 3.0], abs=1e-5)


def test_samples_keep_the_shape_of_the_points() -> None:
    assert Maps.whole(_features(), 5).sample(torch.zeros(5, 7, 2)).shape == (5, 7, 24)


def test_a_disc_is_round_symmetric_and_holds_its_centre() -> None:
    for radius in (1.0, 2.0, 3.0, 4.4):
        offsets = disc(radius)
        assert bool((offsets.norm(dim=-1) <= radius + 1e-5).all())
        assert bool((offsets == 0).all(-1).any())
        assert {tuple(o) for o in offsets.tolist()} == {tuple(o) for o in (-offsets + 0.0).tolist()}
        assert len(offsets) == pytest.approx(3.1416 * radius**2, rel=0.65)


@settings(deadline=None, max_examples=30)
@given(dx=st.floats(-2.2, 2.2), dy=st.floats(-2.2, 2.2))
def test_a_shifted_pattern_is_found_below_the_lattice(dx: float, dy: float) -> None:
    handles = torch.tensor([[12.3, 15.8], [20.0, 9.5]])
    found = track(_features((dx, dy)), _features(), handles, r2=3.5)
    expected = handles + torch.tensor([dx, dy])
    assert float((found - expected).norm(dim=-1).max()) < 0.12


def test_several_handles_are_tracked_as_each_alone() -> None:
    handles = torch.tensor([[8.0, 8.0], [22.4, 10.1], [15.5, 25.5]])
    moved = _features((0.8, -0.6))
    together = track(moved, _features(), handles, r2=3)
    for i in range(3):
        assert torch.allclose(track(moved, _features(), handles[i : i + 1], r2=3)[0], together[i])


def test_nothing_is_found_beyond_the_search_radius_or_the_map() -> None:
    handles = torch.tensor([[16.0, 16.0], [0.4, 31.8]])
    found = track(_features((9.0, -8.0)), _features(), handles, r2=2)
    assert float((found - handles).norm(dim=-1).max()) <= 2 + 0.5
    corners = torch.tensor([[0.0, 0.0], [32.0, 32.0], [0.0, 32.0]])
    found = track(_features((-2.0, 1.0)), _features(), corners, r2=4)
    assert bool((found > -0.3).all()) and bool((found < 32.3).all())


@pytest.mark.parametrize("features", [_features(), torch.zeros(1, 24, SIZE, SIZE)])
def test_still_features_leave_handles_where_they_are(features: Tensor) -> None:
    """Also on a flat background, where every place looks like every other."""
    handles = torch.tensor([[12.3, 15.8], [20.0, 9.5]])
    found = track(features, features, handles, r2=3)
    assert float((found - handles).norm(dim=-1).max()) < 0.05


def test_a_patch_is_known_from_places_that_share_its_middle() -> None:
    features = torch.randn(1, 8, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    features[:, :, 10, 11] = features[:, :, 10, 8]  # three cells to the right the middle looks the same
    moved = features.clone()
    moved[:, :, 10, 8] += 0.2
    handles = torch.tensor([[8.5, 10.5]])
    assert float((track(moved, features, handles, r2=4) - handles).norm()) < 0.2
    assert float((track(moved, features, handles, r2=4, r1=0.0) - handles).norm()) > 2


def _moved_by(field: Tensor, features: Tensor) -> Tensor:
    """The features pushed by `field` `[2]` cells, with a gradient to it."""
    line = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack([x - field[0] * 2 / SIZE, y - field[1] * 2 / SIZE], -1)
    return F.grid_sample(features, grid[None], align_corners=False, padding_mode="border")


def _by_cells(maps: Maps, templates: Tensor, handles: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The motion term, and its gradient by the cells of whole maps, as their table."""
    patches = maps.patches(handles, 3.0)
    loss, slope = motion(patches, templates, handles, targets, r1=2.0, shift=1.0)
    return loss, maps.back(patches, slope).permute(0, 2, 3, 1).reshape(maps.table.shape)


def test_the_gradient_is_that_of_the_term_written_out() -> None:
    """Equation 1, sampled and differentiated by torch."""
    handles = torch.tensor([[16.2, 12.9], [3.1, 30.8], [17.0, 13.4]])
    targets = handles + torch.tensor([[3.0, -2.0], [0.3, 0.1], [-6.0, 2.0]])
    templates = templates_at(Maps.whole(_features(), 3), handles, r1=2.0)
    features = _features((0.4, -0.3)).requires_grad_(True)
    maps = Maps.whole(features, 3)
    patch, there = supervision.supervised(handles, targets, r1=2.0, shift=1.0)
    wanted = 0.5 * maps.sample(patch).detach() + 0.5 * templates
    weights = (targets - handles).norm(dim=-1) + supervision.ARRIVED
    each = (maps.sample(there) - wanted).abs().mean((1, 2))
    expected = (each * weights).sum() / weights.sum()
    (slope,) = torch.autograd.grad(expected, maps.table)
    loss, found = _by_cells(maps, templates, handles, targets)
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-4)
    assert torch.allclose(found, slope, atol=1e-5 * float(slope.abs().max()))


@pytest.mark.parametrize("target", [(20.0, 16.0), (12.0, 16.0), (16.0, 21.0), (19.0, 13.0)])
def test_the_gradient_moves_the_pattern_towards_the_target(target: tuple[float, float]) -> None:
    handles, targets = torch.tensor([[16.0, 16.0]]), torch.tensor([target])
    templates = templates_at(Maps.whole(_features()), handles, r1=2.0)
    field = torch.zeros(2, requires_grad=True)
    maps = Maps.whole(_moved_by(field, _features()))
    (slope,) = torch.autograd.grad(maps.table, field, _by_cells(maps, templates, handles, targets)[1])
    wanted = F.normalize(targets - handles)[0]
    assert float(F.normalize(-slope, dim=0) @ wanted) > 0.7


def test_a_handle_at_its_target_asks_for_nothing() -> None:
    here = torch.tensor([[16.0, 16.0]])
    maps = Maps.whole(_features())
    loss, slope = _by_cells(maps, templates_at(maps, here, r1=2.0), here, here)
    assert float(loss) == pytest.approx(0, abs=1e-6) and bool(slope.isfinite().all())


def test_what_has_changed_is_asked_back_even_at_the_target() -> None:
    features = _features()
    here = torch.tensor([[16.0, 16.0]])
    templates = templates_at(Maps.whole(features), here, r1=2.0)
    assert float(_by_cells(Maps.whole(features + 0.5), templates, here, here)[0]) > 0.2


def test_handles_weigh_what_they_have_left_to_go() -> None:
    here = torch.tensor([[8.0, 8.0], [22.0, 22.0]])
    maps = Maps.whole(_features(), 2)
    templates = templates_at(maps, here, r1=2.0)
    targets = here + torch.tensor([[6.0, 0.0], [1.0, 0.0]])
    slope = _by_cells(maps, templates, here, targets)[1].view(SIZE, SIZE, -1)
    far, near = slope[:16, :16].abs().sum(), slope[16:, 16:].abs().sum()
    assert float(far / near) == pytest.approx(6.1 / 1.1, rel=0.1)


def test_where_all_looks_alike_a_handle_is_not_distinct() -> None:
    """Nor on a line along which it could slide; at the picture's border only what is inside of it counts."""
    features = torch.ones(1, 24, SIZE, SIZE)
    features[..., 16:] = _features()[..., 16:]
    features[:, ::2, :16, :8] = -1  # an edge from top to bottom, which has an end
    handles = torch.tensor([[8.0, 26.0], [24.0, 8.0], [8.0, 6.0], [8.0, 16.0], [31.9, 31.9], [0.1, 31.9]])
    maps = Maps.whole(features, len(handles))
    templates = templates_at(maps, handles, r1=2.0)
    found = distinctness(maps, templates, handles, r1=2.0)
    assert (found < DISTINCT).tolist() == [True, False, True, False, False, True]
    noise = torch.randn(features.shape, generator=torch.Generator().manual_seed(1)) * 1e-3
    maps = Maps.whole((features + noise) * 100, len(handles))
    again = distinctness(maps, templates_at(maps, handles, r1=2.0), handles, r1=2.0)
    assert torch.allclose(found, again, atol=0.01), "a share of the features' size"


def test_a_map_holds_what_can_be_sampled_from_its_windows() -> None:
    plan = Plan(0, ((4, 10), (20, 0)), (8, 9), ((0,), (1,)), 0)
    maps = Maps.of(torch.zeros(2, 3, 8, 9), Layout.of(plan, torch.device("cpu")), SIZE)
    inside = torch.tensor([[[10.5, 4.5], [18.4, 11.4]], [[-3.0, 20.5], [8.4, 27.4]]])
    assert maps.holds(inside), "beyond the picture's border its last cells go on"
    for handle, axis, by in ((0, 0, -0.1), (0, 1, 0.2), (1, 1, -0.1), (1, 0, 0.2)):
        outside = inside.clone()
        outside[handle, :, axis] += by
        assert not maps.holds(outside)


def test_the_mask_term_sees_only_what_is_fixed() -> None:
    original = _features()
    movable = torch.ones(1, 1, SIZE, SIZE)
    movable[..., :10] = 0
    fixed = fixed_share(movable, original.shape[1])
    moved = original.clone()
    moved[..., 10:] += 5
    assert float(mask_term(moved, original, fixed)[0]) == 0
    moved[..., :10] += 0.5
    moved.requires_grad_(True)
    (slope,) = torch.autograd.grad(((moved - original).abs() * fixed).sum(), moved)
    loss, found = mask_term(moved.detach(), original, fixed)
    assert float(loss) == pytest.approx(0.5, rel=1e-4) and torch.equal(found, slope)
    assert not fixed_share(torch.ones_like(movable), 24).any()
