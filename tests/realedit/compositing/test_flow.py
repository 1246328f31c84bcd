"""Flows: measured between pictures, never folding, zero beyond the reach."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from realedit.compositing.change import believed
from realedit.compositing.flow import Bounds, FlowSettings, blur, jacobian, measure, strain, unfold, warp
from tests.realedit.samples import picture

SIZE = 128


def _bump(size: int, dx: float, dy: float) -> NDArray[np.float32]:
    """A smooth motion of up to (dx, dy) in the middle that dies away towards the border."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    height = np.exp(-(x**2 + y**2) / (2 * 0.12**2))
    return np.stack([height * dx, height * dy], -1).astype(np.float32)


def _picture() -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(picture(SIZE, SIZE), (0, 0), 1.0) / 255.0, np.float32)


def _random_flow(seed: int, size: int, roughness: float, strength: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(size=(size, size, 2)).astype(np.float32)
    smooth = blur(noise, roughness)
    return np.asarray(smooth / np.abs(smooth).max() * strength, np.float32)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 1000),
    size=st.sampled_from([32, 64]),
    roughness=st.floats(0.1, 6),
    strength=st.floats(0, 30),
    least=st.sampled_from([0.1, 0.3]),
)
def test_unfolded_flows_never_fold(
    seed: int, size: int, roughness: float, strength: float, least: float
) -> None:
    flow = unfold(_random_flow(seed, size, roughness, strength), least=least)
    assert np.isfinite(flow).all()
    assert jacobian(flow).min() >= least


def test_flows_that_do_not_fold_stay_as_they_are() -> None:
    flow = _bump(SIZE, 6, -3)
    assert jacobian(flow).min() > 0.1
    assert np.array_equal(unfold(flow), flow)


def test_the_jacobian_is_the_change_of_area() -> None:
    y, x = np.mgrid[:32, :32].astype(np.float32)
    grow = np.stack([0.5 * x, 0.25 * y], -1)
    assert jacobian(grow) == pytest.approx(1.5 * 1.25, rel=1e-5)
    turn = np.stack([-0.2 * y, 0.2 * x], -1)
    assert jacobian(turn) == pytest.approx(1.04, rel=1e-5)
    assert (jacobian(np.stack([-2 * x, 0 * y], -1)) < 0).all(), "a mirror folds"


def test_warps_look_where_the_flow_points() -> None:
    ramp = np.tile(np.arange(16, dtype=np.float32), (8, 1))
    flow = np.zeros((8, 16, 2), np.float32)
    flow[..., 0] = 2.5
    moved = warp(ramp, flow)
    assert moved[:, :13] == pytest.approx(ramp[:, :13] + 2.5, abs=0.05)
    assert moved[:, -1] == pytest.approx(15), "the border goes on"


@pytest.mark.parametrize(("dx", "dy"), [(4.0, 0.0), (-3.0, 2.0), (0.0, -4.0)])
def test_a_known_motion_is_measured(dx: float, dy: float) -> None:
    before = _picture()
    truth = _bump(SIZE, dx, dy)
    after = warp(before, truth)
    flow = measure(before, after, FlowSettings(), reach=np.ones((SIZE, SIZE), np.float32))
    error = np.linalg.norm(flow - truth, axis=-1)
    assert error.mean() < 0.35 and np.linalg.norm(truth, axis=-1).max() > 2.5
    assert np.abs(warp(before, flow) - after).mean() < 0.35 * np.abs(before - after).mean()


def test_equal_pictures_have_no_flow() -> None:
    before = _picture()
    flow = measure(before, before.copy(), FlowSettings(), reach=np.ones((SIZE, SIZE), np.float32))
    assert np.abs(flow).max() < 0.05


