"""What each opcode of pickle protocols 0 to 5 does to the inert machine."""

import codecs
import struct
from collections.abc import Callable
from typing import Any, Final

from ..errors import DamagedFileError
from .machine import Machine, Opcode
from .values import Call, Elements, Global


def _unquote(line: bytes) -> str:
    """The value of a protocol 0 STRING, which is written as Python 2's repr."""
    line = line.rstrip(b"\r")
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise DamagedFileError("its pickle has a string without quotes")
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")


def _integer(line: bytes) -> int | bool:
    """The value of a protocol 0 INT or LONG."""
    if line in (b"00", b"01"):
        return line == b"01"
    return int(line.rstrip(b"L"))  # at most 4300 digits, or a ValueError


def _op_proto(m: Machine) -> None:
    version = m.number("<B")
    if version > 5:
        raise DamagedFileError(f"its pickle has the unknown protocol {version}")


def _op_frame(m: Machine) -> None:
    if m.number("<Q") > m.end - m.position:
        raise DamagedFileError("its pickle has a frame that is longer than the file")


def _op_global(m: Machine) -> None:
    module = m.line().decode("utf-8")
    m.stack.append(Global(module, m.line().decode("utf-8")))


def _op_stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise DamagedFileError("its pickle names a global by something else than text")
    m.stack.append(Global(module, name))


def _op_inst(m: Machine) -> None:
    _op_global(m)
    function = m.stack.pop()
    m.call(function, tuple(m.pop_mark()))  # the global is taken off before the mark's items are


def _op_obj(m: Machine) -> None:
    items = m.pop_mark()
    m.call(items[0], tuple(items[1:]))


def _op_reduce(m: Machine) -> None:
    args = m.stack.pop()
    m.call(m.stack.pop(), args)


def _op_newobj_ex(m: Machine) -> None:
    kwargs, args = m.stack.pop(), m.stack.pop()
    m.call(m.stack.pop(), args, kwargs)


def _op_build(m: Machine) -> None:
    state = m.stack.pop()
    if type(m.stack[-1]) is not Call:
        raise DamagedFileError(f"its pickle sets the state of a {type(m.stack[-1]).__name__}")
    m.stack[-1].state = state


def _op_dict(m: Machine) -> None:
    flat = m.pop_mark()
    m.stack.append({})
    m.set_items(m.stack[-1], flat)


def _op_setitems(m: Machine) -> None:
    flat = m.pop_mark()
    m.set_items(m.stack[-1], flat)


def _op_setitem(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    m.set_items(m.stack[-1], [key, value])


def _op_append(m: Machine) -> None:
    value = m.stack.pop()
    m.add(m.stack[-1], [value])


def _op_appends(m: Machine) -> None:
    values = m.pop_mark()
    m.add(m.stack[-1], values)


def _op_mark(m: Machine) -> None:
    m.marked.append(m.stack)
    m.stack = []


def _op_pop(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.pop_mark()


def _op_buffer(m: Machine) -> None:
    raise DamagedFileError("its pickle refers to buffers outside of the file")


def _tuple(count: int) -> Opcode:
    def operation(m: Machine) -> None:
        if len(m.stack) < count:
            raise DamagedFileError("its pickle takes more from its stack than there is")
        m.stack[-count:] = [tuple(m.stack[-count:])]

    return operation


def _push(value: Callable[[Machine], Any]) -> Opcode:
    def operation(m: Machine) -> None:
        result = value(m)  # first: it may change which stack is on top
        m.stack.append(result)

    return operation


def _extension(layout: str) -> Opcode:
    return _push(lambda m: Global("copyreg extension", str(m.number(layout))))


TABLE: Final[dict[int, Opcode]] = {
    # protocol 0: text
    ord("("): _op_mark,
    ord("0"): _op_pop,
    ord("1"): lambda m: (m.pop_mark(), None)[1],
    ord("2"): _push(lambda m: m.stack[-1]),
    ord("F"): _push(lambda m: float(m.line())),
    ord("I"): _push(lambda m: _integer(m.line())),
    ord("L"): _push(lambda m: _integer(m.line())),
    ord("N"): _push(lambda m: None),
    ord("P"): lambda m: m.refer(m.line().decode("utf-8")),
    ord("R"): _op_reduce,
    ord("S"): _push(lambda m: _unquote(m.line(m.end))),
    ord("V"): _push(lambda m: codecs.raw_unicode_escape_decode(m.line(m.end))[0]),
    ord("a"): _op_append,
    ord("b"): _op_build,
    ord("c"): _op_global,
    ord("d"): _op_dict,
    ord("g"): _push(lambda m: m.memo[int(m.line(32))]),
    ord("i"): _op_inst,
    ord("l"): _push(lambda m: m.pop_mark()),
    ord("p"): lambda m: m.remember(int(m.line(32))),
    ord("s"): _op_setitem,
    ord("t"): _push(lambda m: tuple(m.pop_mark())),
    # protocol 1: binary
    ord("G"): _push(lambda m: struct.unpack(">d", m.take(8))[0]),
    ord("J"): _push(lambda m: m.number("<i")),
    ord("K"): _push(lambda m: m.number("<B")),
    ord("M"): _push(lambda m: m.number("<H")),
    ord("Q"): lambda m: m.refer(m.stack.pop()),
    ord("T"): _push(lambda m: str(m.take(m.number("<i")), "latin-1")),
    ord("U"): _push(lambda m: str(m.take(m.number("<B")), "latin-1")),
    ord("X"): _push(lambda m: m.text("<I")),
    ord("]"): _push(lambda m: []),
    ord("e"): _op_appends,
    ord("h"): _push(lambda m: m.memo[m.number("<B")]),
    ord("j"): _push(lambda m: m.memo[m.number("<I")]),
    ord("o"): _op_obj,
    ord("q"): lambda m: m.remember(m.number("<B")),
    ord("r"): lambda m: m.remember(m.number("<I")),
    ord(")"): _push(lambda m: ()),
    ord("}"): _push(lambda m: {}),
    ord("u"): _op_setitems,
    # protocol 2
    0x80: _op_proto,
    0x81: _op_reduce,  # NEWOBJ: a class and its arguments
    0x82: _extension("<B"),
    0x83: _extension("<H"),
    0x84: _extension("<i"),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    0x88: _push(lambda m: True),
    0x89: _push(lambda m: False),
    0x8A: _push(lambda m: int.from_bytes(m.take(m.number("<B")), "little", signed=True)),
    0x8B: _push(lambda m: int.from_bytes(m.take(m.number("<i")), "little", signed=True)),
    # protocol 3
    ord("B"): _push(lambda m: m.take(m.number("<I"))),
    ord("C"): _push(lambda m: m.take(m.number("<B"))),
    # protocol 4
    0x8C: _push(lambda m: m.text("<B")),
    0x8D: _push(lambda m: m.text("<Q")),
    0x8E: _push(lambda m: m.take(m.number("<Q"))),
    0x8F: _push(lambda m: Elements([])),
    0x90: _op_appends,
    0x91: _push(lambda m: Elements(m.pop_mark())),
    0x92: _op_newobj_ex,
    0x93: _op_stack_global,
    0x94: lambda m: m.remember(len(m.memo)),
    0x95: _op_frame,
    # protocol 5
    0x96: _push(lambda m: m.take(m.number("<Q"))),
    0x97: _op_buffer,
    0x98: _op_buffer,
}
