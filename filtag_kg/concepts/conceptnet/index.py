"""The index of ConceptNet's dump as a concept source.

A concept is a term of ConceptNet: ``/c/en/dog`` and ``/c/en/dog/n/wn/animal`` are two. The first stands for the word
in any of its meanings. `term_paths` says how odd terms become IRIs.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from filtag_kg.concepts.conceptnet.assertions import CITATION, LICENCE, is_address, is_weight
from filtag_kg.concepts.conceptnet.dump import FORMAT
from filtag_kg.concepts.conceptnet.term_paths import is_path, is_term_path, term_path, text_of
from filtag_kg.concepts.source import Concept, Edge, Sense
from filtag_kg.concepts.terms import CONCEPTNET, term_uri
from filtag_kg.errors import FiltagError
from filtag_kg.json_values import mismatch, named, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
    """Return where the index lies by default: among the user's data."""
    from platformdirs import user_data_path

    return user_data_path("filtag") / "conceptnet.sqlite"


class ConceptNetIndex:
    """An index that `import_dump` made, as a concept source.

    Parameters
    ----------
    base : str
        What the IRIs of concepts begin with.

    Raises
    ------
    FiltagError
        If there is no index; from every method, if it is damaged.
    """

    name = "conceptnet-dump"
    climbs = False
    licence = LICENCE
    citation = CITATION

    def __init__(self, path: Path, *, base: str = CONCEPTNET) -> None:
        if not path.exists():
            raise FiltagError(
                f"no index of ConceptNet at {path}: index its dump, or choose another concept source",
                options=("concepts",),
                commands=("concepts import",),
            )
        self._path_of_index = path
        about: dict[str, str] = {}
        try:
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            about = {
                str(key): str(value) for key, value in self._ask("SELECT key, value FROM about", (), _is_text, _is_text)
            }
            languages = parse_json(about.get("languages", ""))
        except (sqlite3.Error, FiltagError, ValueError):
            languages = None
        whole = {"format", "version", "sha256"} <= about.keys() and mismatch(languages, [named]) is None and languages
        if not whole or about["format"] != FORMAT:
            raise FiltagError(
                f"{path} is not an index of ConceptNet that this version reads: index the dump again",
                commands=("concepts import",),
            )
        self.version = f"{about['version']} (SHA-256 {about['sha256'][:16]})"
        self._base = base
        self._language = str(languages[0])

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
        """Return the concept that a term, its path in IRIs or its IRI names, if the index has it."""
        path = class_id.removeprefix(self._base)
        if not self._has(path):
            try:
                path = term_path(path)
            except ValueError:
                return None
        return self._base + path if self._has(path) else None

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the word itself and its senses as a noun, those with most edges first."""
        path = term_uri(term, language=self._language)
        return tuple(
            Sense(self._base + sense, text_of(sense), count)
            for sense, count in self._ask(_SENSES, (path,), is_term_path, _is_count)
            if self._has(sense)
        )

    def size(self, concept_id: str) -> int:
        """Return about how many terms lie at or below a concept by IsA."""
        rows = self._ask("SELECT size FROM node WHERE path = ?", (self._path(concept_id),), _is_size)
        if not rows:
            raise KeyError(concept_id)
        return int(rows[0][0])

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of exactly this term, by the other end and data set."""
        this, other = ("end", "start") if incoming else ("start", "end")
        rows = self._ask(
            _EDGES.format(this=this, other=other),
            (self._path(concept_id), relation),
            is_term_path, is_weight, is_path, is_address,
        )  # fmt: skip
        for path, weight, dataset, licence in rows:
            # SQLite keeps its index of terms apart from the terms: damage may hit one of them.
            if not self._has(path):
                raise self._damaged(f"{path} is missing from its list of terms")
            neighbour = self._base + path
            start, end = (neighbour, concept_id) if incoming else (concept_id, neighbour)
            yield Edge(relation, start, end, weight, self.name, dataset, licence)

    def _path(self, concept_id: str) -> str:
        return concept_id.removeprefix(self._base)

    def _has(self, path: str) -> bool:
        return is_term_path(path) and bool(self._ask("SELECT size FROM node WHERE path = ?", (path,), _is_size))

    def _ask(self, text: str, values: tuple[str, ...], *checks: Callable[[Any], bool]) -> list[tuple[Any, ...]]:
        """Return the rows of an answer after checking every cell, by a check for each column.

        SQLite detects some damage only, and stores any value in any column.
        """
        try:
            rows = self._database.execute(text, values).fetchall()
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise self._damaged(str(error)) from None
        for row in rows:
            for cell, is_right in zip(row, checks, strict=True):
                if not is_right(cell):
                    raise self._damaged(f"it holds {str(cell)[:60]!r} where something else belongs")
        return rows

    def _damaged(self, problem: str) -> FiltagError:
        return FiltagError(
            f"the index of ConceptNet {self._path_of_index} is damaged ({problem}): index the dump again",
            commands=("concepts import",),
        )


def _is_text(cell: object) -> bool:
    return isinstance(cell, str)


def _is_count(cell: object) -> bool:
    return isinstance(cell, int) and cell >= 0


def _is_size(cell: object) -> bool:
    return isinstance(cell, int) and cell >= 1
