"""What runs in an actor of a Ray cluster: the model, and the photos it is handed."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from realedit.batch.work import Finished, OnStage, Run, Stopped, Task, Work, attempts

Answer = tuple[Finished | Stopped, dict[str, bytes]]
"""What came of a photo, and the files of its output by name where they are sent."""


class Editor:
    """The actor: the model loaded once, and what it is handed."""

    _run: Run

    def begin(self, work: Work, threads: int, folder: Path, mark: Path, content: bytes) -> tuple[str, bool]:
        """Load the model. Returns the id of the node, and whether it has the driver's folder and file, so
        that paths mean the same here."""
        import ray

        self._run = work.open(threads)
        try:
            same = folder.is_dir() and mark.read_bytes() == content
        except OSError:
            same = False
        return str(ray.get_runtime_context().get_node_id()), same

    def at(self, tasks: Sequence[Task]) -> list[Answer]:
        """Photos of the shared folder."""
        return [(event, {}) for event in attempts(self._run, tasks, _untold)]

    def sent(self, tasks: Sequence[Task], photos: Sequence[bytes | None]) -> list[Answer]:
        """Photos as bytes; with each the files of its output by name."""
        with tempfile.TemporaryDirectory(prefix="realedit-") as folder:
            here = [_moved(task, Path(folder), photo) for task, photo in zip(tasks, photos, strict=True)]
            named = {own.id: (task, own) for task, own in zip(tasks, here, strict=True)}
            answers: list[Answer] = []
            for event in attempts(self._run, here, _untold):
                task, own = named[event.id]
                if isinstance(event, Stopped):
                    reason = event.reason.replace(str(own.photo), str(task.photo))
                    answers.append((replace(event, reason=reason), {}))
                else:
                    files = {path.name: path.read_bytes() for path in own.output.parent.iterdir()}
                    answers.append((event, files))
            return answers


def _moved(task: Task, folder: Path, photo: bytes | None) -> Task:
    """The task on a copy of its photo below a folder; on no photo where there is none."""
    own = folder / str(task.id)
    here, there = own / "in" / task.photo.name, own / "out" / task.output.name
    here.parent.mkdir(parents=True)
    there.parent.mkdir()
    if photo is not None:
        here.write_bytes(photo)
    return replace(task, photo=here, output=there)


def _untold(task: Task) -> OnStage:
    """Stages are not sent over the network."""
    return lambda name, index, total: None
