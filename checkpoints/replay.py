"""Running the same operations on the same memory over and over: as a CUDA graph where there is a GPU.

A step of a drag or of an inversion is hundreds of small operations, and a GPU is done with each before the
next is launched. As a graph they are launched in one. What is recorded must not ask the device for anything,
must not allocate what outlives it, and must read and write tensors that stay where they are.
"""

import logging
from collections.abc import Callable

import torch

log = logging.getLogger(__name__)

PLAIN = 2  # runs before the recording: libraries choose and load their kernels in them


class Replay:
    """`body` as something to call: plainly at first and on devices other than CUDA's, then as a graph.

    Every call does the work once; recording does not.
    """

    def __init__(self, body: Callable[[], None], device: torch.device) -> None:
        self.body, self.device = body, device
        self.graph: torch.cuda.CUDAGraph | None = None
        self.calls = 0
        self.recorded = device.type == "cuda"  # whether it is to be
        self._stream: torch.cuda.Stream | None = None
        if self.recorded:
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def __call__(self) -> None:
        """Do the work, or have it done: on a GPU it may not be finished on return."""
        if self.recorded and self.graph is None and self.calls >= PLAIN:
            self._record()
        self.calls += 1
        if self.graph is not None:
            self.graph.replay()
        elif self.recorded:
            self._aside(self.body)
        else:
            self.body()

    def _aside(self, work: Callable[[], None]) -> None:
        """Do work in a stream of its own, as recordings want what runs before them."""
        assert self._stream is not None
        current = torch.cuda.current_stream(self.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            work()
        current.wait_stream(self._stream)

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with (
                torch.cuda.device(self.device),
                torch.cuda.graph(
                    graph,
                    capture_error_mode="thread_local",  # previews are drawn meanwhile
                ),
            ):
                self.body()
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            log.warning("the steps are not recorded as a CUDA graph, so they are slower: %s", error)
            self.recorded = False
            return
        self.graph = graph
