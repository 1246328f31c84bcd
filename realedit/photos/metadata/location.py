"""Taking out of a photo's metadata where it was taken, or all that is neither colour nor orientation.

Every copy of a block is a second place: EXIF and XMP lie in Photoshop's resources, IPTC and XMP in EXIF, and
so on. One `Cleaner` does a photo's blocks of all kinds, so that what one of them names is found as a keyword
in the others.
"""

import re
import struct
from dataclasses import replace

from realedit.photos.metadata import iptc, place_exif
from realedit.photos.metadata.metadata import Metadata, Strip
from realedit.photos.metadata.place_exif import Removed, clean_block, decoded, learn_places
from realedit.photos.metadata.places import (
    Places,
    is_coordinate_property,
    is_place_property,
    without_coordinates,
)
from realedit.photos.metadata.stale_xmp import remove_motion
from realedit.photos.metadata.xmp import RDF, XmpError, XmpPacket
from realedit.photos.tiff.directories import Directory, DirectoryError, read_directory

# of record 2: content location, city, sublocation, state, country
_PLACE_SETS = frozenset({26, 27, 90, 92, 95, 100, 101})
_NAME_SETS = frozenset({27, 90, 92, 95, 101})
_KEYWORDS = frozenset({20, 25})
# its lists are pairs of numbers that are no places
_RAW_SETTINGS = frozenset({"http://ns.adobe.com/camera-raw-settings/1.0/"})
_ACDSEE = "http://ns.acdsee.com/iptc/1.0/"
_STRUCTURE = frozenset({RDF, "http://www.w3.org/XML/1998/namespace"})
_LEFT_OUT = "left out, because a place may be in it and nobody could tell: "


