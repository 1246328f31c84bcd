"""XMP that describes a second picture, a video or a depth map kept beside the picture, taken out when those
go."""

import re

from realedit.photos.xmp import XmpPacket

_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_MOTION = re.compile("MicroVideo.*|MotionPhoto.*")
_ANYTHING = re.compile(".*", re.DOTALL)
_STALE = (
    (_CAMERA, _MOTION),
    ("http://ns.google.com/photos/1.0/container/", _ANYTHING),
    ("http://ns.google.com/photos/1.0/image/", _ANYTHING),
    ("http://ns.google.com/photos/1.0/depthmap/", _ANYTHING),
    ("http://ns.google.com/photos/dd/1.0/device/", _ANYTHING),
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
