"""The application segments of a JPEG: reading metadata from them, and writing them back around new pictures.

Source: JFIF 1.02 (T.871), Exif 2.32 section 4.7.2, ISO 16684-3 section 1.1.3 (XMP in JPEG), ICC.1 annex B.4,
CIPA DC-007 (multi-picture format), C2PA 2.1 section A.3 (JPEG).
"""

import re
import struct
from collections.abc import Iterator

from realedit.photos.jpeg.segments import (
    APP0,
    APP1,
    APP2,
    APP11,
    APP12,
    APP13,
    APP14,
    APPLICATION,
    COM,
    JpegFile,
    Segment,
)
from realedit.photos.metadata.metadata import Metadata
from realedit.photos.metadata.stale_xmp import has_second_picture, names_second_picture
from realedit.photos.metadata.xmp_extended import EXTENDED_HEAD, joined, split

_EXIF = b"Exif\x00\x00"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
_ICC = b"ICC_PROFILE\x00"
_RESOURCES = b"Photoshop 3.0\x00"
_JFIF, _JFXX = b"JFIF\x00", b"JFXX\x00"
_MULTI_PICTURE = b"MPF\x00"
_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\x00"
_RATIO_IMAGE = b"HDR_RI"
_COMMENTS = b"comments"
_NO_DENSITY = struct.pack(">BHH", 0, 1, 1)
_PAYLOAD = 65533


def metadata_of(jpeg: JpegFile) -> Metadata:
    """The blocks of the application segments, put together where they span several."""
    comments = [("Comment", _comment(s.payload)) for s in jpeg.segments if s.marker == COM]
    return Metadata(
        exif=b"".join(_payloads(jpeg, APP1, _EXIF)) or None,
        xmp=_whole_xmp(jpeg)[0],
        icc=_profile(jpeg),
        iptc=b"".join(_payloads(jpeg, APP13, _RESOURCES)) or None,
        dpi=_density(jpeg),
        text=tuple(comments),
        others=tuple(dict.fromkeys(_name(s) for s in jpeg.segments if _is_foreign(s))),
    )


def _comment(payload: bytes) -> str:
    try:
        return payload.decode().rstrip("\x00")
    except UnicodeDecodeError:
        return payload.decode("latin-1").rstrip("\x00")


def _whole_xmp(jpeg: JpegFile) -> tuple[bytes | None, bool]:
    """The XMP packet with its extended part, and whether that was whole."""
    main = next(iter(_payloads(jpeg, APP1, _XMP)), None)
    return joined(main, _payloads(jpeg, APP1, _EXTENDED_XMP))


def _is_foreign(segment: Segment) -> bool:
    """Whether a segment is neither the picture nor one of the blocks and parts that are known by name."""
    if segment.marker not in APPLICATION or segment.marker == COM or _kind(segment) is not None:
        return False
    known = ((APP0, _JFIF), (APP1, _EXTENDED_XMP), (APP2, _ICC), (APP12, b"Ducky"), (APP14, b"Adobe"))
    if any(segment.marker == marker and segment.payload.startswith(prefix) for marker, prefix in known):
        return False
    return not _is_stale(segment)


def _name(segment: Segment) -> str:
    """What to call a segment that only its program knows."""
    word = re.match(rb"[A-Za-z][\w .:/-]{2,30}", segment.payload)
    return f"the JPEG segment APP{segment.marker - APP0}" + (f" ({word.group().decode()})" if word else "")


def stale_parts(jpeg: JpegFile) -> tuple[str, ...]:
    """What the file holds beside the picture that is untrue of an edited one."""
    found = []
    if any(s.marker == APP11 and b"c2pa" in s.payload[:128] for s in jpeg.segments):
        found.append("a C2PA manifest (content credentials)")
    if any(_is_gain_map(segment) for segment in jpeg.segments):
        found.append("an HDR gain map")
    if _payloads(jpeg, APP2, _MULTI_PICTURE):
        found.append("further pictures in the same file (previews, gain or depth maps)")
    elif bytes(jpeg.trailer).strip(b"\x00"):
        found.append("data behind the picture (a motion photo's video, for example)")
    extensions = _payloads(jpeg, APP1, _EXTENDED_XMP)
    xmp, whole = _whole_xmp(jpeg)
    if extensions and (has_second_picture(xmp) or any(map(names_second_picture, extensions))):
        found.append("a depth map or a second picture in the XMP")
    elif not whole:
        found.append("an extended part of the XMP that is not whole")
    if len(_payloads(jpeg, APP1, _XMP)) > 1:
        found.append("a second XMP packet")
    return tuple(found)


def header(jpeg: JpegFile, metadata: Metadata) -> Iterator[Segment]:
    """The application segments of `jpeg` in their order, those of `metadata` taking the place of its own.

    What an edit makes untrue is left out, and where `metadata` is all that may be written, all but the
    colours.
    """
    own = {_EXIF: _exif(metadata), _XMP: _xmp(metadata), _RESOURCES: _resources(metadata)}
    segments = [s for s in jpeg.segments if s.marker in APPLICATION]
    if metadata.exclusive:
        segments = [s for s in segments if s.marker not in (COM, APP12) and not _is_foreign(s)]
        own[_COMMENTS] = _comments(metadata)
    present = {_kind(segment) for segment in segments}
    if not _payloads(jpeg, APP2, _ICC):
        own[_ICC] = _icc(metadata)
    new = [segment for kind, made in own.items() if kind not in present for segment in made]
    for segment in segments:
        if segment.marker != APP0:  # JFIF wants to be first
            yield from new
            new = []
        kind = _kind(segment)
        if kind is not None:
            yield from own.pop(kind, [])
        elif segment.marker == APP0 and segment.payload.startswith(_JFIF) and len(segment.payload) > 14:
            density = segment.payload[7:12] if metadata.dpi or not metadata.exclusive else _NO_DENSITY
            yield Segment(APP0, segment.payload[:7] + density + b"\x00\x00")  # without its thumbnail
        elif not (_is_stale(segment) or _is_extended_xmp(segment)):
            yield segment
    yield from new


