"""Tensors from a checkpoint's bytes: described first, checked against the bytes, copied only when read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ..errors import DamagedFileError, brief
from .values import Call, Global

MAX_DIMENSIONS: Final = 8

# Item size and NumPy's type for each torch dtype; bfloat16 travels as 16 raw bits.
_NUMPY: Final[Mapping[torch.dtype, str]] = {
    torch.float64: "<f8",
    torch.float32: "<f4",
    torch.float16: "<f2",
    torch.bfloat16: "<u2",
    torch.int64: "<i8",
    torch.int32: "<i4",
    torch.int16: "<i2",
    torch.int8: "<i1",
    torch.uint8: "<u1",
    torch.bool: "?",
}

_STORAGES: Final[Mapping[str, torch.dtype]] = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}


@dataclass(frozen=True, eq=False, slots=True)
class Storage:
    """A run of numbers in the file."""

    dtype: torch.dtype
    data: memoryview

    def __len__(self) -> int:
        return len(self.data) // torch.empty((), dtype=self.dtype).element_size()


@dataclass(frozen=True, eq=False, slots=True)
class LazyTensor:
    """A tensor as a checkpoint describes it: a strided view of a storage, checked to lie inside of it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def dtype(self) -> torch.dtype:
        """The type of its numbers."""
        return self.storage.dtype

    @property
    def nbytes(self) -> int:
        """How much memory `read` needs."""
        return math.prod(self.shape) * np.dtype(_NUMPY[self.dtype]).itemsize

    def read(self) -> Tensor:
        """A contiguous copy, in the stored dtype."""
        kind = np.dtype(_NUMPY[self.dtype])
        count = 1 + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
        if 0 in self.shape:
            return torch.empty(self.shape, dtype=self.dtype)
        flat = np.frombuffer(self.storage.data, kind, count, self.offset * kind.itemsize)
        strides = [s * kind.itemsize for s in self.stride]
        view = np.lib.stride_tricks.as_strided(flat, self.shape, strides, writeable=False)
        tensor = torch.from_numpy(np.array(view, order="C"))
        return tensor.view(torch.bfloat16) if self.dtype is torch.bfloat16 else tensor


def storage_type(value: Any) -> torch.dtype:
    """The dtype that a storage class of torch (`torch.FloatStorage`) or a dtype (`torch.float32`) names."""
    if isinstance(value, Global) and value.module in ("torch", "torch.storage"):
        if value.name in _STORAGES:
            return _STORAGES[value.name]
        dtype = getattr(torch, value.name, None) if value.name.isidentifier() else None
        if isinstance(dtype, torch.dtype) and dtype in _NUMPY:
            return dtype
    shown = str(value) if isinstance(value, Global) else brief(value)
    raise DamagedFileError(f"it stores numbers as {shown}, which is no type of torch")


def describe_tensor(storage: Storage, offset: Any, shape: Any, stride: Any) -> LazyTensor:
    """Check a strided view against its storage.

    The view must lie inside, and must not be larger than the storage (repeated or overlapping elements could
    make gigabytes of a few bytes). Raises DamagedFileError.
    """
    shape, stride = _dimensions(shape), _dimensions(stride)
    offset = _integer(offset)
    if len(shape) != len(stride):
        raise DamagedFileError("it describes a tensor with as many strides as no shape has")
    if 0 not in shape:
        last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
        if last >= len(storage) or math.prod(shape) > len(storage):
            raise DamagedFileError(
                f"it describes a tensor of shape {list(shape)} in a storage of {len(storage)} numbers"
            )
    return LazyTensor(storage, offset, shape, stride)


def _dimensions(value: Any) -> tuple[int, ...]:
    if isinstance(value, Call) and value.function == Global("torch", "Size") and len(value.args) == 1:
        value = value.args[0]
    if not isinstance(value, tuple | list) or len(value) > MAX_DIMENSIONS:
        raise DamagedFileError("it describes a tensor whose shape is no short tuple")
    return tuple(_integer(n) for n in value)


def _integer(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise DamagedFileError("it describes a tensor by something else than small non-negative integers")
    return value
