"""A face that is inverted once and dragged many times."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from realedit.api.asking import Mask, Way, box_of, changes_of, faces_of, inversion_settings, mask_of, ways_of
from realedit.api.drags import Dragging
from realedit.api.going import Going
from realedit.api.models import DEFAULT, Model, loaded
from realedit.api.photos import Photo, opened
from realedit.api.recipes import Asked, use_of
from realedit.api.results import Result
from realedit.errors import UsageError

if TYPE_CHECKING:
    from PIL import Image

    from inversion import Quality
    from realedit.drag import DragSettings, OnStep
    from realedit.geometry.parts import Parts, Reach
    from realedit.plumbing.choices import Mode
    from realedit.recipes import Use


class Session(Going):
    """A face of a photo with what was dragged so far. Made by `Session.open` or `Session.load`; a context
    manager.

        with realedit.Session.open("photo.jpg") as session:
            for step in session.drag([((412, 608), (396, 596))]):
                print(step.index, step.distances)
            session.undo()
            session.recipe("smile", 0.7).run()
            session.result().save("edited.jpg")

    A session is for one thread at a time. Nothing is written but by `save`.
    """

    @classmethod
    def open(
        cls,
        photo: Photo | str | os.PathLike[str] | bytes,
        *,
        face: str | int = "auto",
        box: Sequence[int] | None = None,
        quality: Quality = "standard",
        model: str | Path | Model = DEFAULT,
        device: str = "auto",
        seed: int = 0,
        label: str | None = None,
        inversion: Mapping[str, object] | None = None,
        cache: bool = True,
        record: bool = False,
        invert: bool = True,
        place: str | os.PathLike[str] | None = None,
        on_step: OnStep | None = None,
    ) -> Session:
        """Find the face and invert it, unless the user's cache has it from earlier.

        Arguments and errors are those of `edit`, and of `invert`. record: keep the steps of the drags for a
        time-lapse. invert: False only finds the face, which takes a moment; lids and lips can be dragged
        then, and `invert` does the rest. place: where a photo that came as bytes is kept: a session that is
        loaded again looks for it there.
        """
        from realedit.api.history import History
        from realedit.editing.plan import planned
        from realedit.editing.request import EditRequest

        photo = opened(photo)
        model = loaded(model, device)
        request = EditRequest(
            photo=photo.content.path if place is None else Path(place),
            output=Path(),
            faces=faces_of(face),
            box=box_of(box),
            model=model.name,
            quality=quality,
            seed=seed,
            label=label,
            changes=changes_of(inversion),
            cache=cache,
        )
        if len(request.faces) > 1 or request.faces == ("all",):
            raise UsageError("a session is of one face; open one for each of them")
        (plan,) = planned(request, photo.content, model.checkpoint, found=photo.known_faces)
        history = History([plan.session], model.checkpoint, certainty=plan.certainty)
        session = cls(photo, model, history, record=record)
        if session.inverted or not invert:
            return session
        return session.invert(
            quality=quality, seed=seed, label=label, inversion=inversion, cache=cache, on_step=on_step
        )

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        photo: Photo | str | os.PathLike[str] | bytes | None = None,
        model: Model | None = None,
        device: str = "auto",
        record: bool = False,
    ) -> Session:
        """Go on from a folder that `save`, or the command line, kept.

        photo: None takes the one at the place that the session remembers, when it is needed. `undo` leads
        back to nothing dragged, at once. Raises SessionError where the folder is damaged, or photo or model
        are others.
        """
        from realedit.api.history import History
        from realedit.editing.kept import check_belongs
        from realedit.sessions.session import Session as State

        place = Path(folder)
        state = State.load(place)
        model = model or loaded(state.model, device)
        given = None if photo is None else opened(photo)
        check_belongs(state, None if given is None else given.content, model.checkpoint, place)
        states = [state.from_start(), state] if state.history else [state]
        return cls(given, model, History(states, model.checkpoint), record=record)

    def invert(
        self,
        *,
        quality: Quality = "standard",
        seed: int = 0,
        label: str | None = None,
        inversion: Mapping[str, object] | None = None,
        cache: bool = True,
        on_step: OnStep | None = None,
    ) -> Session:
        """Another session of this face, inverted so, with nothing dragged: `carry` takes over what was. This
        one stays as it is, and may be dragged meanwhile if a `copy` of it inverts in another thread.

        Arguments and errors are those of `edit`; label: None takes that of this session. on_step: called with
        every step; where it returns False the stage stops, and what it has is kept. What it raises ends the
        inversion, and nothing is kept.
        """
        from realedit.api.history import History
        from realedit.drag import keep_going
        from realedit.editing.kept import anew, invert_once

        self.settle()
        start, checkpoint = self._history.states[0], self.model.checkpoint
        settings = inversion_settings(
            quality, seed, start.settings.get("label") if label is None else label, inversion
        )
        state = invert_once(
            anew(start, settings, quality), checkpoint, settings,
            use_cache=cache, on_step=on_step or keep_going,
        )  # fmt: skip
        history = History([state], checkpoint, certainty=self._history.certainty)
        return type(self)(self._photo, self.model, history, record=self._record)

    def copy(self) -> Session:
        """Another session as this one is now, to try something in, or for another thread. The inversion and
        what was dragged are shared, so it takes hardly any memory."""
        self.settle()
        return type(self)(self._photo, self.model, self._history.copy(), record=self._record)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the memory it took; nothing more may be asked of it."""
        self._drag = None
        self._smaller.clear()
        self._history.clear()

    def drag(
        self,
        drags: ArrayLike,
        *,
        mask: Mask | None = None,
        regions: Sequence[Sequence[int]] = (),
        reach: Reach = "local",
        settings: DragSettings | None = None,
    ) -> Dragging:
        """A drag from handles to targets, `((x, y), (x, y))` each in photo pixels, in the result as it is
        now. A target beside the square that the model sees is brought to its edge, with a warning.

        mask, regions, reach, settings: as in `edit`. Raises UsageError, OutsideError.
        """
        from realedit.editing.plan import reachable

        ways = ways_of(drags)
        if not ways:
            raise UsageError("there is nothing to do; give handles and targets")
        self.settle()
        found, told = reachable(self._history.now, ways)
        return self._started(found, told, mask, regions, reach, settings)

    def recipe(
        self,
        recipe: Asked,
        strength: float = 1.0,
        *,
        mask: Mask | None = None,
        regions: Sequence[Sequence[int]] = (),
        settings: DragSettings | None = None,
    ) -> Dragging:
        """The drag that a recipe asks of the face as it is now. Raises UsageError where it does not suit the
        face or the model, OutsideError where what it moves lies outside of the photo."""
        from realedit.drag import DragSettings
        from realedit.editing.applying import known_limits, placed
        from realedit.recipes.placing import check_suits

        use = use_of(recipe, strength)
        self.settle()
        checkpoint = self.model.checkpoint
        check_suits(use.recipe, self._history.now.landmarks, checkpoint.domain)
        points, reach, chosen = placed(
            self._history.plain, self._history.checkpoint, use, settings or DragSettings()
        )
        told = tuple(known_limits([use], checkpoint))
        return self._started(ways_of(points), told, mask, regions, reach, chosen, use)

    def _started(
        self,
        ways: Sequence[Way],
        told: tuple[str, ...],
        mask: Mask | None,
        regions: Sequence[Sequence[int]],
        reach: Reach | Parts,
        settings: DragSettings | None,
        use: Use | None = None,
    ) -> Dragging:
        from realedit.editing.stages import Dragging as Inner

        inner = Inner(
            self._history.plain,
            self._history.checkpoint,
            [handle for handle, _ in ways],
            [target for _, target in ways],
            mask=mask_of(mask, regions, self._history.now.photo_size),
            reach=reach,
            settings=settings,
        )
        self._drag = Dragging(inner, use=use, warnings=told, record=self._record)
        return self._drag

    def result(self, *, paste: Mode = "detail", debug: str | os.PathLike[str] | None = None) -> Result:
        """The edited photo. A drag under way counts with what it reached. debug: a folder for the pictures
        that the paste is made of."""
        from realedit.api.several import together

        return together([self], paste=paste, debug=debug)

    @property
    def image(self) -> Image.Image:
        """The edited photo as sRGB, 8 bits: a Pillow image."""
        return self.result().image

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Keep the session in a folder, readable by its owner only: inversion, drags and masks, not what was
        undone. `load` and the command line (`drag`, `paste`) go on from it. Raises OutputError,
        ResourceError."""
        self.settle()
        self._history.now.save(Path(folder))

    def to_recipe(self, name: str) -> str:
        """What was dragged as a recipe that fits other faces, in the text of its `.toml` file. Raises
        SessionError where nothing was dragged."""
        from realedit.recipes.recording import recorded, to_toml

        self.settle()
        return to_toml(recorded(self._history.now, name))
