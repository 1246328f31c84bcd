"""Finding and reading recipe files; what is wrong with one is said with its line and key."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from realedit.errors import UsageError
from realedit.recipes.recipe import Recipe

SUFFIX = ".toml"
MOST_BYTES = 1 << 18
_SHIPPED = files("realedit.recipes") / "shipped"
_WHERE = re.compile(r" - at `(?P<path>[^`]*)`$")
_LINE = re.compile(r" \(at line (?P<line>\d+), column \d+\)$")
_STEP = re.compile(r"\.(?P<key>\w+)|\[(?P<index>\d+)\]")
_DEEP_KEY = re.compile(r"(?:[^\s.,=\[\]{}]+[ \t]*\.[ \t]*){32}")  # the parser takes hours for longer ones
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]\]?")


@cache
def shipped() -> tuple[str, ...]:
    """The names of the recipes that come with realedit, sorted."""
    return tuple(sorted(each.name.removesuffix(SUFFIX) for each in _SHIPPED.iterdir() if SUFFIX in each.name))


def load(name_or_path: str | Path) -> Recipe:
    """The shipped recipe of that name, or the one in the TOML file of that path.

    Raises UsageError for a name or file that is not there, and for a file that is no recipe, with line
    and key.
    """
    name = str(name_or_path)
    if name in shipped():
        return parse((_SHIPPED / f"{name}{SUFFIX}").read_bytes(), f"{name}{SUFFIX}")
    path = Path(name_or_path)
    content = _content(path) if name else None
    if content is None:
        if path.suffix == SUFFIX or path.name != name:
            raise UsageError(f"there is no recipe file {name}; write one, or see: realedit recipes list")
        raise UsageError(
            f"there is no recipe {name!r}; known are {', '.join(shipped())}, or name a .toml file"
        )
    return parse(content, name)


def _content(path: Path) -> bytes | None:
    """The bytes of a recipe file, None where there is none; no plain file, or one far too long, is refused
    unread."""
    try:
        if not path.exists():
            return None
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no plain file"
            raise UsageError(f"the recipe {path} is {what}; name a {SUFFIX} file")
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(
                f"the recipe {path} has {path.stat().st_size} bytes; a recipe has at most {MOST_BYTES}"
            )
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"the recipe {path} cannot be read: {error.strerror}") from error


def parse(content: bytes, source: str) -> Recipe:
    """The recipe in a TOML text; `source` names it in errors. Raises UsageError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the recipe {source} is not UTF-8 text; save it as such") from error
    deep = f"the recipe {source} is nested too deeply; see: realedit recipes show {shipped()[0]}"
    if _DEEP_KEY.search(text):
        raise UsageError(deep)
    try:
        return msgspec.toml.decode(text, type=Recipe)
    except RecursionError as error:
        raise UsageError(deep) from error
    except msgspec.DecodeError as error:
        raise UsageError(explain(str(error), text, source)) from error
    except ValueError as error:  # Python refuses to read integers of thousands of digits
        raise UsageError(f"the recipe {source} cannot be read: {error}".partition(";")[0]) from error


def explain(message: str, text: str, source: str) -> str:
    """One sentence for msgspec's message: the file, the line, the key and what is wrong there."""
    syntax = _LINE.search(message)
    if syntax:
        return f"{source}, line {syntax['line']}: this is not TOML: {message[: syntax.start()]}"
    where = _WHERE.search(message)
    path = where["path"] if where else "$"
    wrong = message[: where.start()] if where else message
    steps = [step["key"] or int(step["index"]) for step in _STEP.finditer(path)]
    named = re.search(r"`([\w.\[\]]+)`", wrong)
    if named and "Expected" not in wrong:
        steps += [step["key"] or int(step["index"]) for step in _STEP.finditer(f".{named[1]}")]
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
    return f"{source}, line {line_of(steps, text)}, {key or 'the whole file'}: {_plain(wrong)}"


def _plain(wrong: str) -> str:
    """msgspec's words, in ours where they speak of its types."""
    wrong = re.sub(r"^`[^`]+`:? ", "", wrong)
    wrong = re.sub(r"^Object contains unknown field `(\w+)`", r"there is no such key", wrong)
    wrong = re.sub(r"^Object missing required field `(\w+)`", r"this key is missing", wrong)
    return re.sub(r"^Expected", "expected", wrong).replace("`", "")


def line_of(steps: list[str | int], text: str) -> int:
    """The line (from 1) of a TOML text where a key is, or the nearest that holds it."""
    table: list[str | int] = []
    counts: dict[str, int] = {}
    best, line = 0, 1
    for number, content in enumerate(text.splitlines(), 1):
        header = _HEADER.match(content)
        found = list(table)
        if header:
            table = list(header[2].split("."))
            if header[1] == "[[":
                counts[header[2]] = counts.get(header[2], -1) + 1
                table.append(counts[header[2]])
            found = list(table)
        elif match := re.match(r"\s*([\w\-]+)\s*=", content):
            found = [*table, match[1]]
        else:
            continue
        if len(found) > best and steps[: len(found)] == found:
            best, line = len(found), number
    return line
