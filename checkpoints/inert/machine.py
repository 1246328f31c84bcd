"""The stack machine that pickles are programs for, without its dangerous half."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import DamagedFileError
from .values import Call, Elements, OpaqueKey, Persistent

MAX_OPCODES: Final = 2_000_000
_MAX_LINE: Final = 1 << 16
_MAX_KEY: Final = 1 << 60  # larger integers can be made to collide in a dictionary


@dataclass(slots=True)
class Budget:
    """How many opcodes may still be read; one budget serves a file and everything nested in it."""

    opcodes: int = MAX_OPCODES


Opcode = Callable[["Machine"], None]


class Machine:
    """Input, stack, marks and memo; the opcodes are functions on it."""

    def __init__(self, data: memoryview, start: int) -> None:
        self.data = data
        self.position = start
        self.end = len(data)
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []  # the stacks below each mark
        self.memo: dict[int, Any] = {}
        self.persistents: list[Persistent] = []

    def run(self, table: Mapping[int, Opcode], budget: Budget) -> Any:
        data = self.data
        while True:
            if self.position >= self.end:
                raise DamagedFileError("its pickle ends before its STOP; the file is truncated")
            code = data[self.position]
            self.position += 1
            budget.opcodes -= 1
            if budget.opcodes < 0:
                raise DamagedFileError(f"its pickle has more than {MAX_OPCODES} instructions")
            if code == 0x2E:  # STOP
                return self.stack.pop()
            operation = table.get(code)
            if operation is None:
                raise DamagedFileError(f"it is no pickle (byte {code:#04x} at {self.position - 1})")
            operation(self)

    # -- input

    def take(self, size: int) -> memoryview:
        """The next `size` bytes, as a view."""
        if size < 0 or size > self.end - self.position:
            raise DamagedFileError("its pickle asks for more bytes than the file has")
        self.position += size
        return self.data[self.position - size : self.position]

    def number(self, layout: str) -> int:
        value: int = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def line(self, limit: int = _MAX_LINE) -> bytes:
        """The bytes up to the next newline, which is consumed."""
        start, size = self.position, 64
        while True:
            chunk = bytes(self.data[start : min(start + size, self.end)])
            found = chunk.find(b"\n")
            if found >= 0:
                self.position = start + found + 1
                return chunk[:found]
            if size >= limit or start + size >= self.end:
                raise DamagedFileError("its pickle has a line without an end")
            size *= 4

    def text(self, layout: str) -> str:
        return str(self.take(self.number(layout)), "utf-8", "surrogatepass")

    # -- stack

    def pop_mark(self) -> list[Any]:
        items = self.stack
        self.stack = self.marked.pop()
        return items

    def call(self, function: Any, args: Any, kwargs: Any = None) -> None:
        self.stack.append(Call(function, args, kwargs))

    def refer(self, pid: Any) -> None:
        self.persistents.append(Persistent(pid))
        self.stack.append(self.persistents[-1])

    def set_items(self, target: Any, flat: list[Any]) -> None:
        if len(flat) % 2:
            raise DamagedFileError("its pickle has a key without a value")
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        if type(target) is dict:
            target.update((_key(key), value) for key, value in pairs)
        elif type(target) is Call:
            target.items.extend(pairs)
        else:
            raise DamagedFileError(f"its pickle sets items of a {type(target).__name__}")

    def add(self, target: Any, values: list[Any]) -> None:
        if type(target) is list:
            target.extend(values)
        elif type(target) is Elements:
            target.values.extend(values)
        elif type(target) is Call:
            target.elements.extend(values)
        else:
            raise DamagedFileError(f"its pickle appends to a {type(target).__name__}")

    def remember(self, index: int) -> None:
        if not 0 <= index < 1 << 32:
            raise DamagedFileError(f"its pickle numbers a value {index}")
        self.memo[index] = self.stack[-1]


def _key(key: Any) -> Any:
    """A key that hashes in constant time and cannot be made to collide."""
    if key is None or type(key) in (str, bool):
        return key
    if type(key) is int and -_MAX_KEY < key < _MAX_KEY:
        return key
    return OpaqueKey(key)
