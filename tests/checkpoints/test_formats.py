"""Other people's files, written here: every format and protocol gives the same generator."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import safetensors
import torch
from safetensors.torch import save_file

import checkpoints
from checkpoints import CapacityError, CheckpointError, DamagedFileError, Generator, UnsupportedModelError
from checkpoints.convert import convert, read_any
from checkpoints.formats import read_foreign
from checkpoints.testing import random_checkpoint

from . import samples
from .samples import write

G = random_checkpoint(16, w_dim=16, seed=7).generator
WS = G.mapping(torch.randn(2, 16, generator=torch.Generator().manual_seed(0)))


def same(path: Path) -> checkpoints.Checkpoint:
    found = checkpoints.load(path, cache=False)
    assert torch.allclose(found.generator.synthesis(WS), G.synthesis(WS), atol=1e-4)
    assert torch.allclose(found.generator.w_avg, G.w_avg, atol=1e-6)
    z = torch.ones(1, 16)
    assert torch.allclose(found.generator.mapping(z), G.mapping(z), atol=1e-4)
    return found


def refused(path: Path, match: str) -> None:
    with pytest.raises(UnsupportedModelError, match=match) as caught:
        checkpoints.load(path, cache=False)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nvidia_pickles(tmp_path: Path, protocol: int) -> None:
    found = same(write(tmp_path / "x.pkl", samples.nvidia_pickle(G, protocol)))
    assert (found.domain, found.alignment) == ("face", "ffhq")  # the training set is called ffhq


def test_conv_clamp_comes_from_the_layers(tmp_path: Path) -> None:
    found = same(write(tmp_path / "x.pkl", samples.nvidia_pickle(G, clamp=256)))
    assert found.generator.arch.conv_clamp == 256


def test_conditional_generators(tmp_path: Path) -> None:
    conditional = random_checkpoint(8, w_dim=16, c_dim=3).generator
    found = checkpoints.load(write(tmp_path / "x.pkl", samples.nvidia_pickle(conditional)), cache=False)
    z, label = torch.randn(2, 16), torch.eye(3)[:2]
    assert found.generator.c_dim == 3
    assert torch.allclose(found.generator.mapping(z, label), conditional.mapping(z, label), atol=1e-5)


def test_a_generator_without_noise_inputs(tmp_path: Path) -> None:
    tensors = {n: t for n, t in samples.nvidia_tensors(G).items() if "noise" not in n}
    found = checkpoints.load(
        write(tmp_path / "x.pkl", samples.nvidia_pickle(G, tensors=tensors)), cache=False
    )
    assert torch.allclose(found.generator.synthesis(WS), G.synthesis(WS, "none"), atol=1e-4)


@pytest.mark.parametrize("zipped", [True, False])
def test_pti_modules(tmp_path: Path, zipped: bool) -> None:
    same(write(tmp_path / "model_X.pt", samples.torch_module_file(G, zipped=zipped)))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("key", ["G_ema", "state_dict", None])
def test_nvidia_state_dictionaries(tmp_path: Path, zipped: bool, key: str | None) -> None:
    state: Any = samples.nvidia_tensors(G)
    data = samples.saved(state if key is None else {key: state, "step": 5}, zipped=zipped)
    same(write(tmp_path / "x.pt", data))


@pytest.mark.parametrize("zipped", [True, False])
def test_rosinality_training_checkpoints(tmp_path: Path, zipped: bool) -> None:
    same(write(tmp_path / "x.pt", samples.rosinality_file(G, zipped=zipped)))


def test_half_precision_and_data_parallel(tmp_path: Path) -> None:
    state = OrderedDict((f"module.{n}", t.half()) for n, t in samples.rosinality_state(G).items())
    path = write(tmp_path / "x.pt", samples.saved({"g_ema": state, "latent_avg": G.w_avg}))
    image = checkpoints.load(path, cache=False).generator.synthesis(WS)
    assert float((image - G.synthesis(WS)).norm() / image.norm()) < 1e-2


def test_rosinality_without_mean_and_noise_says_so(tmp_path: Path) -> None:
    state = OrderedDict((n, t) for n, t in samples.rosinality_state(G).items() if not n.startswith("noises"))
    path = write(tmp_path / "x.pt", samples.saved({"g_ema": state}))
    assert any("noise" in item for item in read_foreign(path).missing)
    assert any("mean w" in item for item in read_foreign(path).missing)
    first, second = (checkpoints.load(path, cache=False).generator for _ in range(2))
    assert torch.equal(first.synthesis(WS), second.synthesis(WS))
    assert torch.allclose(first.w_avg, G.mapping(torch.randn(20_000, 16))[:, 0].mean(dim=0), atol=0.1)


def test_the_decoder_of_an_inversion_encoder(tmp_path: Path) -> None:
    state = OrderedDict((f"decoder.{n}", t) for n, t in samples.rosinality_state(G).items())
    state["encoder.input_layer.0.weight"] = torch.zeros(4, 3, 3, 3)
    average = G.w_avg.repeat(G.num_ws, 1)
    path = write(tmp_path / "e4e.pt", samples.saved({"state_dict": state, "latent_avg": average, "opts": {}}))
    same(path)
    assert "what surrounds the generator" in read_foreign(path).missing[0]


@pytest.mark.parametrize("protocol", [2, 4])
def test_tensorflow_pickles(tmp_path: Path, protocol: int) -> None:
    same(write(tmp_path / "stylegan2-car-config-f.pkl", samples.tensorflow_pickle(G, protocol)))


@pytest.mark.parametrize("name", ["synthesis.b8.conv1.weight", "mapping.fc1.weight"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_of_a_training_that_diverged(tmp_path: Path, name: str, value: float) -> None:
    tensors = samples.nvidia_tensors(G)
    tensors[name].view(-1)[3] = value
    with pytest.raises(DamagedFileError, match="not finite"):
        checkpoints.load(write(tmp_path / "x.pkl", samples.nvidia_pickle(G, tensors=tensors)), cache=False)


def test_weights_that_overflow(tmp_path: Path) -> None:
    tensors = samples.nvidia_tensors(G)
    tensors["mapping.fc0.weight"].fill_(3e38)
    tensors["mapping.fc1.weight"].fill_(3e38)
    with pytest.raises(DamagedFileError, match="no finite numbers"):
        checkpoints.load(write(tmp_path / "x.pkl", samples.nvidia_pickle(G, tensors=tensors)), cache=False)


def test_a_conversion_computes_the_same(tmp_path: Path) -> None:
    source = write(tmp_path / "x.pkl", samples.nvidia_pickle(G, clamp=64))
    stored = convert(source, tmp_path / "y.safetensors", domain="cat")
    assert stored.metadata["domain"] == "cat"
    found = same(tmp_path / "y.safetensors")
    assert (found.domain, found.alignment, found.generator.arch.conv_clamp) == ("cat", "box", 64)
    convert(tmp_path / "y.safetensors", tmp_path / "z.safetensors")
    same(tmp_path / "z.safetensors")


def test_conversions_that_make_no_sense(tmp_path: Path) -> None:
    from checkpoints.convert import convert

    source = write(tmp_path / "x.pkl", samples.nvidia_pickle(G))
    for target, domain, match in (
        ("x.pkl", None, "is the file to convert"),
        ("y.pkl", None, "must end in"),
        ("nowhere/y.safetensors", None, "cannot be written"),
        ("y.safetensors", "dragon", "no domain 'dragon'"),
    ):
        with pytest.raises(CheckpointError, match=match):
            convert(source, tmp_path / target, domain=domain)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.pkl"]


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from checkpoints.convert import convert

    def full(tensors: Any, path: Path, metadata: Any) -> None:
        path.write_bytes(b"half")
        raise safetensors.SafetensorError("I/O error: No space left on device (os error 28)")

    source = write(tmp_path / "x.pkl", samples.nvidia_pickle(G))
    old = write(tmp_path / "y.safetensors", b"old")
    monkeypatch.setattr("checkpoints.convert.save_file", full)
    with pytest.raises(CapacityError, match="disk is full"):
        convert(source, old)
    assert old.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.pkl", "y.safetensors"]


def zip_of(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def state(*names: str) -> bytes:
    return samples.saved({"state_dict": {name: torch.zeros(2) for name in names}})


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (state("synthesis.L0_36_512.weight", "synthesis.input.freqs"), "StyleGAN3"),
        (state("g_mapping.dense0.weight", "g_synthesis.blocks.4x4.const"), "StyleGAN1"),
        (state("model.1.weight", "model.10.conv_block.1.weight"), "image-to-image"),
        (state("model.diffusion_model.out.0.weight"), "diffusion"),
        (state("input_layer.0.weight", "body.0.res_layer.0.weight"), "inversion encoder"),
        (state("b64.fromrgb.weight", "b4.fc.weight"), "discriminator"),
        (state("backbone.synthesis.b4.const"), "3D-aware"),
        (state("layer.weight"), "no known generator"),
        (samples.saved({"epoch": 3}), "holds no network"),
        (samples.saved([1, 2]), "holds no network"),
        (pickle.dumps({"a": 1}), "holds no network"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>" * 20, "web page"),
        (b"\n <HTML>404", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
        (b"\x1f\x8b" + bytes(100), "gzip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
        (b"root:x:0:0:root:/root:/bin/bash\n", "no known format"),
        (zip_of(**{"readme.txt": b"hello"}), "no file of torch.save"),
        (zip_of(**{"m/data.pkl": b"N.", "m/constants.pkl": b"N."}), "TorchScript"),
        (zip_of(**{"m/data.pkl": b"N.", "m/byteorder": b"big"}), "big-endian"),
        (samples.nvidia_pickle(G, architecture="resnet"), "resnet"),
    ],
)
def test_what_is_no_generator_is_named(tmp_path: Path, data: bytes, match: str) -> None:
    path = write(tmp_path / "x.pt", data)
    with pytest.raises(CheckpointError, match=match) as caught:
        checkpoints.load(path, cache=False)
    assert str(path) in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize("kind", ["nvidia", "nvidia state", "rosinality", "tensorflow"])
@pytest.mark.parametrize(("height", "width"), [(4, 8), (8, 4), (2, 4), (7, 4), (8, 8)])
def test_pictures_that_are_not_square_are_refused(
    kind: str, height: int, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = samples.nvidia_tensors(G)
    tensors["synthesis.b4.const"] = torch.randn(tensors["synthesis.b4.const"].shape[0], height, width)
    monkeypatch.setattr(samples, "nvidia_tensors", lambda _: tensors)
    make = {
        "nvidia": lambda: samples.nvidia_pickle(G, tensors=tensors),
        "nvidia state": lambda: samples.saved({"G_ema": OrderedDict(tensors)}),
        "rosinality": lambda: samples.rosinality_file(G),
        "tensorflow": lambda: samples.tensorflow_pickle(G),
    }[kind]
    refused(
        write(tmp_path / "x.pkl", make()), f"{4 * width} x {4 * height} pixels; use a generator of square"
    )


def test_a_safetensors_file_of_pictures_that_are_not_square_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    convert(write(tmp_path / "x.pkl", samples.nvidia_pickle(G)), path)
    with safetensors.safe_open(path, "pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    const = next(name for name in tensors if name.endswith("synthesis.b4.const"))
    tensors[const] = torch.randn(tensors[const].shape[0], 4, 8)
    save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError, match=r"synthesis\.b4\.const"):
        checkpoints.load(path, cache=False)


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.pt")
    (tmp_path / "zero.pt").symlink_to("/dev/zero")
    for name in ("fifo.pt", "zero.pt"):
        for use in (checkpoints.load, read_any):
            with pytest.raises(CheckpointError, match=rf"{name} is no plain file"):
                use(tmp_path / name)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = samples.nvidia_tensors(G)
    del tensors["synthesis.b8.conv0.weight"]
    with pytest.raises(CheckpointError, match=r"synthesis\.b8\.conv0\.weight"):
        checkpoints.load(write(tmp_path / "x.pkl", samples.nvidia_pickle(G, tensors=tensors)), cache=False)


@pytest.mark.parametrize("make", [samples.nvidia_pickle, samples.rosinality_file, samples.tensorflow_pickle])
def test_every_truncation_is_refused(tmp_path: Path, make: Any) -> None:
    data = make(G)
    for size in [0, 1, 2, 3, 10, *range(50, len(data), len(data) // 40), len(data) - 1]:
        with pytest.raises(CheckpointError, match=r"x\.pkl") as caught:
            checkpoints.load(write(tmp_path / "x.pkl", data[:size]), cache=False)
        assert isinstance(caught.value, DamagedFileError | UnsupportedModelError)


def test_an_old_stream_cut_short_says_truncated(tmp_path: Path) -> None:
    data = samples.rosinality_file(G, zipped=False)
    with pytest.raises(DamagedFileError, match="truncated"):
        checkpoints.load(write(tmp_path / "x.pt", data[:-100]), cache=False)


def test_conversions_are_kept_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))
    path = write(tmp_path / "x.pkl", samples.nvidia_pickle(G))
    first = checkpoints.load(path)
    kept = list((tmp_path / "cache" / "models").glob("*.safetensors"))
    assert [p.stem for p in kept] == [first.sha256]
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700

    def explode(path: Path) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("checkpoints.convert.read_foreign", explode)
    second = checkpoints.load(path)
    assert torch.equal(first.generator.synthesis(WS), second.generator.synthesis(WS))
    assert (second.sha256, second.name, second.domain) == (first.sha256, first.name, first.domain)


def test_a_damaged_conversion_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))
    path = write(tmp_path / "x.pkl", samples.nvidia_pickle(G))
    checkpoints.load(path)
    kept = next((tmp_path / "cache" / "models").glob("*.safetensors"))
    kept.write_bytes(kept.read_bytes()[:1000])
    found: Generator = checkpoints.load(path).generator
    assert torch.allclose(found.synthesis(WS), G.synthesis(WS), atol=1e-4)
    assert kept.stat().st_size > 1000


def test_without_a_cache_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))
    checkpoints.load(write(tmp_path / "x.pkl", samples.nvidia_pickle(G)), cache=False)
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_bytes(b"a file is in the way")
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))
    same_as = checkpoints.load(write(tmp_path / "x.pkl", samples.nvidia_pickle(G)))
    assert torch.allclose(same_as.generator.synthesis(WS), G.synthesis(WS), atol=1e-4)
    assert "goes on without the cache" in caplog.text
