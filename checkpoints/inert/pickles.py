"""An inert reader of pickles: opcodes become plain data, and nothing is ever imported, called or built.

A pickle is a program for a small stack machine, and the standard library's unpickler runs it: GLOBAL imports,
REDUCE calls. Here every global is a `Global` (two strings) and every call a `Call` (a record of what would
have been called with what). What such a record means is decided elsewhere, by code that knows the few shapes
it accepts.

Time and memory are bounded by the input: an opcode does constant work or reads bytes that are there; byte
strings are views of the input; the number of opcodes is limited; dictionary keys are restricted to what
hashes in constant time and without collisions; nothing recurses. All protocols (0 to 5) are read; out-of-band
buffers are refused.
"""

import struct
from dataclasses import dataclass
from typing import Any

from ..errors import DamagedFileError
from .machine import Budget, Machine
from .opcodes import TABLE
from .values import Persistent


@dataclass(frozen=True, slots=True)
class Pickled:
    """A pickle's value, the offset after its STOP, and every persistent id that it mentions."""

    value: Any
    end: int
    persistents: list[Persistent]


def read_pickle(data: memoryview, start: int, budget: Budget) -> Pickled:
    """Read the pickle that begins at data[start].

    data: bytes (format "B"); the value may hold views of it. Raises DamagedFileError, whose message lacks the
    file's name: the caller knows it.
    """
    machine = Machine(data, start)
    try:
        value = machine.run(TABLE, budget)
    except (IndexError, KeyError, ValueError, TypeError, OverflowError, struct.error) as error:
        reason = f"{type(error).__name__} at byte {machine.position}"
        raise DamagedFileError(f"its pickle makes no sense ({reason})") from error
    return Pickled(value, machine.position, machine.persistents)
