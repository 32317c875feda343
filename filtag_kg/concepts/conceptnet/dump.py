"""Index ConceptNet's dump: 34 million lines in one pass, to one SQLite file.

The dump is read in blocks. Only lines with a wanted relation and language are cut out and parsed, about one in a
hundred, so a pass takes little longer than unpacking the file. Only a block is held in memory; assertions go to the
file and are sorted there. Lines that are not assertions are skipped and counted.

====================  ============================================================================================
table                 columns
====================  ============================================================================================
``node``              ``id``, ``path`` in IRIs (sorted: what lies below a term follows it), ``size``: about how many
                      nodes lie at or below it by IsA
``dataset``           ``id``, ``path``, ``licence``
``edge``              ``start``, ``relation``, ``end``, ``dataset``, ``weight``: by start; an index has them by end
``about``             ``key``, ``value``: format, version, sha256, lines, languages, relations
====================  ============================================================================================
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import sqlite3
import zlib
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.conceptnet.assertions import Assertion, parse_assertion, skipped_text
from filtag_kg.concepts.conceptnet.sizes import sizes_below
from filtag_kg.concepts.source import RELATIONS
from filtag_kg.errors import FiltagError
from filtag_kg.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

FORMAT = "2"
"""Version of the tables."""

_BLOCK = 1 << 22
_MOST_LANGUAGES_TO_LOOK_FOR = 2
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_VERSION = re.compile(r"assertions-(\d+(?:\.\d+)*)")
_STAGING = "CREATE TABLE staging (relation TEXT, start TEXT, end TEXT, weight REAL, dataset TEXT, licence TEXT)"
_TABLES = """
CREATE TABLE node (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL DEFAULT 1);
INSERT INTO node (path) SELECT start FROM staging UNION SELECT end FROM staging ORDER BY 1;
CREATE TABLE dataset (id INTEGER PRIMARY KEY, path TEXT NOT NULL, licence TEXT NOT NULL);
INSERT INTO dataset (path, licence) SELECT DISTINCT dataset, licence FROM staging ORDER BY 1, 2;
CREATE TABLE edge (
  start INTEGER NOT NULL REFERENCES node, relation TEXT NOT NULL, end INTEGER NOT NULL REFERENCES node,
  dataset INTEGER NOT NULL REFERENCES dataset, weight REAL NOT NULL, PRIMARY KEY (start, relation, end, dataset)
) WITHOUT ROWID;
INSERT INTO edge
  SELECT a.id, relation, b.id, d.id, MAX(weight) FROM staging
  JOIN node a ON a.path = start JOIN node b ON b.path = end
  JOIN dataset d ON d.path = staging.dataset AND d.licence = staging.licence
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
CREATE INDEX edge_by_end ON edge (end, relation);
DROP TABLE staging;
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class DumpSummary:
    """What a dump holds.

    Parameters
    ----------
    lines : int
        Assertions in the dump.
    edges, nodes : int
        In the index.
    skipped : mapping of str to int
        How many lines of the wanted relations and languages are not assertions, by what is wrong with them.
    """

    lines: int
    edges: int
    nodes: int
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def skipped_note(self) -> str:
        """How many lines were skipped, and why; empty if none was."""
        return skipped_text(self.skipped, "line") if self.skipped else ""


def import_dump(
    dump: Path,
    index: Path,
    *,
    languages: Sequence[str] = ("en",),
    relations: Sequence[str] = RELATIONS,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> DumpSummary:
    """Index the assertions of ConceptNet's dump between terms of some languages.

    The index appears when it is whole; an interruption changes nothing.

    Parameters
    ----------
    dump : Path
        ``conceptnet-assertions-5.7.0.csv.gz``, or the same unpacked.
    index : Path
        The SQLite file to make or replace.
    languages : sequence of str
        Codes such as ``en``, one of which both ends of an assertion must have.
    relations : sequence of str
        Of `RELATIONS`.
    progress : callable
        Called with the bytes read and the size of the file.

    Raises
    ------
    FiltagError
        If the dump cannot be read, is cut off, or has no assertion that is wanted.
    """
    for language in languages:
        if not _LANGUAGE.fullmatch(language):
            raise FiltagError(
                f"{language!r} is not a language code: give two or three small letters, such as en",
                options=("language",),
            )
    for relation in relations:
        if relation not in RELATIONS:
            raise FiltagError(f"no relation {relation!r}: choose of {', '.join(RELATIONS)}", options=("relation",))
    with replacing(index) as unfinished, closing(sqlite3.connect(unfinished)) as database:
        # A file that is thrown away if anything goes wrong needs no journal.
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536")
        database.execute(_STAGING)
        reader = _Reader(dump, progress)
        try:
            database.executemany(
                "INSERT INTO staging VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (edge.relation, edge.start, edge.end, edge.weight, edge.dataset, edge.licence)
                    for edge in reader.assertions(languages, relations)
                ),
            )
            database.executescript(_TABLES)
            (n_edges,) = database.execute("SELECT COUNT(*) FROM edge").fetchone()
            (n_nodes,) = database.execute("SELECT COUNT(*) FROM node").fetchone()
            if not n_edges and reader.first_skipped:
                raise FiltagError(f"{reader.first_skipped}: download the file again")
            if not n_edges:
                raise FiltagError(
                    f"{dump} has {reader.lines:,} lines and none of {', '.join(relations)} between terms of "
                    f"{', '.join(languages)}: is it ConceptNet's dump of assertions?"
                )
            _put_sizes(database, n_nodes)
            version = _VERSION.search(dump.name)
            about = {
                "format": FORMAT,
                "version": version[1] if version else "unknown",
                "sha256": reader.sha256.hexdigest(),
                "lines": str(reader.lines),
                "languages": json.dumps(list(languages)),
                "relations": json.dumps(list(relations)),
            }
            database.executemany("INSERT INTO about VALUES (?, ?)", sorted(about.items()))
            database.commit()
        except sqlite3.DatabaseError as error:
            raise FiltagError(f"cannot write {index} ({error}): is the disk full? Nothing was changed") from None
    return DumpSummary(reader.lines, n_edges, n_nodes, dict(sorted(reader.skipped.items())))


