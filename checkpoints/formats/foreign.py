"""From a file that is not ours to a stored model: what it is and where its generator is."""

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from ..errors import CheckpointError, UnsupportedModelError
from ..inert.machine import Budget
from ..inert.torchfile import Unpickled, read_stream
from ..storage import StoredModel
from . import nvidia, rosinality, tensorflow
from .networks import Network, TensorReader, as_mapping, class_name, read_network
from .refusals import explain
from .sniff import refuse_by_content

# Where checkpoints keep their generators: the averaged one first.
_PLACES: Final = ("G_ema", "g_ema", "ema", "params_ema", "generator", "G", "g", "state_dict", "model")
# What wraps a generator inside of a larger network, e.g. the decoder of pSp and e4e.
_PREFIXES: Final = ("", "decoder.", "generator.", "G_ema.", "G.", "g_ema.")
_MAX_PLACES: Final = 64


def read_foreign(path: Path) -> StoredModel:
    """Read an NVIDIA pickle, a rosinality or PTI `.pt`, or a TensorFlow pickle, without executing any of it.

    Raises CheckpointError: one sentence that says what the file is and what to use instead.
    """
    with _explaining(path):
        return _read(_map(path), path)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file that holds one network's state dictionary and nothing else."""
    with _explaining(path):
        data = _map(path)
        file = read_stream(data, Budget())
        network = read_network(file.root, file)
        if network is None:
            raise UnsupportedModelError("it is no state dictionary")
        read_tensor = TensorReader(len(data))
        return {name: read_tensor(tensor) for name, tensor in network.tensors.items()}


def _map(path: Path) -> memoryview:
    """The file's content, mapped. Not closed by hand: views of it may live on in a traceback, it goes with
    the last.
    """
    with path.open("rb") as file:
        refuse_by_content(file.read(512))
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


@contextlib.contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """Name the file in errors."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror or error}); check the file."
        ) from error
    except CheckpointError as error:
        raise type(error)(f"{path} cannot be used: {str(error).rstrip('.')}.") from None


def _read(data: memoryview, path: Path) -> StoredModel:
    file = read_stream(data, Budget())
    read_tensor = TensorReader(len(data))
    missing = ["encoder"]
    if tensorflow.matches(file.root):
        tensors, arguments = tensorflow.read(file.root, read_tensor)
        kind = "TensorFlow pickle (StyleGAN2 of 2019/2020)"
    else:
        network, prefix = _find_generator(file)
        if nvidia.matches(network):
            tensors, arguments = nvidia.read(network, read_tensor)
            kind = "NVIDIA pickle (PyTorch)" if network.attributes else "NVIDIA state dictionary"
        else:
            tensors, arguments, absent = rosinality.read(network, read_tensor)
            missing += absent
            kind = "rosinality"
        if prefix:
            kind += f" inside of a larger network ({prefix.rstrip('.')})"
            missing[0] = "encoder (what surrounds the generator in this file is not used)"
        _add_average(tensors, file, read_tensor)
    if "mapping.w_avg" not in tensors:
        missing.append("mean w (taken from samples)")
    metadata = {"source": path.name, "original_format": kind, **_provenance(file)}
    return StoredModel(str(path), tensors, {}, {}, arguments, metadata, tuple(missing))


def _find_generator(file: Unpickled) -> tuple[Network, str]:
    """The first network of the file that is a generator, and the prefix that its names had."""
    seen: list[str] = []
    for value in _candidates(file.root):
        network = read_network(value, file)
        if network is None:
            continue
        for prefix in _PREFIXES:
            inner = _below(network, prefix)
            if nvidia.matches(inner) or rosinality.matches(inner):
                return inner, prefix
        seen += network.tensors
    raise UnsupportedModelError(explain(seen, class_name(file.root)))


def _candidates(root: Any) -> Iterator[Any]:
    yield root
    mapping = as_mapping(root) or {}
    places: list[str] = [name for name in _PLACES if name in mapping]
    places += [name for name in mapping if name not in places][:_MAX_PLACES]
    for name in places:
        yield mapping[name]


def _below(network: Network, prefix: str) -> Network:
    if not prefix:
        return network
    tensors = {n.removeprefix(prefix): t for n, t in network.tensors.items() if n.startswith(prefix)}
    modules = {n.removeprefix(prefix): a for n, a in network.attributes.items() if n.startswith(prefix)}
    own = network.attributes.get(prefix.rstrip("."))
    return Network(tensors, modules if own is None else {"": own, **modules})


def _add_average(tensors: dict[str, Tensor], file: Unpickled, read_tensor: TensorReader) -> None:
    """rosinality keeps the mean w beside the network; pSp and e4e one per layer, all the same."""
    value = (as_mapping(file.root) or {}).get("latent_avg")
    lazy = file.tensor(value)
    if lazy is not None and "mapping.w_avg" not in tensors:
        average = read_tensor(lazy, 1, 2, 3).float()
        tensors["mapping.w_avg"] = average.reshape(-1, average.shape[-1]).mean(dim=0)


def _provenance(file: Unpickled) -> dict[str, str]:
    """What a training run says about its data: the name of the data set, not its path."""
    root = as_mapping(file.root) or {}
    training = as_mapping(root.get("training_set_kwargs")) or {}
    path = training.get("path")
    if isinstance(path, str) and path.strip("/\\"):
        return {"training_set": path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1][:100]}
    return {}
