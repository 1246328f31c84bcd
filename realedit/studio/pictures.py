"""The worker's pictures: quick ones while something moves, the full paste afterwards, and exports."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from realedit.api import Live
from realedit.api.photos import reduced
from realedit.errors import UsageError
from realedit.studio import hand
from realedit.studio.album import Entry, pasted
from realedit.studio.background import Line
from realedit.studio.exports import exported
from realedit.studio.hand import Seen, Show
from realedit.studio.messages import Export
from realedit.studio.views import LARGEST, jpeg
from realedit.studio.work import Work

if TYPE_CHECKING:
    from realedit.studio.engine import Engine

T = TypeVar("T")
Box = tuple[int, int, int, int]
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
        self._live: tuple[object, Live] | None = None
        self._thumbnails: dict[str, bytes] = {}
        self._sent: Box | None = None
        self._revision = 0.0
        self.places: dict[str, tuple[str, int | None, int]] = {}  # of thumbnails: photo, face, changes

    # quick ones

    def live(self, entry: Entry, work: Work, *, whole: bool = False) -> Show:
        """Shows the chosen face's drags, on the photo with the other faces as they are. whole: the pictures
        show all of the screen, since what is on it has more than they change."""
        face, session = self._engine.face, work.session
        assert face is not None
        others = {n: w.session.history for n, w in entry.works.items() if n != face and w.edited}
        inversion = (session.inverted, session.quality, session.seed)
        key = (entry.id, face, inversion, self.scale, msgspec.json.encode(others))
        if self._live is None or self._live[0] != key:
            photo = self._engine.album.photo(entry.id)
            around = pasted(photo, entry.works, but=face)
            self._live = key, session.live(photo=around.photo if around else photo, scale=self.scale)
        live = self._live[1]
        self._sent = (0, 0, *live.size) if whole else None
        self._revision = entry.revision + 0.5  # beyond what was rendered, and not yet the next
        return lambda seen: self._show(live, seen)

    def flash(self, entry: Entry, work: Work) -> None:
        """What is in effect now, at once; the full paste follows."""
        show = self.live(entry, work, whole=True)
        self._revision = entry.revision
        show(Seen(work.session.state, 0, None))

    def _show(self, live: Live, seen: Seen) -> None:
        """Draw one, and send what it changes of the screen."""
        shown = live(seen.state)
        box = _union(shown.changed, self._sent) or (0, 0, min(2, live.size[0]), min(2, live.size[1]))
        self._sent = box
        x, y, right, bottom = shown.in_photo(box)
        header: dict[str, Any] = {
            "type": "picture",
            "photo": self._engine.shown,
            "revision": self._revision,
            "number": seen.number,
            "at": [x, y, right - x, bottom - y],
            "step": hand.told(seen),
        }
        part = shown.pixels[box[1] : box[3], box[0] : box[2]]
        self._engine.emit(header, jpeg(part, QUALITY))

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
            photo = engine.album.photo(entry.id)
            result = pasted(photo, works)

            def done() -> None:
                if entry.id in engine.album.entries and revision == entry.revision:
                    entry.result, entry.rendered = result.photo if result else photo, revision
                    engine.emit(
                        {
                            "type": "rendered",
                            "photo": entry.id,
                            "revision": revision,
                            "changed": result.changed if result else None,
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
            return jpeg(photo.reduced(min(side, LARGEST), box))

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
        photo, entry = self._engine.album.photo(id_), self._engine.album.entries[id_]
        if face is None:
            return jpeg(photo.reduced(THUMBNAIL))
        return jpeg(entry.works[face].session.copy().thumbnail(at, side=THUMBNAIL, photo=photo))

    def name_thumbnail(self, entry: Entry, face: int | None, at: int) -> str:
        """The id under which a small picture is fetched: another one when it would show something else."""
        parts: list[Any] = [entry.id, face, at]
        if face is not None:
            session = entry.works[face].session
            parts += [session.quality, [drag for each in session.changes[:at] for drag in each.drags]]
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
            edited = [face for face in sorted(works) if works[face].edited]
            folders = [engine.store.session_folder(entry.id, face) for face in edited]
            return exported(export, entry.about.name, engine.album.photo(entry.id), works, folders)

        self._rendering.add(lambda: answer(make))


def _union(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
