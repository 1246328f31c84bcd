"""Settings of the inversion, the three presets made of them, and changing one by its name."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

Quality = Literal["draft", "standard", "best"]
QUALITIES: tuple[Quality, ...] = ("draft", "standard", "best")
Precision = Literal["auto", "float32", "bfloat16"]

_LARGEST = 1e6  # of every number that is given by name

Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
Above0 = Annotated[float, msgspec.Meta(gt=0)]


@dataclass(frozen=True, kw_only=True)
class ProjectionSettings:
    """W+ optimisation at a fixed generator, by L-BFGS.

    steps: evaluations of the loss at most.
    coarse: share of the steps that run on the generator's half-resolution partial sum.
    first_fall: share of the loss that the first step would take away if the loss were linear.
    history: pairs that L-BFGS remembers.
    l2: weight of the pixel loss beside the perceptual one.
    likeness: weight of what a face recognition network sees, where the encoder has one.
    whitened: weight of the squared whitened distance to the mean code, per dimension.
    spread: weight of the layers' squared distance from their mean, in the codes' spread.
    plateau, patience: stop when the loss fell by less than this share over so many steps.
    """

    steps: Count = 40
    coarse: Share = 0.3
    first_fall: Above0 = 0.1
    history: Annotated[int, msgspec.Meta(ge=1)] = 20
    l2: Weight = 0.5
    likeness: Weight = 0.1
    whitened: Weight = 1e-4
    spread: Weight = 4e-4
    plateau: Share = 0.01
    patience: Annotated[int, msgspec.Meta(ge=2)] = 20


@dataclass(frozen=True, kw_only=True)
class TuningSettings:
    """Pivotal tuning (Roich et al. 2021, arXiv 2106.05744): generator weights at a fixed latent, by L-BFGS.

    steps: evaluations at most; 0 leaves the weights as they are.
    first_fall, history, l2, likeness: as in the projection.
    damping: how narrow the loss's narrow directions are taken for at least, as a share of the mean
    (`conditioning`).
    fast: share of the steps whose activations have the fast dtype (`precision`): it rounds away the small
    changes of weights that the last steps are about.
    target: stop when the perceptual loss is below this.
    locality: weight of the locality regularisation; locality_codes: at how many codes it looks;
    locality_radius: their distance from the pivot, in the codes' spread.
    first_resolution: blocks below it, and below half the picture's, stay as they are (0: every block is
    tuned).
    """

    steps: Count = 80
    first_fall: Above0 = 0.1
    history: Annotated[int, msgspec.Meta(ge=1)] = 12
    damping: Above0 = 0.03
    l2: Weight = 0.5
    likeness: Weight = 0.0
    fast: Share = 0.5
    target: Weight = 0.0
    locality: Weight = 0.0
    locality_codes: Annotated[int, msgspec.Meta(ge=1)] = 1
    locality_radius: Above0 = 0.5
    first_resolution: Count = 64


@dataclass(frozen=True, kw_only=True)
class InversionSettings:
    """Everything `invert` needs besides the picture and the generator.

    perceptual: see `perceptual.choose`. label: of a conditional generator, as `checkpoints.parse_label`
    reads it. precision: of the activations; `auto` is bfloat16 where the device computes in it.
    """

    projection: ProjectionSettings = field(default_factory=ProjectionSettings)
    tuning: TuningSettings = field(default_factory=TuningSettings)
    perceptual: str = "auto"
    precision: Precision = "auto"
    label: str | None = None
    seed: Count = 0

    @classmethod
    def preset(cls, quality: Quality, *, seed: int = 0, label: str | None = None) -> "InversionSettings":
        """The settings behind `--quality`."""
        projection, tuning = ProjectionSettings(), TuningSettings()
        if quality == "draft":
            projection = ProjectionSettings(coarse=0.5)
            tuning = TuningSettings(steps=0)
        if quality == "best":
            projection, tuning = (
                ProjectionSettings(steps=80),
                TuningSettings(steps=200, first_resolution=32),
            )
        return cls(projection=projection, tuning=tuning, seed=seed, label=label)

    def changed(self, changes: Mapping[str, str]) -> "InversionSettings":
        """The same settings with some of them, by dotted name (`tuning.steps`), read from text.

        Raises ValueError for a name there is not and a value that does not fit.
        """
        tree = dataclasses.asdict(self)
        for name, text in changes.items():
            *parents, leaf = name.split(".")
            place: Any = tree
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if not isinstance(place, dict) or leaf not in place or isinstance(place[leaf], dict):
                raise ValueError(f"there is no setting {name!r}; there are {', '.join(sorted(names(tree)))}")
            if isinstance(place[leaf], (int, float)) and not _is_sane(text):
                raise ValueError(f"the setting {name} cannot be {text!r}: numbers go up to {_LARGEST:.0e}")
            place[leaf] = text
            try:
                msgspec.convert(tree, InversionSettings, strict=False)
            except msgspec.ValidationError as error:
                reason = str(error).split(" - at")[0]
                raise ValueError(f"the setting {name} cannot be {text!r}: {reason}") from error
        return msgspec.convert(tree, InversionSettings, strict=False)


def _is_sane(text: str) -> bool:
    """Whether a text is a number with which a loss stays finite."""
    try:
        return abs(float(text)) <= _LARGEST
    except ValueError:
        return True  # what it is instead is said by the conversion


def names(tree: Mapping[str, Any]) -> list[str]:
    """The dotted names of a tree's leaves."""
    found = []
    for name, value in tree.items():
        found += [f"{name}.{inner}" for inner in names(value)] if isinstance(value, dict) else [name]
    return found
