"""`python scripts/bench NAME [OPTIONS]`: see `scripts/commands.py`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder, whose names are those of packages

from commands import run  # noqa: E402

run("bench")
