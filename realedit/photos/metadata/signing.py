"""Signing what is written with C2PA content credentials (`pip install 'realedit[c2pa]'`).

The user's own certificate signs; nothing is sent anywhere unless a time stamp authority is named.
Source: C2PA 2.1, sections 18.15 (actions) and 13.2 (certificates).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from realedit.errors import UsageError
from realedit.photos.kinds import Format

if TYPE_CHECKING:
    from realedit.photos.photo import Photo

_MISSING = "signing needs one more package: pip install 'realedit[c2pa]'"
_TYPES = {
    Format.JPEG: "image/jpeg",
    Format.PNG: "image/png",
    Format.TIFF: "image/tiff",
    Format.WEBP: "image/webp",
    Format.HEIC: "image/heic",
    Format.AVIF: "image/avif",
}


@dataclass(frozen=True)
class Signing:
    """Who signs: a certificate chain and its key, both PEM, and how."""

    certificate: Path
    key: Path
    algorithm: str = "es256"  # es256, es384, es512, ps256, ps384, ps512 or ed25519
    timestamp_url: str | None = None  # asked for a time stamp when given


def check_signing(signing: Signing) -> None:
    """Raise UsageError where the package is missing, or certificate and key cannot be read or do not fit."""
    with _signer(signing):
        pass


@contextmanager
def _signer(signing: Signing) -> Iterator[Any]:
    """c2pa's signer; UsageError for what is wrong with it, or while it signs."""
    try:
        import c2pa
    except ImportError as error:
        raise UsageError(_MISSING) from error
    certificate, key = _files(signing)
    try:
        info = c2pa.C2paSignerInfo(signing.algorithm, certificate, key, signing.timestamp_url)
        with c2pa.Signer.from_info(info) as signer:
            yield signer
    except c2pa.C2paError as error:
        raise UsageError(
            f"cannot sign with the certificate {signing.certificate} and the key {signing.key}: {error}"
        ) from error


def _files(signing: Signing) -> tuple[bytes, bytes]:
    try:
        return signing.certificate.read_bytes(), signing.key.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the certificate or key {error.filename}: {error.strerror}") from error


def sign(
    signing: Signing, photo: Photo | None, kind: Format, unsigned: BinaryIO, out: BinaryIO, title: str
) -> None:
    """Copy `unsigned`, a file of format `kind`, to `out` with a signed manifest; the photo is its parent.

    photo: None names no parent, whose own manifest would come along with what it says.

    Raises UsageError when the package is missing, or the certificate or key cannot be read or used.
    """
    with _signer(signing) as signer:
        import c2pa

        # no thumbnails: a manifest must not carry the unedited picture
        settings = c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}})
        with (
            c2pa.Context(settings=settings) as context,
            c2pa.Builder.from_json(json.dumps(_manifest(kind, title)), context) as builder,
        ):
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            if photo is not None and photo.format in _TYPES:
                parent = {"title": photo.path.name, "relationship": "parentOf"}
                builder.add_ingredient(json.dumps(parent), _TYPES[photo.format], io.BytesIO(photo.source))
            unsigned.seek(0)
            builder.sign(signer, _TYPES[kind], unsigned, out)


def _manifest(kind: Format, title: str) -> dict[str, object]:
    from realedit.photos.metadata.provenance import Provenance  # reads XMP, which options do not need

    provenance = Provenance()
    edited = {
        "action": "c2pa.edited",
        "digitalSourceType": provenance.source_type,
        "softwareAgent": {"name": provenance.tool},
    }
    return {
        "claim_generator_info": [{"name": provenance.tool}],
        "title": title,
        "format": _TYPES[kind],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [edited]}}],
    }
