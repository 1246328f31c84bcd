"""What can go wrong between a name or file and a generator."""

from typing import ClassVar


class CheckpointError(Exception):
    """Base of every error of `checkpoints`; the message is one sentence for the user."""

    exit_code: ClassVar[int] = 5


class UnknownModelError(CheckpointError):
    """No bundled model, known name or file answers to what was asked for."""
