"""Training of the three networks together: every copy of a face gives a view, two eyes and a mouth."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from realedit.perception import frames
from realedit.perception import points as parts
from realedit.perception.network import (
    EYE_FACTS,
    EYE_SIZE,
    MOUTH_SIZE,
    DetailNet,
    Places,
    ViewNet,
    ViewOutput,
)

from . import teacher
from .chips import Chips
from .copies import Copier, Copy, Jitter

_LIDS = [i for eye in parts.EYES for i in eye.upper + eye.lower]
_LIPS = list(parts.INNER_LIP_UPPER + parts.INNER_LIP_LOWER + parts.OUTER_LIP_UPPER + parts.OUTER_LIP_LOWER)
_WINDOW = 0.42  # how far from a close-up's centre points are looked for in it, as a part of its side


@dataclass(frozen=True, kw_only=True)
class Settings:
    """rate: of AdamW, falling to zero over the last `cooling` of the steps. half_life: of the averaged
    weights, in steps. lids, lips: how much their points count more. Other names: weights of losses."""

    batch: int = 16
    rate: float = 3e-3
    cooling: float = 0.4
    half_life: float = 200
    jitter: Jitter = field(default_factory=Jitter)
    lids: float = 2.0
    lips: float = 2.0
    depth: float = 0.3
    matte: float = 0.15
    face: float = 0.02
    glasses: float = 0.02
    blur: float = 0.01
    seed: int = 0


class Networks(nn.Module):
    """view: the whole; eye: a left eye (right ones are mirrored); mouth. `eye_points` and `mouth_points` say
    which of the 478 points the close-ups tell."""

    def __init__(self, eye_points: list[int], mouth_points: list[int]) -> None:
        super().__init__()
        self.eye_points, self.mouth_points = eye_points, mouth_points
        self.view = ViewNet(norm=True)
        self.eye = DetailNet(EYE_SIZE, len(eye_points), EYE_FACTS, norm=True)
        self.mouth = DetailNet(MOUTH_SIZE, len(mouth_points), norm=True)


def detail_points(chips: Chips) -> tuple[list[int], list[int]]:
    """The points of the left eye's and of the mouth's close-up, by where they are on the mean face."""
    mean = mean_shape(chips.points)[:, :2]
    eye, _ = frames.eye_squares(mean)
    mouth = frames.mouth_square(mean)

    def within(square_points: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray((abs(square_points - 0.5) < _WINDOW).all(axis=1))

    around_eye, around_mouth = within(eye.to_crop(mean, 1)), within(mouth.to_crop(mean, 1))
    around_mouth &= around_mouth[chips.mirror]
    return np.flatnonzero(around_eye).tolist(), np.flatnonzero(around_mouth).tolist()


def mean_shape(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """`[478, 3]`: the mean of faces `[N, 478, 3]`, in the unit square that they are in."""
    return np.asarray(points.mean(axis=0), np.float64)


def start(chips: Chips, nets: Networks) -> None:
    """Begin by expecting every point where it is on the mean face."""
    shape = mean_shape(chips.points)
    scale = frames.VIEW / teacher.WIDTH
    places = shape[:, :2]
    _expect(nets.view.places, (places - 0.5) / scale + 0.5, 0.08)
    _expect(nets.eye.places, frames.eye_squares(places)[0].to_crop(places[nets.eye_points], 1), 0.09)
    _expect(nets.mouth.places, frames.mouth_square(places).to_crop(places[nets.mouth_points], 1), 0.09)
    with torch.no_grad():
        assert nets.view.depth.bias is not None
        nets.view.depth.weight.mul_(0.1)
        nets.view.depth.bias.copy_(torch.tensor(shape[:, 2] / scale))
        nets.view.facts.bias.copy_(torch.tensor([2.0, -3.5]))


def _expect(net: Places, places: NDArray[np.float64], spread: float) -> None:
    """A Gaussian around each place as the prior; what is seen counts little at first."""
    middles, at = net.middles, torch.tensor(places, dtype=torch.float32)
    across = (middles[None, None, :] - at[:, 0, None, None]) ** 2
    away = across + (middles[None, :, None] - at[:, 1, None, None]) ** 2
    with torch.no_grad():
        net.prior.copy_(away / (-2 * spread**2))
        net.logits.weight.mul_(0.3)


class Trainer:
    """Advances the networks; `averaged` are their averaged weights. Randomness follows from seed and step."""

    def __init__(self, chips: Chips, settings: Settings, steps: int) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.steps, self.step = settings, steps, 0
        self.nets = Networks(*detail_points(chips)).to(memory_format=torch.channels_last)
        start(chips, self.nets)
        self.averaged = Networks(*detail_points(chips))
        self.averaged.load_state_dict(self.nets.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.nets.parameters(), lr=settings.rate, weight_decay=1e-3, fused=True
        )
        self.copier = Copier(chips)
        self.pool = chips.indices(held_out=False)
        self.half = torch.cpu.is_available() and torch.backends.mkldnn.is_available() and _has_bfloat16()
        counts = np.ones(478, np.float32)
        counts[_LIDS], counts[_LIPS] = settings.lids, settings.lips
        self.counts = torch.tensor(counts / counts.mean())

    def save(self, path: Path) -> None:
        state = {
            "step": self.step,
            "nets": self.nets.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.step = state["step"]
        self.nets.load_state_dict(state["nets"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])

    def batches(self, processes: int = 0) -> Iterator[list[Copy]]:
        """The copies of this step and all after it; made ahead of time where there are `processes` for it."""
        settings = self.settings
        if processes == 0:
            for step in count(self.step):
                yield _batch(self.copier, self.pool, settings, step)
        with ProcessPoolExecutor(processes, initializer=_begin, initargs=(self.copier.chips,)) as pool:
            steps = count(self.step)
            ahead = deque(pool.submit(_made, self.pool, settings, next(steps)) for _ in range(processes + 2))
            while True:
                yield ahead.popleft().result()
                ahead.append(pool.submit(_made, self.pool, settings, next(steps)))

    def advance(self, copies: list[Copy]) -> dict[str, float]:
        """One step with its copies; what its losses were."""
        left = (1 - self.step / self.steps) / self.settings.cooling
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * min(1.0, (self.step + 1) / 100, left + 1e-3)
        self.nets.train()
        self.optimizer.zero_grad(set_to_none=True)
        losses = self._losses(copies)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.nets.parameters(), 1.0)
        self.optimizer.step()
        self._average()
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _average(self) -> None:
        keep = min(0.5 ** (1 / self.settings.half_life), (self.step + 1) / (self.step + 10))
        theirs = self.nets.state_dict()
        with torch.no_grad():
            for name, mine in self.averaged.state_dict().items():
                if mine.is_floating_point():
                    mine.lerp_(theirs[name].to(mine.dtype), 1 - keep)

    def _losses(self, copies: list[Copy]) -> dict[str, Tensor]:
        weights = self.settings
        faces = [copy for copy in copies if copy.face]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.half):
            seen: ViewOutput = self.nets.view(pictures([copy.view for copy in copies]))
            eye, facts = self.nets.eye(pictures([eye for copy in faces for eye in copy.eyes]))
            mouth, _ = self.nets.mouth(pictures([copy.mouth for copy in faces]))
        is_face = torch.tensor([copy.face for copy in copies])
        unit = torch.tensor([copy.unit for copy in faces], dtype=torch.float32)[:, None]
        truth = _stack([copy.points for copy in faces])
        apart = (seen.points[is_face] - truth) / unit[..., None]
        known = torch.tensor(np.stack([copy.known for copy in faces]))
        matte = F.binary_cross_entropy_with_logits(
            seen.matte[is_face], _stack([copy.matte for copy in faces]), reduction="none"
        )
        blur = torch.tensor([copy.blur for copy in faces], dtype=torch.float32)
        distance = apart[..., :2].norm(dim=2)
        emphasis = [
            self.counts[chosen] / self.counts[chosen].mean()
            for chosen in (self.nets.eye_points, self.nets.mouth_points)
        ]
        eye_truth = _stack([eye[self.nets.eye_points] for copy in faces for eye in copy.eye_points])
        mouth_truth = _stack([copy.mouth_points[self.nets.mouth_points] for copy in faces])
        worn = torch.tensor([copy.glasses for copy in faces], dtype=torch.float32).repeat_interleave(2)
        looked = worn.isfinite()
        glasses = F.binary_cross_entropy_with_logits(facts[looked, 0], worn[looked], reduction="sum")
        return {
            "points": (_robust(distance) * self.counts).mean(),
            "depth": apart[..., 2].abs().mean() * weights.depth,
            "matte": (matte * known).sum() / known.sum().clamp_min(1) * weights.matte,
            "face": F.binary_cross_entropy_with_logits(seen.face, is_face.float()) * weights.face,
            "glasses": glasses / looked.sum().clamp_min(1) * weights.glasses,
            "blur": (seen.blur[is_face] - blur.log()).abs().mean() * weights.blur,
            "eye": (_robust((eye - eye_truth).norm(dim=2) * frames.EYE) * emphasis[0]).mean(),
            "mouth": (_robust((mouth - mouth_truth).norm(dim=2) * frames.MOUTH) * emphasis[1]).mean(),
        }


_copier: Copier | None = None  # of a process that makes copies


def _begin(chips: Chips) -> None:
    global _copier
    _copier = Copier(chips)


def _made(pool: list[int], settings: Settings, step: int) -> list[Copy]:
    assert _copier is not None
    return _batch(_copier, pool, settings, step)


def _batch(copier: Copier, pool: list[int], settings: Settings, step: int) -> list[Copy]:
    """The copies of a step: pairs of a bent face and its mirrored picture."""
    rng = np.random.default_rng([settings.seed, step])
    chosen = rng.choice(pool, settings.batch // 2)
    return [copy for index in chosen for copy in copier.pair(int(index), rng, settings.jitter)]


def _robust(distance: Tensor) -> Tensor:
    """The distance itself, but softly zero below some 0.003 interocular distances."""
    return (distance.square() + 0.003**2).sqrt()


def _has_bfloat16() -> bool:
    capability = torch.backends.cpu.get_cpu_capability()
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "AVX512" in capability and ("amx_bf16" in flags or "avx512_bf16" in flags)


def pictures(arrays: list[NDArray[np.uint8]]) -> Tensor:
    """`[N, 3, S, S]` in [-1, 1], channels last, of `[S, S, 3]` uint8 each."""
    batch = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    return (batch.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def _stack(arrays: list[NDArray[np.float64]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))