class _Reader:
    """Reads a dump once; then its number of lines, those that it skipped and its SHA-256 are known."""

    def __init__(self, path: Path, progress: Callable[[int, int], None]) -> None:
        self.lines = 0
        self.skipped: Counter[str] = Counter()
        self.first_skipped = ""
        self.sha256 = hashlib.sha256()
        self._path = path
        self._progress = progress

    def assertions(self, languages: Sequence[str], relations: Sequence[str]) -> Iterator[Assertion]:
        """Yield the assertions of some relations between terms of some languages."""
        starts = [f"/c/{language}/" for language in languages]
        # Each text to look for is a search of its own through the block.
        sought = starts if len(starts) <= _MOST_LANGUAGES_TO_LOOK_FOR else ["/c/"]
        needles = {f"/r/{name}".encode(): [f"\t/r/{name}\t{start}".encode() for start in sought] for name in relations}
        wanted = tuple(starts)
        for block in self._blocks():
            lines = block.count(b"\n")
            for needle in _to_look_for(block, lines, needles):
                at = block.find(needle)
                while at >= 0:
                    begin, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
                    assertion = self._parse(block, begin, end)
                    if assertion and assertion.start.startswith(wanted) and assertion.end.startswith(wanted):
                        yield assertion
                    at = block.find(needle, end)
            self.lines += lines

    def _parse(self, block: bytes, begin: int, end: int) -> Assertion | None:
        try:
            return parse_assertion(block[begin:end].decode("utf-8"))
        except ValueError as error:
            reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            self.skipped[reason] += 1
            if not self.first_skipped:
                number = self.lines + block.count(b"\n", 0, begin) + 1
                self.first_skipped = f"line {number:,} of {self._path} is not an assertion ({reason})"
            return None

    def _blocks(self) -> Iterator[bytes]:
        """Yield the file in blocks of whole lines, each ending with a newline."""
        rest = b""
        try:
            with self._path.open("rb") as file, _unpacked(_Counted(file, self.sha256, self._progress)) as unpacked:
                while block := unpacked.read(_BLOCK):
                    head, newline, tail = block.rpartition(b"\n")
                    if newline:
                        yield rest + head + newline
                        rest = tail
                    else:
                        rest += tail
                        if len(rest) > 4 * _BLOCK:
                            raise FiltagError(f"{self._path} has no lines: is it ConceptNet's dump of assertions?")
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise FiltagError(f"{self._path} is cut off or damaged: download it again") from None
        except OSError as error:
            raise FiltagError(f"cannot read {self._path} ({error.strerror}): give ConceptNet's dump") from None
        if rest:
            yield rest + b"\n"


def _to_look_for(block: bytes, lines: int, needles: Mapping[bytes, list[bytes]]) -> Iterator[bytes]:
    """Yield the texts to look for in a block: of all relations, or of the one that all its lines have.

    The dump is sorted by relation, so nearly all blocks have one, and counting its lines is one search instead of many.
    """
    before = block.find(b"\t")
    relation = block[before + 1 : block.find(b"\t", before + 1)]
    of_one = block.count(b"\t" + relation + b"\t") == lines
    for name, texts in needles.items():
        if not of_one or name == relation:
            yield from texts


class _Counted(io.RawIOBase):
    """A file whose bytes are hashed and counted as they are read."""

    def __init__(self, file: IO[bytes], sha256: hashlib._Hash, progress: Callable[[int, int], None]) -> None:
        self._file = file
        self._sha256 = sha256
        self._progress = progress
        self._total = file.seek(0, io.SEEK_END)
        file.seek(0)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer, and return how many bytes there were."""
        room = memoryview(buffer)
        data = self._file.read(len(room))
        room[: len(data)] = data
        self._sha256.update(data)
        self._progress(self._file.tell(), self._total)
        return len(data)


def _unpacked(file: io.RawIOBase) -> io.BufferedIOBase:
    """Return a file's content, unpacked if it is packed with gzip."""
    buffered = io.BufferedReader(file, _BLOCK)
    return gzip.GzipFile(fileobj=buffered) if buffered.peek(2)[:2] == b"\x1f\x8b" else buffered


def _put_sizes(database: sqlite3.Connection, n_nodes: int) -> None:
    edges = np.array(
        database.execute("SELECT DISTINCT start - 1, end - 1 FROM edge WHERE relation = 'IsA'").fetchall(),
        dtype=np.int64,
    ).reshape(-1, 2)
    sizes = sizes_below(edges[:, 0], edges[:, 1], n_nodes)
    several = np.flatnonzero(sizes > 1)
    database.executemany(
        "UPDATE node SET size = ? WHERE id = ?",
        zip(sizes[several].tolist(), (several + 1).tolist(), strict=True),
    )
