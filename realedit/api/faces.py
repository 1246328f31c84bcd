"""One face of a photo: where it is, what is seen of it, and what may go wrong with it."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from alignment import Face as Found
from realedit.photos import Photo as Content

if TYPE_CHECKING:
    from alignment.certainty import Certainty
    from realedit.api.photos import Photo
    from realedit.perception import Perceived, Pose

Box = tuple[int, int, int, int]
_DRAWN = 2048  # pixels of the longer side


class Face:
    """A face, in pixels of the displayed photo (x to the right, y down, pixel centres at +0.5).

    What is seen of it by the networks (`sure`, `points`, `pose`, `glasses`, `matte`) and what may go wrong
    (`concerns`) is looked at when it is first asked for.
    """

    def __init__(self, photo: Content, found: Found) -> None:
        self._photo, self._found = photo, found

    @property
    def found(self) -> Found:
        """The face as it was found."""
        return self._found

    @property
    def index(self) -> int:
        """Its number from the left, from 0; what `face=` of an edit takes."""
        return self._found.index

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of where the detector saw it; may reach beyond the photo."""
        box = self._found.box
        return box.left, box.top, box.right, box.bottom

    @property
    def landmarks(self) -> NDArray[np.float64]:
        """`[68, 2]`, in the order of iBUG 300-W; `alignment.names` names them."""
        return self._found.landmarks

    @property
    def square(self) -> Alignment:
        """The square around it that the model sees: `centre`, `side` and `angle`."""
        return self._found.alignment

    @property
    def size(self) -> float:
        """The side of that square, in photo pixels; a face fills about the middle half of it."""
        return self._found.alignment.side

    @property
    def whole(self) -> bool:
        """Whether brows, eyes, nose and mouth lie in the photo."""
        return self._found.whole

    @cached_property
    def seen(self) -> Perceived:
        """All that the networks see, with depth, eyes' and mouth's openings, and blur."""
        from realedit.perception import perceive

        return perceive(self._photo.view(), self._found.alignment)

    @property
    def sure(self) -> float:
        """0 to 1: how sure it is that this is a human face."""
        return self.seen.sure

    @property
    def points(self) -> NDArray[np.float64]:
        """`[478, 2]`: lids, irises, lips, brows and outline; `realedit.perception.points` names them."""
        return self.seen.points

    @property
    def pose(self) -> Pose:
        """Yaw, pitch and roll of the head, in degrees."""
        return self.seen.pose

    @property
    def glasses(self) -> float:
        """0 to 1: how sure it is that glasses are worn."""
        return self.seen.glasses

    def matte(self, box: Box | None = None) -> NDArray[np.float32]:
        """The person, `[height, width]` at the photo's own pixels: 1 person (hair, clothes and what is worn
        included), 0 background. box: left, top, right, bottom of the part that is wanted."""
        return self.seen.fine_matte(self._photo.view(), box)

    @cached_property
    def certainty(self) -> Certainty:
        """The figures behind `concerns`: HOG's score, how far the landmarks differ from look to look,
        sharpness, turn."""
        from alignment.certainty import certainty
        from realedit.sessions.regions import around_square

        size = self._photo.width, self._photo.height
        box, landmarks, square = around_square(self._found.alignment, self._found.landmarks, size)
        return certainty(self._photo.srgb(box), landmarks, square)

    @property
    def concerns(self) -> dict[str, str]:
        """What may go wrong when it is edited, a sentence by a word: `cut` by the frame, `unclear` (covered,
        seen from the side, no human face), `turned`, `blurred`, `small`, `glasses`. Empty for a face that is
        seen well."""
        from realedit.editing.doubts import concerns

        return concerns(self.certainty, size=self.size, glasses=self.glasses)

    def as_json(self) -> dict[str, Any]:
        """What `realedit faces --json` prints of it; points in photo pixels, the pose in degrees."""
        left, top, right, bottom = self.box
        certainty = dataclasses.asdict(self.certainty)
        return {
            "face": self.index,
            "box": [round(value, 1) for value in (left, top, right, bottom)],
            "size": round(self.size, 1),
            **self.square.to_dict(),
            "corners": self.square.corners().round(2).tolist(),
            "landmarks": self.landmarks.round(2).tolist(),
            "sure": round(self.sure, 4),
            "certainty": {name: _short(value) for name, value in certainty.items()},
            "pose": {name: round(value, 1) for name, value in self.pose._asdict().items()},
            "glasses": round(self.glasses, 4),
            "concerns": self.concerns,
        }

    def _repr_png_(self) -> bytes:
        from realedit.api.photos import shown
        from realedit.geometry.cropping import crop_of

        return shown(crop_of(self._photo, self._found.alignment, 256).pixels)

    def __repr__(self) -> str:
        x, y = self._found.alignment.centre
        return f"<Face {self.index} around {x:.0f},{y:.0f}, {self.size:.0f} px>"


def _short(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def drawn_faces(photo: Photo) -> NDArray[np.uint8]:
    """The photo at 2048 pixels at most, with the square, number and landmarks of each face, `[h, w, 3]`
    sRGB."""
    from realedit.compare.numbered import numbered

    pixels = np.ascontiguousarray(photo.content.srgb_reduced(_DRAWN))
    scale = pixels.shape[1] / photo.width
    return numbered(
        pixels,
        [face.square.corners() * scale for face in photo.faces],
        [face.landmarks * scale for face in photo.faces],
        [str(face.index) for face in photo.faces],
    )
