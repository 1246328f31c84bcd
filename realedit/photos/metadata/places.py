"""How places are written: names of properties, geotags among keywords, coordinates within text.

Source: RFC 5870 (geo URI), ISO 6709 annex H, Flickr's machine tags, IPTC Photo Metadata Standard 2023.1.
"""

import re
from collections.abc import Iterable

# names of XMP properties and of the fields of their structures, in any namespace
_PROPERTY = re.compile(
    r"gps\w*|\w*(?:lat|long?t?)itude\w*|\w*altitude\w*|lat|lon|long|lng|alt|\w*(?<!l)location\w*"
    r"|city|state|province\w*|countr\w+|world_?region|coverage|spatial|place(?:s|_?names?|_?id)?|address|venue"
    r"|geo(?:tag|hash|coord|lat|lon|point|pos|name|json|uri)\w*|geo",
    re.IGNORECASE,
)
_NUMBER = r"[-+]?\d{1,3}(?:\.\d+)?"
_SIDE = "(?-i:[NSEW])"
_DEGREE = r"(?:[\u00b0\u00ba\u02da]|deg\b)"
_MINUTES = "\\s*\\d{1,2}(?:[.,]\\d+)?\\s*['\u2032\u2019]"
_SECONDS = "\\s*\\d{1,2}(?:[.,]\\d+)?\\s*(?:[\"\u2033\u201d]|''|['\u2032\u2019]{2})"
_ORIGIN = r"(?:geo\w*|gps\w*|places?|locations?|loc|woe|osm|foursquare|dopplr)"
_AXIS = r"(?:gps|geo)?[ _-]?(?:lat|lon|long)(?:itude)?(?:ref)?|lng"
_CODE = "[23456789CFGHJMPQRVWX]"
_COORDINATES = re.compile(
    "|".join(
        (
            rf"\bgeo:{_NUMBER},{_NUMBER}(?:,{_NUMBER})?(?:;[^\s,]*)?",  # a URI
            rf"\b{_ORIGIN}:[\w.-]+=(?:\"[^\"]*\"|[^\s,;|]+)",  # a machine tag
            rf"(?<![\w+/])(?:{_AXIS})\s*[:=]\s*{_NUMBER}(?:\s*{_SIDE}\b)?",
            rf"(?<![\w+/])(?:{_AXIS})\s+[-+]?\d{{1,3}}\.\d\d+(?:\s*{_SIDE}\b)?",
            rf"\bgeo(?:lat|lon|lng|long){_NUMBER}",
            rf"(?:\b{_SIDE}\s*)?\d{{1,3}}\s*{_DEGREE}{_MINUTES}(?:{_SECONDS})?(?:\s*{_SIDE}\b)?",
            rf"\d{{1,3}}(?:\.\d+)?\s*{_DEGREE}\s*{_SIDE}\b|\b{_SIDE}\s*\d{{1,3}}(?:\.\d+)?\s*{_DEGREE}",
            rf"\b\d{{1,3}},\d{{1,2}}(?:\.\d+|,\d{{1,2}}){_SIDE}\b",  # as XMP writes them
            r"\b(?-i:[NS])\s*\d{1,2}\.\d+[\s,;/]*(?-i:[EW])\s*\d{1,3}\.\d+",
            r"(?<![\d.])\d{1,2}\.\d+\s*(?-i:[NS])\b[\s,;/]*\d{1,3}\.\d+\s*(?-i:[EW])\b",
            r"(?<![\d.])[-+]?\d{1,2}\.\d{3,}\s*[,;]\s*[-+]?\d{1,3}\.\d{3,}(?![\d.])",
            r"(?<!\S)[-+]\d{2}(?:\d{2}){0,2}(?:\.\d+)?[-+]\d{3}(?:\d{2}){0,2}(?:\.\d+)?(?:[-+]\d+(?:\.\d+)?)?\w*/",
            rf"(?<!\S)(?-i:{_CODE}{{8}}\+{_CODE}{{2,3}})(?![\w+/=])",  # a plus code
            r"https?://[^\s<>\"]*(?:\bmaps\b|openstreetmap|what3words)[^\s<>\"]*",
        )
    ),
    re.IGNORECASE,
)
_GEOTAG = re.compile(
    r"geo-?_?\s?(?:tag(?:s|ged)?|cod(?:ed|e)|locat(?:ed|ion))|geo:.*|gps(?:[\s:_-].*)?|geo(?:lat|lon|lng).*|w3w:.*",
    re.IGNORECASE,
)
# what the first part of a keyword in levels says where the others name places
_ROOTS = frozenset(
    {
        *("place", "places", "location", "locations", "geo", "gps", "geotag", "geotags", "geotagged"),
        *("geography", "where", "city", "cities", "country", "countries", "region", "regions"),
        *("ort", "orte", "lieu", "lieux", "lugar", "lugares", "luogo", "luoghi"),
    }
)
_LEVELS = re.compile(r"[|/\\>]")
_SHORTEST_NAME = 3


def is_place_property(name: str) -> bool:
    """Whether a property of this name, without its namespace, says where something is."""
    return _PROPERTY.fullmatch(name) is not None


def is_coordinate_property(name: str) -> bool:
    """Whether its values are numbers or codes rather than names of places."""
    return re.match("gps|.*(?:lat|long?t?|alt)itude|lat|lon", name, re.IGNORECASE) is not None


def without_coordinates(text: str) -> str:
    """`text` without coordinates, machine tags and links to maps; the same text where there are none."""
    cleaned, found = _COORDINATES.subn("", text)
    return re.sub(r"[ \t]{2,}", " ", cleaned).strip(" ,;()[]\t") if found else text


def _is_root(text: str) -> bool:
    return text.strip().casefold() in _ROOTS


class Places:
    """The names of places that a photo's metadata state; a keyword that is one of them goes as well."""

    def __init__(self) -> None:
        """No name is known yet."""
        self._names: set[str] = set()
        self._headings: set[str] = set()

    def learn(self, names: Iterable[str]) -> None:
        """Remember names, the parts of those in levels one by one; codes and numbers are not names."""
        for name in names:
            for part in _LEVELS.split(name):
                plain = part.strip().casefold()
                if len(plain) >= _SHORTEST_NAME and any(c.isalpha() for c in plain):
                    (self._headings if _is_root(plain) else self._names).add(plain)

    def learn_keyword(self, keyword: str) -> None:
        """Remember the parts of a keyword in levels whose first part is a heading for places."""
        if self._in_levels(keyword):
            self.learn([keyword])

    def is_keyword(self, keyword: str) -> bool:
        """Whether a keyword says where the photo was taken."""
        plain = keyword.strip()
        return bool(plain) and (
            _GEOTAG.fullmatch(plain) is not None
            or _COORDINATES.search(plain) is not None
            or self._in_levels(plain)
            or plain.casefold() in self._names | self._headings
        )

    def is_heading(self, keyword: str) -> bool:
        """Whether a keyword that may have others below it says where the photo was taken, or that they do."""
        return _is_root(keyword) or self.is_keyword(keyword)

    def named_in(self, block: bytes) -> bool:
        """Whether one of the names still stands in a block of metadata, in any usual encoding."""
        texts = [block.decode(encoding, "ignore").casefold() for encoding in ("utf-8", "latin-1")]
        texts += [block[at:].decode("utf-16-le", "ignore").casefold() for at in (0, 1)]
        return any(name in text for name in self._names for text in texts)

    @staticmethod
    def _in_levels(keyword: str) -> bool:
        root, *below = (part.strip() for part in _LEVELS.split(keyword.strip().strip("|/\\>")))
        return bool(below) and _is_root(root)
