"""Some rows of an answer, and how many there are: what a worker returns where an assistant reads the answer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import PREFIXES
from filtag_kg.query import (
    Endpoint,
    Result,
    Term,
    Unanswered,
    Value,
    bound_text,
    catalogue,
    malformed,
    python_value,
    warn_of_misspellings,
)
from filtag_kg.server.jobs import Answer, RowsJob
from filtag_kg.server.limits import Limits
from filtag_kg.server.query_inspection import DEEPEST, Inspection, decoded, inspect_query

LONGEST_QUERY = 128 << 10
_LONGEST_CELL = 2000
"""Characters. An assistant reads whole cells, and the labels of a filter with a thousand tags say no more."""
_MOST_TEXT = 60_000
"""Characters of all cells together: about as much as assistants accept as one answer."""
_QUERIES = {query.name: query for query in catalogue()}


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of an answer.

    Parameters
    ----------
    rows : tuple of tuples
        Numbers, truth values and text; None where nothing is bound.
    total : int
        How many rows the answer has.
    all_counted : bool
        Whether counting came to the end; else there are more than `total`.
    cut_cells : int
        Cells of `rows` whose end was left out.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: int
    all_counted: bool = True
    cut_cells: int = 0

    def pack(self) -> bytes:
        """Return the rows as JSON."""
        return json.dumps([self.columns, self.rows, self.total, self.all_counted, self.cut_cells]).encode()

    @classmethod
    def unpack(cls, body: bytes) -> Rows:
        """Return the rows in JSON."""
        columns, rows, *counts = json.loads(body)
        return cls(tuple(columns), tuple(map(tuple, rows)), *counts)


def answer_rows(store: ox.Store, endpoint: Endpoint, job: RowsJob, limits: Limits, notes: Sequence[str]) -> Answer:
    """Answer a named query, or SPARQL.

    Parameters
    ----------
    endpoint : Endpoint
        The store, for the small queries that parameters need.
    notes : sequence of str
        What is logged meanwhile.

    Raises
    ------
    FiltagError
        If a parameter does not fit or names nothing in the graph, or the query is malformed or may not run.
    """
    if job.name is None:
        text, inspection = checked_query(job.text)
        rows = _ask(store, text, job, limits, union=not inspection.names_dataset)
        warn_of_misspellings(endpoint, text, rows.total)
    else:
        query = _QUERIES[job.name]
        bound = bound_text(endpoint, query, job.parameters)
        if isinstance(bound, Unanswered):
            raise FiltagError(missing(bound, notes, "search finds names by spelling and meaning"))
        rows = _ask(store, bound, job, limits)
    return Answer("ok", kind="rows", format_="json", rows=rows.total, notes=tuple(notes), body=rows.pack())


def missing(why: Unanswered, notes: Sequence[str], names: str) -> str:
    """Return what the graph lacks, given what was logged of it; where that is a name, also how to find names."""
    said = "; ".join(notes) or "the graph has no such thing"
    return f"{said}: {names}" if why is Unanswered.NO_SUCH_NAME else said


def checked_query(typed: str) -> tuple[str, Inspection]:
    """Return a query with its code point escapes decoded, and its inspection.

    Raises
    ------
    FiltagError
        If it is too long, empty or nested too deeply, is an update, or reaches outside.
    """
    if len(typed) > LONGEST_QUERY:
        raise FiltagError(f"the query is longer than {LONGEST_QUERY >> 10} KiB: send a shorter one")
    text = decoded(typed)
    inspection = inspect_query(text)
    if inspection.refusal is not None:
        raise FiltagError(inspection.refusal)
    if inspection.empty:
        raise FiltagError("the query is empty: write a query")
    if inspection.depth > DEEPEST:
        raise FiltagError(f"the query has {inspection.depth} nested brackets, and {DEEPEST} are allowed: nest less")
    return text, inspection


def rows_of(result: Result, offset: int, limit: int, most: int) -> Rows:
    """Return some rows of a result.

    Parameters
    ----------
    most : int
        Rows to count.
    """
    return _cut(result.columns, result.rows, offset, limit, most)


def _ask(store: ox.Store, text: str, job: RowsJob, limits: Limits, *, union: bool = True) -> Rows:
    try:
        answer = store.query(text, base_iri="http://localhost/", prefixes=PREFIXES, use_default_graph_as_union=union)
    except SyntaxError as error:
        raise FiltagError(malformed(error)) from None
    if isinstance(answer, ox.QuerySolutions):
        columns = tuple(variable.value for variable in answer.variables)
        return _cut(columns, map(tuple, answer), job.offset, job.limit, limits.max_rows)
    if isinstance(answer, ox.QueryTriples):
        # Triples come in no order and more than once, so all are needed before some can be chosen.
        triples = [triple for triple, _ in zip(answer, range(limits.max_rows + 1), strict=False)]
        rows = rows_of(Result.of_triples(triples[: limits.max_rows]), job.offset, job.limit, limits.max_rows)
        return replace(rows, all_counted=len(triples) <= limits.max_rows)
    return rows_of(Result.of(answer), job.offset, job.limit, limits.max_rows)


def _cut(columns: tuple[str, ...], rows: Iterable[Sequence[Term | None]], offset: int, limit: int, most: int) -> Rows:
    kept: list[tuple[Value, ...]] = []
    total = size = cut_cells = 0
    all_counted = True
    for row in rows:
        if total == most:
            all_counted = False
            break
        if offset <= total < offset + limit and size < _MOST_TEXT:
            values = tuple(map(_json_value, row))
            shown = tuple(map(_cut_cell, values))
            cut_cells += sum(a is not b for a, b in zip(values, shown, strict=True))
            size += sum(len(str(value)) for value in shown)
            kept.append(shown)
        total += 1
    return Rows(columns, tuple(kept), total, all_counted, cut_cells)


def _json_value(term: Term | None) -> Value:
    value = python_value(term)
    # JSON knows neither infinity nor NaN.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _cut_cell(value: Value) -> Value:
    return f"{value[:_LONGEST_CELL]}…" if isinstance(value, str) and len(value) > _LONGEST_CELL else value
