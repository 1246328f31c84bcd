"""What can go wrong between a photo and its aligned crop."""

from typing import ClassVar


class AlignmentError(Exception):
    """Base of every error of `alignment`; the message is one sentence for the user."""

    exit_code: ClassVar[int] = 3


class NoFaceError(AlignmentError):
    """No face was found, or not the face that was asked for."""


class OutsideError(AlignmentError):
    """A point lies outside the photo or outside every aligned square."""

    exit_code: ClassVar[int] = 2


class LandmarkError(AlignmentError):
    """A name that no landmark has."""

    exit_code: ClassVar[int] = 2
