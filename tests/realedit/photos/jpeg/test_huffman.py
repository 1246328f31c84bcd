"""Huffman tables and packing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realedit.photos.jpeg.bits import RAW, BitWriter, Events, Table, best_table
from realedit.photos.jpeg.huffman import ac_band


@given(st.dictionaries(st.integers(0, 255), st.integers(1, 10**9), min_size=1, max_size=256))
def test_tables_are_valid_and_no_longer_than_sixteen_bits(frequencies: dict[int, int]) -> None:
    counts = np.zeros(256, np.int64)
    counts[list(frequencies)] = list(frequencies.values())
    table = best_table(counts)
    assert len(table.lengths) == 16 and sorted(table.symbols) == sorted(frequencies)
    assert sum(table.lengths) == len(table.symbols)
    # room is left for the code of all ones, which JPEG reserves (Kraft's sum stays below one)
    assert sum(count * 2.0 ** -(length + 1) for length, count in enumerate(table.lengths)) < 1


def test_frequencies_like_fibonaccis_are_cut_to_sixteen_bits() -> None:
    numbers = [1, 1]
    while len(numbers) < 60:
        numbers.append(numbers[-1] + numbers[-2])
    counts = np.zeros(256, np.int64)
    counts[:60] = numbers
    table = best_table(counts)
    assert sum(table.lengths) == 60
    codes, sizes = table.codes()
    words = {format(int(codes[s]), f"0{sizes[s]}b") for s in range(60)}
    assert len(words) == 60
    assert not any(a != b and b.startswith(a) for a in words for b in words)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 15), st.integers(0, 2**15 - 1)), max_size=80),
    st.integers(1, 7),
)
def test_packed_bits_read_back(items: list[tuple[bool, int, int]], pieces: int) -> None:
    table = Table((0, 4, *[0] * 14), (0, 1, 2, 3))  # two bits each
    expected = ""
    codes, bits, counts = [], [], []
    for raw, count, value in items:
        value &= (1 << count) - 1
        if raw:
            count = max(count, 1)
        codes.append(RAW if raw else value & 3)
        bits.append(value)
        counts.append(count)
        expected += ("" if raw else format(value & 3, "02b")) + (format(value, f"0{count}b") if count else "")
    writer = BitWriter({0: table})
    packed = b""
    for part in np.array_split(np.arange(len(items)), pieces):
        chosen = [np.array(column)[part] if len(part) else np.array([]) for column in (codes, bits, counts)]
        packed += writer.pack(
            Events(chosen[0].astype(np.uint16), chosen[1].astype(np.uint16), chosen[2].astype(np.uint8))
        )
    packed += writer.finish()
    plain = packed.replace(b"\xff\x00", b"\xff")
    assert b"\xff" not in packed.replace(b"\xff\x00", b"")
    found = "".join(format(byte, "08b") for byte in plain)
    assert found == expected + "1" * (-len(expected) % 8)


def decode_band(events: Events, blocks: int, width: int, low: int, before: np.ndarray | None) -> np.ndarray:
    """A plain decoder of a progressive AC scan, from its events (T.81 G.1.2.2, G.1.2.3)."""
    stream = list(zip(events.codes.tolist(), events.bits.tolist(), events.counts.tolist(), strict=True))
    band = np.zeros((blocks, width), np.int32) if before is None else before.astype(np.int32).copy()
    at, run = 0, 0

    def correct(block: int, k: int) -> None:
        nonlocal at
        assert stream[at][0] == RAW and stream[at][2] == 1
        band[block, k] += np.sign(band[block, k]) * (stream[at][1] << low)
        at += 1

    for block in range(blocks):
        k = 0
        while k < width:
            if run:
                for rest in range(k, width):
                    if band[block, rest] and before is not None:
                        correct(block, rest)
                run -= 1
                break
            code, bits, count = stream[at]
            at += 1
            assert code != RAW
            zeros, size = code >> 4 & 15, code & 15
            if size == 0 and zeros < 15:
                run = (1 << zeros) + bits
                continue
            value = 0
            if size:
                value = bits if bits >> (count - 1) else bits - (1 << count) + 1
            while k < width:
                if before is not None and band[block, k]:
                    correct(block, k)
                elif zeros == 0:
                    break
                else:
                    zeros -= 1
                k += 1
            if size:
                band[block, k] = value * (1 << low)
            k += 1
    assert at == len(stream) and run == 0
    return band


coefficient_lists = st.integers(0, 2**32 - 1)


@given(seed=coefficient_lists, density=st.floats(0, 0.6), width=st.integers(1, 63), low=st.integers(0, 3))
def test_progressive_bands_decode(seed: int, density: float, width: int, low: int) -> None:
    generator = np.random.default_rng(seed)
    blocks = 12
    band = generator.integers(-70, 71, (blocks, width)) * (generator.random((blocks, width)) < density)
    band = band.astype(np.int16)
    first = decode_band(ac_band(band, low, False, 4), blocks, width, low, None)
    np.testing.assert_array_equal(first, np.sign(band) * (np.abs(band) >> low << low))
    for finer in range(low - 1, -1, -1):
        first = decode_band(ac_band(band, finer, True, 4), blocks, width, finer, first)
        np.testing.assert_array_equal(first, np.sign(band) * (np.abs(band) >> finer << finer))


@pytest.mark.parametrize("blocks", [32766, 32767, 32768, 70000])
@pytest.mark.parametrize("refine", [False, True])
def test_runs_longer_than_one_symbol_can_say(blocks: int, refine: bool) -> None:
    band = np.zeros((blocks, 3), np.int16)
    band[[0, blocks // 2, -1], [0, 1, 2]] = (4, -5, 3)
    before = np.sign(band) * (np.abs(band) >> 1 << 1) if refine else None
    decoded = decode_band(ac_band(band, 0, refine, 4), blocks, 3, 0, before)
    np.testing.assert_array_equal(decoded, band)
