"""What a concept source says of a word, for people who look it up."""

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

__all__ = ["WordFacts", "look_up", "word_facts_text"]

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
    """One meaning of a word and what is said of it.

    Parameters
    ----------
    concept : Concept
    edges : tuple of (relation, label of the other end, Edge)
        The relation is written ``← IsA`` for edges that end at the concept.
    """

    concept: Concept
    edges: tuple[tuple[str, str, Edge], ...]


def look_up(term: str, source: ConceptSource, *, limit: int) -> list[WordFacts]:
    """Return what a source says of a word, or of a class id or term that names a concept by itself.

    Parameters
    ----------
    term : str
    source : ConceptSource
    limit : int
        Edges of a relation and direction, at most: the first, which are all that a web service is asked for.
    """
    exact = source.of_class(term)
    meant = [exact] if exact is not None else [sense.concept for sense in source.senses(term)]
    return [WordFacts(source.concept(concept), tuple(_edges(concept, source, limit))) for concept in meant]


def word_facts_text(found: Sequence[WordFacts], format_: str) -> str:
    """Return the facts as CSV, TSV or JSON: a row an edge, and one for a meaning without any.

    Raises
    ------
    FiltagError
        If there is no such format.
    """
    rows = [row for meaning in found for row in _rows(meaning)]
    if format_ == "json":
        return json.dumps([dict(zip(_COLUMNS, row, strict=True)) for row in rows], indent=2, ensure_ascii=False) + "\n"
    if format_ not in ("csv", "tsv"):
        raise FiltagError(f"no format {format_!r}: choose table, csv, tsv or json")
    text = io.StringIO()
    writer = csv_writer(text, delimiter="," if format_ == "csv" else "\t")
    writer.writerows([_COLUMNS, *rows])
    return text.getvalue()


def _edges(concept: str, source: ConceptSource, limit: int) -> list[tuple[str, str, Edge]]:
    said = []
    for relation in RELATIONS:
        for incoming in (False, True):
            for edge in islice(source.edges(concept, relation, incoming=incoming), limit):
                other = source.concept(edge.start if incoming else edge.end)
                said.append((f"← {relation}" if incoming else relation, other.label, edge))
    return said


def _rows(meaning: WordFacts) -> list[tuple[object, ...]]:
    of = (meaning.concept.id, meaning.concept.label)
    if not meaning.edges:
        return [(*of, *[None] * (len(_COLUMNS) - len(of)))]
    return [
        (
            *of,
            edge.relation,
            "in" if edge.relation != relation else "out",
            edge.start if edge.relation != relation else edge.end,
            *(label, edge.weight, edge.source, edge.dataset, edge.licence),
        )
        for relation, label, edge in meaning.edges
    ]
