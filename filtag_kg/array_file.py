"""Arrays in ``.npy`` files that are filled piece by piece, and may be larger than memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

_CHUNK = 2**20


def new_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[Any]]:
    """Return an array of zeros in a new file, mapped into memory.

    All of the file is written at once. Of a file with holes, a full disk would be noticed when a hole is filled, and
    that ends the process without a word.

    Raises
    ------
    OSError
        If there is no room for it.
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    with path.open("r+b") as file:
        file.seek(array.offset)
        for start in range(0, array.nbytes, _CHUNK):
            file.write(bytes(min(_CHUNK, array.nbytes - start)))
    return array
