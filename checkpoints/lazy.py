"""Packages whose names are imported when one of them is first asked for (PEP 562).

It lies here because every other package that does so may import this one; `alignment`, which imports nothing
of ours, has its own.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def names_from(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package.

    homes: of each module (`.name` is one of the package's own) the names that are its, with spaces between.
    """

    def find(name: str) -> Any:
        for home, names in homes.items():
            if name in names.split():
                found = getattr(import_module(home, package), name)
                vars(sys.modules[package])[name] = found
                return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listed() -> list[str]:
        module = vars(sys.modules[package])
        return sorted({*module, *module["__all__"]})

    return find, listed
