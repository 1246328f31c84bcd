"""From names and files to checkpoints, and one sentence for everything that is none."""

import json
import math
import random
import struct
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import checkpoints
from checkpoints import CheckpointError, UnknownModelError
from checkpoints.testing import random_checkpoint


def write_model(path: Path, *, metadata: dict[str, str] | None = None, drop: str = "") -> Path:
    ckpt = random_checkpoint(16, w_dim=16)
    state = ckpt.generator.state_dict()
    tensors = {"generator." + name.replace("_network.", ".", 1): t for name, t in state.items()}
    assert ckpt.encoder is not None
    tensors |= {f"encoder.{name}": t for name, t in ckpt.encoder.state_dict().items()}
    tensors = {name: t.contiguous() for name, t in tensors.items() if name != drop}
    save_file(tensors, path, {"generator": "{}", "domain": "cat"} if metadata is None else metadata)
    return path


def test_no_name_means_the_bundled_default() -> None:
    ckpt = checkpoints.load()
    assert ckpt.name == checkpoints.DEFAULT
    assert (ckpt.domain, ckpt.alignment) == ("face", "ffhq")
    assert len(ckpt.sha256) == 64
    assert ckpt.codes is not None and ckpt.codes.components.shape[1] == ckpt.generator.w_dim
    assert ckpt.encoder is not None and ckpt.encoder.resolution == ckpt.generator.resolution
    assert ckpt.generator.w_avg.dtype == torch.float32


def test_the_bundled_default_encodes_what_it_draws() -> None:
    ckpt = checkpoints.load()
    assert ckpt.codes is not None and ckpt.encoder is not None
    ws = ckpt.codes.mean.expand(1, ckpt.generator.num_ws, -1)
    face = ckpt.generator.synthesis(ws)
    again = ckpt.generator.synthesis(ckpt.encoder(face))
    assert float((face - again).abs().mean()) < 0.1
    assert 0.1 < float(face.std()) < 1


def test_loading_the_default_is_quick() -> None:
    checkpoints.load()
    seconds = []
    for _ in range(3):
        start = time.thread_time()  # the machine's other work does not count
        checkpoints.load()
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 0.3


def test_a_file_loads_with_what_it_says(tmp_path: Path) -> None:
    ckpt = checkpoints.load(write_model(tmp_path / "my model.safetensors"))
    assert (ckpt.name, ckpt.domain, ckpt.alignment, ckpt.licence) == ("my model", "cat", "box", "unknown")
    reference = random_checkpoint(16, w_dim=16).generator
    ws = reference.mapping(torch.randn(1, 16))
    assert torch.allclose(ckpt.generator.synthesis(ws), reference.synthesis(ws), atol=1e-5)


