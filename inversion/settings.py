"""Settings of the inversion, and the three presets made of them."""

from dataclasses import dataclass, field
from typing import Literal

Quality = Literal["draft", "standard", "best"]
QUALITIES: tuple[Quality, ...] = ("draft", "standard", "best")


@dataclass(frozen=True, kw_only=True)
class ProjectionSettings:
    """W+ optimisation at a fixed generator.

    steps: at most this many Adam steps.
    coarse: share of the steps that run on the generator's half-resolution partial sum.
    learning_rate: Adam's, for a latent whose codes have unit spread; scaled by the checkpoint's own spread.
    l2: weight of the pixel loss beside the perceptual one.
    whitened: weight of the squared whitened distance to the mean code, per dimension.
    spread: weight of the layers' squared distance from their mean, in the codes' spread.
    plateau, patience: stop when the loss fell by less than this share over so many steps.
    """

    steps: int = 100
    coarse: float = 0.3
    learning_rate: float = 0.08
    l2: float = 1.0
    whitened: float = 0.0005
    spread: float = 0.002
    plateau: float = 0.01
    patience: int = 30


@dataclass(frozen=True, kw_only=True)
class TuningSettings:
    """Pivotal tuning (Roich et al. 2021, arXiv 2106.05744): generator weights at a fixed latent.

    steps: at most this many; 0 leaves the generator as it is.
    target: stop when the perceptual loss is below this.
    locality: weight of the locality regularisation; locality_every: steps between two of its evaluations.
    locality_radius: distance of the interpolated code from the pivot, in the codes' spread.
    first_resolution: blocks below it stay as they are (0: every block is tuned).
    """

    steps: int = 60
    learning_rate: float = 2e-3
    l2: float = 1.0
    target: float = 0.0
    locality: float = 0.1
    locality_every: int = 4
    locality_radius: float = 1.0
    first_resolution: int = 0


@dataclass(frozen=True, kw_only=True)
class InversionSettings:
    """Everything `invert` needs besides the picture and the generator.

    perceptual: see `perceptual.choose`. label: of a conditional generator, as `checkpoints.parse_label`
    reads it.
    """

    projection: ProjectionSettings = field(default_factory=ProjectionSettings)
    tuning: TuningSettings = field(default_factory=TuningSettings)
    perceptual: str = "auto"
    label: str | None = None
    seed: int = 0

    @classmethod
    def preset(cls, quality: Quality, *, seed: int = 0, label: str | None = None) -> "InversionSettings":
        """The settings behind `--quality`."""
        projection, tuning = ProjectionSettings(), TuningSettings()
        if quality == "draft":
            projection, tuning = ProjectionSettings(steps=20, coarse=0.5), TuningSettings(steps=0)
        if quality == "best":
            projection, tuning = ProjectionSettings(steps=250), TuningSettings(steps=350)
        return cls(projection=projection, tuning=tuning, seed=seed, label=label)
