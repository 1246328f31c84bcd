"""The bytes of a photo's file, and what is wrong with it before anybody looks into them."""

from pathlib import Path

from realedit.errors import PhotoError, UsageError


def bytes_of(path: Path, max_pixels: int) -> bytes:
    """The file's content. Raises as `check_there` does, and for an empty file or one that cannot be read."""
    check_there(path, max_pixels)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise PhotoError(f"cannot read {path}: {error.strerror or error}") from error
    return not_empty(path, source)


def check_there(path: Path, max_pixels: int) -> None:
    """Raise UsageError where there is no such file, PhotoError where it is a folder, no plain file, or larger
    than a photo of `max_pixels` pixels can be."""
    try:
        if path.is_dir():
            raise PhotoError(f"cannot read {path}: it is a folder; give one photo")
        if not path.exists():
            raise UsageError(f"there is no photo {path}; check the name")
        if not path.is_file():
            raise PhotoError(f"cannot read {path}: it is not a plain file")
        size = path.stat().st_size
    except OSError as error:
        raise PhotoError(f"cannot read {path}: {error.strerror or error}") from error
    if size > most_bytes(max_pixels):
        raise PhotoError(
            f"cannot read {path}: {size} bytes are more than a photo of {max_pixels} pixels can have"
        )


def most_bytes(max_pixels: int) -> int:
    """More than a file of so many pixels has."""
    return 8 * max_pixels + (64 << 20)


def not_empty(path: Path, source: bytes) -> bytes:
    """The bytes. Raises PhotoError where there are none."""
    if not source:
        raise PhotoError(f"cannot read {path}: the file is empty")
    return source
