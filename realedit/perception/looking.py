"""From a photo and a face's place in it to what is seen: first the whole view, then eyes and mouth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alignment import Alignment, extract_crop
from realedit.perception import frames
from realedit.perception.pose import head_pose
from realedit.perception.seen import Perceived, Points
from realedit.perception.weights import Eyesight, bundled

if TYPE_CHECKING:
    from torch import Tensor

    from realedit.perception.network import ViewOutput

Pixels = NDArray[Any]
_CLOSER = 2  # how often to look closely: the second time where the first says that eyes and mouth are
CloseUp = tuple[NDArray[np.int64], Points, NDArray[np.float64]]
"""Which points, where they are in the photo, and how much that counts."""


def perceive(photo: Pixels, face: Alignment, *, eyesight: Eyesight | None = None) -> Perceived:
    """Look at one face of a photo.

    photo: `[H, W, 3]` RGB, uint8 or uint16, as displayed. face: its FFHQ square (`alignment.Face.alignment`).
    eyesight: the networks; by default those that come with the package, which are read on first use.

    Every network looks twice, the second time in a mirror (at the eyes: once each, the right one in a
    mirror), so that a mirrored photo gives mirrored points. Raises what `alignment.extract_crop` raises.
    """
    import torch

    sight = bundled() if eyesight is None else eyesight
    view = frames.view_square(face)
    with torch.inference_mode():
        rough, depth, matte, facts = _look_around(photo, view, sight)
        points = rough
        for _ in range(_CLOSER):
            eyes, glasses = _eyes(photo, points, sight)
            close_ups = (*eyes, _mouth(photo, points, sight))
            points = rough.copy()
            for which, places, shares in close_ups:
                points[which] += (places - rough[which]) * shares[:, None]
    sure, blur = facts
    pose = head_pose(np.column_stack([points, depth]), sight.shape)
    return Perceived(points, depth, pose, sure, blur, view, matte, glasses)


def wears_glasses(photo: Pixels, points: Points) -> float:
    """How sure the network for eyes is that glasses are worn, 0 to 1.

    photo: `[H, W, 3]` RGB, uint8 or uint16, or the part of it around the eyes; points: `[478, 2]`, pixels of
    that.
    """
    import torch

    with torch.inference_mode():
        return _eyes(photo, points, bundled())[1]


def _look_around(
    photo: Pixels, view: Alignment, sight: Eyesight
) -> tuple[Points, Points, NDArray[np.float32], tuple[float, float]]:
    """Points and depth in photo pixels, the matte in the view, how sure it is of a face, and the blur."""
    from realedit.perception.network import VIEW_SIZE

    picture = _picture(photo, view, VIEW_SIZE)
    seen: ViewOutput = sight.view(_batch([picture, picture[:, ::-1]]))
    straight, mirrored = seen.points.numpy().astype(np.float64)
    mirrored = mirrored[sight.mirror] * (-1, 1, 1) + (1, 0, 0)
    unit = (straight + mirrored) / 2
    matte = seen.matte.sigmoid().numpy()
    facts = float(seen.face.mean().sigmoid()), float(seen.blur.mean().exp())
    return (
        view.to_photo(unit[:, :2], 1),
        (unit[:, 2] - unit[:, 2].mean()) * view.side,
        (matte[0] + matte[1][:, ::-1]) / 2,
        facts,
    )


def _eyes(photo: Pixels, points: Points, sight: Eyesight) -> tuple[tuple[CloseUp, CloseUp], float]:
    """What close-ups of both eyes say, and how sure they are of glasses."""
    from realedit.perception.network import EYE_SIZE

    left, right = frames.eye_squares(points)
    pictures = [_picture(photo, left, EYE_SIZE), _picture(photo, right, EYE_SIZE)[:, ::-1]]
    places, facts = sight.eye(_batch(pictures))
    left_seen, right_seen = places.numpy().astype(np.float64)
    right_seen = right_seen * (-1, 1) + (1, 0)
    close_ups = (
        (sight.eye_points, left.to_photo(left_seen, 1), sight.eye_shares),
        (sight.mirror[sight.eye_points], right.to_photo(right_seen, 1), sight.eye_shares),
    )
    return close_ups, float(facts[:, 0].mean().sigmoid())


def _mouth(photo: Pixels, points: Points, sight: Eyesight) -> CloseUp:
    from realedit.perception.network import MOUTH_SIZE

    square = frames.mouth_square(points)
    picture = _picture(photo, square, MOUTH_SIZE)
    places, _ = sight.mouth(_batch([picture, picture[:, ::-1]]))
    straight, mirrored = places.numpy().astype(np.float64)
    order = {int(point): i for i, point in enumerate(sight.mouth_points)}
    partner = [order[int(point)] for point in sight.mirror[sight.mouth_points]]
    seen = (straight + (mirrored[partner] * (-1, 1) + (1, 0))) / 2
    return sight.mouth_points, square.to_photo(seen, 1), sight.mouth_shares


def _picture(photo: Pixels, square: Alignment, size: int) -> NDArray[np.float32]:
    """A square of the photo, `[size, size, 3]` in [-1, 1]."""
    pixels = extract_crop(photo, square, size).pixels
    return np.asarray(pixels, np.float32) * (2 / np.iinfo(pixels.dtype).max) - 1


def _batch(pictures: list[NDArray[np.float32]]) -> Tensor:
    import torch

    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return batch.contiguous(memory_format=torch.channels_last)
