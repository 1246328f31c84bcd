"""Pictures of a drag while it runs, drawn beside it."""

from collections.abc import Callable
from types import TracebackType

import numpy as np
import torch
from numpy.typing import NDArray

from checkpoints import Generator
from realedit.drag.state import DragStep
from realedit.plumbing.newest import Newest

OnPicture = Callable[[DragStep, NDArray[np.uint8]], None]


class Previews:
    """Draws the newest step at most `per_second` times a second, in a thread of its own.

    Use as a context manager and `offer` it every step, which returns at once; steps that come too fast are
    not drawn, the last one always is. on_picture gets the step and `[r, r, 3]` sRGB, in that thread; what it
    raises is raised again where the context ends. resolution: r at most; None: the generator's. A smaller
    picture is the generator's own coarser one, and as much cheaper.
    """

    def __init__(
        self,
        generator: Generator,
        on_picture: OnPicture,
        *,
        resolution: int | None = None,
        per_second: float = 4.0,
    ) -> None:
        self.generator, self.on_picture = generator, on_picture
        sizes = [r for r in generator.channels if resolution is None or r <= resolution]
        self.resolution = max(sizes, default=min(generator.channels))
        self._newest: Newest[DragStep] = Newest(self._show, interval=1 / per_second, name="previews")

    def __enter__(self) -> "Previews":
        self._newest.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._newest.__exit__(kind, error, trace)

    def offer(self, step: DragStep) -> None:
        """Something newer to draw."""
        self._newest.offer(step)

    def _show(self, step: DragStep) -> None:
        self.on_picture(step, self._draw(step))

    def _draw(self, step: DragStep) -> NDArray[np.uint8]:
        with torch.no_grad():
            image = self.generator.image_at(step.latent, self.resolution)[0]
        pixels: NDArray[np.uint8] = (
            image.clamp(-1, 1)
            .mul(127.5)
            .add(128)
            .clamp(0, 255)
            .to(torch.uint8)
            .permute(1, 2, 0)
            .cpu()
            .numpy()
        )
        return pixels
