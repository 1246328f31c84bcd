"""What a file is by its first bytes."""

from typing import Final

from ..errors import DamagedFileError, UnsupportedModelError

_USE: Final = "use a StyleGAN2 checkpoint (NVIDIA .pkl, rosinality .pt or .safetensors)"

_SIGNATURES: Final = (
    (
        b"version https://git-lfs",
        "it is a pointer of Git LFS, not the file itself; fetch it with `git lfs pull`",
    ),
    (b"\x1f\x8b", "it is compressed with gzip; unpack it first"),
    (b"7z\xbc\xaf", "it is a 7-Zip archive; unpack it first"),
    (b"Rar!", "it is a RAR archive; unpack it first"),
    (b"\xfd7zXZ", "it is compressed with xz; unpack it first"),
    (b"\x89PNG", f"it is a picture; {_USE}"),
    (b"\xff\xd8\xff", f"it is a picture; {_USE}"),
    (b"\x89HDF", f"it is an HDF5 file (Keras); {_USE}"),
    (b"\x93NUMPY", f"it is a NumPy array; {_USE}"),
    (b"GGUF", f"it is a language model; {_USE}"),
    (b"%PDF", f"it is a PDF document; {_USE}"),
    (b"\x08\x07\x12\x07pytorch", f"it is an ONNX model; {_USE}"),
)


def is_safetensors(head: bytes) -> bool:
    """Whether a file that starts with these bytes (9 or more) is meant to be a safetensors file."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32


def is_web_page(head: bytes) -> bool:
    """Whether these bytes begin an HTML or XML page, such as a server's error message."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    return start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<error"))


def refuse_by_content(head: bytes) -> None:
    """Raise for what is plainly no checkpoint; head: the first 512 bytes of the file, or all of them."""
    if not head:
        raise DamagedFileError("it is empty; download it again")
    if is_web_page(head):
        raise UnsupportedModelError(
            "it is a web page that was saved under this name; download the file itself"
        )
    for signature, sentence in _SIGNATURES:
        if head.startswith(signature):
            raise UnsupportedModelError(sentence)
    if head[257:262] == b"ustar":
        raise UnsupportedModelError("it is a tar archive (perhaps of a very old torch); unpack it first")
