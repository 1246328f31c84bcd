"""What came of an edit: the photo in memory, its file, its comparison, its report."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from realedit.api.photos import Photo, shown
from realedit.api.writing import Writing
from realedit.errors import UsageError
from realedit.photos import Signing, Strip, check_place

if TYPE_CHECKING:
    from PIL import Image

    from realedit.editing.outcome import EditReport, Made
    from realedit.photos import Box
    from realedit.plumbing.choices import Style

_PAIR = 512  # pixels of each picture that a notebook shows


class Result:
    """An edited photo that is in memory. Made by `edit`, `Prepared.finish` and `Session.result`."""

    def __init__(self, made: Made, *, recorded: bool = False) -> None:
        self.made = made
        """The edit as its stages left it."""
        self._recorded = recorded
        self._output: Path | None = None
        self._written: tuple[str, ...] = ()

    @property
    def before(self) -> Photo:
        """The photo that was edited."""
        return Photo(self.made.photo)

    @property
    def photo(self) -> Photo:
        """The edited photo; it may be edited again."""
        return Photo(self.made.result)

    @cached_property
    def image(self) -> Image.Image:
        """The edited photo as sRGB, 8 bits: a Pillow image, and an array by `numpy.asarray`."""
        return self.photo.image

    @property
    def pixels(self) -> NDArray[Any]:
        """`[height, width, 3]` RGB in the photo's own colour space and depth, uint8 or uint16; read only."""
        return self.made.result.view()

    @property
    def changed(self) -> Box | None:
        """Left, top, right, bottom of the smallest box with all pixels that differ; None: nothing does."""
        return self.made.result.changed

    @property
    def report(self) -> EditReport:
        """What `realedit edit --json` prints (`as_json`): where the points went, the identity distance,
        warnings. Its `output` and the warnings of writing are those of the file that was saved last.

        The faces before and after are compared when it is first asked for.
        """
        return self._measured.written(self._output, self._written)

    @cached_property
    def _measured(self) -> EditReport:
        from realedit.editing.outcome import report_on

        return report_on(self.made)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know, a sentence each; the report's."""
        return self.report.warnings

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        strip: Strip = "none",
        visible_label: bool = False,
        signing: Signing | None = None,
        overwrite: bool = True,
    ) -> Path:
        """Write the photo in the format of the name's extension, with the metadata of the original, marked as
        edited by AI. The file is complete or absent, and never the original.

        Args:
            path: `.jpg`, `.png`, `.tif`, `.webp`, `.heic`, `.avif`.
            strip: `"gps"` leaves out where the photo was taken, `"all"` all but colour, orientation and
                the mark.
            visible_label: write "AI-edited" into a corner.
            signing: content credentials (C2PA).
            overwrite: whether a picture that is there may be replaced.

        Returns:
            The path. What the format cannot hold is in `report.warnings`.

        Raises:
            UsageError: for an extension that is no format.
            OutputError: for a place that cannot or must not be written.
            ResourceError: where the disk is full.
        """
        place = Path(path)
        self.made.laps("write")
        try:
            writing = Writing(strip=strip, visible_label=visible_label, signing=signing)
            written = writing.write(self.photo, place, overwrite=overwrite)
        finally:
            self.made.laps.end()
        self._output, self._written = place, written
        return place

    def encode(
        self,
        suffix: str,
        *,
        strip: Strip = "none",
        visible_label: bool = False,
        signing: Signing | None = None,
    ) -> bytes:
        """The bytes that `save` would write. suffix: `".jpg"`, `".png"`, ..."""
        kept: list[bytes] = []
        writing = Writing(strip=strip, visible_label=visible_label, signing=signing)
        writing.write(self.photo, Path(f"photo.{suffix.removeprefix('.')}"), into=kept.append)
        return kept[0]

    def compare(
        self,
        path: str | os.PathLike[str],
        *,
        style: Style | None = None,
        labels: bool = False,
        max_side: int | None = None,
    ) -> Path:
        """Write before and after as one file: PNG, JPEG or WebP (side by side), HTML (a slider), GIF or MP4.

        style: `side`, `stack`, `split`, `wipe`, `blink`, `difference`, `slider`; None takes what suits the
        name. max_side: pixels of each picture's longer side at most. Raises UsageError, OutputError,
        ResourceError.
        """
        from realedit.compare import ComparisonSettings, check_comparison, pair_of, write_comparison
        from realedit.compare import max_side as most

        place, settings = Path(path), ComparisonSettings(style=style, labels=labels, max_side=max_side)
        check_comparison(place, settings, self.made.photo.path)
        pair = pair_of(self.made.photo, self.made.result, max_side=most(place, settings))
        write_comparison(place, pair, settings)
        return place

    def mark(self, path: str | os.PathLike[str]) -> Path:
        """Write the photo before the edit with its handles, targets, where they went, and the mask (PNG)."""
        from realedit.editing.comparing import write_marked
        from realedit.plumbing.places import check_ours

        place = Path(path)
        check_place(place, self.made.photo.path)
        check_ours(place)
        write_marked(place, self.made.photo, self.made.sessions)
        return place

    def timelapse(self, path: str | os.PathLike[str]) -> Path:
        """Write the drag as it happened: GIF, WebP or MP4. Raises UsageError where it was not recorded."""
        from realedit.compare.timelapse import write_timelapse
        from realedit.editing.checks import check_animation

        if not self._recorded:
            raise UsageError("the steps of this edit were not kept; edit with record=True")
        place = Path(path)
        check_animation(place, self.made.photo.path)
        write_timelapse(place, list(self.made.steps), self.made.sessions, self.made.checkpoint)
        return place

    def _repr_png_(self) -> bytes:
        from realedit.compare import pair_of, side_by_side

        pair = pair_of(self.made.photo, self.made.result, max_side=_PAIR)
        return shown(side_by_side(pair.before, pair.after))

    def __repr__(self) -> str:
        what = "unchanged" if self.changed is None else f"changed in {self.changed}"
        return f"<Result of {self.made.photo.path}, {what}>"
