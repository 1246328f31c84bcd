"""Whether a JPEG that ends without its end marker holds its whole picture.

Every viewer shows such a file; only one that lacks coded data as well is cut short. Decoders fill up what is
missing without an error, so the picture is decoded with different data behind its end: where nothing is
missing, nothing of that is looked at. Source: ITU-T T.81, A.2, B.2.3, G.1.1.
"""

import hashlib
import io
import re

from PIL import JpegImagePlugin

from realedit.photos.jpeg.coefficients import size_in_blocks
from realedit.photos.jpeg.scans import Scan, read_scan
from realedit.photos.jpeg.segments import DRI, SOS, Frame, JpegFile, SegmentError
from realedit.photos.shared.decoded import pillow_pixels

_ENDINGS = (b"", b"\x00" * 64, b"\xff\x00" * 64, b"\x6d\xb6" * 32)  # stuffed as coded data are
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def is_whole(jpeg: JpegFile) -> bool:
    """Whether every coefficient that the frame asks for is in the file's scans."""
    try:
        scans = [read_scan(jpeg.frame, s.payload) for s in jpeg.segments if s.marker == SOS]
    except SegmentError:
        return False
    if not _complete(jpeg.frame, scans) or not _all_intervals(jpeg, scans[-1]):
        return False
    return len({_digest(with_end(jpeg, ending)) for ending in _ENDINGS}) == 1


def with_end(jpeg: JpegFile, ending: bytes = b"") -> bytes:
    """The file's bytes with an end marker; `ending` comes before it."""
    out = io.BytesIO()
    out.write(b"\xff\xd8")
    for segment in jpeg.segments:
        out.write(segment.encoded())
        if segment.entropy is not None:
            out.write(segment.entropy)
    out.write(ending + b"\xff\xd9")
    return out.getvalue()


def _complete(frame: Frame, scans: list[Scan]) -> bool:
    """Whether the scans send each coefficient of each component down to its last bit."""
    if not frame.progressive:
        return {index for scan in scans for index, _, _ in scan.components} == {*range(len(frame.components))}
    sent = {
        (index, place)
        for scan in scans
        if scan.low == 0
        for index, _, _ in scan.components
        for place in range(scan.first, scan.last + 1)
    }
    return len(sent) == 64 * len(frame.components)


def _all_intervals(jpeg: JpegFile, scan: Scan) -> bool:
    """Whether the last scan has all of its restart intervals; a decoder makes up whole ones unseen."""
    interval = next((s.payload for s in reversed(jpeg.segments) if s.marker == DRI), b"")
    every = int.from_bytes(interval[:2], "big")
    if not every:
        return True
    frame, entropy = jpeg.frame, jpeg.segments[-1].entropy
    if entropy is None:  # a marker behind the scan says that it ended
        return True
    if len(scan.components) == 1:
        rows, columns = size_in_blocks(frame, frame.components[scan.components[0][0]])
    else:
        rows, columns = (
            -(-pixels // (8 * factor))
            for pixels, factor in zip((frame.height, frame.width), frame.sampling[::-1], strict=True)
        )
    return len(_RESTART.findall(entropy)) >= -(-rows * columns // every) - 1


def _digest(data: bytes) -> bytes:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        return hashlib.sha256(pillow_pixels(image, image.mode).data).digest()
