"""The graph's file and its store, which threads write at the same time."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.kg import store
from filtag_kg.kg.store import graph_lines, load_lines, write_graph

LINES = [f'<http://x/{index:05}> <http://x/p> "é{index}" .\n' for index in range(1_000)]
LINES[500:] = [line.replace(" .\n", " <http://x/g> .\n") for line in LINES[500:]]
TWENTY = [LINES[start : start + 20] for start in range(0, len(LINES), 20)]


@pytest.mark.parametrize("piece", [1, 5_000, 1 << 20])
def test_file_and_store_hold_the_same_however_many_pieces(
    piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PIECE", piece)
    write_graph(map("".join, TWENTY), tmp_path / "graph.nq.gz", tmp_path / "store")
    assert list(graph_lines(tmp_path / "graph.nq.gz")) == LINES
    loaded = ox.Store.read_only(str(tmp_path / "store"))
    assert sorted(f"{quad} .\n" for quad in loaded) == LINES
    digest = hashlib.sha256((tmp_path / "graph.nq.gz").read_bytes()).hexdigest()
    write_graph(iter(["".join(LINES)]), tmp_path / "again.nq.gz", tmp_path / "other")
    assert gzip.decompress((tmp_path / "again.nq.gz").read_bytes()).decode() == "".join(LINES)
    write_graph(map("".join, TWENTY), tmp_path / "again.nq.gz", tmp_path / "third")
    assert hashlib.sha256((tmp_path / "again.nq.gz").read_bytes()).hexdigest() == digest


def test_errors_of_threads_are_raised_and_no_thread_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PIECE", 100)
    before = threading.active_count()

    def interrupted() -> Iterator[str]:
        yield from LINES[:100]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_graph(interrupted(), tmp_path / "graph.nq.gz", tmp_path / "interrupted")
    with pytest.raises(FiltagError, match=r"the graph is not N-Quads \(.*\): build the KG anew"):
        load_lines(ox.Store(), [*LINES[:500], "<no statement>\n", *LINES[500:]])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gzip.GzipFile, "write", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_graph(LINES, tmp_path / "graph.nq.gz", tmp_path / "full")
    assert threading.active_count() == before


def test_lines_are_made_no_faster_than_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PIECE", 1)
    monkeypatch.setattr(store, "_BLOCK", 1)
    made = loaded = most = 0

    def lines() -> Iterator[str]:
        nonlocal made, most
        for line in LINES[:50]:
            made += 1
            most = max(most, made - loaded)
            yield line

    def load(*_: object) -> None:
        nonlocal loaded
        time.sleep(0.001)
        loaded += 1

    monkeypatch.setattr(store, "_load_piece", load)
    load_lines(ox.Store(), lines())
    assert (made, loaded) == (50, 50)
    assert most <= 5
