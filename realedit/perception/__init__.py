"""What a face is like and where its parts are: one small network of ours, and what it sees."""

from realedit.perception.seen import Perceived, Pose, Sides

__all__ = ["Perceived", "Pose", "Sides"]
