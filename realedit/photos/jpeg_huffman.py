"""Huffman coding of JPEG scans, vectorised: sequential and progressive, with tables made for the scan.

A scan becomes a stream of events, each a symbol of a table with some bits behind it; the events of many
blocks are made at once, counted, given codes and packed into bits. Source: ITU-T T.81, annex F.1.2
(sequential), G.1.2 (progressive), K.2 (tables).
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RAW = 0xFFFF  # an event without a symbol: only its bits
_ZERO_RUN = 0xF0  # sixteen zeros
_LONGEST_RUN = 0x7FFF  # blocks that one end-of-band symbol can stand for
_SIZES = np.zeros(1 << 16, np.uint8)  # bits of a magnitude
for _size in range(1, 17):
    _SIZES[1 << (_size - 1) : 1 << _size] = _size


@dataclass(frozen=True)
class Events:
    """A piece of a scan. `codes` is table << 8 | symbol or RAW; `bits` are `counts` bits that follow the
    symbol.
    """

    codes: NDArray[np.uint16]
    bits: NDArray[np.uint16]
    counts: NDArray[np.uint8]


@dataclass(frozen=True)
class Table:
    """A Huffman table: how many codes there are of each length 1 to 16, and their symbols in order."""

    lengths: tuple[int, ...]
    symbols: tuple[int, ...]

    def codes(self) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """(code, length) of each of the 256 symbols; length 0 where a symbol has none (T.81 annex C)."""
        codes, sizes = np.zeros(256, np.uint32), np.zeros(256, np.uint8)
        code, at = 0, 0
        for length, count in enumerate(self.lengths, 1):
            for symbol in self.symbols[at : at + count]:
                codes[symbol], sizes[symbol] = code, length
                code += 1
            at += count
            code <<= 1
        return codes, sizes


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
    symbols = np.where(
        index <= last[owner], skipped + fresh, 0
    )  # behind the last new one nothing is sent but bits
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
        """`symbols` [m] per coefficient of block `owner` [m]; `first` [m] is the first coefficient of that
        block.
        """
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
    """Zeros before each coefficient since the last one of its block, and the first coefficient of its
    block.
    """
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
    """(zeros since the last new coefficient of the block, sixteens of them to be sent here, first of the
    block).
    """
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
    """(first block, number of blocks) of each run of blocks whose band ends early, broken by new
    coefficients.
    """
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


def histogram(events: Events) -> NDArray[np.int64]:
    """How often each table's symbols occur [tables, 256]."""
    used = events.codes[events.codes != RAW]
    return np.bincount(used, minlength=8 * 256).reshape(-1, 256)


def best_table(frequencies: NDArray[np.int64]) -> Table:
    """The shortest table for symbols of the given frequencies [256], no code longer than 16 bits or all
    ones.
    """
    symbols = np.flatnonzero(frequencies)
    # one more symbol, the rarest, takes the code of all ones
    heap = [(int(frequencies[s]), int(s), [int(s)]) for s in symbols] + [(0, 256, [256])]
    lengths = dict.fromkeys((entry[1] for entry in heap), 0)
    heapq.heapify(heap)
    while len(heap) > 1:
        one, other = heapq.heappop(heap), heapq.heappop(heap)
        merged = one[2] + other[2]
        for symbol in merged:
            lengths[symbol] += 1
        heapq.heappush(heap, (one[0] + other[0], max(one[1], other[1]), merged))
    counts = _limited(lengths)
    ordered = sorted((int(s) for s in symbols), key=lambda s: (lengths[s], s))
    return Table(tuple(counts), tuple(ordered))


def _limited(lengths: dict[int, int]) -> list[int]:
    """How many codes there are of each length 1 to 16, long ones shortened as in T.81 figure K.3, less one
    reserved.
    """
    longest = max(16, *lengths.values())
    counts = [0] * (longest + 1)
    for length in lengths.values():
        counts[length] += 1
    for length in range(longest, 16, -1):
        while counts[length]:
            shorter = length - 2
            while not counts[shorter]:
                shorter -= 1
            counts[length] -= 2
            counts[length - 1] += 1
            counts[shorter + 1] += 2
            counts[shorter] -= 1
    last = max(length for length in range(1, 17) if counts[length]) if any(counts[1:]) else 1
    counts[last] = max(0, counts[last] - 1)
    return counts[1:17]


class BitWriter:
    """Packs events into the bytes of a scan."""

    def __init__(self, tables: dict[int, Table]) -> None:
        """`tables` by the number that the events use."""
        self._codes = np.zeros((1 << 16), np.uint32)
        self._sizes = np.zeros((1 << 16), np.uint8)
        for number, table in tables.items():
            self._codes[number << 8 : (number + 1) << 8], self._sizes[number << 8 : (number + 1) << 8] = (
                table.codes()
            )
        self._pending, self._pending_size = 0, 0

    def pack(self, events: Events) -> bytes:
        """The whole bytes that `events` complete, with a zero behind every 0xFF."""
        values = (self._codes[events.codes].astype(np.uint64) << events.counts) | events.bits
        sizes = self._sizes[events.codes] + events.counts
        return self._packed(values, sizes.astype(np.int64))

    def finish(self) -> bytes:
        """The last byte, filled up with ones."""
        missing = -self._pending_size % 8
        if missing == 0:
            return b""
        return self._packed(np.array([(1 << missing) - 1], np.uint64), np.array([missing], np.int64))

    def _packed(self, values: NDArray[np.uint64], sizes: NDArray[np.int64]) -> bytes:
        offsets = np.cumsum(sizes) - sizes + self._pending_size
        total = int(sizes.sum()) + self._pending_size
        words = np.zeros(total // 32 + 2, np.float64)
        places = offsets >> 5
        shifted = values << (64 - (offsets & 31) - sizes).astype(np.uint64)
        # no two events share a bit, so sums are unions, and sums of 32-bit words are exact in doubles
        for half, at in ((shifted >> np.uint64(32), places), (shifted & np.uint64(0xFFFFFFFF), places + 1)):
            words += np.bincount(at, weights=half, minlength=len(words))
        packed = words.astype(np.uint32)
        packed[0] |= np.uint32(self._pending << (32 - self._pending_size) if self._pending_size else 0)
        stream = packed.astype(">u4").tobytes()
        whole, self._pending_size = divmod(total, 8)
        self._pending = stream[whole] >> (8 - self._pending_size) if self._pending_size else 0
        return stream[:whole].replace(b"\xff", b"\xff\x00")
