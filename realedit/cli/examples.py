"""Commands whose help ends with examples."""

from typing import Any

import click

from realedit.cli.paths import PathCommand


class ExampleCommand(PathCommand):
    """examples: command lines, one a line; shown as they are, so that they can be copied."""

    def __init__(self, *args: Any, examples: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples.strip().splitlines()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, never broken into two lines."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
