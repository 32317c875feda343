"""The process that opens a KG's store: run as a script, so that it imports Oxigraph alone and starts in milliseconds.

On stdin come questions, on stdout go answers, each piece after its length (`SIZE`). An answer is what was asked for, in
pieces; an empty one; and a last one, JSON that tells how it went.
"""

import ctypes
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import IO, Any, cast

import pyoxigraph as ox

SIZE = struct.Struct("!I")
_PR_SET_PDEATHSIG = 1


class _Pieces:
    """A file that passes on what is written to it, each piece after its length."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, piece: bytes) -> int:
        if piece:
            self._file.write(SIZE.pack(len(piece)))
            self._file.write(piece)
        return len(piece)

    def flush(self) -> None:
        self._file.flush()


def _confine(memory: int, *, bound: bool) -> None:
    """Leave no core, have no more memory, and, if bound, die with the parent; where the system knows such things."""
    # Ctrl-C is for the parent, which ends this process itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # There Oxigraph tells of memory that it was not given.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if bound:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        memory = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _answer(store: ox.Store, asked: dict[str, Any], pieces: _Pieces) -> dict[str, Any]:
    output = cast("IO[bytes]", pieces)
    if asked["what"] == "count":
        return {"count": len(store)}
    if asked["what"] == "quads":
        terms = [None if iri is None else ox.NamedNode(iri) for iri in asked["pattern"]]
        ox.serialize(store.quads_for_pattern(*terms), output, format=ox.RdfFormat.N_QUADS)
        return {"kind": "quads"}
    found = store.query(asked["text"], prefixes=asked["prefixes"], use_default_graph_as_union=True)
    if isinstance(found, ox.QueryTriples):
        found.serialize(output, format=ox.RdfFormat.N_TRIPLES)
        return {"kind": "triples"}
    found.serialize(output, format=ox.QueryResultsFormat.JSON)
    return {"kind": "results"}


def _tried(do: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    try:
        return do(*arguments)
    except (OSError, RuntimeError, SyntaxError, ValueError, MemoryError) as error:
        return {"error": type(error).__name__, "line": " ".join(str(error).split())}


def main() -> None:
    """Open the store at a path and answer until stdin ends."""
    path, memory, bound = sys.argv[1:]
    _confine(int(memory), bound=bound == "1")
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    pieces = _Pieces(outgoing)
    store = None

    def opened() -> dict[str, Any]:
        nonlocal store
        store = ox.Store.read_only(path)
        return {}

    state = _tried(opened)
    while True:
        outgoing.write(SIZE.pack(0))
        said = json.dumps(state).encode()
        outgoing.write(SIZE.pack(len(said)) + said)
        outgoing.flush()
        size = incoming.read(SIZE.size)
        if store is None or len(size) < SIZE.size:
            return
        asked = json.loads(incoming.read(SIZE.unpack(size)[0]))
        state = _tried(_answer, store, asked, pieces)


if __name__ == "__main__":
    main()
