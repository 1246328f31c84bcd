"""JPEG blocks as the events of a scan, many blocks at once: sequential and progressive.

Source: ITU-T T.81, annex F.1.2 (sequential) and G.1.2 (progressive).
"""

import numpy as np
from numpy.typing import NDArray

from realedit.photos.jpeg.bits import RAW, Events

_ZERO_RUN = 0xF0  # sixteen zeros
_LONGEST_RUN = 0x7FFF  # blocks that one end-of-band symbol can stand for
# of a value of 16 bits, negative ones from behind: how many bits its magnitude has, and the bits that follow
# such a size: the value, or for negative ones value - 1 (T.81 F.1.2.1)
_SIZES, _BITS = np.zeros(1 << 16, np.uint8), np.arange(1 << 16, dtype=np.uint16)
for _size in range(1, 16):
    _low, _high = 1 << (_size - 1), 1 << _size
    _SIZES[_low:_high] = _SIZES[-_high + 1 : -_low + 1 or None] = _size
    _BITS[-_high + 1 : -_low + 1 or None] = np.arange(_low)


def sequential(
    blocks: NDArray[np.int16], dc_table: NDArray[np.uint8], ac_table: NDArray[np.uint8], dc: NDArray[np.int32]
) -> Events:
    """Events of whole blocks [n, 64] in zigzag order.

    `dc_table` and `ac_table` [n] name each block's tables, `dc` [n] are the differences of the DC
    coefficients.
    """
    nonzero = blocks != 0
    nonzero[:, 0] = False
    places = np.flatnonzero(nonzero)
    owner, index, values = places >> 6, places & 63, blocks.reshape(-1)[places]
    # behind the last coefficient of the block, or behind its DC
    zeros = np.minimum(np.diff(places, prepend=0), index) - 1
    ends = ~nonzero[:, 63]
    layout = _Layout(np.ones(len(blocks), np.int64), owner, (zeros >> 4) + 1, ends)
    codes = np.empty(layout.total, np.uint16)
    bits, counts = np.zeros(layout.total, np.uint16), np.zeros(layout.total, np.uint8)

    sizes = _SIZES[dc]
    codes[layout.heads] = (dc_table.astype(np.uint16) << 8) | sizes
    bits[layout.heads], counts[layout.heads] = _BITS[dc], sizes

    tables, sizes = ac_table.astype(np.uint16) << 8, _SIZES[values]
    codes[layout.events] = tables[owner] | ((zeros & 15) << 4).astype(np.uint16) | sizes
    bits[layout.events], counts[layout.events] = _BITS[values], sizes
    for runs in range(1, 4):
        long = np.flatnonzero(zeros >= 16 * runs)
        codes[layout.events[long] - runs] = tables[owner[long]] | _ZERO_RUN
    codes[layout.tails[ends]] = tables[ends]
    return Events(codes, bits, counts)


def dc_first(dc: NDArray[np.int32], dc_table: NDArray[np.uint8]) -> Events:
    """Events of a progressive DC scan: `dc` [n] are the differences, already shifted."""
    sizes = _SIZES[dc]
    codes = (dc_table.astype(np.uint16) << 8) | sizes
    return Events(codes.astype(np.uint16), _BITS[dc], sizes)


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

    runs, skipped = _runs(owner, index, fresh)
    # behind the last new coefficient of a block nothing is sent but bits
    symbols = np.where(index <= last[owner], skipped + fresh, 0)
    starts, lengths = _end_runs(last >= 0, last < width - 1)
    tails = np.zeros(count, np.int64)
    tails[starts] = 1
    layout = _Layout(np.zeros(count, np.int64), owner, symbols, tails)

    codes = np.full(layout.total, table << 8 | _ZERO_RUN, np.uint16)
    bits, counts = np.zeros(layout.total, np.uint16), np.zeros(layout.total, np.uint8)
    at, values = layout.events[fresh], np.where(negative, -magnitude, magnitude)[fresh]
    sizes = _SIZES[values]
    codes[at] = table << 8 | ((runs[fresh] & 15) << 4).astype(np.uint16) | sizes
    bits[at], counts[at] = _BITS[values], sizes
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
        tails: NDArray[np.int64] | NDArray[np.bool_],
    ) -> None:
        """heads, tails [n]: 1 for blocks that have one; symbols [m]: of each coefficient, of block owner
        [m]."""
        ends = np.cumsum(symbols)
        members = np.cumsum(np.bincount(owner, minlength=len(heads)))
        body_ends = np.append(0, ends)[members]
        around = np.cumsum(heads + tails)
        before_tails = around - tails
        self.total = int(body_ends[-1] + around[-1])
        self.heads = np.append(0, (body_ends + around)[:-1])
        # the last symbol of each coefficient; one without symbols has the place of the symbol before it
        self.events = ends - 1 + before_tails[owner]
        self.tails = body_ends + before_tails


def _firsts(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each coefficient the number of the first one of the same block."""
    begins = np.ones(len(owner), bool)
    begins[1:] = owner[1:] != owner[:-1]
    return np.maximum.accumulate(np.where(begins, np.arange(len(owner)), 0))


def _runs(
    owner: NDArray[np.int64], index: NDArray[np.int64], fresh: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(zeros since the block's last new one, sixteens of them to send here)."""
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
    return runs, (runs >> 4) - sent


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
