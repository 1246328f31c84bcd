"""Names of files in sentences, pages and pictures: whatever bytes a name has, harmless text is shown."""


def printable(what: object) -> str:
    """A path, or a text with paths in it, as people may see it: bytes that are not UTF-8 become U+FFFD, and
    characters that steer a terminal or break a line are written as Python escapes (`\\x1b`, `\\n`).

    A program that reads a name wants the name itself.
    """
    return "".join(map(_shown, str(what)))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if "\udc80" <= character <= "\udcff":  # how os.fsdecode keeps a byte that is no text
        return "\N{REPLACEMENT CHARACTER}"
    return character.encode("unicode_escape").decode()
