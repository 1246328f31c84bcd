"""One training step after another, from a state that can be written and read back to the step."""

import copy
import dataclasses
from pathlib import Path

import torch
from torch import Tensor

import checkpoints.files
from train.faces.augment import Batch
from train.faces.recogniser import Recogniser
from train.faces.seeing import Onlooker
from train.faces.source import Source
from train.generating.face_branch import face_branch
from train.generating.game import Game
from train.generating.losses import face_losses, moved_loss, path_lengths, pixel_loss, spread_loss
from train.generating.networks import Networks, average, encode, synthesise, upsampled
from train.generating.prior import fit_samples
from train.generating.settings import Settings


class Trainer:
    """Networks, their averages, the optimisers and the step; all randomness follows from seed and step."""

    def __init__(self, nets: Networks, settings: Settings, source: Source, code_scale: float) -> None:
        self.settings, self.source, self.code_scale = settings, source, code_scale
        self.device = source.pixels.device
        self.dtype = getattr(torch, settings.dtype)
        self.recogniser = Recogniser().to(self.device).eval()
        self.onlooker = Onlooker().to(self.device).eval().requires_grad_(False)
        self.nets = nets.to(self.device)
        if nets.encoder.face is None:
            nets.encoder.face = face_branch(nets.encoder, source)
        self.averaged = copy.deepcopy(self.nets).requires_grad_(False)
        self.size = nets.generator.resolution
        self.step, self.images = 0, 0
        self.mean_path = torch.zeros((), device=self.device)
        synthesis = list(nets.generator.synthesis_network.parameters())
        own = [p for name, p in nets.encoder.named_parameters() if not name.startswith("face.")]
        self.optimiser = torch.optim.Adam(
            [
                {"params": synthesis, "rate": settings.generator_rate},
                {"params": own, "rate": settings.encoder_rate},
                {"params": list(nets.encoder.face.parameters()), "rate": settings.face_rate},
                {"params": [nets.directions], "rate": settings.direction_rate * code_scale},
            ],
            betas=(0.9, 0.99),
        )
        self.game = Game(nets.encoder, settings, self.device) if settings.adversarial else None

    def begin_game(self, *, mapping_steps: int = 600) -> None:
        """Where the game has just begun: let the samples, which it also judges, follow the codes of now."""
        if self.game is not None and self.game.answers == 0:
            fit_samples(self.nets, self.source, steps=mapping_steps, dtype=self.dtype)
            fitted = self.nets.generator.mapping_network.state_dict()
            self.averaged.generator.mapping_network.load_state_dict(fitted)

    def advance(self) -> dict[str, float]:
        """One step; the losses before it."""
        settings, rng = (
            self.settings,
            torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.step),
        )
        chosen = self.source.draw(settings.batch, settings.rare, rng)
        batch = self.source.batch(chosen, self.size, settings.jitter, rng, settings.expressions)
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * min(1.0, (self.step + 1) / settings.warm_up)
        self.optimiser.zero_grad(set_to_none=True)
        terms, ws, images = self._reconstruct(batch, rng)
        if self.game is not None:
            fakes = torch.cat([images, self._imagined(ws, rng)])
            terms |= self.game.losses(fakes, rng)
            if self.step % settings.path_every == 0:
                terms["path"] = self._path_penalty(ws, rng)
        torch.stack(list(terms.values())).sum().backward()
        self.optimiser.step()
        if self.game is not None:
            terms |= self.game.answer(batch, fakes.detach(), rng, penalise=self.step % settings.r1_every == 0)
        self.step, self.images = self.step + 1, self.images + settings.batch
        average(self.averaged, self.nets, 0.5 ** (settings.batch / settings.half_life))
        return {name: float(value.detach()) for name, value in terms.items()}

    def _reconstruct(self, batch: Batch, rng: torch.Generator) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        settings = self.settings
        acted = batch.amounts.abs().sum(1) > 0
        led = acted & (torch.rand(len(acted), generator=rng) < settings.led).to(self.device)
        seen = torch.where(led[:, None, None, None], batch.still, batch.crops)
        ws = encode(self.nets.encoder, seen, self.dtype)
        spread = spread_loss(ws, self.code_scale)
        way = torch.einsum("nk,kld->nld", batch.amounts * led[:, None], self.nets.directions)
        way[:, settings.drag_layers :] = 0
        ws = ws + way
        alike = (torch.rand(len(ws), 1, 1, generator=rng) < settings.collapse).to(self.device)
        ws = torch.where(alike, ws.mean(1, keepdim=True), ws)
        resolution = self.size // 2 if self.step < settings.coarse else None
        images = upsampled(synthesise(self.nets.generator, ws, self.dtype, resolution=resolution), self.size)
        weights = settings.weights
        features, identity, _ = face_losses(self.recogniser, images, batch, self.dtype)
        return {
            "pixels": weights.pixels * pixel_loss(images, batch),
            "moved": weights.moved * moved_loss(images, batch),
            "features": weights.features * features,
            "identity": weights.identity * identity,
            "seen": weights.seen * self.onlooker.loss(images, batch, self.dtype),
            "spread": weights.spread * spread,
        }, ws, images  # fmt: skip

    def _imagined(self, ws: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures of codes that belong to no photo: sampled ones, and mixed ones (half of the batch)."""
        count = max(2, len(ws) // 2)
        generator = self.nets.generator
        z = torch.randn(count, generator.z_dim, generator=rng).to(self.device)
        with torch.no_grad():
            codes = generator.mapping(z)
        photos = ws.detach().roll(1, 0)[:count]
        first = torch.where(torch.rand(count, 1, 1, generator=rng).to(self.device) < 0.5, codes, photos)
        cut = torch.randint(1, generator.num_ws, (count, 1, 1), generator=rng).to(self.device)
        mixed = torch.rand(count, 1, 1, generator=rng).to(self.device) < self.settings.mixing
        later = torch.arange(generator.num_ws, device=self.device)[None, :, None] >= cut
        first = torch.where(mixed & later, ws.detach()[:count], first)
        return synthesise(generator, first, self.dtype)

    def _path_penalty(self, ws: Tensor, rng: torch.Generator) -> Tensor:
        """On the picture of half the size, where a second derivative costs a quarter."""
        codes = ws.detach()[: max(2, len(ws) // 4)].requires_grad_(True)
        images = synthesise(self.nets.generator, codes, self.dtype, resolution=self.size // 2)
        lengths = path_lengths(images, codes, rng)
        mean = lengths.detach().mean()
        self.mean_path = mean if float(self.mean_path) == 0 else self.mean_path.lerp(mean, 0.01)
        # in units of the mean path, so that the weight means the same in every space of codes
        penalty = ((lengths - self.mean_path) / self.mean_path).square().mean()
        return self.settings.weights.path * self.settings.path_every * penalty * 1e-2

    def save(self, path: Path) -> None:
        """Write the state, complete or not at all."""
        state = {
            "step": self.step,
            "images": self.images,
            "settings": dataclasses.asdict(self.settings),
            "nets": self.nets.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "mean_path": self.mean_path,
            "shape": dataclasses.asdict(self.settings.shape),
        }
        if self.game is not None:
            state["game"] = self.game.state()
        with checkpoints.files.replacing(path) as temporary:
            torch.save(state, temporary)

    def resume(self, path: Path) -> None:
        """Go on from a state; opponents begin afresh where the state has none."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["shape"] != dataclasses.asdict(self.settings.shape):
            raise SystemExit(
                f"{path} was written for the shape {state['shape']}; give the same, or another folder."
            )
        self.nets.load_state_dict(state["nets"])
        self.averaged.load_state_dict(state["averaged"])
        rates = [group["rate"] for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(state["optimiser"])
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["rate"] = rate
        self.step, self.images, self.mean_path = state["step"], state["images"], state["mean_path"]
        if self.game is not None and "game" in state:
            self.game.resume(state["game"])
