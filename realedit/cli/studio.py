"""`realedit studio`: a page of this machine's own on which photos are edited with the mouse."""

from importlib.util import find_spec
from pathlib import Path

import click

from realedit.cli.examples import ExampleCommand
from realedit.cli.options import device_option, path_option, talk_options
from realedit.cli.paths import Fills, Named, Reads
from realedit.cli.streams import complain, message
from realedit.errors import UsageError

EXAMPLES = """
realedit studio portrait.jpg group.heic
realedit studio portrait.jpg -o exports/ --no-browser --port 8000
"""


@click.command("studio", cls=ExampleCommand, examples=EXAMPLES)
@click.argument("photos", metavar="[PHOTO]...", nargs=-1, type=Reads())
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Of 127.0.0.1, which nobody else can reach; 0 takes a free one.",
)
@click.option("--no-browser", is_flag=True, help="Only print the link; it works once.")
@path_option("-o", "--output", kind=Fills(), help="A folder for exports. [default: the browser's downloads]")
@path_option(
    "--work",
    kind=Fills(),
    help="Where the work is kept. [default: realedit/studio in the user's data folder]",
)
@click.option("--model", type=Named(), default="face128", show_default=True, help="A model's name or file.")
@device_option
@talk_options
def studio_command(
    photos: tuple[Path, ...],
    port: int,
    no_browser: bool,
    output: Path | None,
    work: Path | None,
    model: str,
    device: str,
    quiet: bool,
) -> None:
    """Edit photos with the mouse, on a page of this machine's own.

    The photos themselves are never changed. The work is kept as it goes on: the next start continues it.
    """
    missing = [name for name in ("starlette", "uvicorn", "websockets") if find_spec(name) is None]
    if missing:
        raise UsageError(f"the studio needs {', '.join(missing)}; run: pip install 'realedit[studio]'")
    from realedit.studio.running import run

    def say(link: str) -> None:
        message(link)
        if not quiet:
            complain("the link works once, on this machine alone; Ctrl-C ends the studio")

    run(
        photos,
        port=port,
        browser=not no_browser,
        output=output,
        work=work,
        model=model,
        device=device,
        say=say,
    )
