"""Inversion: an aligned crop -> a W+ latent whose picture is like it, and a generator tuned to show it
exactly.
"""

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
