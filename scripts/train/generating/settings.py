"""Settings of a training run."""

from dataclasses import dataclass, field
from typing import Literal

from train.faces.augment import Jitter
from train.faces.expressions import Expressions
from train.generating.networks import Shape

Dtype = Literal["bfloat16", "float32"]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Of the losses. pixels: multi-scale L1; moved: the same where a face was moved. features, identity: of
    the recognition network. spread: of the layers' codes. adversarial, details: of the generator's part of
    the game, against what judges whole pictures and what judges details; r1, path: their usual factors.
    """

    pixels: float = 1.0
    moved: float = 1.5
    features: float = 0.4
    identity: float = 1.0
    seen: float = 1.0
    spread: float = 0.02
    adversarial: float = 0.05
    details: float = 0.1
    r1: float = 1.0
    path: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run. Rates are Adam's: the generator's layers have an equalised rate, encoder and discriminator
    none; that of the directions is in the codes' spread.

    half_life: of the averaged weights, in pictures. mixing: share of the batch whose code gets its later
    layers from another picture or from the mapping network. collapse: share of the batch whose code is
    the layers' mean, so that the generator also knows codes that are the same in all layers. led: share
    of the moved faces whose code is that of the still face and a direction for what moves; drag_layers:
    the first so many layers have directions, as only they are moved by drags. coarse: pictures are
    compared at half the resolution for so many steps. rare: how much more often faces of a
    rare kind are drawn.
    """

    shape: Shape = field(default_factory=Shape)
    jitter: Jitter = field(default_factory=Jitter)
    expressions: Expressions = field(default_factory=Expressions)
    weights: Weights = field(default_factory=Weights)
    dtype: Dtype = "bfloat16"
    batch: int = 8
    generator_rate: float = 5e-4
    encoder_rate: float = 1e-4
    face_rate: float = 1e-3
    direction_rate: float = 1e-2
    discriminator_rate: float = 5e-4
    half_life: float = 1500
    collapse: float = 0.3
    led: float = 0.7
    drag_layers: int = 8
    mixing: float = 0.5
    coarse: int = 0
    rare: float = 2.0
    warm_up: int = 20
    adversarial: bool = False
    r1_every: int = 16
    path_every: int = 8
    seed: int = 0
