"""What a face is like and where its parts are: small networks of ours, and what they see."""

from realedit.perception.looking import perceive
from realedit.perception.seen import Perceived, Pose, Sides

__all__ = ["Perceived", "Pose", "Sides", "perceive"]
