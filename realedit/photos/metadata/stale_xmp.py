"""XMP that describes a second picture, a video or a depth map kept beside the picture, taken out when those
go."""

import re

from realedit.photos.metadata.xmp import XmpError, XmpPacket

_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_MOTION = re.compile("MicroVideo.*|MotionPhoto.*")
_ANYTHING = re.compile(".*", re.DOTALL)
_PICTURES = ("http://ns.google.com/photos/1.0/image/", "http://ns.google.com/photos/1.0/depthmap/")
_DEVICE = "http://ns.google.com/photos/dd/1.0/device/"
_STALE = (
    (_CAMERA, _MOTION),
    ("http://ns.google.com/photos/1.0/container/", _ANYTHING),
    *((namespace, _ANYTHING) for namespace in (*_PICTURES, _DEVICE)),
    ("http://ns.adobe.com/hdr-gain-map/1.0/", _ANYTHING),
    ("http://ns.apple.com/HDRGainMap/1.0/", _ANYTHING),
    ("http://purl.org/dc/terms/", re.compile("provenance")),
)


def remove_stale(packet: XmpPacket) -> bool:
    """Take out what speaks of anything beside the picture; whether there was any."""
    return any([packet.remove(namespace, names) for namespace, names in _STALE])


def remove_motion(packet: XmpPacket) -> bool:
    """Take out what speaks of a motion photo's video; whether there was any."""
    return packet.remove(_CAMERA, _MOTION)


def has_second_picture(xmp: bytes | None) -> bool:
    """Whether a packet holds a second picture or a depth map."""
    try:
        packet = XmpPacket(xmp) if xmp else None
    except XmpError:
        return False
    return packet is not None and any(packet.remove(each, _ANYTHING) for each in (*_PICTURES, _DEVICE))


def names_second_picture(part: bytes) -> bool:
    """Whether a part of a packet speaks of a second picture or a depth map, as far as bytes tell."""
    return any(each.encode() in part for each in (*_PICTURES, _DEVICE))
