"""One comparison file of two pictures: which styles there are, and which file holds which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from realedit.compare.animation import SUFFIXES, blink, check_encoder, software, wipe, write_animation
from realedit.compare.labels import labelled
from realedit.compare.pair import Pair, Picture, Zoom, read_pair
from realedit.compare.slider import write_slider
from realedit.compare.still import Divider, difference, side_by_side, split, stacked
from realedit.errors import UsageError
from realedit.photos import EXTENSIONS, check_place
from realedit.photos.limits import check_limit
from realedit.plumbing.choices import STYLES as STYLES
from realedit.plumbing.choices import Style as Style
from realedit.plumbing.files import working, write_png
from realedit.plumbing.places import MARK, check_ours

STILL_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_MOVING = ("wipe", "blink")
_OVERLAID = ("split", "wipe", "blink", "difference", "slider")
_JPEG_QUALITY, _WEBP_QUALITY = 92, 90


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """style: None takes what the file's name suggests (side, wipe or slider). divider: of split and wipe.
    labels: whether `names` are written on the pictures (a slider always shows them). max_side: of each
    picture, pixels; None takes what suits the kind of file."""

    style: Style | None = None
    divider: Divider = "vertical"
    labels: bool = False
    names: tuple[str, str] = ("before", "after")
    max_side: int | None = None


def style_for(path: Path, style: Style | None) -> Style:
    """The style of a file of that name. Raises UsageError where they do not go together."""
    suffix = path.suffix.lower()
    if suffix == ".html":
        if style not in (None, "slider"):
            raise UsageError(f"a page ({path}) is a slider, not {style}; end it in .png or .webp for that")
        return "slider"
    if suffix not in (*STILL_SUFFIXES, *SUFFIXES):
        known = ", ".join(dict.fromkeys((*STILL_SUFFIXES, *SUFFIXES, ".html")))
        raise UsageError(f"a comparison is written as {known}; end {path} in one of them")
    if style == "slider":
        raise UsageError(f"a slider is a page; end {path} in .html")
    style = style or ("side" if suffix in STILL_SUFFIXES else "wipe")
    if style in _MOVING:
        check_encoder(path)
    elif suffix not in STILL_SUFFIXES:
        raise UsageError(f"{style} is a still picture; end {path} in {', '.join(STILL_SUFFIXES)}")
    return style


def check_comparison(path: Path, settings: ComparisonSettings, *photos: Path) -> None:
    """The mistakes that can be told before anything is read. Raises UsageError, OutputError."""
    style_for(path, settings.style)
    for photo in photos:
        check_place(path, photo)
    check_ours(path)


def max_side(path: Path, settings: ComparisonSettings) -> int:
    """How large one picture may be, pixels of its longer side."""
    usual = {".gif": 640, ".mp4": 1080, ".html": 2048}.get(path.suffix.lower(), 2160)
    if style_for(path, settings.style) in _MOVING:
        usual = min(usual, 1080)
    return settings.max_side or usual


def compare(
    before: Path, after: Path, output: Path, settings: ComparisonSettings, *, zoom: Zoom | None = None
) -> int | None:
    """Write the comparison of two photo files; see `write_comparison`. One photo is in memory at a time."""
    check_comparison(output, settings, before, after)
    pair = read_pair(before, after, max_side=max_side(output, settings), zoom=zoom)
    return write_comparison(output, pair, settings)


def write_comparison(path: Path, pair: Pair, settings: ComparisonSettings) -> int | None:
    """Write the comparison of two pictures; of a difference, how much it is amplified.

    Raises UsageError where pictures of other proportions would lie over each other, or the style does not go
    with the file's name; OutputError, ResourceError.
    """
    style = style_for(path, settings.style)
    if style in _OVERLAID:
        pair = pair.same_size()
    if style == "slider":
        write_slider(path, pair, names=settings.names)
        return None
    if settings.labels and style != "difference":
        beside = style in ("side", "stack")
        pair = Pair(
            labelled(pair.before, settings.names[0], "top left"),
            labelled(pair.after, settings.names[1], "top left" if beside else "top right"),
        )
    if style in _MOVING:
        write_animation(path, wipe(pair, settings.divider) if style == "wipe" else blink(pair))
        return None
    picture, amplified = _still(pair, style, settings.divider)
    write_still(path, picture)
    return amplified


def _still(pair: Pair, style: Style, divider: Divider) -> tuple[Picture, int | None]:
    if style == "difference":
        picture, factor = difference(pair.before, pair.after)
        return labelled(picture, f"difference x {factor}", "bottom left"), factor
    if style == "split":
        return split(pair.before, pair.after, divider=divider), None
    return (side_by_side if style == "side" else stacked)(pair.before, pair.after), None


def write_still(path: Path, picture: Picture) -> None:
    """A picture `[H, W, 3]` RGB as PNG, JPEG or WebP by its name. Raises OutputError, ResourceError."""
    suffix = path.suffix.lower()
    height, width = picture.shape[:2]
    check_limit(EXTENSIONS[suffix], path, width, height, way="give a smaller --size")
    if suffix == ".png":
        write_png(path, picture)
        return
    image = Image.fromarray(picture)
    with working(path) as out:
        if suffix == ".webp":
            image.save(out, "WEBP", quality=_WEBP_QUALITY, exif=software())
        else:
            image.save(out, "JPEG", quality=_JPEG_QUALITY, comment=MARK.encode())
