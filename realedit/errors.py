"""Every error a user can cause, with the exit code of the command line.

    Exception
    ├── RealeditError                    2 unless said otherwise
    │   ├── UsageError                   2  options, points, masks, devices
    │   ├── OutputError                  2  an output that cannot be written
    │   ├── SessionError                 2  a session that does not fit the photo or model
    │   ├── PhotoError                   4  a photo that cannot be read
    │   └── ResourceError                7  out of memory or disk
    ├── alignment.errors.AlignmentError  3
    │   ├── NoFaceError                  3
    │   ├── OutsideError                 2
    │   └── LandmarkError                2
    └── checkpoints.errors.CheckpointError  5
        ├── UnknownModelError            5
        ├── DamagedFileError             5
        ├── UnsupportedModelError        5
        ├── DownloadError                5
        └── CapacityError                7

The lower packages own their errors because they import nothing from here. The message of each is one sentence
that says what is wrong, with which file or value, and what to do. A bug of ours is any other exception (exit
code 1); an interrupt is 130.
"""

from typing import ClassVar

from alignment.errors import AlignmentError, LandmarkError, NoFaceError, OutsideError
from checkpoints.errors import CheckpointError, UnknownModelError


class RealeditError(Exception):
    """Base of the errors of `realedit`; the message is one sentence for the user."""

    exit_code: ClassVar[int] = 2


class UsageError(RealeditError):
    """An option, point, mask or device that makes no sense."""


class OutputError(RealeditError):
    """An output that cannot or must not be written."""


class SessionError(RealeditError):
    """A session folder that is damaged or belongs to another photo or model."""


class PhotoError(RealeditError):
    """A photo that is missing, damaged, too large or of a format that is not read."""

    exit_code: ClassVar[int] = 4


class ResourceError(RealeditError):
    """The machine ran out of memory or disk."""

    exit_code: ClassVar[int] = 7


EXPECTED: tuple[type[Exception], ...] = (RealeditError, AlignmentError, CheckpointError)

__all__ = [
    "EXPECTED",
    "AlignmentError",
    "CheckpointError",
    "LandmarkError",
    "NoFaceError",
    "OutputError",
    "OutsideError",
    "PhotoError",
    "RealeditError",
    "ResourceError",
    "SessionError",
    "UnknownModelError",
    "UsageError",
]
