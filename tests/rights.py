"""What the superuser may do regardless of a file's rights, given up for a while."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION_3 = 0x20080522  # of capget(2)
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2  # capabilities(7)
_GET_SECUREBITS, _SET_SECUREBITS = 27, 28  # prctl(2)
_NO_ROOT = 1 << 0  # else a program that is started has it all again
_NO_SETUID_FIXUP = 1 << 2  # else access(2) asks with all that the superuser is permitted


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextmanager
def held_to_rights() -> Iterator[None]:
    """The rights of files hold for the superuser too, in this thread and in what it starts meanwhile.

    Skips where that cannot be had.
    """
    if os.name != "posix":
        pytest.skip("rights are POSIX's")
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "capset"):
        pytest.skip("the superuser cannot give up rights here")
    header, sets = _Header(_VERSION_3, 0), (_Sets * 2)()
    bits = libc.prctl(_GET_SECUREBITS, 0, 0, 0, 0)
    if libc.capget(ctypes.byref(header), sets) or libc.prctl(
        _SET_SECUREBITS, bits | _NO_ROOT | _NO_SETUID_FIXUP, 0, 0, 0
    ):
        pytest.skip("the superuser cannot give up rights here")
    all_of_them = sets[0].effective
    sets[0].effective = all_of_them & ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    assert libc.capset(ctypes.byref(header), sets) == 0
    try:
        yield
    finally:
        sets[0].effective = all_of_them
        assert libc.capset(ctypes.byref(header), sets) == 0
        assert libc.prctl(_SET_SECUREBITS, bits, 0, 0, 0) == 0
