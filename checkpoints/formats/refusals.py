"""What a file is that holds no StyleGAN2 generator, and what to use instead."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from ..errors import UnsupportedModelError

_KINDS: Final = (
    (
        r"(.*\.)?synthesis\.(L\d+_\d+_\d+\.|input\.freqs)",
        "it is a StyleGAN3 generator, whose features rotate and shift with the picture; use a StyleGAN2 one "
        "(the stylegan3 repository publishes both; `realedit models list` names some)",
    ),
    (
        r"(backbone|superresolution|decoder)\.(.*\.)?(synthesis|block0)\.",
        "it is a 3D-aware generator (EG3D or similar); use a StyleGAN2 one",
    ),
    (
        r"(.*\.)?(g_synthesis\.blocks|g_mapping\.|generator\.progression\.|synthesis\.blocks\.\d+x\d+\.epi)",
        "it is a StyleGAN1 generator, which has no skip outputs to drag with; use a StyleGAN2 one",
    ),
    (
        r"(netG\.|G_[AB]\.|model\.\d+\.(weight|conv_block|model)|model\.model\.|down\d*\.|inc\.)",
        "it is an image-to-image network (pix2pix, CycleGAN or a U-Net), which has no latent to drag; use a "
        "StyleGAN2 generator",
    ),
    (
        r"(model\.diffusion_model\.|unet\.|first_stage_model\.)",
        "it is a diffusion model; use a StyleGAN2 generator",
    ),
    (
        r"((module\.)?encoder\.)?(input_layer\.|body\.\d+\.(shortcut|res)_layer\.|styles\.\d+\.)",
        "it is an inversion encoder without a generator; use the generator that it was trained for",
    ),
    (
        r"(b\d+\.(fromrgb|conv0|skip)\.|b4\.(fc|out)\.|convs\.0\.0\.weight|final_conv\.)",
        "it holds a discriminator, but no generator; use the whole checkpoint",
    ),
)

_PATTERNS: Final = tuple((re.compile(pattern), sentence) for pattern, sentence in _KINDS)


def refuse_oblong(const: Sequence[int], blocks: int) -> None:
    """Raise for a generator whose pictures are not square: its constant `[..., height, width]` is not 4 x 4.

    blocks: how many there are; each but the first doubles the picture.
    """
    if len(const) < 2 or tuple(const[-2:]) == (4, 4):  # what has no such shape is refused later
        return
    height, width = (side << (blocks - 1) for side in const[-2:])
    raise UnsupportedModelError(
        f"it draws pictures of {width} x {height} pixels; use a generator of square ones"
    )


def explain(names: Collection[str], root: str = "") -> str:
    """Why tensors of these names make no generator, as a part of a sentence.

    root: what the pickle's outermost object says it is, such as "os.system".
    """
    for pattern, sentence in _PATTERNS:
        if any(pattern.match(name) for name in names):
            return sentence
    if not names and root:
        return f"it is a pickle that asks for {root!r:.80}, which was not run; use a StyleGAN2 checkpoint"
    if not names:
        return "it holds no network; use a StyleGAN2 checkpoint (NVIDIA .pkl, rosinality .pt or .safetensors)"
    return f"its tensors ({_some(names)}) are of no known generator; use a StyleGAN2 checkpoint"


def _some(names: Collection[str]) -> str:
    shown = [f"{name:.60}" for name in list(names)[:3]]
    return ", ".join(shown) + (", ..." if len(names) > 3 else "")
