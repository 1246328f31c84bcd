"""The worker's pictures: quick ones while something moves, the full paste afterwards, and exports."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from realedit.errors import UsageError
from realedit.live import Quick, Screen
from realedit.photos import Box
from realedit.sessions.session import Session
from realedit.studio import hand
from realedit.studio.album import Entry, rendered
from realedit.studio.background import Line
from realedit.studio.exports import exported
from realedit.studio.hand import Seen
from realedit.studio.messages import Export
from realedit.studio.views import jpeg, reduced, view
from realedit.studio.work import Work

if TYPE_CHECKING:
    from realedit.studio.engine import Engine

T = TypeVar("T")
Answered = Callable[[Callable[[], T]], None]
"""Takes what makes an answer, and sends what it makes or what it raises."""

QUALITY = 85  # of quick pictures
THUMBNAIL = 144  # pixels
MOST_THUMBNAILS = 500


class Pictures:
    """See the module. scale: device pixels per photo pixel on the page."""

    def __init__(self, engine: Engine, rendering: Line, views: Line) -> None:
        self._engine, self._rendering, self._views = engine, rendering, views
        self.scale = 1.0
        self._quick: tuple[object, Quick] | None = None
        self._base: Session | None = None
        self._thumbnails: dict[str, bytes] = {}
        self._sent: Box | None = None
        self._revision = 0.0
        self.places: dict[str, tuple[str, int | None, int]] = {}  # of thumbnails: photo, face, changes

    # quick ones

    def quick(self, entry: Entry, work: Work, *, whole: bool = False) -> Quick:
        """For pictures of the chosen face's drags, on the photo with the other faces as they are. whole: they
        show all of the screen, since what is on it has more than they change."""
        face = self._engine.face
        assert face is not None
        others = {n: w.session().history for n, w in entry.works.items() if n != face and w.edited}
        key = (entry.id, face, id(work.base), self.scale, msgspec.json.encode(others))
        if self._quick is None or self._quick[0] != key:
            photo = self._engine.album.photo(entry.id)
            if others:
                photo = rendered(photo, entry.works, self._engine.checkpoint, but=face)
            screen = Screen.of(photo, work.base.alignment, scale=self.scale)
            self._quick = key, Quick(screen, work.session(), self._engine.checkpoint)
            self._base = work.base  # kept, so that its id is its own
        quick = self._quick[1]
        self._sent = (0, 0, *quick.screen.size) if whole else None
        self._revision = entry.revision + 0.5  # beyond what was rendered, and not yet the next
        return quick

    def flash(self, entry: Entry, work: Work) -> None:
        """What is in effect now, at once; the full paste follows."""
        quick = self.quick(entry, work, whole=True)
        self._revision = entry.revision
        self.show(quick, Seen(work.session(), 0, None))

    def show(self, quick: Quick, seen: Seen) -> None:
        """Draw one, and send what it changes of the screen."""
        photo = quick(seen.session)
        box = _union(photo.changed, self._sent)
        if box is None:
            box = (0, 0, min(2, photo.width), min(2, photo.height))
        self._sent = box
        left, top, right, bottom = box
        factors = np.array(
            [
                (quick.screen.box[2] - quick.screen.box[0]) / photo.width,
                (quick.screen.box[3] - quick.screen.box[1]) / photo.height,
            ]
        )
        x, y = np.array([left, top]) * factors + quick.screen.box[:2]
        width, height = np.array([right - left, bottom - top]) * factors
        header: dict[str, Any] = {
            "type": "picture",
            "photo": self._engine.shown,
            "revision": self._revision,
            "number": seen.number,
            "at": [float(x), float(y), float(width), float(height)],
            "step": hand.told(seen),
        }
        self._engine.emit(header, jpeg(photo.srgb(box), QUALITY))

    # the full paste

    def render(self) -> None:
        """Paste what is in effect in the photo that is shown, at full size, beside what else goes on."""
        engine, entry = self._engine, self._engine.entry
        if entry is None or (
            entry.rendered == entry.revision and (entry.result is not None or not entry.revision)
        ):
            return
        works, revision = dict(entry.works), entry.revision

        def job() -> None:
            result = rendered(engine.album.photo(entry.id), works, engine.checkpoint)

            def done() -> None:
                if entry.id in engine.album.entries and revision == entry.revision:
                    entry.result, entry.rendered = result, revision
                    engine.emit(
                        {
                            "type": "rendered",
                            "photo": entry.id,
                            "revision": revision,
                            "changed": result.changed,
                        },
                        None,
                    )

            engine.inbox.put(done)

        self._rendering.add(job, name=f"render {entry.id}")

    # what the page fetches

    def view(self, id_: str, which: str, box: Box | None, side: int, answer: Answered[bytes]) -> None:
        """A part of a photo, before or after, as it was rendered last; None: all of it."""
        album = self._engine.album

        def make() -> bytes:
            if id_ not in album.entries:
                raise UsageError("this photo is no longer in the studio")
            if which == "mask":
                return self._mask(id_, side)
            photo = album.photo(id_) if which == "before" else album.result(id_)
            return view(photo, box or (0, 0, photo.width, photo.height), side)

        self._views.add(lambda: answer(make))

    def _mask(self, id_: str, side: int) -> bytes:
        """The mask of the chosen face, white may move."""
        work = self._engine.work
        if id_ != self._engine.shown or work is None or work.mask is None:
            raise UsageError("there is no mask")
        return jpeg(reduced(np.repeat(work.mask[..., None], 3, 2), side))

    def thumbnail(self, id_: str, answer: Answered[bytes]) -> None:
        """The small picture of a place in the history, or of a photo."""

        def make() -> bytes:
            if id_ not in self._thumbnails:
                if id_ not in self.places or self.places[id_][0] not in self._engine.album.entries:
                    raise UsageError("this picture is no longer there")
                while len(self._thumbnails) >= MOST_THUMBNAILS:
                    self._thumbnails.pop(next(iter(self._thumbnails)))
                self._thumbnails[id_] = self._small(*self.places[id_])
            return self._thumbnails[id_]

        self._views.add(lambda: answer(make))

    def _small(self, id_: str, face: int | None, at: int) -> bytes:
        engine = self._engine
        if face is None:
            return jpeg(engine.album.photo(id_).srgb_reduced(THUMBNAIL))
        work = engine.album.entries[id_].works[face]
        square = work.base.alignment
        screen = Screen.of(engine.album.photo(id_), square, scale=2 * THUMBNAIL / square.side)
        session = work.session(at)
        shown = Quick(screen, session, engine.checkpoint)(session) if at else screen.photo
        return jpeg(reduced(shown.srgb(), THUMBNAIL))

    def name_thumbnail(self, entry: Entry, face: int | None, at: int) -> str:
        """The id under which a small picture is fetched: another one when it would show something else."""
        parts: list[Any] = [entry.id, face, at]
        if face is not None:
            work = entry.works[face]
            parts += [work.base.quality, work.session(at).history]
        id_ = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:24]
        self.places[id_] = (entry.id, face, at)
        return id_

    def export(self, export: Export, answer: Answered[tuple[str, bytes, tuple[str, ...]]]) -> None:
        """A file to take away."""
        engine = self._engine
        entry = engine.album.entries.get(export.photo)
        if entry is None:
            raise UsageError("this photo is no longer in the studio")
        works = dict(entry.works)

        def make() -> tuple[str, bytes, tuple[str, ...]]:
            photo = engine.album.photo(entry.id)
            edited = [face for face in sorted(works) if works[face].edited]
            needs = export.kind in ("photo", "compare")
            result = rendered(photo, works, engine.checkpoint) if needs else photo
            sessions = [works[face].session() for face in edited]
            folders = [engine.store.session_folder(entry.id, face) for face in edited]
            return exported(export, entry.about.name, photo, result, sessions, folders, engine.checkpoint)

        self._rendering.add(lambda: answer(make))


def _union(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
