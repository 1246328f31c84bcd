"""Which files of a folder are photos to take, and how their outputs are called."""

import re
import unicodedata
from pathlib import Path, PurePath

from realedit.photos.heif import can_write
from realedit.photos.photo import Format
from realedit.photos.write import EXTENSIONS

_RAW = re.compile(
    "[.](3fr|arw|cr[23w]|dcr|dng|erf|iiq|kdc|mef|mos|mrw|nef|nrw|orf|pef|raf|raw|rw[2l]|sr[2fw]|x3f)"
)
_TEMPORARY = (".part", ".partial", ".crdownload", ".filepart", ".download", ".opdownload", ".tmp", "~")
_FOLDERS = frozenset({"@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information"})


def is_photo(name: str) -> bool:
    """Whether a file of this name is taken: a photo's extension, not hidden, not a temporary name."""
    if name.startswith((".", "~")) or name.lower().endswith(_TEMPORARY):
        return False
    suffix = PurePath(name).suffix.lower()
    return suffix in EXTENSIONS or _RAW.fullmatch(suffix) is not None


def is_entered(name: str) -> bool:
    """Whether a folder of this name is looked into: not hidden (`.stfolder`), not a system's own."""
    return not name.startswith(".") and name.lower() not in _FOLDERS


def mirrored(relative: Path) -> Path:
    """The output of a photo below the output folder: the same name, `.jpg` for what cannot be written."""
    kind = EXTENSIONS.get(relative.suffix.lower())
    if kind is None or (kind is Format.HEIC and not can_write()):
        return relative.with_suffix(".jpg")
    return relative


def numbered(path: Path, number: int) -> Path:
    """`path` for 1, else with `-number` before its extension."""
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def folded(path: Path) -> str:
    """What two names share that some file system takes for the same: case and the way accents are coded."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text).casefold()
