"""Options about the photo file itself: how large it may be, and how the edited one is marked and signed."""

import functools
from pathlib import Path
from typing import Any, cast, get_args

import click

from realedit.api import Signing, Strip
from realedit.api.light import MAX_PIXELS
from realedit.cli.options import Command, path_option
from realedit.cli.paths import Reads

ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")


def max_pixels_option(command: Command) -> Command:
    """The size up to which photos are read."""
    return click.option(
        "--max-pixels",
        type=click.IntRange(1, 1 << 40),
        default=MAX_PIXELS,
        show_default=True,
        metavar="N",
        help="Refuse photos of more pixels.",
    )(command)


def writing_options(command: Command) -> Command:
    """How the photo is written; the command gets `strip`, `label_visible` and `signing`, a `Signing`
    or None."""

    @functools.wraps(command)
    def with_signing(
        *,
        c2pa_cert: Path | None,
        c2pa_key: Path | None,
        c2pa_algorithm: str,
        c2pa_timestamp: str | None,
        strip: Strip,
        strip_gps: bool,
        **options: Any,
    ) -> Any:
        if strip_gps and strip == "none":
            strip = "gps"
        if (c2pa_cert is None) != (c2pa_key is None):
            raise click.UsageError("signing needs both --c2pa-cert and --c2pa-key")
        if c2pa_cert is None and c2pa_timestamp is not None:
            raise click.UsageError("--c2pa-timestamp belongs to a signature; give --c2pa-cert and --c2pa-key")
        signing = None
        if c2pa_cert is not None and c2pa_key is not None:
            signing = Signing(c2pa_cert, c2pa_key, c2pa_algorithm, c2pa_timestamp)
        return command(signing=signing, strip=strip, **options)

    wrapped: Any = with_signing
    for option in reversed(
        [
            click.option(
                "--strip",
                type=click.Choice(get_args(Strip)),
                default="none",
                show_default=True,
                help="gps leaves out where the photo was taken, coordinates and names of places; "
                "all leaves out all but colour, orientation and the mark of an edited photo.",
            ),
            click.option("--strip-gps", is_flag=True, hidden=True),  # the old spelling
            click.option(
                "--label-visible", is_flag=True, help='Write "AI-edited" into a corner of the photo.'
            ),
            path_option(
                "--c2pa-cert",
                kind=Reads(),
                help="Sign with content credentials (C2PA): certificate chain, PEM.",
            ),
            path_option("--c2pa-key", kind=Reads(), help="The certificate's private key, PEM."),
            click.option(
                "--c2pa-algorithm",
                type=click.Choice(ALGORITHMS),
                default="es256",
                show_default=True,
                help="The key's signature algorithm.",
            ),
            click.option(
                "--c2pa-timestamp",
                metavar="URL",
                help="Ask this authority for a time stamp; nobody without it.",
            ),
        ]
    ):
        wrapped = option(wrapped)
    return cast(Command, wrapped)
