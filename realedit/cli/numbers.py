"""Numbers on the command line: finite, within bounds that are said."""

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A number within bounds; click itself lets NaN through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises click's usage error for what is none, infinite or out of bounds."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number in the range {self._describe_range()}.", param, ctx)
        return number
