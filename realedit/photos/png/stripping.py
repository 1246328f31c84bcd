"""A PNG's picture copied between other metadata."""

import io
from dataclasses import replace

from realedit.photos.metadata.metadata import Metadata
from realedit.photos.png.chunks import SIGNATURE, read_chunks, with_end, write_chunk, write_chunks
from realedit.photos.png.metadata import PICTURE_CHUNKS, own_chunks


def with_metadata(source: bytes, metadata: Metadata) -> bytes:
    """The file with `metadata` and its own profile, and nothing else beside its picture."""
    out = io.BytesIO()
    out.write(SIGNATURE)
    own = own_chunks(replace(metadata, icc=None), text=True)  # the profile is copied
    chunks, damaged = read_chunks(source)
    if b"IEND" in damaged:
        chunks = read_chunks(with_end(chunks))[0]
    for number, chunk in enumerate(chunks):
        if chunk.kind in PICTURE_CHUNKS:
            write_chunk(out, chunk.kind, chunk.data)
        if number == 0:
            write_chunks(out, own)
    return out.getvalue()
