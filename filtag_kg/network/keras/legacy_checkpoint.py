"""Read a legacy ``torch.save`` file without PyTorch and without trusting it.

Before PyTorch 1.6 a checkpoint was a series of pickles (magic number, protocol, system, the object, the keys of its
storages) and then, per storage, an int64 count and the raw numbers. A pickle can run any code; here it may name only
an ordered dictionary, the function that shapes a tensor and two types of number, and gets our own versions of these.
"""

from __future__ import annotations

import collections
import io
import math
import pickle
import pickletools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_Unpickled: TypeAlias = Any
# What the unpickler, and the code that checks its result, raise for a damaged file.
_UNREADABLE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_legacy_checkpoint(path: Path) -> Mapping[str, NDArray[Any]]:
    """Return the tensors of a checkpoint by name.

    Raises
    ------
    FiltagError
        If the file is missing, not a legacy checkpoint, cut off, or names anything but tensors.
    """
    try:
        return _read(io.BytesIO(path.read_bytes()))
    except FileNotFoundError:
        raise FiltagError(f"no checkpoint at {path}: check the path") from None
    except FiltagError as error:
        raise FiltagError(f"{path.name} is not a checkpoint of tensors ({error}): install it again") from None
    except _UNREADABLE:
        raise FiltagError(f"{path.name} is no legacy torch.save file, or is cut off: install it again") from None


def _read(file: io.BytesIO) -> Mapping[str, NDArray[Any]]:
    storages: dict[str, NDArray[Any]] = {}
    if _load(file, storages) != _MAGIC or _load(file, storages) != _PROTOCOL:
        raise FiltagError("its magic number is missing")
    if not _load(file, storages)["little_endian"]:
        raise FiltagError("it is big-endian")
    tensors = _load(file, storages)
    for key in _load(file, storages):
        storage = storages[key]
        count = int.from_bytes(file.read(8), "little")
        if count != storage.size:
            raise FiltagError(f"storage {key} has {count} numbers instead of {storage.size}")
        # The tensors are views of these storages, so the storages are filled in place.
        storage[:] = np.frombuffer(file.read(storage.nbytes), dtype=storage.dtype)
        if not np.isfinite(storage).all():
            raise FiltagError(f"storage {key} has numbers that are not finite")
    if file.read(1):
        raise FiltagError("it goes on after its last storage")
    if not isinstance(tensors, dict) or not all(isinstance(x, np.ndarray) for x in tensors.values()):
        raise FiltagError("it holds more than named tensors")
    return tensors


def _load(file: io.BytesIO, storages: dict[str, NDArray[Any]]) -> _Unpickled:
    start = file.tell()
    size = len(file.getbuffer())
    # An unpickler allocates memory for the memo indices it reads before it knows that the objects exist.
    for opcode, argument, _ in pickletools.genops(file):
        if ("PUT" in opcode.name or "GET" in opcode.name) and int(argument or 0) > size:
            raise FiltagError("it counts more objects than it has bytes")
    file.seek(start)
    return _TensorUnpickler(file, storages, size).load()


def _rebuild_tensor(
    storage: NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> NDArray[Any]:
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if (
        offset < 0
        or min(strides, default=0) < 0
        or min(shape, default=1) < 1
        or last >= storage.size
        or math.prod(shape) > storage.size
    ):
        raise FiltagError("a tensor reaches beyond its storage")
    in_bytes = tuple(stride * storage.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, in_bytes)


class _TensorUnpickler(pickle.Unpickler):
    _allowed: Mapping[tuple[str, str], Callable[..., Any] | np.dtype[Any]] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def __init__(self, file: io.BytesIO, storages: dict[str, NDArray[Any]], size: int) -> None:
        super().__init__(file, encoding="utf-8")
        self._storages = storages
        self._size = size

    def find_class(self, module: str, name: str) -> _Unpickled:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise FiltagError(f"it names {module}.{name}") from None

    def persistent_load(self, reference: _Unpickled) -> NDArray[Any]:
        _, dtype, key, _, count, view = reference
        if view is not None or not isinstance(dtype, np.dtype) or not isinstance(count, int):
            raise FiltagError("it holds a storage of an unknown kind")
        if not 0 <= count * dtype.itemsize <= self._size:
            raise FiltagError("it has a storage that is larger than the file")
        return self._storages.setdefault(key, np.zeros(count, dtype))
