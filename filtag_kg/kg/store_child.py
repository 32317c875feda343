"""The process that opens a KG's store: run as a script, so it imports only Oxigraph and starts in milliseconds.

It reads requests from stdin and writes answers to stdout, each piece after its length (`SIZE`). An answer is the result
in pieces, an empty piece, and a last one, which is JSON: whether it succeeded.
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
    """A file that writes each piece after its length."""

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
    """Write no core file, limit the memory, and, if bound, die with the parent, where the system can do that."""
    # Ctrl-C is for the parent, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Oxigraph complains there about memory that it does not get.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if bound:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        memory = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _answer(store: ox.Store, request: dict[str, Any], pieces: _Pieces) -> dict[str, Any]:
    output = cast("IO[bytes]", pieces)
    if request["what"] == "count":
        return {"count": len(store)}
    if request["what"] == "quads":
        terms = [None if iri is None else ox.NamedNode(iri) for iri in request["pattern"]]
        ox.serialize(store.quads_for_pattern(*terms), output, format=ox.RdfFormat.N_QUADS)
        return {"kind": "quads"}
    answer = store.query(request["text"], prefixes=request["prefixes"], use_default_graph_as_union=True)
    if isinstance(answer, ox.QueryTriples):
        answer.serialize(output, format=ox.RdfFormat.N_TRIPLES)
        return {"kind": "triples"}
    answer.serialize(output, format=ox.QueryResultsFormat.JSON)
    return {"kind": "results"}


def _try(do: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
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

    def open_store() -> dict[str, Any]:
        nonlocal store
        store = ox.Store.read_only(path)
        return {}

    state = _try(open_store)
    while True:
        outgoing.write(SIZE.pack(0))
        text = json.dumps(state).encode()
        outgoing.write(SIZE.pack(len(text)) + text)
        outgoing.flush()
        size = incoming.read(SIZE.size)
        if store is None or len(size) < SIZE.size:
            return
        request = json.loads(incoming.read(SIZE.unpack(size)[0]))
        state = _try(_answer, store, request, pieces)


if __name__ == "__main__":
    main()