def test_nothing_flows_beyond_the_reach() -> None:
    before = _picture()
    after = warp(before, _bump(SIZE, 5, 0))
    reach = np.zeros((SIZE, SIZE), np.float32)
    reach[:, : SIZE // 2] = 1
    flow = measure(before, after, FlowSettings(), reach=blur(reach, 6))
    assert not flow[:, -8:].any()
    assert np.abs(flow[:, 40:60]).max() > 1


def test_a_large_motion_is_measured_to_a_tenth_of_a_pixel() -> None:
    """What one search leaves over, the next ones find."""
    before = _picture()
    truth = _bump(SIZE, 7, 4)
    after = warp(before, truth)
    everywhere = np.ones((SIZE, SIZE), np.float32)
    moved = np.linalg.norm(truth, axis=-1) > 2

    def error(rounds: int) -> float:
        flow = measure(before, after, FlowSettings(rounds=rounds), reach=everywhere)
        return float(np.median(np.linalg.norm(flow - truth, axis=-1)[moved]))

    assert error(3) < 0.1 and error(3) < 0.7 * error(1)


def test_what_the_search_leaves_is_found_by_least_squares() -> None:
    """As a generator of few pixels sees it: sampled down, then enlarged."""

    def seen(fine: NDArray[np.float32]) -> NDArray[np.float32]:
        small = cv2.resize(fine, (64, 64), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC), np.float32)

    fine = cv2.resize(_picture(), (256, 256), interpolation=cv2.INTER_CUBIC)
    truth = _bump(256, 9, -6)
    before, after = seen(fine), seen(warp(fine, truth))
    moved = np.linalg.norm(truth, axis=-1) > 2

    def error(**choices: float) -> float:
        chosen = FlowSettings(**choices)  # type: ignore[arg-type]
        flow = measure(before, after, chosen, reach=np.ones((256, 256), np.float32), resolution=64)
        return float(np.median(np.linalg.norm(flow - truth, axis=-1)[moved]) / 4)

    assert error() < 0.1 and error() < 0.9 * error(most=0)


def test_the_least_squares_step_is_small_however_much_pictures_differ() -> None:
    before, after = _picture(), _picture()[::-1].copy()
    after[40:80, 40:80] = 1.0  # something appears
    reach = np.ones((SIZE, SIZE), np.float32)
    chosen = [FlowSettings(strain=np.inf, most=most) for most in (0.5, 0.0)]
    one, other = (measure(before, after, each, reach=reach) for each in chosen)
    assert np.isfinite(one).all()
    assert np.median(np.linalg.norm(one - other, axis=-1)) <= 0.5


def test_strain_is_the_largest_stretch_or_squeeze() -> None:
    y, x = np.mgrid[:32, :32].astype(np.float32)
    assert strain(np.stack([0.5 * x, 0 * y], -1)) == pytest.approx(1.5, rel=1e-4)
    assert strain(np.stack([0 * x, -0.5 * y], -1)) == pytest.approx(2.0, rel=1e-4)
    turned = np.stack([x * (np.cos(0.3) - 1) - y * np.sin(0.3), x * np.sin(0.3) + y * (np.cos(0.3) - 1)], -1)
    assert strain(turned.astype(np.float32)) == pytest.approx(1.0, abs=1e-3), "a turn strains nothing"


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), most=st.sampled_from([1.5, 2.5]))
def test_flows_are_smoothed_until_they_strain_no_more_than_allowed(seed: int, most: float) -> None:
    flow = unfold(_random_flow(seed, 48, 4.0, 20.0), most=most)
    assert strain(flow).max() <= most


