"""Which files of a folder are photos to take, and how their outputs are called."""

import hashlib
import os
import re
import unicodedata
from pathlib import Path, PurePath

from realedit.api.light import EXTENSIONS, Format, can_write_heic

_RAW = re.compile(
    "[.](3fr|arw|cr[23w]|dcr|dng|erf|iiq|kdc|mef|mos|mrw|nef|nrw|orf|pef|raf|raw|rw[2l]|sr[2fw]|x3f)"
)
_TEMPORARY = (".part", ".partial", ".crdownload", ".filepart", ".download", ".opdownload", ".tmp", "~")
_WINDOWS_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"}
)
_LONGEST = 255  # bytes of a name that file systems take
_LONGEST_SUFFIX = 16  # bytes of an extension that is kept when a name is cut
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


def mirrored(relative: Path, *, windows: bool = os.name == "nt") -> Path:
    """The output of a photo below the output folder: the same name, `.jpg` for what cannot be written; see
    `writable`."""
    kind = EXTENSIONS.get(relative.suffix.lower())
    if kind is None or (kind is Format.HEIC and not can_write_heic()):
        relative = relative.with_suffix(".jpg")
    return Path(*(writable(part, windows=windows) for part in relative.parts))


def writable(name: str, *, windows: bool = os.name == "nt") -> str:
    """The name of a file or folder, changed as far as it must be to be written: cut where it is too long
    (`fitted`), and for Windows without what its file systems refuse: `a:b.jpg` as `a_b.jpg`, `CON.jpg` as
    `CON_.jpg`, `album. ` as `album__`."""
    if windows:
        name = re.sub(r'[\x00-\x1f<>:"/\\|?*]|[. ](?=[. ]*$)', "_", name)
        stem, dot, rest = name.partition(".")
        if stem.rstrip(" ").upper() in _WINDOWS_DEVICES:
            name = f"{stem}_{dot}{rest}"
    return fitted(name)


def fitted(name: str, spare: int = 0) -> str:
    """A name that leaves `spare` of the 255 bytes that file systems take. One that is longer is cut before
    its extension and marked with `~` and ten hexadecimal digits of its hash, so that names stay different."""
    whole = os.fsencode(name)
    if len(whole) + spare <= _LONGEST:
        return name
    path = PurePath(name)
    stem, suffix = path.stem, path.suffix
    if len(os.fsencode(suffix)) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    end = f"~{hashlib.sha256(whole).hexdigest()[:10]}{suffix}"
    while len(os.fsencode(stem + end)) + spare > _LONGEST:
        stem = stem[:-1]
    return stem + end


def numbered(path: Path, number: int) -> Path:
    """`path` for 1, else with `-number` before its extension."""
    if number == 1:
        return path
    place = path.with_name(fitted(path.name, len(f"-{number}")))
    return place.with_name(f"{place.stem}-{number}{place.suffix}")


def folded(path: Path) -> str:
    """What two names share that some file system takes for the same: case and the way accents are coded."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text).casefold()
