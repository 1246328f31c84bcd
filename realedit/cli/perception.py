"""The one-time offer to fetch a better perceptual loss."""

import contextlib
import sys

import click

import checkpoints
from checkpoints import models
from checkpoints.cache import subfolder, without_cache
from checkpoints.errors import CheckpointError
from inversion import LPIPS_NETS, InversionSettings
from realedit.cli.streams import complain

BEST = "lpips-vgg"


def offer_backbone(settings: InversionSettings, *, quiet: bool) -> None:
    """Say once, on a terminal, which loss `auto` lacks, and fetch it where the person says yes.

    Nothing is asked where a loss was named, one of LPIPS is there, or somebody was asked before. Where it
    cannot be fetched, that is said and the work goes on without.
    """
    if settings.perceptual != "auto" or quiet or not sys.stdin.isatty() or not sys.stderr.isatty():
        return
    try:
        asked = subfolder("models").with_name("offered-lpips")  # in a cache that is its owner's alone
        if asked.exists() or any(checkpoints.backbone(f"lpips-{net}") for net in LPIPS_NETS):
            return
    except (CheckpointError, OSError) as error:  # nothing that is fetched could be kept
        without_cache(error)
        return
    wanted = click.confirm(
        f"realedit: faces are compared without a download now. {BEST} (528 MB, torchvision's VGG-16) may "
        f"see likeness better. Fetch it? (Asked once; later: realedit models pull {BEST})",
        default=False,
        err=True,
    )
    with contextlib.suppress(OSError):
        asked.write_bytes(b"")
    if not wanted:
        return
    try:
        models.pull(BEST, accept_licence=lambda entry, licence: True)
    except CheckpointError as error:
        complain(f"{error}; going on without it")
