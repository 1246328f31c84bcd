"""The inert reader agrees with pickle and torch on what is harmless, and survives what is broken."""

import io
import pickle
import random
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkpoints import CheckpointError
from checkpoints.convert import complete
from checkpoints.formats import read_foreign
from checkpoints.inert.machine import Budget
from checkpoints.inert.pickles import read_pickle
from checkpoints.inert.torchfile import read_stream
from checkpoints.inert.values import Call, Elements, Global
from checkpoints.storage import read_safetensors
from checkpoints.testing import random_checkpoint

from . import samples
from .hostile import hostile_files

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**80), 2**80), st.floats(allow_nan=False), st.text(), st.binary()
)
keys = st.one_of(st.text(), st.integers(-1000, 1000))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner, inner, inner),
        st.tuples(inner),
        st.dictionaries(keys, inner, max_size=5),
    ),
    max_leaves=20,
)


def plain(value: Any, protocol: int) -> Any:
    """The reader's values as pickle would have made them."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, Call) and value.function == Global("_codecs", "encode"):
        return value.args[0].encode(value.args[1])
    if isinstance(value, Call) and value.function.name == "bytes":  # how protocols 0 to 2 write b""
        return b""
    if isinstance(value, list):
        return [plain(item, protocol) for item in value]
    if isinstance(value, tuple):
        return tuple(plain(item, protocol) for item in value)
    if isinstance(value, dict):
        return {key: plain(item, protocol) for key, item in value.items()}
    return value


@given(values, st.integers(0, 5))
def test_plain_values_of_every_protocol(value: Any, protocol: int) -> None:
    data = memoryview(pickle.dumps(value, protocol))
    read = read_pickle(data, 0, Budget())
    assert plain(read.value, protocol) == value
    assert read.end == len(data)


def test_calls_become_records() -> None:
    read = read_pickle(memoryview(pickle.dumps(OrderedDict(a=1, b=2), 4)), 0, Budget()).value
    assert isinstance(read, Call)
    assert read.function == Global("collections", "OrderedDict")
    assert read.items == [("a", 1), ("b", 2)]
    read = read_pickle(memoryview(pickle.dumps({1, 2}, 4)), 0, Budget()).value
    assert isinstance(read, Elements) and sorted(read.values) == [1, 2]


def test_byte_strings_are_views_of_the_input() -> None:
    data = memoryview(pickle.dumps(bytes(100_000), 4))
    assert read_pickle(data, 0, Budget()).value.obj is data.obj


DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_equal_those_of_torch_load(dtype: torch.dtype, zipped: bool) -> None:
    base = (torch.randn(6, 8) * 50).to(dtype)
    tensors = {
        "whole": base,
        "turned": base.t(),
        "part": base[1:4, ::2],
        "scalar": base[2, 3],
        "empty": base[:0],
        "parameter": torch.nn.Parameter(base.clone(), requires_grad=False),
        "strided": torch.as_strided(base, (2, 3), (1, 2), 5),
    }
    data = samples.saved(tensors, zipped=zipped)
    expected = torch.load(io.BytesIO(data), weights_only=True)
    file = read_stream(memoryview(data), Budget())
    for name, value in file.root.items():
        lazy = file.tensor(value)
        assert lazy is not None and lazy.shape == tuple(expected[name].shape) and lazy.dtype == dtype
        assert torch.equal(lazy.read(), expected[name])
        assert lazy.nbytes == expected[name].nbytes


def test_reading_leaves_the_file_alone(tmp_path: Path) -> None:
    generator = random_checkpoint(8, w_dim=8, channel_max=4).generator
    path = samples.write(tmp_path / "x.pkl", samples.nvidia_pickle(generator))
    before = path.read_bytes()
    stored = read_foreign(path)
    for tensor in stored.generator.values():
        tensor.add_(1)
    assert path.read_bytes() == before


def survives(path: Path, data: bytes) -> None:
    """Reading ends in a model or in a sentence about the file."""
    path.write_bytes(data)
    for read in (lambda path: complete(read_foreign(path)), read_safetensors):
        try:
            read(path)
        except CheckpointError as error:
            assert str(path) in str(error)


SMALL = random_checkpoint(8, w_dim=4, channel_base=16, channel_max=4, mapping_layers=1).generator
SEEDS = [
    samples.nvidia_pickle(SMALL),
    samples.nvidia_pickle(SMALL, 2),
    samples.rosinality_file(SMALL),
    samples.rosinality_file(SMALL, zipped=False),
    samples.torch_module_file(SMALL, zipped=True),
    samples.tensorflow_pickle(SMALL),
]
PIECES = [data for data in hostile_files().values() if len(data) < 2000]
FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path / "x", data)


@FUZZ
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)), max_size=6).map(b"".join))
def test_hostile_pieces_put_together(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path / "x", data.replace(b".", b"0") + b".")


@FUZZ
@given(st.data())
def test_mutations_of_good_files(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        size = data.draw(st.integers(0, 8))
        content[at : at + size] = data.draw(st.binary(max_size=8))
    survives(tmp_path / "x", bytes(content))


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_flipped_bits_everywhere(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(150):
        content = bytearray(SEEDS[seed])
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        survives(tmp_path / "x", bytes(content))
