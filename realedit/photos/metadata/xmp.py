"""Merging properties into an XMP packet, and taking out those that an edit makes untrue.

What is there stays as it is written, prefixes and order included. Source: ISO 16684-1 (XMP part 1), section
7.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from xml.dom import minidom
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DEEPEST = 200
_XMLNS = "http://www.w3.org/2000/xmlns/"
_EMPTY = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
)
_ATTRIBUTE_ESCAPES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


class XmpError(ValueError):
    """A packet that is no well-formed XMP."""


class XmpPacket:
    """An XMP packet as a tree."""

    def __init__(self, packet: bytes | None = None) -> None:
        """XmpError when `packet` is not well-formed, has a DTD, or holds no RDF."""
        text = packet or _EMPTY.encode()
        if not text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = text.strip(b"\x00 \t\r\n")
        try:
            self._document = minidom.parseString(text)
        except (ExpatError, ValueError, LookupError) as error:
            raise XmpError("a packet that is not well-formed") from error
        if self._document.doctype is not None:
            raise XmpError("a packet with a DTD")
        self._tree = _rdf(self._document)

    def body(self) -> bytes:
        """The packet without its wrapper, UTF-8."""
        root = self._document.documentElement
        return "".join(_serialise(root)).encode() if root is not None else b""

    def __bytes__(self) -> bytes:
        """The packet, wrapped, UTF-8."""
        body = self.body().decode()
        head = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        return f'{head}{body}\n<?xpacket end="w"?>'.encode()

    def get(self, namespace: str, name: str) -> str | None:
        """The text of a simple property."""
        for description in self._descriptions():
            if description.hasAttributeNS(namespace, name):
                return description.getAttributeNS(namespace, name)
            for child in _children(description):
                if (child.namespaceURI, child.localName) == (namespace, name):
                    return "".join(node.data for node in child.childNodes if node.nodeType == node.TEXT_NODE)
        return None

    def set(self, namespace: str, prefix: str, name: str, value: str) -> None:
        """A simple property, in place of any other of that name."""
        if self.get(namespace, name) == value:
            return
        for description in self._descriptions():
            _remove(description, namespace, re.compile(re.escape(name)))
        description = next(self._descriptions(), None) or self._new_description()
        prefix = self._declare(description, namespace, prefix)
        description.setAttributeNS(namespace, f"{prefix}:{name}", value)

    def _new_description(self) -> "minidom.Element":
        rdf = self._tree.prefix or "rdf"
        description = self._document.createElementNS(RDF, f"{rdf}:Description")
        description.setAttributeNS(RDF, f"{rdf}:about", "")
        self._tree.appendChild(description)
        return description

    def remove(self, namespace: str, names: re.Pattern[str]) -> bool:
        """Take out all of `namespace` whose whole name matches, at any depth; whether there was any."""
        found = False
        pending: list[minidom.Element] = [self._tree]
        while pending:
            element = pending.pop()
            found |= _remove(element, namespace, names)
            pending.extend(_children(element))
        return found

    def remove_where(self, test: Callable[[str, str], bool]) -> list[tuple[str, str]]:
        """Take out every property and field whose (namespace, name) passes, at any depth; the names and
        texts of what went."""
        gone: list[tuple[str, str]] = []
        pending: list[minidom.Element] = [self._tree]
        while pending:
            element = pending.pop()
            for attribute in list(element.attributes.values()):
                name = attribute.localName or ""
                if attribute.namespaceURI != _XMLNS and test(attribute.namespaceURI or "", name):
                    gone.append((name, attribute.value))
                    element.removeAttributeNode(attribute)
            for child in list(_children(element)):
                name = child.localName or ""
                if test(child.namespaceURI or "", name):
                    gone += ((name if part is None else part, text) for part, text in _texts(child))
                    element.removeChild(child)
                else:
                    pending.append(child)
        return gone

    def items(self) -> Iterator[str]:
        """The texts of all items of bags and sequences."""
        return (_text(item) for item in self._elements() if _is_item(item))

    def remove_items(
        self, test: Callable[[str], bool], label: str, headed: Callable[[str], bool], skipped: frozenset[str]
    ) -> None:
        """Take out every item of a bag or sequence whose text passes `test` or whose field `label` passes
        `headed`, but for those in properties of the namespaces `skipped`."""
        for item in list(self._elements(skipped)):
            doomed = _is_item(item) and (test(_text(item)) or any(map(headed, _labels(item, label))))
            if doomed and item.parentNode is not None:
                item.parentNode.removeChild(item)

    def rewrite(self, change: Callable[[str], str], skipped: frozenset[str]) -> None:
        """Put `change(text)` in place of each text and attribute, but for properties of the namespaces
        `skipped`."""
        for element in self._elements(skipped):
            for attribute in list(element.attributes.values()):
                if attribute.namespaceURI not in (*skipped, _XMLNS):
                    attribute.value = change(attribute.value)
            for node in element.childNodes:
                if isinstance(node, minidom.Text):
                    node.data = change(node.data)

    def properties(self) -> Iterator[tuple["minidom.Element", "minidom.Element | minidom.Attr"]]:
        """The top-level properties, attributes or elements, each with the description that holds it."""
        for description in self._descriptions():
            for attribute in list(description.attributes.values()):
                if attribute.namespaceURI not in (_XMLNS, RDF, None):
                    yield description, attribute
            for child in list(_children(description)):
                yield description, child

    def merge(self, other: "XmpPacket") -> None:
        """Take over the descriptions of `other`, which is not used any more."""
        for description in list(other._descriptions()):
            for prefix, namespace in _prefixes(description).items():
                if not description.hasAttribute(f"xmlns:{prefix}"):
                    description.setAttributeNS(_XMLNS, f"xmlns:{prefix}", namespace)
            self._tree.appendChild(self._document.importNode(description, True))

    def move(
        self, description: "minidom.Element", prop: "minidom.Element | minidom.Attr", target: "XmpPacket"
    ) -> None:
        """Move one of `properties` into `target`, into a description of its own there."""
        home = target._new_description()
        for prefix, namespace in _prefixes(description).items():
            home.setAttributeNS(_XMLNS, f"xmlns:{prefix}", namespace)
        if isinstance(prop, minidom.Attr):
            home.setAttributeNS(prop.namespaceURI, prop.name, prop.value)
            description.removeAttributeNode(prop)
        else:
            home.appendChild(target._document.importNode(prop, True))
            description.removeChild(prop)

    def _elements(self, skipped: frozenset[str] = frozenset()) -> Iterator["minidom.Element"]:
        pending: list[minidom.Element] = [self._tree]
        while pending:
            element = pending.pop()
            yield element
            pending.extend(child for child in _children(element) if child.namespaceURI not in skipped)

    def _descriptions(self) -> Iterator["minidom.Element"]:
        return (c for c in _children(self._tree) if (c.namespaceURI, c.localName) == (RDF, "Description"))

    def _declare(self, element: "minidom.Element", namespace: str, prefix: str) -> str:
        """The prefix that stands for `namespace` at `element`, declared there if it was not."""
        taken = _prefixes(element)
        for known, uri in taken.items():
            if uri == namespace:
                return known
        while prefix in taken:
            prefix += "_"
        element.setAttributeNS(_XMLNS, f"xmlns:{prefix}", namespace)
        return prefix


def _rdf(document: "minidom.Document") -> "minidom.Element":
    """The RDF element of a packet; XmpError when there is none or elements are nested without end."""
    found: minidom.Element | None = None
    pending: list[tuple[minidom.Node, int]] = [(document, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > _DEEPEST:
            raise XmpError("a packet that is nested too deeply")
        if isinstance(node, minidom.Element) and (node.namespaceURI, node.localName) == (RDF, "RDF"):
            found = found or node
        pending.extend((child, depth + 1) for child in node.childNodes)
    if found is None:
        raise XmpError("a packet without RDF")
    return found


def _remove(element: "minidom.Element", namespace: str, names: re.Pattern[str]) -> bool:
    """Take the matching attributes and children out of one element; whether there was any."""
    found = False
    for attribute in list(element.attributes.values()):
        if attribute.namespaceURI == namespace and names.fullmatch(attribute.localName or ""):
            element.removeAttributeNode(attribute)
            found = True
    for child in list(_children(element)):
        if child.namespaceURI == namespace and names.fullmatch(child.localName or ""):
            element.removeChild(child)
            found = True
    return found


def _children(element: "minidom.Element") -> Iterator["minidom.Element"]:
    return (node for node in element.childNodes if isinstance(node, minidom.Element))


def size_of(prop: "minidom.Element | minidom.Attr") -> int:
    """How many bytes a property of `XmpPacket.properties` takes, nearly."""
    return len(
        (
            f'{prop.name}="{prop.value}"' if isinstance(prop, minidom.Attr) else "".join(_serialise(prop))
        ).encode()
    )


def _is_item(element: "minidom.Element") -> bool:
    """Whether an element is an item of a bag or sequence; the items of alternatives are one text in
    languages."""
    holder = element.parentNode
    return (element.namespaceURI, element.localName) == (RDF, "li") and not (
        isinstance(holder, minidom.Element) and holder.localName == "Alt"
    )


def _text(element: "minidom.Element") -> str:
    """The element's own text."""
    return "".join(node.data for node in element.childNodes if isinstance(node, minidom.Text)).strip()


