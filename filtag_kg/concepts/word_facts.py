"""Look a word up in a concept source: its meanings and their edges."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from filtag_kg.concepts.source import RELATIONS, Concept, Edge
from filtag_kg.csv_table import csv_writer
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filtag_kg.concepts.source import ConceptSource

_COLUMNS = (
    "concept",
    "label",
    "relation",
    "direction",
    "other",
    "other_label",
    "weight",
    "source",
    "dataset",
    "licence",
)


@dataclass(frozen=True, slots=True)
class WordFacts:
    """One meaning of a word and its edges.

    Parameters
    ----------
    edges : tuple of (relation, label of the other end, Edge)
        The relation is written ``← IsA`` for edges that end at the concept.
    """

    concept: Concept
    edges: tuple[tuple[str, str, Edge], ...]


def look_up(term: str, source: ConceptSource, *, limit: int) -> list[WordFacts]:
    """Return the meanings of a word in each source, or the concept that a class id or term names.

    Parameters
    ----------
    limit : int
        At most so many edges of each relation and direction; a web service is not asked for more.
    """
    return [
        WordFacts(member.concept(concept), tuple(_edges(concept, member, limit)))
        for member in source.members
        for concept in _meanings(term, member)
    ]


def word_facts_text(meanings: Sequence[WordFacts], format_: str) -> str:
    """Return meanings as CSV, TSV or JSON: a row for each edge, and one for a meaning without edges.

    Raises
    ------
    FiltagError
        If there is no such format.
    """
    rows = [row for meaning in meanings for row in _rows(meaning)]
    if format_ == "json":
        return json.dumps([dict(zip(_COLUMNS, row, strict=True)) for row in rows], indent=2, ensure_ascii=False) + "\n"
    if format_ not in ("csv", "tsv"):
        raise FiltagError(f"no format {format_!r}: choose table, csv, tsv or json", options=("format_",))
    text = io.StringIO()
    writer = csv_writer(text, delimiter="," if format_ == "csv" else "\t")
    writer.writerows([_COLUMNS, *rows])
    return text.getvalue()


def _meanings(term: str, source: ConceptSource) -> list[str]:
    exact = source.of_class(term)
    return [exact] if exact is not None else [sense.concept for sense in source.senses(term)]


def _edges(concept: str, source: ConceptSource, limit: int) -> list[tuple[str, str, Edge]]:
    edges = []
    for relation in RELATIONS:
        for incoming in (False, True):
            for edge in islice(source.edges(concept, relation, incoming=incoming), limit):
                other = source.concept(edge.start if incoming else edge.end)
                edges.append((f"← {relation}" if incoming else relation, other.label, edge))
    return edges


def _rows(meaning: WordFacts) -> list[tuple[object, ...]]:
    concept = (meaning.concept.id, meaning.concept.label)
    if not meaning.edges:
        return [(*concept, *[None] * (len(_COLUMNS) - len(concept)))]
    return [
        (
            *concept,
            edge.relation,
            "in" if edge.relation != relation else "out",
            edge.start if edge.relation != relation else edge.end,
            *(label, edge.weight, edge.source, edge.dataset, edge.licence),
        )
        for relation, label, edge in meaning.edges
    ]
