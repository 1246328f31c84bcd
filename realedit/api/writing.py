"""How an edited photo is written, and where it may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realedit.photos import (
    Provenance,
    Signing,
    Strip,
    check_fits,
    check_format,
    check_output,
    check_signing,
    write_photo,
)

if TYPE_CHECKING:
    from realedit.api.photos import Photo


@dataclass(frozen=True, kw_only=True)
class Writing:
    """What is left out of the file, and how it is marked and signed; see `Result.save`."""

    strip: Strip = "none"
    visible_label: bool = False
    signing: Signing | None = None

    def check(self, path: Path, photo: Path | None) -> None:
        """What can be told before minutes of work. photo: the original; None: nothing is written to `path`,
        which says the format alone. Raises UsageError, OutputError."""
        if photo is None:
            check_format(path)
        else:
            check_output(path, photo)
        if self.signing is not None:
            check_signing(self.signing)

    def check_fits(self, path: Path, photo: Photo) -> None:
        """Raise OutputError where the format of that name holds no picture of the photo's size."""
        check_fits(path, photo.content)

    def write(
        self,
        photo: Photo,
        path: Path,
        *,
        overwrite: bool = True,
        into: Callable[[bytes], object] | None = None,
    ) -> tuple[str, ...]:
        """Write a photo, edited or not; what could not be kept, a sentence each. into: gets the file's bytes
        instead."""
        report = write_photo(
            photo.content,
            path,
            overwrite=overwrite,
            provenance=Provenance(),
            strip=self.strip,
            signing=self.signing,
            visible_label=self.visible_label,
            into=into,
        )
        return report.warnings
