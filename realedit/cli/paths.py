"""Options and arguments that name files: what becomes of the file, and that no command writes what it reads.

Every path of a command has one of the types of this module, and every command that has paths is a
`PathCommand`, which compares them before anything is opened (tests/realedit/cli/test_paths.py counts them).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

LOG_BEGINS = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} DEBUG realedit: this is the log of realedit ")


class PathType(click.Path):
    """A path. The subclasses say what becomes of it; whether it is there is checked where it is used."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; `./-` is the file of that name, and not what `-` stands for."""
        path = super().convert(value, param, ctx)
        return Path.cwd() / path if path == Path("-") and str(value) != "-" else path

    def paths(self, value: Any) -> Iterator[Path]:
        """The paths in an option's value."""
        if isinstance(value, Path):
            yield value
        elif isinstance(value, tuple):
            for each in value:
                yield from self.paths(each)


class Reads(PathType):
    """A file or folder that is read, and never changed."""


class Writes(PathType):
    """A file that is written."""


class Fills(PathType):
    """A folder into which files are written."""


class Keeps(PathType):
    """The folder that a session is written into."""


class Sessions(PathType):
    """The folder of a session that is there."""


class Logs(Writes):
    """A file that messages are added to."""


class Named(click.ParamType[str]):
    """A text that may be the name of a file that is read, such as a model's."""

    name = "text"

    def paths(self, value: Any) -> Iterator[Path]:
        """The file, where there is one of that name."""
        for text in value if isinstance(value, tuple) else (value,):
            for name in (text, text.rpartition(":")[0]) if isinstance(text, str) else ():
                if name and Path(name).is_file():
                    yield Path(name)


class PathCommand(click.Command):
    """A command that refuses paths which do not go together, before it begins."""

    def invoke(self, ctx: click.Context) -> Any:
        """Check, then run."""
        from realedit.plumbing.places import check_apart

        outputs: dict[str, Path | None] = {}
        inputs: dict[str, list[Path]] = {}
        for option, kind, path in named_paths(ctx):
            if isinstance(kind, Logs):
                _check_log(path)
            if isinstance(kind, (Reads, Named)):
                inputs.setdefault(option, []).append(path)
            elif not isinstance(kind, Sessions):
                outputs[option] = path
        check_apart(outputs, inputs, appended=("--log-file",))
        _check_sessions(ctx)
        return super().invoke(ctx)


def named_paths(ctx: click.Context) -> Iterator[tuple[str, "click.ParamType[Any]", Path]]:
    """(option as the user knows it, type, path) of every path in a command's parameters, but `-`."""
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        paths = getattr(parameter.type, "paths", None)
        for path in paths(value) if paths else ():
            if str(path) != "-":
                yield name_of(parameter), parameter.type, path


def name_of(parameter: click.Parameter) -> str:
    """An option's long name, or an argument's as the usage line has it."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.human_readable_name.removesuffix("...")


def _check_log(path: Path) -> None:
    """Raise OutputError for a file that is no log of realedit's; a device or pipe may be one."""
    from realedit.errors import OutputError

    if path.is_block_device():
        raise OutputError(f"the log file {path} is a disk; give another name")
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            head = file.read(200)
    except OSError as error:
        raise OutputError(f"the log file {path} cannot be read: {error.strerror}; choose another") from error
    if head and not LOG_BEGINS.match(head):
        raise OutputError(
            f"the log file {path} is there and is no log of realedit, so nothing is added to it; "
            "remove it or choose another"
        )


def _check_sessions(ctx: click.Context) -> None:
    """Raise OutputError where a path is a file of a session that the command writes or reads."""
    from realedit.errors import OutputError

    paths = list(named_paths(ctx))
    folders = [(option, path) for option, kind, path in paths if isinstance(kind, (Keeps, Sessions))]
    folders = [(option, path) for option, path in folders if path.is_dir()]
    if not folders:
        return
    from realedit.api.light import session_files
    from realedit.plumbing.places import same_place

    files = [(option, each) for option, folder in folders for each in session_files(folder)]
    for option, kind, path in paths:
        for owner, file in files:
            if option != owner and not path.is_dir() and same_place(path, file):
                reads = isinstance(kind, (Reads, Named))
                raise OutputError(
                    f"cannot {'read' if reads else 'write'} {path}: it belongs to the session that {owner} "
                    f"names; give {option} another file"
                )
