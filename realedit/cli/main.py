"""The `realedit` command: finds the sub-command, and turns every error into one sentence and an exit code."""

import errno
import importlib
import logging
import sys
from typing import NoReturn

import click

from realedit import __version__

log = logging.getLogger("realedit")

COMMANDS = {
    "edit": "realedit.cli.edit:edit_command",
    "align": "realedit.cli.stages:align_command",
    "invert": "realedit.cli.stages:invert_command",
    "drag": "realedit.cli.stages:drag_command",
    "paste": "realedit.cli.stages:paste_command",
    "models": "realedit.cli.models:models_group",
    "demo": "realedit.cli.demo:demo_command",
    "doctor": "realedit.cli.doctor:doctor_command",
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
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="realedit")
def cli() -> None:
    """Edit real photographs by dragging points: the same photo comes back with one thing moved."""


def main() -> NoReturn:
    """Run the command line and exit."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; nothing was written", 130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        _fail(*explain(error))
    sys.exit(0)


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


def _fail(sentence: str, code: int) -> NoReturn:
    click.echo(f"realedit: {sentence}", err=True)
    sys.exit(code)
