"""One command for a folder of scripts.

`python scripts/FOLDER NAME [OPTIONS]` runs the `main` of `scripts/FOLDER/NAME.py`.
"""

import ast
import importlib
import sys
import textwrap
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
ROOT = SCRIPTS.parent


def names(folder: str) -> dict[str, str]:
    """The scripts of a folder, each with the beginning of its docstring."""
    found = {}
    for path in sorted((SCRIPTS / folder).glob("[!_]*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem] = textwrap.shorten(said.partition("\n\n")[0], 84, placeholder=" ...")
    return found


def itself(folder: str, name: str) -> list[str]:
    """The command line that runs a script in a process of its own."""
    return [sys.executable, str(SCRIPTS / folder), name]


def run(folder: str) -> None:
    """Run the script that the command line names, or say which there are."""
    known = names(folder)
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in known:
        asked = name in ("-h", "--help")
        told = [f"usage: python scripts/{folder} NAME [OPTIONS]   (NAME --help explains the options)", ""]
        told += [f"  {known_name:16}{said}" for known_name, said in known.items()]
        if name and not asked:
            told.append(f"\nthere is no {name!r} in scripts/{folder}")
        print("\n".join(told), file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    sys.path[:0] = [str(ROOT)]  # for `tests`, whose helpers some benchmarks use
    sys.argv = [f"scripts/{folder} {name}", *sys.argv[2:]]
    importlib.import_module(f"{folder}.{name}").main()
