"""JPEG blocks as the events of a scan, many blocks at once: sequential and progressive.

Source: ITU-T T.81, annex F.1.2 (sequential) and G.1.2 (progressive).
"""

import numpy as np
from numpy.typing import NDArray

from realedit.photos.jpeg_bits import RAW, Events

_ZERO_RUN = 0xF0  # sixteen zeros
_LONGEST_RUN = 0x7FFF  # blocks that one end-of-band symbol can stand for
_SIZES = np.zeros(1 << 16, np.uint8)  # bits of a magnitude
for _size in range(1, 17):
    _SIZES[1 << (_size - 1) : 1 << _size] = _size


def sequential(
    blocks: NDArray[np.int16], dc_table: NDArray[np.uint8], ac_table: NDArray[np.uint8], dc: NDArray[np.int32]
) -> Events:
    """Events of whole blocks [n, 64] in zigzag order.

    `dc_table` and `ac_table` [n] name each block's tables, `dc` [n] are the differences of the DC
    coefficients.
    """
    count = len(blocks)
    flat = blocks.reshape(-1)
    places = np.flatnonzero(flat)
    places = places[(places & 63) != 0]
    owner, index, values = places >> 6, places & 63, flat[places]
    zeros, first = _gaps(owner, index, 1)
    last = np.zeros(count, np.int64)
    last[owner] = index  # the last of several assignments stays
    ends = (last < 63).astype(np.int64)
    layout = _Layout(np.ones(count, np.int64), owner, (zeros >> 4) + 1, first, ends)
    codes = np.repeat((ac_table.astype(np.uint16) << 8) | _ZERO_RUN, layout.per_block)
    bits, counts = np.zeros(layout.total, np.uint16), np.zeros(layout.total, np.uint8)

    dc_sizes = _SIZES[np.abs(dc)]
    codes[layout.heads] = (dc_table.astype(np.uint16) << 8) | dc_sizes
    bits[layout.heads], counts[layout.heads] = _signed_bits(dc, dc_sizes), dc_sizes

    sizes = _SIZES[np.abs(values.astype(np.int32))]
    codes[layout.events] = (
        (ac_table[owner].astype(np.uint16) << 8) | ((zeros & 15) << 4).astype(np.uint16) | sizes
    )
    bits[layout.events], counts[layout.events] = _signed_bits(values, sizes), sizes

    has_end = ends > 0
    codes[layout.tails[has_end]] = ac_table[has_end].astype(np.uint16) << 8
    return Events(codes, bits, counts)


def dc_first(dc: NDArray[np.int32], dc_table: NDArray[np.uint8]) -> Events:
    """Events of a progressive DC scan: `dc` [n] are the differences, already shifted."""
    sizes = _SIZES[np.abs(dc)]
    codes = (dc_table.astype(np.uint16) << 8) | sizes
    return Events(codes.astype(np.uint16), _signed_bits(dc, sizes), sizes)


def dc_refinement(bits: NDArray[np.uint16]) -> Events:
    """Events of a scan that sends one more bit of each DC coefficient."""
    return Events(np.full(len(bits), RAW, np.uint16), bits, np.ones(len(bits), np.uint8))


def ac_band(band: NDArray[np.int16], low: int, refine: bool, table: int) -> Events:
    """Events of a progressive AC scan of the coefficients `band` [n, k] of one component, in zigzag order.

    The scan sends them from bit `low` up, or, to `refine` an earlier one, just that bit. A run of bands that
    end early stops with the last block.
    """
    count, width = band.shape
    magnitudes = np.abs(band.astype(np.int32)).reshape(-1) >> low
    places = np.flatnonzero(magnitudes)
    owner, index = places // width, places % width
    magnitude, negative = magnitudes[places], band.reshape(-1)[places] < 0
    fresh = magnitude == 1 if refine else np.ones(len(places), bool)
    last = np.full(count, -1)
    last[owner[fresh]] = index[fresh]

    runs, skipped, first = _runs(owner, index, fresh)
    # behind the last new coefficient of a block nothing is sent but bits
    symbols = np.where(index <= last[owner], skipped + fresh, 0)
    starts, lengths = _end_runs(last >= 0, last < width - 1)
    tails = np.zeros(count, np.int64)
    tails[starts] = 1
    layout = _Layout(np.zeros(count, np.int64), owner, symbols, first, tails)

    codes = np.full(layout.total, table << 8 | _ZERO_RUN, np.uint16)
    bits, counts = np.zeros(layout.total, np.uint16), np.zeros(layout.total, np.uint8)
    at, values = layout.events[fresh], np.where(negative, -magnitude, magnitude)[fresh]
    sizes = _SIZES[np.abs(values)]
    codes[at] = table << 8 | ((runs[fresh] & 15) << 4).astype(np.uint16) | sizes
    bits[at], counts[at] = _signed_bits(values, sizes), sizes
    at, sizes = layout.tails[starts], _SIZES[lengths] - 1
    codes[at] = table << 8 | sizes.astype(np.uint16) << 4
    bits[at], counts[at] = lengths - (1 << sizes.astype(np.int64)), sizes
    if not refine:
        return Events(codes, bits, counts)
    # a correction bit goes behind the next symbol of its block, or behind the run that ends its block
    run = np.searchsorted(starts, owner, side="right") - 1
    carrier = np.where(
        index < last[owner], layout.events + 1, layout.tails[starts][run] if len(starts) else 0
    )
    corrections = (magnitude[~fresh] & 1).astype(np.uint16)
    return _with_corrections(Events(codes, bits, counts), carrier[~fresh], corrections)


