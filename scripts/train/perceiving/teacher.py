"""Labels for photos by MediaPipe's face mesh and selfie segmentation: the teacher.

This module runs in an environment of its own (`mediapipe==0.10.21`, Apache-2.0), not in the project's;
nothing of the teacher is shipped. It needs only numpy and OpenCV beside it. The teacher finds the face in the
photo, then looks at an upright chip around it: plain, turned and scaled, and at all these mirrored. Two of
its looks differ by as much as the network should differ from it, so their mean is the label.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 1.8  # side of a chip over that of the FFHQ square
LOOKS = ((0.0, 1.0), (6.0, 0.94), (-6.0, 1.06), (2.0, 1.12))  # degrees and scale; each also mirrored
MATTE = 160  # pixels of a stored matte, over the whole chip
_CHIP = 512
_SAVE_EVERY = 100
_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
         (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382))  # fmt: skip
_MOUTH = (61, 291)

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Label:
    """looks `[2, LOOKS, 478, 3]`: points in photo pixels (pixel centres at +0.5), depth in the same unit. The
    second half is of the mirrored chip: its places are mirrored back, the order of its points is not. square:
    centre x, centre y, side and angle (radians) of the chip. matte `[MATTE, MATTE]` uint8 over the chip."""

    looks: Points
    square: NDArray[np.float64]
    matte: Pixels


def label(folders: Sequence[Path], target: Path, minutes: float) -> None:
    """Label the photos of the folders, in the order of their names' hashes; goes on where `target` ended."""
    photos = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    photos.sort(key=lambda path: hashlib.sha256(path.stem.encode()).digest())
    known: dict[str, Label | None] = load(target) if target.exists() else {}
    teacher, started = Teacher(), time.monotonic()
    fresh = 0
    for path in photos:
        if str(path) in known:
            continue
        known[str(path)] = teacher.label(path)
        fresh += 1
        if fresh % _SAVE_EVERY == 0:
            save(target, known)
            print(f"{len(known)} of {len(photos)}", flush=True)
        if time.monotonic() - started > minutes * 60:
            break
    save(target, known)
    missing = [name for name, each in known.items() if each is None]
    print(f"{len(known)} of {len(photos)} photos; no single face in {len(missing)}: {', '.join(missing)}")


def save(target: Path, labels: dict[str, Label | None]) -> None:
    """Write labels by the photos' paths; None: no label, because there is not exactly one face."""
    good = {name: each for name, each in labels.items() if each is not None}
    temporary = target.with_suffix(".part.npz")
    np.savez(
        temporary,
        photos=np.array(list(good)),
        missing=np.array([name for name in labels if name not in good], np.str_),
        looks=np.array([each.looks for each in good.values()], np.float32),
        squares=np.array([each.square for each in good.values()]),
        mattes=np.array([each.matte for each in good.values()], np.uint8),
    )
    temporary.replace(target)


def load(path: Path) -> dict[str, Label | None]:
    """Read what `save` wrote."""
    with np.load(path) as stored:
        arrays = (stored["photos"], stored["looks"], stored["squares"], stored["mattes"])
        labels: dict[str, Label | None] = {
            str(name): Label(np.asarray(looks, np.float64), square, matte)
            for name, looks, square, matte in zip(*arrays, strict=True)
        }
        return labels | {str(name): None for name in stored["missing"]}


