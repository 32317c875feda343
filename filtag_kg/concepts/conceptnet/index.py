"""The index of ConceptNet's dump as a concept source.

A concept is a term of ConceptNet: ``/c/en/dog`` and ``/c/en/dog/n/wn/animal`` are two, of which the first stands for
all that is said of the word without telling which meaning.
"""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from filtag_kg.concepts.conceptnet.assertions import LICENCE, text_of
from filtag_kg.concepts.conceptnet.dump import FORMAT
from filtag_kg.concepts.source import Concept, Edge, Sense
from filtag_kg.concepts.terms import CONCEPTNET, term_uri
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ConceptNetIndex", "default_index"]

_EDGES = """
SELECT other.path, edge.weight, dataset.path, dataset.licence
FROM node JOIN edge ON edge.{this} = node.id JOIN node other ON other.id = edge.{other}
JOIN dataset ON dataset.id = edge.dataset
WHERE node.path = ? AND edge.relation = ? ORDER BY other.path, dataset.path, dataset.licence
"""
# What lies below a term follows it: "/" is the character before "0".
_SENSES = """
SELECT path, (SELECT COUNT(*) FROM edge WHERE start = id) + (SELECT COUNT(*) FROM edge WHERE end = id)
FROM node WHERE path = ?1 OR path = ?1 || '/n' OR (path > ?1 || '/n/' AND path < ?1 || '/n0') ORDER BY 2 DESC, 1
"""


def default_index() -> Path:
    """Return where the index lies if no place is given: among the user's data."""
    from platformdirs import user_data_path

    return user_data_path("filtag") / "conceptnet.sqlite"


class ConceptNetIndex:
    """An index that `import_dump` made, as a concept source.

    Parameters
    ----------
    path : Path
    base : str
        What the IRIs of concepts begin with.

    Raises
    ------
    FiltagError
        If there is no index.
    """

    name = "conceptnet"
    licence = LICENCE

    def __init__(self, path: Path, *, base: str = CONCEPTNET) -> None:
        if not path.exists():
            raise FiltagError(
                f"no index of ConceptNet at {path}: make it with filtag concepts import DUMP, or use --concepts wordnet"
            )
        try:
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            about = dict(self._database.execute("SELECT key, value FROM about").fetchall())
        except sqlite3.DatabaseError:
            about = {}
        if about.get("format") != FORMAT:
            raise FiltagError(
                f"{path} is no index of ConceptNet that this version reads: make it anew with filtag concepts import"
            )
        self.version = f"{about['version']} (SHA-256 {about['sha256'][:16]})"
        self._base = base
        self._language = str(json.loads(about["languages"])[0])

    @property
    def members(self) -> tuple[ConceptNetIndex, ...]:
        """The index itself."""
        return (self,)

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI; `KeyError` if the index has none."""
        path = self._path(concept_id)
        if not self._has(path):
            raise KeyError(concept_id)
        return Concept(concept_id, text_of(path), (), (path,), self.name)

    def of_class(self, class_id: str) -> str | None:
        """Return the concept that a term's path or IRI names, if the index has it."""
        path = class_id.removeprefix(self._base)
        return self._base + path if path.startswith("/c/") and self._has(path) else None

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the word itself and its senses as a noun; those of which most is said first."""
        path = term_uri(term, language=self._language)
        return tuple(
            Sense(self._base + found, text_of(found), count)
            for found, count in self._database.execute(_SENSES, (path,))
        )

    def size(self, concept_id: str) -> int:
        """Return about how many terms lie at or below a concept by IsA."""
        row = self._database.execute("SELECT size FROM node WHERE path = ?", (self._path(concept_id),)).fetchone()
        if row is None:
            raise KeyError(concept_id)
        return int(row[0])

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of exactly this term, by the other end and data set."""
        this, other = ("end", "start") if incoming else ("start", "end")
        asked = (self._path(concept_id), relation)
        for path, weight, dataset, licence in self._database.execute(_EDGES.format(this=this, other=other), asked):
            found = self._base + path
            start, end = (found, concept_id) if incoming else (concept_id, found)
            yield Edge(relation, start, end, weight, self.name, dataset, licence)

    def _path(self, concept_id: str) -> str:
        return concept_id.removeprefix(self._base)

    def _has(self, path: str) -> bool:
        return self._database.execute("SELECT 1 FROM node WHERE path = ?", (path,)).fetchone() is not None
