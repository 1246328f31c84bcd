"""How large a picture each kind of file can hold, as it is written here.

The figures are those of the encoders and of the decoders that read their files again, tried out: libjpeg
stops before the 65535 pixels that JPEG counts to, libavif writes more than it reads. A test holds each.
"""

from dataclasses import dataclass

from realedit.errors import OutputError


@dataclass(frozen=True)
class Limit:
    """What a kind of file holds. side: pixels of the longer side; pixels: of the whole picture; data: bytes
    before compression. thin: a shorter side below the first number allows a longer one up to the second."""

    side: int
    pixels: int | None = None
    data: int | None = None
    thin: tuple[int, int] | None = None

    def broken_by(self, width: int, height: int, data: int = 0) -> str | None:
        """What a picture is over, in words; None where it fits. data: its bytes before compression."""
        longer, shorter = max(width, height), min(width, height)
        if longer > self.side:
            return f"holds at most {self.side} pixels a side"
        if self.thin is not None and shorter < self.thin[0] and longer > self.thin[1]:
            return f"holds at most {self.thin[1]} pixels a side where the other has fewer than {self.thin[0]}"
        if self.pixels is not None and width * height > self.pixels:
            return f"holds at most {self.pixels} pixels"
        if self.data is not None and data > self.data:
            return f"holds at most {self.data} bytes"
        return None


LIMITS: dict[str, Limit] = {
    "JPEG": Limit(65500),
    "PNG": Limit(2**31 - 1),
    "TIFF": Limit(2**31 - 1, data=2**32 - 2**26),  # offsets of 4 bytes; the rest is room for metadata
    "WebP": Limit(16383),
    "HEIC": Limit(65520, thin=(32, 4208)),
    "AVIF": Limit(32768, pixels=2**28),
    "GIF": Limit(65535),
    "MP4": Limit(16384),
}
"""By the names of `Format`, and those of moving pictures."""
_STILL = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif"}
_MOVING = {"WebP": ".webp", "MP4": ".mp4", "GIF": ".gif"}


def check_limit(
    kind: str, name: object, width: int, height: int, *, data: int = 0, way: str = "", moving: bool = False
) -> None:
    """Raise OutputError where a file `name` of that kind cannot hold a picture of that size.

    data: its bytes before compression, where known. way: what else to do about it, in words. moving: whether
    it is of several pictures.
    """
    broken = LIMITS[kind].broken_by(width, height, data)
    if broken is None:
        return
    others = [
        extension
        for other, extension in (_MOVING if moving else _STILL).items()
        if LIMITS[other].broken_by(width, height, data) is None
    ]
    ways = [way] if way else []
    if others:
        ways.append(f"end its name in {' or '.join(others)}")
    ways = ways or ["make the photo smaller first"]
    raise OutputError(
        f"cannot write {name}: {kind} {broken}, and the picture has {width} x {height}; {', or '.join(ways)}"
    )
