"""What the inert reader makes of a pickle, besides numbers, text, tuples, lists and dictionaries."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Global:
    """A name that the pickle asked to import; it never is."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:200]


@dataclass(eq=False, slots=True)
class Call:
    """A call that the pickle asked for, and what it then did to the result; none of it happened."""

    function: Any
    args: Any
    kwargs: Any = None
    state: Any = None
    items: list[tuple[Any, Any]] = field(default_factory=list)
    elements: list[Any] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Persistent:
    """A persistent id: a reference to something outside of the pickle."""

    pid: Any


@dataclass(eq=False, slots=True)
class Elements:
    """A set, as a list; its elements are not hashed."""

    values: list[Any]


@dataclass(eq=False, slots=True)
class OpaqueKey:
    """A dictionary key that is neither a short integer nor a string, by identity."""

    value: Any
