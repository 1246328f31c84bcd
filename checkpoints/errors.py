"""What can go wrong between a name or file and a generator."""

from typing import ClassVar


class CheckpointError(Exception):
    """Base of every error of `checkpoints`; the message is one sentence for the user."""

    exit_code: ClassVar[int] = 5


class UnknownModelError(CheckpointError):
    """No bundled model, known name or file answers to what was asked for."""


class DamagedFileError(CheckpointError):
    """A file that is truncated, inconsistent or built to do harm."""


class UnsupportedModelError(CheckpointError):
    """A file that is whole, but holds something else than a StyleGAN2 generator that can be used."""


class DownloadError(CheckpointError):
    """A download that failed, or brought something else than what was asked for."""


class CapacityError(CheckpointError):
    """The machine has not enough memory or disk."""

    exit_code: ClassVar[int] = 7


def brief(value: object) -> str:
    """A value out of a file as a message may show it: its repr, at most 60 characters of it."""
    if isinstance(value, str | bytes):
        value = value[:60]
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = "a huge number"
    return text if len(text) <= 60 else text[:57] + "..."
