"""Files of `torch.save`, both kinds (zip archive, and the older stream of pickles), and tensors in any
pickle.

The result is the inert value tree of the pickle, in which storages are `Storage` views of the file.
`Unpickled.tensor` turns the records of torch's rebuilding functions in it into `LazyTensor`s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import DamagedFileError, UnsupportedModelError
from .archive import read_directory
from .machine import Budget
from .pickles import read_pickle
from .tensors import LazyTensor, Storage, describe_tensor, storage_type
from .values import Call, Global, Persistent

_STREAM_MAGIC: Final = 0x1950A86A20F9469CFC6C
_MAX_WRAPPERS: Final = 4


@dataclass(eq=False)
class Unpickled:
    """The value tree of a file, and what is needed to read tensors out of it."""

    root: Any
    budget: Budget
    find: Callable[[str], memoryview] | None = None  # the bytes of a storage by its key
    nested: dict[int, tuple[Call, Storage]] = field(default_factory=dict)

    def tensor(self, value: Any) -> LazyTensor | None:
        """The tensor that a value describes, or None if it describes none. Raises DamagedFileError."""
        for _ in range(_MAX_WRAPPERS):
            if not isinstance(value, Call) or not isinstance(value.function, Global):
                return None
            name, args = str(value.function), value.args
            if not isinstance(args, tuple):
                return None
            if name in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"):
                value = args[0] if args else None
            elif name == "torch._tensor._rebuild_from_type_v2" and len(args) >= 3:
                value = Call(args[0], args[2])
            elif (
                name in ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2") and len(args) >= 4
            ):
                return describe_tensor(self.storage(args[0]), *args[1:4])
            elif name == "torch._utils._rebuild_tensor_v3" and len(args) >= 7:
                retyped = Storage(storage_type(args[6]), self.storage(args[0]).data)
                return describe_tensor(retyped, *args[1:4])
            else:
                return None
        return None

    def storage(self, value: Any) -> Storage:
        """The storage that a persistent id, or a nested stream, stands for."""
        if isinstance(value, Persistent):
            return self._persistent(value.pid)
        if isinstance(value, Call) and value.function == Global("torch.storage", "_load_from_bytes"):
            if id(value) not in self.nested:
                data = as_bytes(value.args[0] if isinstance(value.args, tuple) and value.args else None)
                inner = read_stream(data, self.budget)
                # Keeping the record alive keeps its id from being used again.
                self.nested[id(value)] = (value, inner._persistent(getattr(inner.root, "pid", None)))
            return self.nested[id(value)][1]
        raise DamagedFileError("it has a tensor without a storage")

    def _persistent(self, pid: Any) -> Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or type(pid[2]) is not str:
            raise DamagedFileError("it refers to something outside of itself that is no storage")
        if self.find is None:
            raise DamagedFileError("it refers to storages, but has none")
        if type(pid[4]) is not int:
            raise DamagedFileError("it has a storage whose length is no integer")
        storage = Storage(storage_type(pid[1]), self.find(pid[2]))
        if len(storage) < pid[4]:
            raise DamagedFileError(f"it has a storage of {len(storage)} numbers that should be {pid[4]}")
        return storage


def as_bytes(value: Any) -> memoryview:
    """Bytes; before pickle protocol 3 they travel as text: `_codecs.encode(text, "latin1")`."""
    if isinstance(value, Call) and value.function == Global("_codecs", "encode"):
        args = value.args
        if isinstance(args, tuple) and len(args) == 2 and type(args[0]) is str and args[1] == "latin1":
            try:
                return memoryview(args[0].encode("latin-1"))
            except UnicodeEncodeError:
                pass
    if isinstance(value, memoryview):
        return value
    raise DamagedFileError("it has a storage whose content is no bytes")


def read_stream(data: memoryview, budget: Budget) -> Unpickled:
    """Read a `torch.save` file of either kind, or a plain pickle, that fills `data`."""
    if bytes(data[:2]) == b"PK":
        return _read_archive(data, budget)
    try:
        first = read_pickle(data, 0, budget)
    except DamagedFileError as error:
        if bytes(data[:1]) == b"\x80":  # every pickle since protocol 2, and so every known checkpoint
            raise
        raise DamagedFileError(
            "it is of no known format; use a StyleGAN2 checkpoint (NVIDIA .pkl, rosinality .pt, .safetensors)"
        ) from error
    if type(first.value) is not int or first.value != _STREAM_MAGIC:
        return Unpickled(first.value, budget)
    # Magic number, protocol version, system information, the object, the keys of its storages, the storages.
    version = read_pickle(data, first.end, budget)
    system = read_pickle(data, version.end, budget)
    if isinstance(system.value, dict) and system.value.get("little_endian") is False:
        raise UnsupportedModelError("it was saved on a big-endian machine; save it again on a common one")
    content = read_pickle(data, system.end, budget)
    keys = read_pickle(data, content.end, budget)
    storages = _stream_storages(data, keys.value, keys.end, content.persistents)
    return Unpickled(content.value, budget, _finder(storages))


def _stream_storages(
    data: memoryview, keys: Any, position: int, references: Sequence[Persistent]
) -> dict[str, memoryview]:
    """The storages of an old stream: count (int64) and content each, in the order of their keys.

    The size of an item is known only from the references to the storage.
    """
    item_sizes: dict[Any, int] = {}
    for pid in (reference.pid for reference in references):
        if isinstance(pid, tuple) and len(pid) >= 5 and type(pid[2]) is str:
            if len(pid) > 5 and pid[5] is not None:
                raise UnsupportedModelError(
                    "it was saved by a very old torch; save it again with a current one"
                )
            item_sizes[pid[2]] = storage_type(pid[1]).itemsize
    if not isinstance(keys, list):
        raise DamagedFileError("it has no list of its storages")
    found: dict[str, memoryview] = {}
    for key in keys:
        if type(key) is not str or key not in item_sizes or key in found:
            raise DamagedFileError("its list of storages is damaged")
        if position + 8 > len(data):
            raise DamagedFileError("it ends before its storages; the file is truncated")
        count = int.from_bytes(data[position : position + 8], "little")
        end = position + 8 + count * item_sizes[key]
        if end > len(data):
            raise DamagedFileError("it ends before its last storage; the file is truncated")
        found[key] = data[position + 8 : end]
        position = end
    return found


def _read_archive(data: memoryview, budget: Budget) -> Unpickled:
    entries = read_directory(data)
    pickles = [name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise UnsupportedModelError(
            "it is a zip archive, but no file of torch.save; unpack it and use what is in it"
        )
    prefix = pickles[0].removesuffix("data.pkl")
    if f"{prefix}constants.pkl" in entries:
        raise UnsupportedModelError("it is a TorchScript program, not weights; use the original checkpoint")
    if bytes(entries.get(f"{prefix}byteorder", memoryview(b"little"))) != b"little":
        raise UnsupportedModelError("it was saved on a big-endian machine; save it again on a common one")
    content = read_pickle(entries[pickles[0]], 0, budget)
    start = f"{prefix}data/"
    storages = {name.removeprefix(start): view for name, view in entries.items() if name.startswith(start)}
    return Unpickled(content.value, budget, _finder(storages))


def _finder(storages: Mapping[str, memoryview]) -> Callable[[str], memoryview]:
    def find(key: str) -> memoryview:
        if key not in storages:
            raise DamagedFileError(f"it lacks the storage {key!r:.80}")
        return storages[key]

    return find
