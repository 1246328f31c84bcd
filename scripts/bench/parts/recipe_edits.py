"""One recipe on one portrait: the edit, what dlib finds of it, and the same points as a plain warp."""

import math
import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment.identity import descriptor, distance
from alignment.landmarks import landmarks_in
from checkpoints import Checkpoint
from realedit import perception
from realedit.compositing.features import LANDMARKS
from realedit.editing import stages
from realedit.editing.applying import drag
from realedit.photos import Photo
from realedit.recipes import Frame, Recipe, Use, place
from realedit.sessions.session import Session

Points = NDArray[np.float64]
Picture = NDArray[np.uint8]
ENOUGH, SAME_PERSON = 0.5, 0.35
PARTED, OPENED = (
    0.04,
    0.1,
)  # interocular distances between the inner lips: parted at first, opened by the edit
WARP_WIDTH = 0.4  # interocular distances


@dataclass(frozen=True)
class Result:
    """One edit of one portrait; scripts/bench recipes explains the figures. recipe, digest: its name and
    what it does; gaps: between the inner lips in the photo and in the result, interocular distances."""

    photo: str
    recipe: str
    digest: str
    model_sha256: str
    quality: str
    found: float
    identity: float
    warp_found: float
    warp_identity: float
    gaps: tuple[float, float]
    inside: bool
    warp_inside: bool
    ending: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it did what was asked and left the person who they were."""
        return (math.isnan(self.found) or self.found >= ENOUGH) and self.identity <= SAME_PERSON

    @property
    def parted(self) -> bool:
        """Whether the lips stand apart in the photo."""
        return self.gaps[0] >= PARTED


def run(
    recipe: Recipe, photo: Photo, session: Session, checkpoint: Checkpoint
) -> tuple[Result, tuple[Picture, Picture]]:
    """The figures, and the whole photo as edited and as warped."""
    started = time.perf_counter()
    dragged = drag(session, checkpoint, [], [Use(recipe=recipe)])
    edited = stages.render(photo, dragged, checkpoint)
    seconds = time.perf_counter() - started
    before, after = photo.srgb(), edited.srgb()
    old, new = (seen(pixels, session) for pixels in (before, after))
    warped = warp(before, place(recipe, Frame.of_face(old)), old)
    bent = seen(warped, session)
    result = Result(
        photo=session.photo_path.stem,
        recipe=recipe.name,
        digest=recipe.digest,
        model_sha256=checkpoint.sha256,
        quality=session.quality,
        found=found(recipe, old, new),
        identity=distance(descriptor(before, old), descriptor(after, new)),
        warp_found=found(recipe, old, bent),
        warp_identity=distance(descriptor(before, old), descriptor(warped, bent)),
        gaps=(gap(old, old), gap(new, old)),
        inside=shows_inside(after, old, new),
        warp_inside=shows_inside(warped, old, bent),
        ending=dragged.history[-1].ending,
        seconds=seconds,
    )
    return result, (after, warped)


def seen(pixels: Picture, session: Session) -> Points:
    """Where the landmarks are: as dlib sees them, but lids and lips, which it does not see shut, as the
    network does."""
    landmarks = landmarks_in(pixels, session.alignment)
    points = perception.perceive(pixels, session.alignment).points
    landmarks[list(LANDMARKS)] = points[list(LANDMARKS.values())]
    return landmarks


def found(recipe: Recipe, old: Points, new: Points) -> float:
    """The share of the asked movements that the landmarks made; nan where no landmark sees them."""
    frame, other = Frame.of_face(old), Frame.of_face(new)
    shares = []
    for point in recipe.points:
        asked = frame.movement(point)
        if not any(point.offset) and float(asked @ asked) > 0:
            made = other.handle(point) - frame.handle(point)
            shares.append(float(made @ asked / (asked @ asked)))
    return float(np.mean(shares)) if shares else float("nan")


def warp(picture: Picture, points: Points, landmarks: Points) -> Picture:
    """The picture moved so that each handle comes to its target: Shepard's interpolation between the targets,
    fading out around them."""
    handles, targets = points[:, 0], points[:, 1]
    width = WARP_WIDTH * float(np.linalg.norm(Frame.of_face(landmarks).right))
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    grid = np.stack([x, y], axis=-1) + 0.5
    apart = np.linalg.norm(grid[..., None, :] - targets, axis=-1)  # [H, W, K]
    weights = 1 / (apart**4 + 1e-6)
    fade = np.exp(-((apart.min(axis=-1, keepdims=True) / width) ** 2) / 2)
    share = fade * weights / weights.sum(axis=-1, keepdims=True)
    source = (grid + share @ (handles - targets) - 0.5).astype(np.float32)
    moved = cv2.remap(
        np.ascontiguousarray(picture), source, None, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def gap(points: Points, old: Points) -> float:
    """Between the middles of the inner lips, in interocular distances of the photo."""
    return float(np.linalg.norm(points[66] - points[62]) / np.linalg.norm(Frame.of_face(old).right))


def shows_inside(after: Picture, old: Points, new: Points) -> bool:
    """Whether the lips came apart by a tenth of the interocular distance, and what is between them is mostly
    dark, or as pale and light as teeth, beside the lips' own colour."""
    if gap(new, old) - gap(old, old) < OPENED:
        return False
    inner, outer = (fill(after.shape, new[numbers]) for numbers in (range(60, 68), range(48, 60)))
    colours = cv2.cvtColor(np.ascontiguousarray(after), cv2.COLOR_RGB2HSV).astype(float)
    lips = np.median(colours[outer & ~inner], axis=0)
    within = colours[inner]
    dark = within[:, 2] < 0.6 * lips[2]
    teeth = (within[:, 1] < 0.6 * lips[1]) & (within[:, 2] > lips[2])
    return bool((dark | teeth).mean() > 0.5)


def fill(shape: tuple[int, ...], points: Points) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(points - 0.5).astype(np.int32)], 1)
    return mask.astype(bool)