def with_motions(
    path: Path, motions: torch.Tensor, ranges: torch.Tensor | None, names: str | None = None
) -> Path:
    codes = {"mean": torch.zeros(16), "components": torch.eye(16), "std": torch.ones(16), "motions": motions}
    if ranges is not None:
        codes["motion_ranges"] = ranges
    with safe_open(write_model(path), "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata |= {"motions": '["a", "b", "c"]' if names is None else names}
    save_file(tensors | {f"codes.{name}": tensor for name, tensor in codes.items()}, path, metadata)
    return path


def ranges(count: int) -> torch.Tensor:
    return torch.tensor([-0.5, 1.0]).repeat(count, 1)


def test_motions_are_read_with_the_codes(tmp_path: Path) -> None:
    motions = torch.randn(3, 4, 16)
    codes = checkpoints.load(with_motions(tmp_path / "a.safetensors", motions.half(), ranges(3))).codes
    assert codes is not None and codes.motions is not None
    assert codes.motions.names == ("a", "b", "c")
    torch.testing.assert_close(codes.motions.ways, motions, atol=2e-3, rtol=2e-3)
    assert torch.equal(codes.motions.ranges, ranges(3))


@pytest.mark.parametrize(
    "shape", [(3, 4), (0, 4, 16), (65, 4, 16), (3, 0, 16), (3, 9, 16), (3, 4, 8), (3, 4, 32)]
)
def test_motions_that_do_not_fit_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(CheckpointError, match="motions of shape"):
        checkpoints.load(with_motions(tmp_path / "a.safetensors", torch.zeros(shape), ranges(3)))


@pytest.mark.parametrize(
    ("ways", "their", "sentence"),
    [
        (torch.inf, ranges(1), "not finite"),
        (0.0, ranges(1) * torch.nan, "not finite"),
        (0.0, ranges(1) + 2, "do not hold 0"),
        (0.0, ranges(2), r"\(2, 2\) ranges of 1 motions"),
        (0.0, None, "not both"),
    ],
)
def test_motions_without_proper_ranges_are_refused(
    tmp_path: Path, ways: float, their: torch.Tensor | None, sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        checkpoints.load(with_motions(tmp_path / "a.safetensors", torch.full((1, 2, 16), ways), their))


@pytest.mark.parametrize("names", ["", "{}", '["a"]', '["a", "b", 3]', "[" * 100_000])
def test_motions_without_names_are_refused(tmp_path: Path, names: str) -> None:
    with pytest.raises(CheckpointError, match="what its 3 motions are called"):
        checkpoints.load(with_motions(tmp_path / "a.safetensors", torch.zeros(3, 4, 16), ranges(3), names))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownModelError, match=r"no-such-thing.*models list"):
        checkpoints.load("no-such-thing")
    with pytest.raises(UnknownModelError, match=r"did you mean ffhq-512\?"):
        checkpoints.load("ffhq512")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is a folder"):
        checkpoints.load(tmp_path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.safetensors").read_bytes()
    for size in (0, 4, 8, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "b.safetensors").write_bytes(data[:size])
        with pytest.raises(CheckpointError, match=r"b\.safetensors"):
            checkpoints.load(tmp_path / "b.safetensors")


def test_a_header_that_asks_for_more_than_the_file_has_is_refused(tmp_path: Path) -> None:
    lie = {"generator.x": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    header = json.dumps(lie).encode()
    path = tmp_path / "lie.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(CheckpointError, match="safetensors"):
        checkpoints.load(path)


def test_missing_and_unknown_tensors_are_named(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.safetensors", drop="generator.synthesis.b8.conv0.noise_const")
    with pytest.raises(CheckpointError, match=r"lacks tensor synthesis\.b8\.conv0\.noise_const"):
        checkpoints.load(path)
    path = write_model(tmp_path / "b.safetensors", drop="encoder.out.weight")
    with pytest.raises(CheckpointError, match=r"out\.weight"):
        checkpoints.load(path)
    save_file({"stranger": torch.zeros(1)}, tmp_path / "c.safetensors", {"generator": "{}"})
    with pytest.raises(CheckpointError, match="stranger"):
        checkpoints.load(tmp_path / "c.safetensors")


def test_a_width_that_no_network_has_is_refused(tmp_path: Path) -> None:
    from checkpoints.architecture import infer_architecture

    shapes = {"synthesis.b4.conv1.weight": (8, 8, 3, 3), "synthesis.b8.conv1.weight": (8, 8, 3, 3)}
    shapes["synthesis.b4.conv1.affine.weight"] = (0, 1 << 47)
    with pytest.raises(CheckpointError, match="which does not fit"):
        infer_architecture(shapes, {}, "x")


def changed_header(header: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A safetensors header with a few other names, shapes and dtypes, whose offsets agree with them again."""
    sizes = {"F32": 4, "F16": 2, "I64": 8}
    names = [name for name in header if name != "__metadata__"]
    changed = rng.sample(names, rng.randint(1, 3))
    found: dict[str, Any] = {"__metadata__": header["__metadata__"]}
    offset = 0
    for name in names:
        entry = header[name]
        shape, dtype = list(entry["shape"]), entry["dtype"]
        if name in changed:
            shape = rng.choice([shape[:-1], [*shape, 1], [0, 1 << 47, *shape], [2 * n for n in shape], []])
            dtype = rng.choice(list(sizes))
            name = rng.choice([name, name, name.replace("8", "9" * 5000), rng.choice(names)])
        size = sizes[dtype] * math.prod(shape)
        if name not in found and size < 1 << 20:
            found[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
            offset += size
    return found


def test_files_with_other_shapes_and_names_load_or_say_why(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, rng = json.loads(data[8 : 8 + size]), random.Random(0)
    path = tmp_path / "b.safetensors"
    refused = 0
    for _ in range(200):
        other = changed_header(header, rng)
        length = max(e["data_offsets"][1] for n, e in other.items() if n != "__metadata__")
        text = json.dumps(other).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(length))
        try:
            checkpoints.load(path)
        except CheckpointError as error:
            refused += 1
            assert "b.safetensors" in str(error) and len(str(error)) < len(str(path)) + 400
    assert refused > 150


def test_no_synthesis_blocks(tmp_path: Path) -> None:
    save_file({"mapping.w_avg": torch.zeros(4)}, tmp_path / "a.safetensors", {"generator": "{}"})
    with pytest.raises(CheckpointError, match="not a StyleGAN2 generator"):
        checkpoints.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({}, "metadata"),
        ({"generator": "{"}, "not JSON"),
        ({"generator": "[]"}, "not a JSON object"),
        ({"generator": "{}", "alignment": "sideways"}, "sideways"),
        ({"generator": '{"conv_clamp": "x"}'}, "conv_clamp"),
        ({"generator": '{"conv_clamp": -1}'}, "conv_clamp"),
        ({"generator": '{"conv_clamp": NaN}'}, "conv_clamp"),
        ({"generator": '{"conv_clamp": 1' + "0" * 400 + "}"}, "conv_clamp"),
        ({"generator": '{"conv_clamp": 1' + "0" * 9000 + "}"}, "not JSON"),
        ({"generator": '{"activation": "' + "x" * 9000 + '"}'}, "xxx..., but only"),
        ({"generator": "[" * 100_000}, "not JSON"),
        ({"generator": "{}", "missing": "{}"}, "missing is no list"),
        ({"generator": "{}", "drag_layers": "9" * 9000}, "drag_layers"),
        ({"generator": '{"synthesis_kwargs": {"architecture": "resnet"}}'}, "resnet"),
    ],
)
def test_wrong_metadata_is_refused(tmp_path: Path, metadata: dict[str, str], sentence: str) -> None:
    path = write_model(tmp_path / "a.safetensors", metadata=metadata)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        checkpoints.load(path)
    assert len(str(caught.value)) < len(str(path)) + 300