class _Layout:
    """Where the symbols of each block go: an optional head, those of the coefficients, an optional tail."""

    def __init__(
        self,
        heads: NDArray[np.int64],
        owner: NDArray[np.int64],
        symbols: NDArray[np.int64],
        first: NDArray[np.int64],
        tails: NDArray[np.int64],
    ) -> None:
        """`symbols` [m] per coefficient of block `owner` [m], whose first coefficient is `first` [m]."""
        body = np.bincount(owner, weights=symbols, minlength=len(heads)).astype(np.int64)
        self.per_block = heads + body + tails
        starts = np.cumsum(self.per_block) - self.per_block
        self.total = int(self.per_block.sum())
        self.heads = starts
        ends = np.cumsum(symbols)
        before = ends - symbols
        # the last symbol of each coefficient; one without symbols has the place of the symbol before it
        self.events = starts[owner] + heads[owner] + ends - before[first] - 1 if len(owner) else owner
        self.tails = starts + heads + body


def _gaps(
    owner: NDArray[np.int64], index: NDArray[np.int64], start: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Zeros before each coefficient in its block since the last one, and the block's first coefficient."""
    first = _firsts(owner)
    previous = np.empty_like(index)
    previous[1:] = index[:-1]
    begins = first == np.arange(len(owner))
    previous[begins] = start - 1
    return index - previous - 1, first


def _firsts(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each coefficient the number of the first one of the same block."""
    begins = np.ones(len(owner), bool)
    begins[1:] = owner[1:] != owner[:-1]
    return np.maximum.accumulate(np.where(begins, np.arange(len(owner)), 0))


def _runs(
    owner: NDArray[np.int64], index: NDArray[np.int64], fresh: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(zeros since the block's last new one, sixteens of them to send here, first of the block)."""
    order = np.arange(len(owner))
    first = _firsts(owner)
    zeros = index - (order - first)  # zeros in the block before this one
    # the last new one before this one, if it is in the same block
    latest = np.maximum.accumulate(np.where(fresh, order, -1)) if len(owner) else order
    earlier = np.concatenate([[-1], latest[:-1]]) if len(owner) else order
    same = earlier >= first
    runs = zeros - np.where(same, zeros[earlier], 0)
    # sixteens sent since that one, up to the coefficient before this one
    previous = np.maximum(order - 1, 0)
    sent = np.where((order > first) & ~fresh[previous], runs[previous] >> 4, 0)
    return runs, (runs >> 4) - sent, first


def _end_runs(
    filled: NDArray[np.bool_], ends: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(first block, number of blocks) of each run of bands that end early, broken by new coefficients."""
    order = np.arange(len(ends))
    begins = ends.copy()
    begins[1:] &= filled[1:] | ~ends[:-1]
    since = order - np.maximum.accumulate(np.where(begins, order, 0))
    begins |= ends & (since % _LONGEST_RUN == 0)
    starts = np.flatnonzero(begins)
    breaks = np.flatnonzero(begins | ~ends)
    stops = np.append(breaks, len(ends))[np.searchsorted(breaks, starts, side="right")]
    return starts, stops - starts


def _with_corrections(events: Events, carrier: NDArray[np.int64], corrections: NDArray[np.uint16]) -> Events:
    """`events` with each correction bit put in behind the symbol `carrier` [m], in order."""
    places = carrier + 1 + np.arange(len(carrier))
    total = len(events.codes) + len(carrier)
    codes, bits, counts = np.full(total, RAW, np.uint16), np.zeros(total, np.uint16), np.ones(total, np.uint8)
    symbol = np.ones(total, bool)
    symbol[places] = False
    bits[places] = corrections
    codes[symbol], bits[symbol], counts[symbol] = events.codes, events.bits, events.counts
    return Events(codes, bits, counts)


def _signed_bits(values: NDArray[np.signedinteger], sizes: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The bits that follow a size: the value, or for negative ones value - 1 (T.81 F.1.2.1)."""
    wide = values.astype(np.int32)
    return np.where(wide < 0, wide + (1 << sizes.astype(np.int32)) - 1, wide).astype(np.uint16)
