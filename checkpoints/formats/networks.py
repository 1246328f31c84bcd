"""Networks in the value tree of a pickle: pickled modules and state dictionaries, as tensors by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from torch import Tensor

from ..errors import DamagedFileError
from ..inert.tensors import LazyTensor
from ..inert.torchfile import Unpickled
from ..inert.values import Call, Global

_MAX_MODULES: Final = 10_000
_MAX_DEPTH: Final = 24


@dataclass(eq=False)
class Network:
    """The tensors of one network by name, and what its modules remember besides, by module name."""

    tensors: dict[str, LazyTensor]
    attributes: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by tensor name."""
        return {name: tensor.shape for name, tensor in self.tensors.items()}


class TensorReader:
    """Copies tensors out of a file, never more in all than the file holds.

    Many descriptions of one storage could otherwise make gigabytes of a small file.
    """

    def __init__(self, limit: int) -> None:
        self.left = limit

    def __call__(self, tensor: LazyTensor, *dimensions: int) -> Tensor:
        """Copy a tensor that must have one of the given numbers of dimensions, none of them empty."""
        if 0 in tensor.shape or (dimensions and len(tensor.shape) not in dimensions):
            raise DamagedFileError(f"it has a tensor of shape {list(tensor.shape)} where that makes no sense")
        self.left -= tensor.nbytes
        if self.left < 0:
            raise DamagedFileError("it describes more tensors than it has bytes for")
        return tensor.read()


def as_mapping(value: Any) -> dict[str, Any] | None:
    """The text keys of a dictionary, ordered dictionary or subclass of either; None for anything else."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if isinstance(key, str)}
    if not isinstance(value, Call) or not isinstance(value.function, Global):
        return None
    pairs = list(value.items)
    if str(value.function) == "collections.OrderedDict" and isinstance(value.args, tuple) and value.args:
        first = value.args[0]  # Python 2 gave the pairs as an argument
        if isinstance(first, list | tuple):
            pairs = [tuple(p) for p in first if isinstance(p, list | tuple) and len(p) == 2] + pairs
    elif not pairs and value.function.name not in ("OrderedDict", "EasyDict", "defaultdict"):
        return None
    return {key: item for key, item in pairs if isinstance(key, str)}


def module_state(value: Any) -> dict[str, Any] | None:
    """The attributes of a pickled torch module, or None if the value is none.

    Understands NVIDIA's persistence (a record with class name, source text and state; the source is never
    looked at) and modules pickled by torch itself.
    """
    if not isinstance(value, Call):
        return None
    state: Any = value.state
    if isinstance(value.function, Global) and value.function.name == "_reconstruct_persistent_obj":
        record = as_mapping(value.args[0]) if isinstance(value.args, tuple) and value.args else None
        state = record.get("state") if record else None
    if isinstance(state, tuple) and state:
        state = state[0]  # (attributes, slots)
    attributes = as_mapping(state)
    return attributes if attributes and "_parameters" in attributes and "_modules" in attributes else None


def class_name(value: Any) -> str:
    """The name of the class that a pickled object says it is of, or ""."""
    if not isinstance(value, Call) or not isinstance(value.function, Global):
        return ""
    if value.function.name == "_reconstruct_persistent_obj":
        record = as_mapping(value.args[0]) if isinstance(value.args, tuple) and value.args else None
        name = record.get("class_name") if record else None
        return name if isinstance(name, str) else ""
    first = value.args[0] if isinstance(value.args, tuple) and value.args else None
    target = (
        first if isinstance(first, Global) and value.function.name == "_reconstructor" else value.function
    )
    return str(target)


def read_network(value: Any, file: Unpickled) -> Network | None:
    """The network that a pickled module or a state dictionary holds; None if the value is neither."""
    if module_state(value) is not None:
        network = Network({})
        for prefix, state in _modules(value):
            network.attributes[prefix] = state
            for group in ("_parameters", "_buffers"):
                _add_tensors(network.tensors, as_mapping(state.get(group)) or {}, prefix, file)
        return network
    mapping = as_mapping(value)
    if not mapping:
        return None
    network = Network({})
    _add_tensors(network.tensors, mapping, "", file)
    if not network.tensors:
        return None
    if all(name.startswith("module.") for name in network.tensors):  # saved from inside DataParallel
        network.tensors = {name.removeprefix("module."): t for name, t in network.tensors.items()}
    return network


def _add_tensors(
    found: dict[str, LazyTensor], mapping: Mapping[str, Any], prefix: str, file: Unpickled
) -> None:
    for name, value in mapping.items():
        tensor = file.tensor(value)
        if tensor is not None:
            found[f"{prefix}.{name}" if prefix else name] = tensor


def _modules(root: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every module below root with its dotted name. The tree may be a lie: a cycle, or endless depth."""
    level: list[tuple[str, Any]] = [("", root)]
    count = 0
    for _ in range(_MAX_DEPTH):
        following: list[tuple[str, Any]] = []
        for prefix, value in level:
            state = module_state(value)
            if state is None:
                continue
            count += 1
            if count > _MAX_MODULES:
                raise DamagedFileError(f"it has more than {_MAX_MODULES} modules")
            yield prefix, state
            for name, child in (as_mapping(state["_modules"]) or {}).items():
                following.append((f"{prefix}.{name}" if prefix else name, child))
        level = following
    if level:
        raise DamagedFileError(f"its modules are nested more than {_MAX_DEPTH} deep")
