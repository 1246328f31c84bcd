"""Every command and parameter of the command line, as click knows them."""

from collections.abc import Iterator

import click

from realedit.cli.main import cli


def leaves(group: click.Group = cli, names: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """(name with those of its groups, command)."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


COMMANDS = dict(leaves())
