"""From an aligned crop to a latent in W+ whose picture is like it, and a generator that shows it exactly.

    latent = starting_latent(checkpoint, crop)
    for step in project(checkpoint, crop, valid, loss, settings.projection, start=latent):
        latent = step.latent
    for step in tune(checkpoint, tuned, latent, crop, valid, loss, settings.tuning):
        ...                                       # `tuned` is a `tuned_copy` of the generator

Both are iterators of frozen steps: who takes no more of them stops the search.
"""

from typing import TYPE_CHECKING

from checkpoints.lazy import names_from

if TYPE_CHECKING:
    from inversion.delta import apply, difference
    from inversion.perceptual import LPIPS_NETS, GanFeatures, Lpips, PerceptualLoss, Pyramid, choose
    from inversion.projection import project, starting_latent
    from inversion.regularisers import CodeSpace
    from inversion.settings import QUALITIES, InversionSettings, ProjectionSettings, Quality, TuningSettings
    from inversion.step import Step
    from inversion.tuning import tune, tuned_copy

ALGORITHM = 7
"""Counts up when the same settings find another latent or tuning, so that kept ones are not taken for it."""

__all__ = [
    "ALGORITHM",
    "LPIPS_NETS",
    "QUALITIES",
    "CodeSpace",
    "GanFeatures",
    "InversionSettings",
    "Lpips",
    "PerceptualLoss",
    "ProjectionSettings",
    "Pyramid",
    "Quality",
    "Step",
    "TuningSettings",
    "apply",
    "choose",
    "difference",
    "project",
    "starting_latent",
    "tune",
    "tuned_copy",
]

_HOMES = {
    ".delta": "apply difference",
    ".perceptual": "LPIPS_NETS GanFeatures Lpips PerceptualLoss Pyramid choose",
    ".projection": "project starting_latent",
    ".regularisers": "CodeSpace",
    ".settings": "QUALITIES InversionSettings ProjectionSettings Quality TuningSettings",
    ".step": "Step",
    ".tuning": "tune tuned_copy",
}
"""The names of each module, which is imported when one of them is first asked for: errors and settings are
there without torch."""

if not TYPE_CHECKING:
    __getattr__, __dir__ = names_from(__name__, _HOMES)
