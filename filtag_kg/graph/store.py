"""Write the graph to its file and its store in one go, without holding it in memory."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import pyoxigraph as ox

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["write_graph"]


def write_graph(blocks: Iterable[str], file: Path, store: Path) -> None:
    """Write lines of N-Quads to a compressed file and to a new store.

    Parameters
    ----------
    blocks : iterable of str
        The lines, many at a time, each with its newline.
    file : Path
        No time and no name go into its header: the same graph gives the same bytes.
    store : Path
    """
    with file.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as packed:
        opened = ox.Store(str(store))
        reader = io.BufferedReader(_Blocks(iter(blocks), cast("IO[bytes]", packed)), 1 << 20)
        opened.bulk_load(input=cast("IO[bytes]", reader), format=ox.RdfFormat.N_QUADS)
        opened.optimize()
        opened.flush()


class _Blocks(io.RawIOBase):
    """Text that is made as it is read, and written to another file, too."""

    def __init__(self, blocks: Iterator[str], copy: IO[bytes]) -> None:
        self._blocks = blocks
        self._copy = copy
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer, and return how many bytes there were; 0 at the end."""
        room = memoryview(buffer)
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = memoryview(block.encode())
            self._copy.write(self._left)
        size = min(len(room), len(self._left))
        room[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
