"""The `realedit` command: finds the sub-command, and turns every error into one sentence and an exit code."""

import errno
import gc
import importlib
import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from realedit import __version__
from realedit.cli.streams import LostOutput, complain, guarded
from realedit.plumbing.printing import printable

log = logging.getLogger("realedit")
PROGRAM = "realedit"

COMMANDS = {  # by name: where, and its line in the list of commands
    "edit": ("realedit.cli.edit:edit_command", "Edit PHOTO by dragging points."),
    "studio": ("realedit.cli.studio:studio_command", "Edit photos with the mouse, on a local page."),
    "faces": ("realedit.cli.faces:faces_command", "Say which faces PHOTO has, and what may go wrong."),
    "align": ("realedit.cli.align:align_command", "Cut the aligned square of a face out of PHOTO."),
    "invert": (
        "realedit.cli.invert:invert_command",
        "Find the face of PHOTO in the model, keep the session.",
    ),
    "drag": ("realedit.cli.stages:drag_command", "Drag points of the session in DIR."),
    "paste": ("realedit.cli.stages:paste_command", "Put what was dragged in DIR back into its photo."),
    "compare": ("realedit.cli.compare:compare_command", "Show what changed from BEFORE to AFTER."),
    "recipes": ("realedit.cli.recipes:recipes_group", "List, show, check and record named edits."),
    "batch": ("realedit.cli.batch:batch_command", "Edit every photo in IN into OUT."),
    "watch": ("realedit.cli.watch:watch_command", "Edit photos as they come into IN."),
    "jobs": ("realedit.cli.jobs:jobs_group", "What became of the photos whose outputs are in OUT."),
    "models": ("realedit.cli.models:models_group", "List, pull, inspect, convert and verify models."),
    "cache": ("realedit.cli.cache:cache_group", "Show or clear the inversions that are kept."),
    "demo": ("realedit.cli.demo:demo_command", "Widen the smile of an astronaut, and say where to look."),
    "doctor": ("realedit.cli.doctor:doctor_command", "Say what is installed and what stands in the way."),
}


class LazyGroup(click.Group):
    """Imports a sub-command when it is asked for: torch takes seconds, and `--help` needs none of it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command's object, or None for a name that is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        with _nothing_is_garbage():
            command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """Imports make a million objects that stay: looking for garbage among them takes a sixth of the time."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """Edit real photographs by dragging points: the same photo comes back with one thing moved."""


def main() -> NoReturn:
    """Run the command line and exit."""
    with guarded():
        code = _run()
    sys.exit(code)


def _run() -> int:
    """Run the command line; its exit code. Says what went wrong."""
    try:
        code = cli.main(prog_name=PROGRAM, standalone_mode=False)  # None, or what a command gave to ctx.exit
        sys.stdout.flush()
        return code or 0
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        for line in shown.getvalue().splitlines():
            click.echo(printable(line), err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        sentence, number = "interrupted; no photo was written", 130
    except LostOutput as lost:
        if lost.unread:
            return 0
        sentence, number = f"what was asked for cannot be written to stdout: {lost}; send it elsewhere", 7
    except Exception as error:
        sentence, number = explain(error)
    complain(sentence)
    return number


def explain(error: Exception) -> tuple[str, int]:
    """The sentence and the exit code for an error."""
    if isinstance(error, ImportError):
        return f"a part of realedit cannot be loaded ({error}); run: realedit doctor", 1
    from realedit.errors import EXPECTED

    if isinstance(error, EXPECTED):
        return str(error), int(getattr(error, "exit_code", 2))
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "out of memory; use a smaller photo, --quality draft or --device cpu", 7
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"no space left on the disk ({error.filename or 'temporary files'}); free some and try again",
            7,
        )
    log.debug("unexpected error", exc_info=error)
    return (
        f"a bug of realedit: {type(error).__name__}: {error}; please report it with what "
        "--log-file FILE keeps of the same command",
        1,
    )