def test_a_measured_flow_strains_no_more_than_its_settings_say() -> None:
    before = _picture()
    after = warp(
        before,
        np.where(np.arange(SIZE)[:, None, None] < SIZE // 2, 6, -6).astype(np.float32) + _bump(SIZE, 0, 0),
    )
    flow = measure(before, after, FlowSettings(strain=1.4), reach=np.ones((SIZE, SIZE), np.float32))
    assert strain(flow).max() <= 1.4 and np.abs(flow).max() > 2


def _cut(size: int, angle: float, share: float) -> NDArray[np.bool_]:
    """Which pixels of a square lie in a photo that ends in a line across it."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    return np.asarray(x * np.cos(angle) + y * np.sin(angle) < 0.5 - share, np.bool_)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    roughness=st.floats(1, 12),
    strength=st.floats(0, 40),
    reach=st.floats(0.2, 2),
    cut=st.one_of(st.none(), st.tuples(st.floats(-3.1, 3.1), st.floats(0.05, 0.6))),
)
def test_the_rim_and_what_may_not_move_are_still_however_a_flow_is_smoothed(
    seed: int, roughness: float, strength: float, reach: float, cut: tuple[float, float] | None
) -> None:
    size = 64
    y, x = np.mgrid[:size, :size] / size
    around = np.clip(reach - 2 * np.hypot(x - 0.4, y - 0.9), 0, 1).astype(np.float32)
    valid = np.ones((size, size), np.bool_) if cut is None else _cut(size, *cut)
    flow = unfold(
        _random_flow(seed, size, roughness, strength) * around[..., None],
        most=2.0,
        bounds=Bounds.of(around, valid),
    )
    assert jacobian(flow).min() >= 0.1 and strain(flow).max() <= 2.0
    assert not flow[around == 0].any()
    assert not flow[[0, -1]].any() and not flow[:, [0, -1]].any()
    beyond = np.asarray(cv2.distanceTransform(np.uint8(~valid), cv2.DIST_L2, 5), np.float32)
    sources = warp(beyond, flow)[valid]  # how far beyond the photo's edge the photo's pixels come from
    assert sources.max() < 1.5


def test_a_flow_slides_along_the_photos_edge() -> None:
    """Only what would come from outside is held: what leaves the photo or goes along its edge is not."""
    valid = _cut(64, 0.0, 0.25)  # the photo ends at x = 48
    bounds = Bounds.of(np.ones((64, 64), np.float32), valid)

    def at_the_edge(dx: float, dy: float) -> NDArray[np.float32]:
        flow = np.zeros((64, 64, 2), np.float32)
        flow[8:-8, 8:-8] = dx, dy
        held: NDArray[np.float32] = bounds.hold(flow)[32, 46]
        return held

    assert at_the_edge(4, 2) == pytest.approx([0.9, 2], abs=0.1)
    assert at_the_edge(-4, 2) == pytest.approx([-4, 2])


def test_a_motion_up_to_the_rim_is_measured_and_dies_away_there() -> None:
    """A chin at the square's edge, which is where the motion would be cut off in a line."""
    before = _picture()
    truth = np.zeros((SIZE, SIZE, 2), np.float32)
    truth[..., 1] = np.clip(np.arange(SIZE) / SIZE - 0.3, 0, None)[:, None] * 12
    flow = measure(before, warp(before, truth), FlowSettings(), reach=np.ones((SIZE, SIZE), np.float32))
    assert not flow[-1].any() and np.abs(flow[-10:-5, 40:90, 1]).mean() > 1.5
    assert np.abs(np.diff(flow[-12:], axis=0)).max() < 1


def test_what_the_generator_draws_roughly_moves_as_what_is_around_it_does() -> None:
    """The frames of glasses in a draft: before and after show some, but they go in all directions."""
    before, truth = _picture(), _bump(SIZE, 5, 0)
    after = warp(before, truth)
    rough = (slice(56, 64), slice(40, 88))
    error = np.zeros((SIZE, SIZE), np.float32)
    error[rough] = 0.3
    before[rough] = np.tile(np.arange(48) % 8 < 4, (8, 1))[..., None]
    after[rough] = np.tile((np.arange(48) + 3) % 8 < 4, (8, 1))[..., None]
    reach = np.ones((SIZE, SIZE), np.float32)
    sure = believed(blur(error, 1.0), reach > 0)

    def wrong(sure: NDArray[np.float32] | None) -> float:
        flow = measure(before, after, FlowSettings(), reach=reach, sure=sure)
        return float(np.linalg.norm(flow - truth, axis=-1)[rough].mean())

    assert wrong(sure) < 0.85 * wrong(None)


def test_a_likeness_that_is_good_everywhere_is_believed_everywhere() -> None:
    everywhere = np.ones((8, 8), np.bool_)
    assert believed(np.full((8, 8), 0.001, np.float32), everywhere).min() > 0.99
    assert believed(np.zeros((8, 8), np.float32), ~everywhere).min() == 1
