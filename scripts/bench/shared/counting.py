"""How many operations a drag's step is made of: what a GPU would launch one by one."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from realedit.drag import Editor
from realedit.drag.device import DeviceCourse

VIEWS = {
    "_reshape_alias", "_unsafe_view", "alias", "as_strided", "detach", "diagonal", "expand", "lift_fresh",
    "permute", "select", "slice", "split", "split_with_sizes", "squeeze", "t", "transpose", "unbind",
    "unsqueeze", "view",
}  # fmt: skip


class Counting(TorchDispatchMode):
    """Counts operations; those that only look at memory in another way are none."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket.__name__ not in VIEWS
        return func(*args, **(kwargs or {}))


def operations(editor: Editor) -> int:
    """Of one step of a drag that is under way."""
    run = editor._run
    assert run is not None and run.course is not None, "nothing is dragged"
    with torch.no_grad():
        if isinstance(run.course, DeviceCourse):
            run.course.shelf.row.zero_()
            with Counting() as mode:
                run.course.evaluate()
        else:
            with Counting() as mode:
                run.course.steps()
    return mode.count
