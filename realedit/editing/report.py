"""How well an inversion did: figures, and the crop beside its inversion and their difference."""

import math
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

import checkpoints
import inversion
from alignment.identity import descriptor, distance
from checkpoints import Checkpoint
from realedit.photos import Photo
from realedit.sessions.pictures import pictures
from realedit.sessions.session import Session, to_tensor

SSIM_SIGMA = 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


@dataclass(frozen=True, kw_only=True)
class InversionReport:
    """psnr in dB and ssim, over the crop's valid pixels. lpips by backbone, of those at hand. loss: the one
    that was minimised. identity: dlib descriptor distance of the photo and the inversion, None without a
    face. whitened: root mean square distance of the latent from the mean code, in the codes' deviations.
    seconds: None where the inversion was kept from earlier. tuned_bytes: size of the tuning as stored.
    """

    psnr: float
    ssim: float
    lpips: dict[str, float]
    loss: str | None
    identity: float | None
    whitened: float
    steps: dict[str, int]
    seconds: float | None
    tuned_bytes: int

    def to_json(self) -> bytes:
        """As one JSON object."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    def in_words(self) -> str:
        """One line per figure."""
        backbones = ", ".join(f"{value:.3f} ({name})" for name, value in self.lpips.items())
        steps = ", ".join(f"{count} {stage}" for stage, count in self.steps.items())
        rows = [
            ("PSNR", f"{self.psnr:.2f} dB"),
            ("SSIM", f"{self.ssim:.3f}"),
            ("LPIPS", backbones or "not measured: no backbone is here; realedit models pull lpips-alex"),
            ("identity distance", "no face" if self.identity is None else f"{self.identity:.3f}"),
            ("whitened distance", f"{self.whitened:.2f}"),
            ("loss", self.loss or "unknown"),
            ("steps", steps or "none"),
            ("seconds", "kept from earlier" if self.seconds is None else f"{self.seconds:.1f}"),
            ("tuning", f"{self.tuned_bytes / 1e6:.2f} MB"),
        ]
        return "\n".join(f"{name:<18} {value}" for name, value in rows)


def report_of(
    session: Session, checkpoint: Checkpoint, photo: Photo, *, seconds: float | None
) -> InversionReport:
    """Measure an inverted session. seconds: what the inversion took, None where it was not made now."""
    before, _ = pictures(session, checkpoint)
    crop = session.crop.astype(np.float32) / np.float32(255)
    return InversionReport(
        psnr=psnr(before, crop, session.valid),
        ssim=ssim(before, crop, session.valid),
        lpips=_lpips(before, session, checkpoint),
        loss=session.loss,
        identity=inversion_identity(session, before, photo),
        whitened=_whitened(session, checkpoint),
        steps=dict(session.steps),
        seconds=seconds,
        tuned_bytes=sum(change.nbytes for change in session.tuning.values()),
    )


def psnr(one: NDArray[np.float32], other: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    """Peak signal to noise of pictures `[R, R, 3]` in [0, 1], over the valid pixels `[R, R]`, in dB."""
    error = float(np.square(one - other)[valid].mean()) if valid.any() else 0.0
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(one: NDArray[np.float32], other: NDArray[np.float32], valid: NDArray[np.bool_]) -> float:
    """Structural similarity (Wang et al. 2004) of pictures `[R, R, 3]` in [0, 1], the mean over valid pixels
    and channels, with Gaussian windows of 1.5 pixels.
    """

    def blurred(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), SSIM_SIGMA), np.float64)

    a, b = one.astype(np.float64), other.astype(np.float64)
    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    shared = blurred(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + SSIM_C1) * (2 * shared + SSIM_C2)
    likeness /= (mean_a**2 + mean_b**2 + SSIM_C1) * (var_a + var_b + SSIM_C2)
    return float(likeness[valid].mean()) if valid.any() else 1.0


def inversion_identity(session: Session, before: NDArray[np.float32], photo: Photo) -> float | None:
    """dlib descriptor distance of the photo and the inversion `[R, R, 3]` in [0, 1], at the photo's
    landmarks.
    """
    if session.landmarks is None:
        return None
    picture = np.asarray(before * 255 + 0.5, np.uint8)
    inside = session.alignment.to_crop(session.landmarks, len(picture))
    return distance(descriptor(photo.srgb(), session.landmarks), descriptor(picture, inside))


def sheet(session: Session, checkpoint: Checkpoint) -> NDArray[np.uint8]:
    """Crop, inversion and their difference (grey: none; four times as strong), side by side `[R, 3 R, 3]`."""
    before, _ = pictures(session, checkpoint)
    difference = np.clip((before - session.crop.astype(np.float32) / 255) * 2 + 0.5, 0, 1)
    difference[~session.valid] = 0.5
    shown = [np.asarray(part * 255 + 0.5, np.uint8) for part in (before, difference)]
    return np.hstack([session.crop, *shown])


@torch.no_grad()
def _lpips(before: NDArray[np.float32], session: Session, checkpoint: Checkpoint) -> dict[str, float]:
    """LPIPS on every backbone that was pulled, over the valid pixels."""
    image = torch.from_numpy(before).permute(2, 0, 1)[None] * 2 - 1
    valid = torch.from_numpy(session.valid.astype(np.float32))[None, None]
    found: dict[str, float] = {}
    for net in inversion.LPIPS_NETS:
        weights = checkpoints.backbone(f"lpips-{net}")
        if weights is not None:
            found[net] = float(inversion.Lpips(net, weights)(image, to_tensor(session.crop), valid))
    return found


def _whitened(session: Session, checkpoint: Checkpoint) -> float:
    assert session.pivot is not None
    codes = inversion.CodeSpace.of(checkpoint)
    return float(codes.whitened(session.pivot.to(codes.mean.device)).mean().sqrt())
