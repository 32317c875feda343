"""Write the graph to its file and its store, and read the file back, without holding it in memory."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import DEFAULT_GRAPH

_LINE = re.compile(r"<[^<> ]+> <[^<> ]+> (?:<[^<> ]+>|\".*\"\S*)(?: <([^<> ]+)>)? \.\n")
_BLOCK = 10_000
"""Lines to a block."""
_PIECE = 48 << 20
"""Bytes that are loaded at once. The store needs ten times as much memory; smaller pieces take it longer to merge."""
_LOADERS = 2
"""Pieces that are loaded at the same time."""
# The errors of reading a packed file that is cut off or damaged.
_UNREADABLE = (OSError, EOFError, zlib.error, UnicodeDecodeError)


def write_graph(blocks: Iterable[str], file: Path, store: Path) -> None:
    """Write lines of N-Quads to a compressed file and to a new store, without holding them in memory.

    Parameters
    ----------
    blocks : iterable of str
        The lines, many at a time, each with its newline.
    """
    with _packed(file) as packed:
        new = ox.Store(str(store))
        _load(new, blocks, copy=packed)
        finish_store(new)


def load_lines(store: ox.Store, lines: Iterable[str]) -> None:
    """Load lines of N-Quads, each with its newline."""
    _load(store, _in_blocks(lines), copy=None)


def finish_store(store: ox.Store) -> None:
    """Make a store that is loaded small and fast to read."""
    store.optimize()
    store.flush()


def pack_lines(lines: Iterable[str], file: Path) -> None:
    """Write lines, each with its newline, to a compressed file."""
    with _packed(file) as packed:
        for block in _in_blocks(lines):
            packed.write(block.encode())


def graph_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a file that :func:`write_graph` wrote, each with its newline.

    Raises
    ------
    FiltagError
        If it is missing or damaged.
    """
    try:
        with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                if _LINE.fullmatch(line) is None:
                    raise FiltagError(f"{file}, line {number}: not a statement of N-Quads: build the KG anew")
                yield line
    except _UNREADABLE as error:
        raise _damaged(file, error) from None


def graph_of_line(line: str) -> str:
    """Return the graph of a line of :func:`graph_lines`: its IRI, or `DEFAULT_GRAPH`."""
    match = _LINE.fullmatch(line)
    assert match is not None
    return match[1] or DEFAULT_GRAPH


def graph_triples(file: Path) -> Iterator[ox.Triple]:
    """Yield the triples of a file as `graph_quads` yields its quads, without their graphs."""
    return (quad.triple for quad in graph_quads(file))


def graph_quads(file: Path) -> Iterator[ox.Quad]:
    """Yield the quads of a file that :func:`write_graph` wrote.

    Raises
    ------
    FiltagError
        If it is missing or damaged.
    """
    try:
        with gzip.open(file) as packed:
            yield from ox.parse(input=cast("IO[bytes]", packed), format=ox.RdfFormat.N_QUADS)
    except (*_UNREADABLE, SyntaxError, ValueError) as error:
        raise _damaged(file, error) from None


@contextmanager
def _packed(file: Path) -> Iterator[IO[bytes]]:
    # No time and no name go into its header: the same graph gives the same bytes.
    with file.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as packed:
        yield cast("IO[bytes]", packed)


def _load(store: ox.Store, blocks: Iterable[str], copy: IO[bytes] | None) -> None:
    """Load blocks of lines, and write them to another file, if there is one, while the next lines are made.

    Oxigraph loads bytes without Python's global lock. A file object it would read under that lock, bit by bit.
    """
    with _threads(1) as write, _threads(_LOADERS) as load:
        for piece in _in_pieces(blocks):
            if copy is not None:
                write(copy.write, piece)
            load(_load_piece, store, piece)


def _load_piece(store: ox.Store, piece: bytes) -> None:
    try:
        store.bulk_load(input=piece, format=ox.RdfFormat.N_QUADS)
    except SyntaxError as error:
        raise FiltagError(f"the graph is not N-Quads ({error.msg}): build the KG anew") from None


@contextmanager
def _threads(n: int) -> Iterator[Callable[..., None]]:
    """Yield what has a function called in one of `n` threads, as soon as one is free; errors are raised here."""
    running: deque[Future[Any]] = deque()

    def call(function: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401 - of any function
        if len(running) == n:
            running.popleft().result()
        running.append(pool.submit(function, *arguments))

    with ThreadPoolExecutor(n) as pool:
        yield call
        for future in running:
            future.result()


def _in_pieces(blocks: Iterable[str]) -> Iterator[bytes]:
    """Yield blocks of text as pieces of about `_PIECE` bytes."""
    parts: list[bytes] = []
    size = 0
    for block in blocks:
        parts.append(block.encode())
        size += len(parts[-1])
        if size >= _PIECE:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def _in_blocks(lines: Iterable[str]) -> Iterator[str]:
    iterator = iter(lines)
    while block := "".join(islice(iterator, _BLOCK)):
        yield block


def _damaged(file: Path, error: Exception) -> FiltagError:
    reason = getattr(error, "strerror", None) or "it is cut off or damaged"
    return FiltagError(f"{file} cannot be read ({reason}): build the KG anew")
