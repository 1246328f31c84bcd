"""The mark that says a photo was edited with a trained model.

Source: IPTC Photo Metadata Standard 2023.1, "Digital Source Type", and IPTC's guidance on AI-edited pictures.
"""

import re
from dataclasses import dataclass

from realedit import __version__
from realedit.photos.metadata.xmp import XmpError, XmpPacket

IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
XMP_BASIC = "http://ns.adobe.com/xap/1.0/"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
_WHOLLY_GENERATED = _SOURCE_TYPES + "trainedAlgorithmicMedia"  # says more than COMPOSITE does, so it stays


@dataclass(frozen=True)
class Provenance:
    """What is written about an edit."""

    tool: str = f"realedit {__version__}"  # xmp:CreatorTool
    credit: str = "Edited with AI (realedit)"  # photoshop:Credit, added to a credit that is there
    source_type: str = COMPOSITE  # Iptc4xmpExt:DigitalSourceType


def mark(packet: XmpPacket, provenance: Provenance) -> None:
    """Write `provenance` into a packet; doing it twice changes nothing more."""
    if packet.get(IPTC_EXTENSION, "DigitalSourceType") != _WHOLLY_GENERATED:
        packet.set(IPTC_EXTENSION, "Iptc4xmpExt", "DigitalSourceType", provenance.source_type)
    credit = packet.get(PHOTOSHOP, "Credit")
    if not credit:
        packet.set(PHOTOSHOP, "photoshop", "Credit", provenance.credit)
    elif provenance.credit not in credit:
        packet.set(PHOTOSHOP, "photoshop", "Credit", f"{credit}; {provenance.credit}")
    packet.set(XMP_BASIC, "xmp", "CreatorTool", provenance.tool)


def marked(xmp: bytes | None) -> bool:
    """Whether a packet says that the photo is AI-edited or AI-made."""
    if not xmp:
        return False
    try:
        kind = XmpPacket(xmp).get(IPTC_EXTENSION, "DigitalSourceType") or ""
    except XmpError:
        return False
    return re.search("trainedAlgorithmicMedia", kind, re.IGNORECASE) is not None
