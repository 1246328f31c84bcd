"""The adversarial part: what tells photos from pictures, of the whole and of details, and its steps."""

import torch
from torch import Tensor, nn

from checkpoints.encoder import Encoder
from train.faces.augment import Batch, diff_augment
from train.generating.losses import discriminator_loss, generator_loss, gradient_penalty
from train.generating.networks import Details, Discriminator
from train.generating.settings import Settings


class Game:
    """The generator's opponents and their optimiser. `whole` is None where its weight is 0."""

    def __init__(self, encoder: Encoder, settings: Settings, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.dtype: torch.dtype = getattr(torch, settings.dtype)
        self.whole = Discriminator(encoder).to(device) if settings.weights.adversarial > 0 else None
        self.details = Details().to(device)
        self.players = nn.ModuleList([self.details, *([] if self.whole is None else [self.whole])])
        self.optimiser = torch.optim.Adam(
            self.players.parameters(), lr=settings.discriminator_rate, betas=(0.0, 0.99)
        )
        self.answers = 0

    def scores(self, pictures: Tensor, rng: torch.Generator, dtype: torch.dtype) -> dict[str, Tensor]:
        """Of the whole `[N, 1]`, which is shown augmented pictures, and of details `[N, P]`."""
        found = {"details": self.details(pictures, dtype)}
        if self.whole is not None:
            found["adversarial"] = self.whole(diff_augment(pictures, rng), dtype)
        return found

    def losses(self, fakes: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Of the generator, weighted."""
        self.players.requires_grad_(False)
        weights = self.settings.weights
        factors = {"details": weights.details, "adversarial": weights.adversarial}
        scores = self.scores(fakes, rng, self.dtype)
        return {name: factors[name] * generator_loss(each) for name, each in scores.items()}

    def answer(
        self, batch: Batch, fakes: Tensor, rng: torch.Generator, *, penalise: bool
    ) -> dict[str, Tensor]:
        """The opponents' step; with R1 where asked for."""
        self.players.requires_grad_(True)
        self.optimiser.zero_grad(set_to_none=True)
        real, fake = (self.scores(pictures, rng, self.dtype) for pictures in (batch.crops, fakes))
        terms = {f"{name}_told": discriminator_loss(real[name], fake[name]) for name in real}
        loss = torch.stack(list(terms.values())).sum()
        if penalise:
            pictures = batch.crops.detach().clone().requires_grad_(True)
            found = self.scores(pictures, rng, torch.float32)
            weight = self.settings.weights.r1 / 2 * self.settings.r1_every
            for name, each in found.items():
                terms[f"{name}_r1"] = weight * gradient_penalty(each, pictures)
                loss = loss + terms[f"{name}_r1"]
        loss.backward()
        self._warm_up()
        self.optimiser.step()
        return terms

    def _warm_up(self) -> None:
        """Adam's first steps are long whatever the gradient."""
        self.answers += 1
        rate = self.settings.discriminator_rate * min(1.0, self.answers / self.settings.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def state(self) -> dict[str, object]:
        """What `resume` takes."""
        return {
            "players": self.players.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "answers": self.answers,
        }

    def resume(self, state: dict[str, object]) -> None:
        """Go on from a state of the same opponents."""
        self.players.load_state_dict(state["players"])  # type: ignore[arg-type]
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
        self.answers = state["answers"]  # type: ignore[assignment]
