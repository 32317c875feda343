"""A KG's store, opened in a process of its own with limited memory, so that damage is an error of one line here.

One flipped bit in a store can make Oxigraph's library (RocksDB) take all memory, or end its process. The process takes
some 70 ms to start; hashing the store before each use would take 2 ms per megabyte.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import PREFIXES
from filtag_kg.kg.manifest import record_of
from filtag_kg.kg.store_child import SIZE

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CHILD = Path(__file__).with_name("store_child.py")
_DAMAGE = ("Corruption", "IO error")
"""How RocksDB's complaints begin."""
_BASE_MEMORY, _MEMORY_A_BYTE = 1 << 30, 4
_MEMORY = "FILTAG_STORE_MEMORY"
"""The environment's limit, in megabytes."""


class StoreProcess:
    """A store that another process opens. A query that names no graph sees the union of all.

    Parameters
    ----------
    path : Path
        Of the KG.
    recorded : mapping of file name to size and hash
        From the manifest: they tell damage from a query that needs too much memory.
    """

    _process: subprocess.Popen[bytes] | None = None
    _reading = False

    def __init__(self, path: Path, recorded: Mapping[str, Any]) -> None:
        self._kg_path = path
        self._recorded = recorded
        self._memory = _memory(path / "store")
        self._lock = threading.RLock()

    def open(self) -> None:
        """Open the store, if it is not open yet.

        Raises
        ------
        FiltagError
            If the store is damaged.
        """
        with self._lock:
            if self._process is None:
                # Linux ends the process with the thread that started it, so only the main thread may bind it.
                bound = threading.current_thread() is threading.main_thread()
                arguments = [str(_CHILD), str(self._kg_path / "store"), str(self._memory), str(int(bound))]
                self._process = subprocess.Popen(  # noqa: S603 - our own script, by the path of this interpreter
                    [sys.executable, "-P", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
                with self._answering(None) as answer:
                    answer.read()

    def query(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | list[ox.Triple]:
        """Answer a query; the prefixes of the vocabulary need not be declared.

        Raises
        ------
        SyntaxError
            If it is malformed.
        FiltagError
            If it fails, the store is damaged, or it needs too much memory.
        """
        with self._answering({"what": "query", "text": text, "prefixes": PREFIXES}) as answer:
            body = answer.read()
        if answer.state["kind"] == "triples":
            return [quad.triple for quad in ox.parse(input=body, format=ox.RdfFormat.N_TRIPLES)]
        return ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)

    def rows(self, text: str) -> list[tuple[str, ...]]:
        """Return the rows of a SELECT query, as `plain_rows` has them; errors as `query`."""
        return plain_rows(self.query(text))

    def quads(
        self,
        subject: ox.NamedNode | None = None,
        predicate: ox.NamedNode | None = None,
        object_: ox.NamedNode | None = None,
        graph: ox.NamedNode | None = None,
    ) -> Iterator[ox.Quad]:
        """Yield the quads of a pattern as they come. Until the last, the store answers nothing else.

        Raises
        ------
        RuntimeError
            If another answer is being read.
        FiltagError
            If the store is damaged.
        """
        pattern = [None if term is None else term.value for term in (subject, predicate, object_, graph)]
        with self._answering({"what": "quads", "pattern": pattern}) as answer:
            reader = cast("IO[bytes]", io.BufferedReader(answer, 1 << 20))
            yield from ox.parse(input=reader, format=ox.RdfFormat.N_QUADS)

    def __len__(self) -> int:
        """Return the number of statements."""
        with self._answering({"what": "count"}) as answer:
            answer.read()
        return int(answer.state["count"])

    def close(self) -> None:
        """End the process; the next request starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    cast("IO[bytes]", pipe).close()
            process.wait()

    def __del__(self) -> None:
        self.close()

    @contextmanager
    def _answering(self, request: Mapping[str, Any] | None) -> Iterator[_Answer]:
        """Send a request and yield the answer; None for the answer that comes when the store is opened."""
        with self._lock:
            if self._reading:
                raise RuntimeError("an answer is being read: read it to its end before the next request")
            if request is not None:
                self.open()
            process = self._process
            assert process is not None
            answer = _Answer(self, cast("IO[bytes]", process.stdout), opening=request is None)
            self._reading = True
            try:
                if request is not None:
                    message = json.dumps(request).encode()
                    outgoing = cast("IO[bytes]", process.stdin)
                    try:
                        outgoing.write(SIZE.pack(len(message)) + message)
                        outgoing.flush()
                    except OSError:
                        raise self.broken_off(opening=False) from None
                yield answer
            finally:
                self._reading = False
                if not answer.state:
                    # The unread rest would be taken for the next answer.
                    self.close()

    def damaged(self, why: str) -> FiltagError:
        """End the process, and return the error."""
        self.close()
        return FiltagError(f"the store of {self._kg_path} is damaged ({why}): build the KG anew")

    def failed(self, why: str) -> FiltagError:
        """Return the error of a query that cannot be answered."""
        return FiltagError(f"the query on {self._kg_path} failed ({why[:300]}): change the query")

    def broken_off(self, *, opening: bool) -> FiltagError:
        """End the process that broke off its answer, and return the error."""
        megabytes = self._memory >> 20
        if opening:
            return self.damaged("the process that opened it ended")
        self.close()
        if changed := self._changed_file():
            return self.damaged(f"{changed} has changed since it was written")
        if self._recorded:
            return FiltagError(
                f"the query on {self._kg_path} needed more than {megabytes:,} MB: ask for less, or raise {_MEMORY}"
            )
        return FiltagError(
            f"the process that read the store of {self._kg_path} ended: either it needed more than {megabytes:,} MB, "
            f"so ask for less, or raise {_MEMORY}; or the store is damaged, so build the KG anew"
        )

    def _changed_file(self) -> str | None:
        """Return the name of a file of the store that differs from its record in the manifest."""
        for name, record in self._recorded.items():
            if name.startswith("store/"):
                try:
                    if record_of(self._kg_path / name) != record:
                        return name
                except OSError:
                    return name
        return None


def plain_rows(answer: object) -> list[tuple[str, ...]]:
    """Return the rows of an answer, each cell as plain text; empty text where a cell is unbound."""
    assert isinstance(answer, ox.QuerySolutions)
    return [tuple("" if cell is None else getattr(cell, "value", str(cell)) for cell in row) for row in answer]


class _Answer(io.RawIOBase):
    """An answer, read as it comes; `state` is its last piece."""

    def __init__(self, store: StoreProcess, incoming: IO[bytes], *, opening: bool) -> None:
        self._store = store
        self._incoming = incoming
        self._opening = opening
        self.state: dict[str, Any] = {}
        self._left = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer, and return the number of bytes; 0 at the end."""
        target = memoryview(buffer)
        if not self._left and not self._ended:
            self._left = memoryview(self._piece())
            if not self._left:
                self._end()
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _piece(self) -> bytes:
        size = self._incoming.read(SIZE.size)
        wanted = SIZE.unpack(size)[0] if len(size) == SIZE.size else 1
        piece = self._incoming.read(wanted)
        if len(size) < SIZE.size or len(piece) < wanted:
            raise self._store.broken_off(opening=self._opening)
        return piece

    def _end(self) -> None:
        self._ended = True
        state = json.loads(self._piece())
        match state.get("error"):
            case None:
                # The state of an opening is empty, but not the state of an answer that was read.
                self.state = state or {"kind": "opened"}
            case "SyntaxError" | "ValueError":
                self.state = state
                raise SyntaxError(state["line"])
            case "MemoryError":
                raise self._store.broken_off(opening=self._opening)
            case _ if self._opening or state["line"].startswith(_DAMAGE):
                raise self._store.damaged(state["line"])
            case _:
                self.state = state
                raise self._store.failed(state["line"])


def _memory(store: Path) -> int:
    """Return how many bytes the process may take: enough for any named query, unless the environment sets a limit.

    Raises
    ------
    FiltagError
        If the environment's limit is not a number.
    """
    megabytes = os.environ.get(_MEMORY)
    if megabytes is not None:
        if not megabytes.isdecimal() or not 0 < int(megabytes) < 1 << 30:
            raise FiltagError(f"{_MEMORY}={megabytes} is not a number of megabytes: give one, such as 4000")
        return int(megabytes) << 20
    with suppress(OSError):
        return _BASE_MEMORY + _MEMORY_A_BYTE * sum(file.stat().st_size for file in store.iterdir())
    return _BASE_MEMORY