class Teacher:
    """The two networks of MediaPipe."""

    def __init__(self) -> None:
        import mediapipe

        solutions = mediapipe.solutions
        self._mesh = solutions.face_mesh.FaceMesh(
            static_image_mode=True, refine_landmarks=True, max_num_faces=2, min_detection_confidence=0.4
        )
        self._segmenter = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)

    def label(self, path: Path) -> Label | None:
        """What the teacher sees in a photo; None unless it is exactly one face, in every look."""
        picture = cv2.imread(str(path))
        if picture is None:
            return None
        photo = np.ascontiguousarray(picture[..., ::-1])
        first = self._points(photo)
        if first is None:
            return None
        square = _square(first)
        to_chip = _to_chip(square)
        chip, valid = _chip(photo, to_chip)
        looks = [self._look(chip, turned) for turned in _turns()]
        if any(each is None for each in looks):
            return None
        whole = np.array([_to_photo(each, to_chip) for each in looks if each is not None])
        return Label(whole.reshape(2, len(LOOKS), 478, 3), square, self._matte(chip, valid))

    def _look(self, chip: Pixels, affine: NDArray[np.float64]) -> Points | None:
        """The points in the chip, as seen after an affine [3, 3] of its pixels (centres at 0)."""
        shown = cv2.warpAffine(chip, affine[:2], (_CHIP, _CHIP), borderMode=cv2.BORDER_REFLECT)
        points = self._points(np.asarray(shown, np.uint8))
        if points is None:
            return None
        flat = np.column_stack([points[:, :2] - 0.5, np.ones(len(points))]) @ np.linalg.inv(affine).T
        scale = np.sqrt(abs(np.linalg.det(affine[:2, :2])))
        return np.column_stack([flat[:, :2] + 0.5, points[:, 2] / scale])

    def _points(self, photo: Pixels) -> Points | None:
        height, width = photo.shape[:2]
        found = self._mesh.process(photo).multi_face_landmarks
        if not found or len(found) != 1:
            return None
        return np.array([(p.x * width, p.y * height, p.z * width) for p in found[0].landmark])

    def _matte(self, chip: Pixels, valid: NDArray[np.bool_]) -> Pixels:
        """The person, over the chip; looked for in what was in the photo, plain and mirrored."""
        rows, columns = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        inside = np.ascontiguousarray(chip[top:bottom, left:right])
        plain = self._segmenter.process(inside).segmentation_mask.copy()
        mirrored = self._segmenter.process(np.ascontiguousarray(inside[:, ::-1])).segmentation_mask
        whole = cv2.copyMakeBorder(
            (plain + mirrored[:, ::-1]) / 2, top, _CHIP - bottom, left, _CHIP - right, cv2.BORDER_REPLICATE
        )
        small = cv2.resize(whole, (MATTE, MATTE), interpolation=cv2.INTER_AREA)
        return np.asarray(np.rint(small * 255), np.uint8)


def _turns() -> list[NDArray[np.float64]]:
    """An affine [3, 3] of the chip for every look; the second half mirrors it first."""
    middle = (_CHIP - 1) / 2
    turns = [
        np.vstack([cv2.getRotationMatrix2D((middle, middle), degrees, scale), [0, 0, 1]])
        for degrees, scale in LOOKS
    ]
    mirror = np.array([[-1.0, 0, _CHIP - 1], [0, 1, 0], [0, 0, 1]])
    return [*turns, *(turn @ mirror for turn in turns)]


def _square(points: Points) -> NDArray[np.float64]:
    """The chip's square: WIDTH times the FFHQ square of these points, by the rule of `alignment.geometry`."""
    left, right = (points[list(lids), :2].mean(axis=0) for lids in _LIDS)
    eyes, mouth = (left + right) / 2, points[list(_MOUTH), :2].mean(axis=0)
    across, down = right - left, mouth - eyes
    axis = across + np.array([down[1], -down[0]])
    side = max(4.0 * np.hypot(*across), 3.6 * np.hypot(*down))
    return np.array([*(eyes + 0.1 * down), side * WIDTH, np.arctan2(axis[1], axis[0])])


def _to_chip(square: NDArray[np.float64]) -> NDArray[np.float64]:
    """[2, 3] affine from photo to chip, pixel centres at +0.5."""
    x, y, side, angle = square
    c, s = np.cos(angle), np.sin(angle)
    linear = np.array([[c, s], [-s, c]]) * (_CHIP / side)
    return np.column_stack([linear, _CHIP / 2 - linear @ (x, y)])


def _to_photo(points: Points, to_chip: NDArray[np.float64]) -> Points:
    linear = to_chip[:, :2]
    flat = (points[:, :2] - to_chip[:, 2]) @ np.linalg.inv(linear).T
    return np.column_stack([flat, points[:, 2] / np.sqrt(np.linalg.det(linear))])


def _chip(photo: Pixels, to_chip: NDArray[np.float64]) -> tuple[Pixels, NDArray[np.bool_]]:
    """The chip as the teacher sees it, and which of its pixels were in the photo."""
    scale = np.sqrt(np.linalg.det(to_chip[:, :2]))
    affine = to_chip.copy()
    if scale < 0.7:  # reduced first: the warp does not filter
        height, width = photo.shape[:2]
        small = max(1, round(width * scale)), max(1, round(height * scale))
        photo = np.asarray(cv2.resize(photo, small, interpolation=cv2.INTER_AREA), np.uint8)
        affine[:, :2] = to_chip[:, :2] @ np.diag([width / photo.shape[1], height / photo.shape[0]])
    affine[:, 2] += affine[:, :2].sum(axis=1) * 0.5 - 0.5
    chip = cv2.warpAffine(photo, affine, (_CHIP, _CHIP), borderMode=cv2.BORDER_REFLECT)
    inside = cv2.warpAffine(np.full(photo.shape[:2], 255, np.uint8), affine, (_CHIP, _CHIP))
    return np.asarray(chip, np.uint8), np.asarray(inside > 250)
