"""Results as text: a table to read, or data with a stable header."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import pyoxigraph as ox
from rich.table import Table

from filtag_kg.errors import FiltagError
from filtag_kg.graph import PREFIXES
from filtag_kg.query.result import Result, Term

__all__ = ["RESULT_FORMATS", "format_result", "table_of"]

RESULT_FORMATS = ("table", "csv", "tsv", "json", "turtle")

_NUMBERS = frozenset(f"{PREFIXES['xsd']}{name}" for name in ("integer", "decimal", "double", "float"))


def format_result(result: Result, format_: str) -> str:
    """Return a result as data.

    Parameters
    ----------
    result : Result
    format_ : {"csv", "tsv", "json", "turtle"}
        W3C's *SPARQL 1.1 Query Results CSV and TSV Formats* and *JSON Format*: csv has plain values under the column
        names; tsv has terms as SPARQL writes them, under names with a question mark, so that nothing is lost; turtle is
        for the graphs of CONSTRUCT and DESCRIBE.

    Raises
    ------
    FiltagError
        If the result cannot be put in that format.
    """
    if format_ == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows(result.values())
        return text.getvalue()
    if format_ == "tsv":
        lines = ["\t".join(f"?{name}" for name in result.columns)]
        lines += ["\t".join(map(_tsv_term, row)) for row in result.rows]
        return "".join(f"{line}\n" for line in lines)
    if format_ == "json":
        return json.dumps(_json(result), indent=2, ensure_ascii=False) + "\n"
    if format_ == "turtle":
        if not result.is_graph:
            raise FiltagError("turtle is for the graphs of CONSTRUCT and DESCRIBE: choose table, csv, tsv or json")
        triples = [ox.Triple(*row) for row in result.rows]  # type: ignore[arg-type]
        turtle = io.BytesIO()
        ox.serialize(triples, turtle, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES)
        return turtle.getvalue().decode()
    raise FiltagError(f"no result format {format_!r}: choose one of {', '.join(RESULT_FORMATS)}")


def table_of(result: Result) -> Table:
    """Return a result as a table to read: numbers to the right, known IRIs short."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    numeric = [
        any(row[i] is not None for row in result.rows) and all(_is_number(row[i]) for row in result.rows)
        for i in range(len(result.columns))
    ]
    for name, right in zip(result.columns, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(_readable(cell) for cell in row))
    return table


def _tsv_term(cell: Term | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, ox.Literal) and cell.datatype.value == f"{PREFIXES['xsd']}integer":
        return cell.value
    # Serialised literals escape line feeds and quotes; W3C wants tabs escaped, too.
    return str(cell).replace("\t", "\\t")


def _is_number(cell: Term | None) -> bool:
    return cell is None or (isinstance(cell, ox.Literal) and cell.datatype.value in _NUMBERS)


def _readable(cell: Term | None) -> str:
    from rich.markup import escape

    if cell is None:
        return ""
    if isinstance(cell, ox.NamedNode):
        for prefix, iri in PREFIXES.items():
            if cell.value.startswith(iri):
                return escape(f"{prefix}:{cell.value.removeprefix(iri)}")
        return escape(cell.value)
    if isinstance(cell, ox.Literal):
        if _is_number(cell) and not cell.datatype.value.endswith("integer"):
            return f"{float(cell.value):.3g}"
        return escape(cell.value)
    return escape(str(cell))


def _json(result: Result) -> Mapping[str, object]:
    if result.columns == ("answer",):
        return {"head": {}, "boolean": result.values() == [("true",)]}
    bindings = [
        {name: _json_term(cell) for name, cell in zip(result.columns, row, strict=True) if cell is not None}
        for row in result.rows
    ]
    return {"head": {"vars": list(result.columns)}, "results": {"bindings": bindings}}


def _json_term(cell: Term) -> Mapping[str, object]:
    if isinstance(cell, ox.Literal):
        if cell.language:
            return {"type": "literal", "value": cell.value, "xml:lang": cell.language}
        if cell.datatype.value == f"{PREFIXES['xsd']}string":
            return {"type": "literal", "value": cell.value}
        return {"type": "literal", "value": cell.value, "datatype": cell.datatype.value}
    if isinstance(cell, ox.NamedNode):
        return {"type": "uri", "value": cell.value}
    if isinstance(cell, ox.BlankNode):
        return {"type": "bnode", "value": cell.value}
    parts = zip(("subject", "predicate", "object"), (cell.subject, cell.predicate, cell.object), strict=True)
    return {"type": "triple", "value": {name: _json_term(part) for name, part in parts}}
