"""What a face is like and where its parts are, seen by small networks that come with the package.

seen = perceive(pixels, face.alignment)    # 478 points with depth, a matte, how the head is turned
"""

from realedit.perception.looking import perceive, wears_glasses
from realedit.perception.seen import Perceived, Pose, Sides

__all__ = ["Perceived", "Pose", "Sides", "perceive", "wears_glasses"]
