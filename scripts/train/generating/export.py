"""From a training state to a model file: averaged weights in float16, statistics of the codes, mapping
network; and what was measured of it, added afterwards.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

import checkpoints
from checkpoints.bundled import LICENCE
from checkpoints.convert import write_model
from checkpoints.faces import FaceBranch
from checkpoints.storage import FORMAT, StoredModel, read_safetensors
from train.faces import dataset
from train.faces.expressions import KIND_NAMES, Expressions
from train.faces.source import Source
from train.generating.apart import keep_away
from train.generating.networks import Networks, Shape, make
from train.generating.prior import SPREAD, fit_samples, spread_out, statistics


def code_scale(init: str | None) -> float:
    """Root mean square spread of the codes of the model to start from; 1 for random weights."""
    codes = None if init is None else checkpoints.load(init).codes
    return 1.0 if codes is None else float((codes.std.square().sum() / codes.mean.numel()).sqrt())


def export(
    state_file: Path,
    data: Path,
    target: Path,
    *,
    name: str,
    sources: str,
    mapping_steps: int = 1000,
    apart_steps: int = 300,
) -> None:
    """Write the averaged networks of a state as a model file, with codes and samples fitted to them. Drags
    should move the layers that were trained to move faces.

    sources: whose photographs these were and under which licences; the file says so.
    """
    state = torch.load(state_file, map_location="cpu", weights_only=True)
    shape = Shape(**state["shape"])
    nets = make(shape, None, 0)
    if "encoder.face.window" in state["averaged"]:
        nets.encoder.face = FaceBranch(nets.encoder.fc.out_features)
    nets.load_state_dict(state["averaged"])
    nets.eval().requires_grad_(False)
    faces = dataset.load(data, round(shape.resolution * dataset.MARGIN))
    source = Source.of(faces, held_out=False, device=torch.device("cpu"))
    codes = _follow(nets, source, faces, mapping_steps, apart_steps)
    motions = nets.directions[:, : state["settings"]["drag_layers"]]
    ranges = torch.tensor(Expressions(**state["settings"]["expressions"]).ranges())
    found = {**statistics(codes.flatten(0, 1)), "motions": motions.half(), "motion_ranges": ranges}
    generator = {k.replace("_network.", ".", 1): v for k, v in nets.generator.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "name": name,
        "domain": "face",
        "alignment": "ffhq",
        "licence": LICENCE,
        "drag_layers": str(motions.shape[1]),
        "motions": json.dumps(KIND_NAMES),
        "steps": str(state["step"]),
        "images_seen": str(state["images"]),
        "seed": str(state["settings"]["seed"]),
        "training": json.dumps(state["settings"]),
        "data": f"{len(source)} portraits of {len(set(faces.people) - faces.held_out)} people: {sources}",
        "held_out": json.dumps(sorted(faces.held_out)),
    }
    commit = commit_of(Path(__file__).parent)
    if commit is not None:
        metadata["commit"] = commit
    stored = StoredModel(
        source=str(state_file),
        generator=_halved(generator),
        encoder=_halved(nets.encoder.state_dict()),
        codes=found,
        arguments=nets.generator.arch.as_json(),
        metadata=metadata,
    )
    write_model(stored, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def _follow(
    nets: Networks, source: Source, faces: dataset.Faces, mapping_steps: int, apart_steps: int
) -> Tensor:
    """Fit the samples to the source's codes, then keep them away from its people. -> the codes."""
    codes = fit_samples(nets, source, steps=mapping_steps)
    names = [faces.people[i] for i in faces.indices(held_out=False)]
    before, after = keep_away(nets, source, names, spread_out(codes.mean(1)), steps=apart_steps)
    print(f"samples nearer to a person than 95 % of people are to the next: {before:.1%} -> {after:.1%}")
    return codes


def fit_again(model: Path, data: Path, *, mapping_steps: int = 1000, apart_steps: int = 300) -> None:
    """Fit the samples of an exported model anew; nothing but its mapping network's layers changes."""
    stored = read_safetensors(model)
    shape = Shape(**json.loads(stored.metadata["training"])["shape"])
    nets = make(shape, model, 0).eval()
    faces = dataset.load(data, round(shape.resolution * dataset.MARGIN))
    source = Source.of(faces, held_out=False, device=torch.device("cpu"))
    _follow(nets, source, faces, mapping_steps, apart_steps)
    fitted = nets.generator.mapping_network.state_dict()
    changed = {f"mapping.{name}": tensor for name, tensor in fitted.items() if name != "w_avg"}
    mapping = {"spread": SPREAD, "steps": mapping_steps, "apart_steps": apart_steps}
    commit = commit_of(Path(__file__).parent)
    if commit is not None:
        mapping["commit"] = commit
    generator = {**stored.generator, **_halved(changed)}
    metadata = {**stored.metadata, "mapping": json.dumps(mapping)}
    write_model(replace(stored, generator=generator, metadata=metadata), model)


def commit_of(folder: Path) -> str | None:
    """The commit that is checked out there, with `-dirty` where tracked files differ from it; None without
    git or outside of a checkout.
    """
    if shutil.which("git") is None:
        return None
    asked = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def add_metrics(model: Path, evaluations: Sequence[Path]) -> None:
    """Write the rows of `scripts/train evaluate --json` files into a model file's metadata. The weights stay;
    figures of which they have none stay.

    Exits with a sentence where a file is no such table.
    """
    metrics: dict[str, float] = {}
    for file in evaluations:
        try:
            metrics |= {row["what"]: row["value"] for row in json.loads(file.read_text())["rows"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"{file} is no table of scripts/train evaluate --json ({error})") from error
    stored = read_safetensors(model)
    metrics = json.loads(stored.metadata.get("metrics", "{}")) | metrics
    stored = replace(stored, metadata={**stored.metadata, "metrics": json.dumps(metrics)})
    write_model(stored, model)


def _halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights in float16; vectors (biases, statistics) stay float32."""
    return {k: (v.half() if v.ndim > 1 else v.float()).contiguous() for k, v in tensors.items()}
