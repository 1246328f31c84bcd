"""Inversion: an aligned crop -> a W+ latent whose picture is like it, and a generator tuned to show it
exactly.
"""

from inversion.delta import apply, difference
from inversion.perceptual import GanFeatures, Lpips, PerceptualLoss, Pyramid, choose
from inversion.projection import project, starting_latent
from inversion.regularisers import CodeSpace
from inversion.settings import QUALITIES, InversionSettings, ProjectionSettings, Quality, TuningSettings
from inversion.step import Step
from inversion.tuning import tune, tuned_copy

__all__ = [
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
