"""Before and after as moving pictures: frames as they are asked for, and the files that hold them.

GIF and animated WebP are written by Pillow. MP4 is H.264 by PyAV: it is what every browser, phone and player
shows; OpenCV's encoder has only MPEG-4 part 2, which browsers refuse, and VP9, which many players refuse and
which took five times as long for a larger and worse file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from realedit.compare.pair import Pair, Picture
from realedit.compare.still import Divider, split
from realedit.errors import UsageError
from realedit.photos.limits import check_limit
from realedit.plumbing.files import working
from realedit.plumbing.places import MARK

FRAMES_PER_SECOND = 20
WIPE_FRAMES = 24  # one way
REST = 0.7  # seconds that a wipe stays at its ends
BLINK = 0.8  # seconds of each picture
SUFFIXES = (".gif", ".webp", ".mp4")
_KINDS = {".gif": "GIF", ".webp": "WebP", ".mp4": "MP4"}
_GIF_COLOURS = 255
_WEBP_QUALITY = 85
_H264 = {"crf": "18", "preset": "medium"}


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture `[H, W, 3]` uint8 and how long it is shown, in seconds."""

    picture: Picture
    seconds: float


def wipe(pair: Pair, divider: Divider = "vertical") -> Iterator[Frame]:
    """A divider that goes over the picture from `before` to `after` and back, resting at the ends."""
    step = 1 / FRAMES_PER_SECOND
    there = [0.5 - 0.5 * np.cos(np.pi * k / WIPE_FRAMES) for k in range(1, WIPE_FRAMES)]
    yield Frame(pair.before, REST)
    for share in there:
        yield Frame(split(pair.before, pair.after, 1 - share, divider), step)
    yield Frame(pair.after, REST)
    for share in there:
        yield Frame(split(pair.before, pair.after, share, divider), step)


def blink(pair: Pair) -> Iterator[Frame]:
    """One, then the other."""
    yield Frame(pair.before, BLINK)
    yield Frame(pair.after, BLINK)


def check_encoder(path: Path) -> None:
    """Raise UsageError for a name that is no animation, or an MP4 without the library that writes it."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"a moving picture is written as {', '.join(SUFFIXES)}; end {path} in one of them")
    if path.suffix.lower() == ".mp4" and find_spec("av") is None:
        raise UsageError(
            f"MP4 needs PyAV to write {path}; run: pip install 'realedit[video]', or end it in .webp or .gif"
        )


def write_animation(path: Path, frames: Iterable[Frame]) -> None:
    """Write frames, all of one size, at least one, as the name says; GIF and WebP repeat for ever.

    Frames are taken one by one. Raises UsageError (see `check_encoder`), OutputError (also where the file
    cannot hold pictures of that size), ResourceError.
    """
    check_encoder(path)
    frames = iter(frames)
    first = next(frames)
    height, width = first.picture.shape[:2]
    kind = _KINDS[path.suffix.lower()]
    check_limit(kind, path, width, height, way="give a smaller --size", moving=True)
    frames = chain([first], frames)
    write = {".gif": _write_gif, ".webp": _write_webp, ".mp4": _write_mp4}[path.suffix.lower()]
    with working(path) as out:
        write(out, frames)


def software() -> bytes:
    """EXIF that says who made a picture."""
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = MARK
    return exif.tobytes()


def _write_gif(out: Any, frames: Iterable[Frame]) -> None:
    """One palette for all frames, so that what stays still does not flicker."""
    kept = list(frames)
    both = np.vstack([kept[0].picture, kept[len(kept) // 2].picture, kept[-1].picture])
    palette = Image.fromarray(both).quantize(_GIF_COLOURS)
    shown = [
        Image.fromarray(each.picture).quantize(palette=palette, dither=Image.Dither.NONE) for each in kept
    ]
    times = [round(each.seconds * 1000) for each in kept]
    options = {"duration": times, "loop": 0, "optimize": False, "comment": MARK}
    shown[0].save(out, "GIF", save_all=True, append_images=shown[1:], **options)


def _write_webp(out: Any, frames: Iterable[Frame]) -> None:
    kept = list(frames)
    first, *rest = (Image.fromarray(each.picture) for each in kept)
    times = [round(each.seconds * 1000) for each in kept]
    options = {"duration": times, "loop": 0, "quality": _WEBP_QUALITY, "exif": software()}
    first.save(out, "WEBP", save_all=True, append_images=rest, **options)


def _write_mp4(out: Any, frames: Iterable[Frame]) -> None:
    """H.264, 4:2:0, BT.709 as browsers expect it, index in front; frames repeat while they are shown."""
    import av

    frames = iter(frames)
    first = next(frames)
    height, width = (n + n % 2 for n in first.picture.shape[:2])  # 4:2:0 has whole pairs
    with av.open(out.name, "w", format="mp4", options={"movflags": "+faststart"}) as file:
        file.metadata["comment"] = MARK
        stream: Any = file.add_stream("libx264", rate=FRAMES_PER_SECOND, options=_H264)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = 1  # video levels
        for frame in chain([first], frames):
            padded = np.pad(
                frame.picture,
                ((0, height - frame.picture.shape[0]), (0, width - frame.picture.shape[1]), (0, 0)),
                mode="edge",
            )
            shown = av.VideoFrame.from_ndarray(padded, format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709"
            )
            for _ in range(max(1, round(frame.seconds * FRAMES_PER_SECOND))):
                shown.pts = None
                file.mux(stream.encode(shown))
        file.mux(stream.encode())
