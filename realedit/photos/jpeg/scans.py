"""The scans of a JPEG written again from its coefficients, in the order and parts of the file.

Source: ITU-T T.81, A.2 (order of blocks), B.2.3 (scan header), B.2.4.2 (Huffman tables).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realedit.photos.jpeg.bits import BitWriter, Events, Table, best_table, histogram
from realedit.photos.jpeg.coefficients import ZIGZAG, Planes
from realedit.photos.jpeg.huffman import ac_band, dc_first, dc_refinement, sequential
from realedit.photos.jpeg.segments import DHT, Frame, Segment, SegmentError

_BATCH = 1 << 13  # blocks coded at a time
_AC = 4  # events number the AC tables from here on


@dataclass(frozen=True)
class Scan:
    """A scan header: which components, which coefficients, which bits of them."""

    components: tuple[tuple[int, int, int], ...]  # (index in the frame, DC table, AC table)
    first: int
    last: int
    high: int
    low: int


def read_scan(frame: Frame, payload: bytes) -> Scan:
    """The scan header in the payload of an SOS segment."""
    count = payload[0] if payload else 0
    if not 1 <= count <= 4 or len(payload) < 4 + 2 * count:
        raise SegmentError("a short scan header")
    known = {component.identifier: index for index, component in enumerate(frame.components)}
    components = []
    for at in range(1, 1 + 2 * count, 2):
        if payload[at] not in known:
            raise SegmentError("a scan of an unknown component")
        components.append((known[payload[at]], payload[at + 1] >> 4 & 3, payload[at + 1] & 3))
    first, last, bits = payload[1 + 2 * count : 4 + 2 * count]
    if not 0 <= first <= last <= 63:
        raise SegmentError("an impossible scan")
    return Scan(tuple(components), first, last, bits >> 4, bits & 15)


def encode_scan(frame: Frame, planes: Planes, scan: Scan) -> tuple[Segment | None, Iterator[bytes]]:
    """(the DHT segment the scan needs, the pieces of its coded data)."""
    pieces = list(_events(frame, planes, scan))
    counts = sum((histogram(piece) for piece in pieces), start=np.zeros((8, 256), np.int64))
    tables = {number: best_table(counts[number]) for number in range(8) if counts[number].any()}

    def packed() -> Iterator[bytes]:
        writer = BitWriter(tables)
        while pieces:
            yield writer.pack(pieces.pop(0))
        yield writer.finish()

    return _tables_segment(tables), packed()


def _tables_segment(tables: dict[int, Table]) -> Segment | None:
    payload = b""
    for number, table in sorted(tables.items()):
        slot = number if number < _AC else 0x10 | (number - _AC)
        payload += bytes((slot, *table.lengths, *table.symbols))
    return Segment(DHT, payload) if payload else None


def _events(frame: Frame, planes: Planes, scan: Scan) -> Iterator[Events]:
    if frame.progressive and scan.first > 0:
        index, _, table = scan.components[0]
        yield from _band_events(planes[index], scan, _AC + table)
        return
    latest: dict[int, int] = {}
    for blocks, owner in _ordered_blocks(frame, planes, scan):
        dc_table, ac_table = (
            np.array([component[which] for component in scan.components], np.uint8)[owner] for which in (1, 2)
        )
        shifted = blocks[:, 0].astype(np.int32) >> scan.low
        if frame.progressive and scan.high > 0:
            yield dc_refinement((shifted & 1).astype(np.uint16))
            continue
        differences = _differences(shifted, owner, latest)
        if frame.progressive:
            yield dc_first(differences, dc_table)
        else:
            yield sequential(blocks, dc_table, ac_table + np.uint8(_AC), differences)


def _band_events(plane: NDArray[np.int16], scan: Scan, table: int) -> Iterator[Events]:
    rows = max(1, _BATCH // plane.shape[1])
    places = ZIGZAG[scan.first : scan.last + 1]
    for top in range(0, len(plane), rows):
        band = plane[top : top + rows][..., places].reshape(-1, len(places))
        yield ac_band(band, scan.low, scan.high > 0, table)


def _differences(dc: NDArray[np.int32], owner: NDArray[np.intp], latest: dict[int, int]) -> NDArray[np.int32]:
    """Each DC value less the one before it of the same component; `latest` goes from strip to strip."""
    differences = np.empty_like(dc)
    for component in range(owner.max() + 1):
        mine = np.flatnonzero(owner == component)
        values = dc[mine]
        differences[mine] = np.diff(values, prepend=np.int32(latest.get(component, 0)))
        latest[component] = int(values[-1])
    return differences


def _ordered_blocks(
    frame: Frame, planes: Planes, scan: Scan
) -> Iterator[tuple[NDArray[np.int16], NDArray[np.intp]]]:
    """Strips of (blocks [n, 64] in zigzag order, number of each one's component in the scan), as sent."""
    if len(scan.components) == 1:
        plane = planes[scan.components[0][0]]
        rows = max(1, _BATCH // plane.shape[1])
        for top in range(0, len(plane), rows):
            blocks = plane[top : top + rows].reshape(-1, 64).take(ZIGZAG, axis=1)
            yield blocks, np.zeros(len(blocks), np.intp)
        return
    across = -(-frame.width // (8 * frame.sampling[0]))
    down = -(-frame.height // (8 * frame.sampling[1]))
    members = [frame.components[index] for index, _, _ in scan.components]
    per_unit = [member.horizontal * member.vertical for member in members]
    owner = np.repeat(np.arange(len(members)), per_unit)
    rows = max(1, _BATCH // (across * sum(per_unit)))
    for top in range(0, down, rows):
        count = min(rows, down - top)
        parts = []
        for (index, _, _), member in zip(scan.components, members, strict=True):
            wide, high = member.horizontal, member.vertical
            part = _padded(planes[index][top * high : (top + count) * high], count * high, across * wide)
            part = part.reshape(count, high, across, wide, 64).swapaxes(1, 2)
            parts.append(part.reshape(count * across, high * wide, 64))
        blocks = np.concatenate(parts, axis=1).reshape(-1, 64).take(ZIGZAG, axis=1)
        yield blocks, np.tile(owner, count * across)


def _padded(blocks: NDArray[np.int16], rows: int, columns: int) -> NDArray[np.int16]:
    """Blocks [h, w, 64] filled up to whole MCUs by unseen ones: flat, as bright as their neighbour."""
    missing = rows - blocks.shape[0], columns - blocks.shape[1]
    if missing == (0, 0):
        return blocks
    padded = np.pad(blocks, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    padded[blocks.shape[0] :, :, 1:] = 0
    padded[:, blocks.shape[1] :, 1:] = 0
    return padded