class Cleaner:
    """Takes places out of blocks of metadata. `learn` from all blocks of the photo first."""

    def __init__(self) -> None:
        """Nothing is known or removed yet."""
        self.motion = True  # whether the video of a motion photo stays
        self.places = Places()
        self.removed = Removed()

    def learn(self, metadata: Metadata) -> None:
        """Remember the names of places that a photo's metadata state."""
        self.learn_exif(metadata.exif)
        self.learn_xmp(metadata.xmp)
        for resource in _resources(metadata.iptc):
            self._learn_nested(resource.number, resource.content)

    def learn_exif(self, data: bytes | None) -> None:
        """Remember the names of places in an EXIF block or the first page of a TIFF."""
        try:
            directory = read_directory(data or b"")
        except (DirectoryError, struct.error):
            return
        self.learn_directory(directory)

    def learn_directory(self, directory: Directory) -> None:
        """Remember the names of places in the first directory of an EXIF block or in the page of a TIFF."""
        learn_places(directory, self.places)
        self.learn_xmp(directory.bytes(place_exif.XMP))
        self._learn_nested(iptc.IIM, directory.bytes(place_exif.IPTC) or b"")
        for resource in _resources(directory.bytes(place_exif.RESOURCES)):
            self._learn_nested(resource.number, resource.content)

    def learn_xmp(self, data: bytes | None) -> None:
        """Remember the names of places in an XMP packet."""
        try:
            packet = XmpPacket(data) if data else None
        except XmpError:
            return
        if packet is None:
            return
        for item in packet.items():
            self.places.learn_keyword(item)
        gone = packet.remove_where(_is_place)
        self.places.learn(text for name, text in gone if not is_coordinate_property(name))

    def _learn_nested(self, number: int, content: bytes) -> None:
        if number == iptc.XMP:
            self.learn_xmp(content)
        if number != iptc.IIM:
            return
        try:
            values = iptc.read_records(content)
        except iptc.RecordError:
            return
        self.places.learn(iptc.texts(values, _NAME_SETS))
        for keyword in iptc.texts(values, _KEYWORDS):
            self.places.learn_keyword(keyword)

    def left_out(self, name: str, *, motion: bool = False) -> None:
        """Remember a part that goes as a whole; motion: it is the video of a motion photo."""
        self.removed.add(name)
        self.motion &= not motion

    def exif(self, data: bytes | None) -> bytes | None:
        """An EXIF block without places."""
        return clean_block(data, self.places, self.nested_in_exif, self.removed) if data else None

    def xmp(self, data: bytes | None) -> bytes | None:
        """An XMP packet without places; a damaged one goes."""
        if not data:
            return None
        try:
            packet = XmpPacket(data)
        except XmpError:
            self.removed.add("an XMP packet that is damaged")
            return None
        packet.remove_where(_is_place)
        packet.remove_items(self.places.is_keyword, "Keyword", self.places.is_heading, _RAW_SETTINGS)
        if packet.remove(_ACDSEE, re.compile("categories", re.IGNORECASE)):
            self.removed.add("ACDSee's categories")
        if not self.motion:
            remove_motion(packet)
        packet.rewrite(without_coordinates, _RAW_SETTINGS)
        return bytes(packet)

    def resources(self, data: bytes | None) -> bytes | None:
        """Photoshop image resources without places, or thumbnails, which have metadata of their own."""
        try:
            return iptc.changed_resources(data, self._resource)
        except iptc.RecordError:
            self.removed.add("Photoshop image resources (IPTC) that are damaged")
            return None

    def records(self, data: bytes) -> bytes | None:
        """IPTC records without places."""
        try:
            values = iptc.read_records(data)
        except iptc.RecordError:
            self.removed.add("IPTC records that are damaged")
            return None
        kept = [cleaned for one in values if (cleaned := self._data_set(one)) is not None]
        return data if kept == values else iptc.write_records(kept) or None

    def text(self, keyword: str, words: str) -> str | None:
        """A text of a PNG or a comment of a JPEG; None for one that says nothing but a place."""
        name = keyword.rpartition(":")[2]  # ImageMagick writes "exif:GPSLatitude"
        if is_place_property(name.strip()):
            self.places.learn([words])
            return None
        if keyword.casefold() in ("keywords", "tags", "subject"):
            kept = [one for one in words.split(",") if not self.places.is_keyword(one)]
            words = ",".join(kept)
        return without_coordinates(words) or None

    def nested_in_exif(self, tag: int, content: bytes) -> bytes | None:
        """A block of another kind in a directory."""
        if tag == place_exif.XMP:
            return self.xmp(content)
        return self.records(content) if tag == place_exif.IPTC else self.resources(content)

    def warnings(self, metadata: Metadata) -> list[str]:
        """What the user should know of `metadata`, which was cleaned, and of what went."""
        found = [_LEFT_OUT + ", ".join(self.removed.names)] if self.removed.names else []
        blocks = [metadata.exif, metadata.xmp, metadata.iptc, *(words.encode() for _, words in metadata.text)]
        if any(self.places.named_in(block) for block in blocks if block):
            found.append(
                "a title, caption or other free text still names the place that was taken out; "
                "--strip all takes such texts out too"
            )
        return found

    def _resource(self, number: int, content: bytes) -> bytes | None:
        if number == iptc.IIM:
            return self.records(content)
        if number in (iptc.EXIF, iptc.EXIF_OF_THUMBNAIL):
            return self.exif(content)
        if number == iptc.XMP:
            return self.xmp(content)
        return None if number in iptc.THUMBNAILS else content

    def _data_set(self, one: iptc.DataSet) -> iptc.DataSet | None:
        if one.record != 2 or 200 <= one.number <= 202:  # 200 to 202 are a preview
            return one if one.record != 2 and one.record < 7 else None
        if one.number in _PLACE_SETS:
            return None
        text, encoding = decoded(one.value)
        if one.number in _KEYWORDS:
            return None if self.places.is_keyword(text) else one
        cleaned = without_coordinates(text)
        return one if cleaned == text else replace(one, value=cleaned.encode(encoding))


def stripped(metadata: Metadata, strip: Strip) -> tuple[Metadata, list[str]]:
    """`metadata` as `strip` asks for it, and what the user should know. Nothing of the file's own may be
    written beside it (`exclusive`)."""
    if strip == "none":
        return metadata, []
    if strip == "all":
        return Metadata(icc=metadata.icc, nclx=metadata.nclx, exclusive=True), []
    cleaner = Cleaner()
    cleaner.learn(metadata)
    texts = ((keyword, cleaner.text(keyword, words)) for keyword, words in metadata.text)
    cleaned = replace(
        metadata,
        text=tuple((keyword, words) for keyword, words in texts if words is not None),
        exif=cleaner.exif(metadata.exif),
        xmp=cleaner.xmp(metadata.xmp),
        iptc=cleaner.resources(metadata.iptc),
        others=(),
        exclusive=True,
    )
    for name in metadata.others:
        cleaner.removed.add(name)
    return cleaned, cleaner.warnings(cleaned)


def _is_place(namespace: str, name: str) -> bool:
    return namespace not in _STRUCTURE | _RAW_SETTINGS and is_place_property(name)


def _resources(data: bytes | None) -> list[iptc.Resource]:
    try:
        return iptc.read_resources(data or b"")
    except iptc.RecordError:
        return []
