"""Curves of ICC profiles."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realedit.photos.colour import icc

SRGB = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]
X = np.linspace(-0.5, 1.5, 401)


@pytest.mark.parametrize(
    ("function", "values"),
    [(0, [2.2]), (1, [2.4, 1.1, -0.1]), (2, [2.4, 1.1, -0.1, 0.0]), (3, SRGB), (4, [*SRGB, 0.0, 0.0])],
)
def test_parametric_curves_are_inverted(function: int, values: list[float]) -> None:
    curve = icc.parametric_curve(function, values)
    rising = X[np.abs(X) > 0.1]  # below, types 1 and 2 are flat
    np.testing.assert_allclose(curve.inverse(curve.forward(rising)), rising, atol=1e-9)


def test_srgbs_curve_has_its_published_values() -> None:
    curve = icc.parametric_curve(3, SRGB)
    np.testing.assert_allclose(
        curve.forward(np.array([0.0, 0.04, 0.5, 1.0])), [0, 0.0030960, 0.2140411, 1], atol=1e-6
    )


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=64))
def test_table_curves_are_inverted(levels: list[int]) -> None:
    curve = icc.table_curve(np.sort(np.array(levels)) / 65535)
    inside = curve.forward(np.linspace(0, 1, 50))
    np.testing.assert_allclose(curve.forward(curve.inverse(inside)), inside, atol=1e-6)


def test_a_curve_tag_of_one_entry_is_a_gamma() -> None:
    tag = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256))
    profile = icc.parse(_profile({"kTRC": tag}, b"GRAY"))
    curve = icc.grey_curve(profile)
    assert curve is not None
    np.testing.assert_allclose(curve.forward(np.array([0.5])), 0.5 ** (563 / 256), rtol=1e-6)


@pytest.mark.parametrize(
    "tag", [b"", b"curv", b"curv" + bytes(4) + b"\x00\x00\xff\xff", b"para" + bytes(8), b"zzzz" + bytes(20)]
)
def test_damaged_curves_are_refused(tag: bytes) -> None:
    with pytest.raises(icc.ProfileError):
        icc.grey_curve(icc.parse(_profile({"kTRC": tag}, b"GRAY")))


def test_a_written_profile_reads_back() -> None:
    written = icc.profile_of_code_points(9, 1)
    assert written is not None
    found = icc.matrix_profile(icc.parse(written))
    assert found is not None
    np.testing.assert_allclose(found.matrix.sum(axis=1), [0.9642, 1, 0.8249], atol=1e-3)  # white is D50


def test_code_points_of_srgb_need_no_profile() -> None:
    assert icc.profile_of_code_points(1, 13) is None
    assert icc.profile_of_code_points(2, 2) is None


def _profile(tags: dict[str, bytes], space: bytes) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name.encode(), 132 + 12 * len(tags) + len(body), len(content))
        body += content
    return (bytes(16) + space).ljust(36, b"\x00") + b"acsp" + bytes(88) + table + body
