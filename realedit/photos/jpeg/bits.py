"""Huffman coding of a JPEG scan: events counted, given the shortest codes, and packed into bits.

A scan is a stream of events, each a symbol of a table with some bits behind it. Source: ITU-T T.81, annex C,
F.1.2.3, K.2.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RAW = 0xFFFF
"""The code of an event without a symbol: only its bits."""


@dataclass(frozen=True)
class Events:
    """A piece of a scan: `codes` are table << 8 | symbol or RAW, followed by `counts` of `bits`."""

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


def histogram(events: Events) -> NDArray[np.int64]:
    """How often each table's symbols occur [tables, 256]."""
    return np.bincount(events.codes, minlength=1 << 16)[: 8 * 256].reshape(-1, 256)


def best_table(frequencies: NDArray[np.int64]) -> Table:
    """The shortest table for frequencies [256]; no code is longer than 16 bits or all ones."""
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
    """How many codes have each length 1 to 16 (T.81 figure K.3), less the reserved one."""
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
        self._codes = np.zeros((1 << 16), np.uint64)
        self._sizes = np.zeros((1 << 16), np.uint8)
        for number, table in tables.items():
            self._codes[number << 8 : (number + 1) << 8], self._sizes[number << 8 : (number + 1) << 8] = (
                table.codes()
            )
        self._pending, self._pending_size = 0, 0

    def pack(self, events: Events) -> bytes:
        """The whole bytes that `events` complete, with a zero behind every 0xFF."""
        values = (self._codes[events.codes] << events.counts) | events.bits
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
