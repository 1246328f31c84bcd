"""The rows of a benchmark's table, and how it is printed. Needs torch alone."""

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from realedit import __version__

Row = dict[str, Any]


def row(
    what: str, value: float, unit: str, goal: float | None = None, *, least: bool = False, digits: int = 3
) -> Row:
    """A figure, and whether it is at most its goal (`least`: at least)."""
    holds = None if goal is None else bool(value >= goal if least else value <= goal)
    return {"what": what, "value": round(float(value), digits), "unit": unit, "goal": goal, "holds": holds}


def line(each: Row, width: int) -> str:
    """A row as it is printed."""
    goal = (
        "" if each["goal"] is None else f"  (goal {each['goal']:g}, {'holds' if each['holds'] else 'MISSED'})"
    )
    return f"{each['what']:{width}} {each['value']:>9} {each['unit']}{goal}"


def report(table: Sequence[Row], about: str, file: Path | None = None) -> None:
    """Print versions, machine, `about` (the model, how many photos) and the table; keep it as JSON."""
    print(f"\nrealedit {__version__}, torch {torch.__version__}, {platform.machine()}, "
          f"{torch.get_num_threads()} threads; {about}")  # fmt: skip
    width = max(len(each["what"]) for each in table)
    for each in table:
        print(line(each, width))
    if file:
        file.write_text(json.dumps({"rows": list(table)}, indent=1))