def fresh_header(metadata: Metadata) -> Iterator[Segment]:
    """The application segments of a file that was not JPEG before."""
    across, down = metadata.dpi or (0, 0)
    density = (
        struct.pack(">BHH", 1, round(across), round(down))
        if 1 <= across < 65535 and 1 <= down < 65535
        else None
    )
    yield Segment(APP0, _JFIF + b"\x01\x02" + (density or _NO_DENSITY) + b"\x00\x00")
    given_up = too_large(metadata)
    if "EXIF" not in given_up:
        yield from _exif(metadata)
    yield from _xmp(metadata)
    yield from _resources(metadata)
    if "ICC profile" not in given_up:
        yield from _icc(metadata)
    yield from _comments(metadata)


def too_large(metadata: Metadata) -> tuple[str, ...]:
    """The blocks that no JPEG segment can hold."""
    found = []
    if metadata.exif and len(metadata.exif) + len(_EXIF) > _PAYLOAD:
        found.append("EXIF")
    if metadata.icc and len(metadata.icc) > 255 * (_PAYLOAD - len(_ICC) - 2):
        found.append("ICC profile")
    if len(_comments(metadata)) < len(metadata.text):
        found.append("text")
    return tuple(found)


def _comments(metadata: Metadata) -> list[Segment]:
    """A segment for each text that fits into one, behind its keyword if that is another than Comment."""
    texts = [words if key == "Comment" else f"{key}: {words}" for key, words in metadata.text]
    return [Segment(COM, text.encode()) for text in texts if len(text.encode()) <= _PAYLOAD]


def _exif(metadata: Metadata) -> list[Segment]:
    if not metadata.exif:
        return []
    return [Segment(APP1, _EXIF + piece) for piece in _pieces(metadata.exif, _PAYLOAD - len(_EXIF))]


def _xmp(metadata: Metadata) -> list[Segment]:
    """One segment, and more for a packet that is too long for one."""
    if not metadata.xmp:
        return []
    main, extended = split(metadata.xmp, _PAYLOAD - len(_XMP), _PAYLOAD - len(_EXTENDED_XMP) - EXTENDED_HEAD)
    return [Segment(APP1, _XMP + main), *(Segment(APP1, _EXTENDED_XMP + piece) for piece in extended)]


def _resources(metadata: Metadata) -> list[Segment]:
    if not metadata.iptc:
        return []
    return [Segment(APP13, _RESOURCES + p) for p in _pieces(metadata.iptc, _PAYLOAD - len(_RESOURCES))]


def _icc(metadata: Metadata) -> list[Segment]:
    pieces = _pieces(metadata.icc or b"", _PAYLOAD - len(_ICC) - 2)
    return [Segment(APP2, _ICC + bytes((n, len(pieces))) + piece) for n, piece in enumerate(pieces, 1)]


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _kind(segment: Segment) -> bytes | None:
    for marker, prefix in ((APP1, _EXIF), (APP1, _XMP), (APP13, _RESOURCES)):
        if segment.marker == marker and segment.payload.startswith(prefix):
            return prefix
    return None


def _is_stale(segment: Segment) -> bool:
    if segment.marker == APP0:
        return segment.payload.startswith(_JFXX)
    if segment.marker == APP2:
        return segment.payload.startswith(_MULTI_PICTURE) or _is_gain_map(segment)
    if segment.marker == APP11:
        return b"jumb" in segment.payload[:32] or _is_gain_map(segment)
    return False


def _is_gain_map(segment: Segment) -> bool:
    if segment.marker == APP2:
        return segment.payload.startswith(_GAIN_MAP)
    return segment.marker == APP11 and segment.payload.startswith(_RATIO_IMAGE)


def _is_extended_xmp(segment: Segment) -> bool:
    return segment.marker == APP1 and segment.payload.startswith(_EXTENDED_XMP)


def _payloads(jpeg: JpegFile, marker: int, prefix: bytes) -> list[bytes]:
    """What follows `prefix` in each segment of that kind."""
    found = (s.payload for s in jpeg.segments if s.marker == marker)
    return [payload[len(prefix) :] for payload in found if payload.startswith(prefix)]


def _profile(jpeg: JpegFile) -> bytes | None:
    """The ICC profile, its pieces in the order of their numbers."""
    pieces = sorted((p[0], p[2:]) for p in _payloads(jpeg, APP2, _ICC) if len(p) > 2)
    return b"".join(piece for _, piece in pieces) or None


def _density(jpeg: JpegFile) -> tuple[float, float] | None:
    for payload in _payloads(jpeg, APP0, _JFIF):
        if len(payload) >= 7:
            unit, across, down = struct.unpack_from(">BHH", payload, 2)
            if unit in (1, 2) and across and down:
                scale = 1.0 if unit == 1 else 2.54
                return across * scale, down * scale
    return None
