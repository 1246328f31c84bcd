"""The tree of errors: as drawn, and each with the exit code of the contract."""

import re

import alignment.errors
import checkpoints.errors
from realedit import errors
from realedit.cli.main import explain

DRAWN = re.compile(r"(?:├──|└──) ([\w.]+)\s+(\d)", re.MULTILINE)
MODULES = (errors, alignment.errors, checkpoints.errors)


def _classes() -> dict[str, type[Exception]]:
    found: dict[str, type[Exception]] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            if (
                isinstance(value, type)
                and issubclass(value, Exception)
                and value.__module__ == module.__name__
            ):
                found[name] = value
    return found


def _code(cls: type[Exception]) -> int:
    code: int = vars(cls).get("exit_code") or _code(cls.__mro__[1])
    return code


def test_the_drawing_shows_every_class_with_its_exit_code() -> None:
    drawn = {name.rsplit(".", 1)[-1]: int(code) for name, code in DRAWN.findall(errors.__doc__ or "")}
    assert drawn == {name: _code(cls) for name, cls in _classes().items()}


def test_every_class_of_the_tree_is_expected_and_documented() -> None:
    for name, cls in _classes().items():
        assert issubclass(cls, errors.EXPECTED), name
        assert cls.__doc__, name


def test_exported_names_exist_and_are_sorted() -> None:
    assert errors.__all__ == sorted(errors.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(errors, name) for name in errors.__all__)


def test_every_expected_error_is_told_as_it_is() -> None:
    for cls in _classes().values():
        assert explain(cls("what; and what to do")) == ("what; and what to do", _code(cls))


def test_other_errors_have_their_codes() -> None:
    assert explain(MemoryError())[1] == 7
    assert explain(RuntimeError("CUDA out of memory. Tried to allocate"))[1] == 7
    assert explain(OSError(28, "No space left on device", "file"))[1] == 7
    sentence, code = explain(ZeroDivisionError("division by zero"))
    assert code == 1 and "bug" in sentence and "division by zero" in sentence
    sentence, code = explain(ImportError("no module"))
    assert code == 1 and "doctor" in sentence