def _texts(element: "minidom.Element") -> Iterator[tuple[str | None, str]]:
    """(name of the innermost field, text) of everything in an element; None: its own name."""
    pending: list[tuple[minidom.Element, str | None]] = [(element, None)]
    while pending:
        node, name = pending.pop()
        yield name, _text(node)
        for attribute in node.attributes.values():
            if attribute.namespaceURI not in (_XMLNS, RDF):
                yield attribute.localName, attribute.value
        for child in _children(node):
            pending.append((child, name if child.namespaceURI == RDF else child.localName))


def _labels(item: "minidom.Element", label: str) -> Iterator[str]:
    """The values of the field `label` of an item that is a structure."""
    for holder in (item, *(c for c in _children(item) if c.namespaceURI == RDF)):
        for attribute in holder.attributes.values():
            if attribute.localName == label:
                yield attribute.value
        for child in _children(holder):
            if child.localName == label:
                yield _text(child)


def _prefixes(element: "minidom.Element") -> dict[str, str]:
    """The prefixes that are declared for an element, the innermost declaration of each."""
    found: dict[str, str] = {}
    node: minidom.Node | None = element
    while isinstance(node, minidom.Element):
        for name, value in node.attributes.items():
            if name.startswith("xmlns:"):
                found.setdefault(name[6:], value)
        node = node.parentNode
    return found


def _serialise(node: "minidom.Node") -> Iterator[str]:
    """XML text of a node; unlike minidom's own it keeps line ends and tabs in attributes."""
    if isinstance(node, minidom.Element):
        yield f"<{node.tagName}"
        for name, value in node.attributes.items():
            yield f' {name}="{escape(value, _ATTRIBUTE_ESCAPES)}"'
        if not node.childNodes:
            yield "/>"
            return
        yield ">"
        for child in node.childNodes:
            yield from _serialise(child)
        yield f"</{node.tagName}>"
    elif isinstance(node, minidom.Text):
        yield escape(node.data, {"\r": "&#13;"})
