"""The one-time offer to fetch a better perceptual loss."""

import sys

import click

import checkpoints
from checkpoints import models
from checkpoints.cache import cache_folder, subfolder
from checkpoints.errors import CheckpointError
from inversion import LPIPS_NETS, InversionSettings
from realedit.cli.streams import complain

BEST = "lpips-vgg"


def offer_backbone(settings: InversionSettings, *, quiet: bool) -> None:
    """Say once, on a terminal, which loss `auto` lacks, and fetch it where the person says yes.

    Nothing is asked where a loss was named, one of LPIPS is there, or somebody was asked before. Where it
    cannot be fetched, that is said and the work goes on without.
    """
    asked = cache_folder() / "offered-lpips"
    if settings.perceptual != "auto" or quiet or not sys.stdin.isatty() or not sys.stderr.isatty():
        return
    if asked.exists() or any(checkpoints.backbone(f"lpips-{net}") for net in LPIPS_NETS):
        return
    wanted = click.confirm(
        f"realedit: faces are compared without a download now. {BEST} (528 MB, torchvision's VGG-16) may "
        f"see likeness better. Fetch it? (Asked once; later: realedit models pull {BEST})",
        default=False,
        err=True,
    )
    subfolder("models")  # makes the cache folder for its owner alone
    asked.write_bytes(b"")
    if not wanted:
        return
    try:
        models.pull(BEST, accept_licence=lambda entry, licence: True)
    except CheckpointError as error:
        complain(f"{error}; going on without it")
