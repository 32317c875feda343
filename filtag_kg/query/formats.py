"""Results as data with a stable header: CSV, TSV, JSON, XML and Turtle."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

import pyoxigraph as ox

from filtag_kg.csv_table import csv_writer
from filtag_kg.errors import FiltagError
from filtag_kg.graph import PREFIXES, write_triples, xml_text
from filtag_kg.query.result import Result
from filtag_kg.query.terms import Term, plain_text

RESULT_FORMATS = ("table", "csv", "tsv", "json", "xml", "turtle")

_XML_START = '<?xml version="1.0"?>\n<sparql xmlns="http://www.w3.org/2005/sparql-results#">\n'
_OUTER_SPACE = re.compile(r"\A[ \t\n]+|[ \t\n]+\Z")
_Columns = Sequence[str]
_Rows = Iterable[Sequence[Term | None]]


def format_result(result: Result, format_: str) -> str:
    """Return a result as data.

    Parameters
    ----------
    format_ : {"csv", "tsv", "json", "xml", "turtle"}
        W3C's *SPARQL 1.1 Query Results CSV and TSV Formats*, *JSON Format* and *XML Format*. csv has plain values under
        the column names; tsv loses nothing: terms as SPARQL writes them, under names with a question mark. turtle is
        for the graphs of CONSTRUCT and DESCRIBE.

    Raises
    ------
    FiltagError
        If the result cannot be put in that format.
    """
    if format_ == "turtle":
        if not result.is_graph:
            raise FiltagError("turtle is for the graphs of CONSTRUCT and DESCRIBE: choose table, csv, tsv, json or xml")
        triples = [ox.Triple(*row) for row in result.rows]  # type: ignore[arg-type]
        turtle = io.BytesIO()
        write_triples(triples, "turtle", turtle)
        return turtle.getvalue().decode()
    if format_ not in _TABLES:
        raise FiltagError(f"no result format {format_!r}: choose one of {', '.join(RESULT_FORMATS)}")
    if result.columns == ("answer",) and format_ in ("json", "xml"):
        return boolean_text(result.values() == [("true",)], format_)
    return "".join(table_pieces(result.columns, result.rows, format_))


def table_pieces(columns: _Columns, rows: _Rows, format_: str) -> Iterator[str]:
    """Yield a table as text, row by row.

    Parameters
    ----------
    rows : iterable of sequences of terms
        Consumed lazily: each row is taken after the text of those before it.
    format_ : {"csv", "tsv", "json", "xml"}
    """
    return _TABLES[format_](columns, rows)


def boolean_text(answer: bool, format_: str) -> str:
    """Return the answer to an ASK as ``json`` or ``xml``, the only formats that the standard has for it."""
    if format_ == "json":
        return json.dumps({"head": {}, "boolean": answer}) + "\n"
    return f"{_XML_START}  <head/>\n  <boolean>{str(answer).lower()}</boolean>\n</sparql>\n"


def _csv(columns: _Columns, rows: _Rows) -> Iterator[str]:
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(columns)
    for row in rows:
        yield text.getvalue()
        text.seek(0)
        text.truncate()
        writer.writerow(map(plain_text, row))
    yield text.getvalue()


def _tsv(columns: _Columns, rows: _Rows) -> Iterator[str]:
    yield "\t".join(f"?{name}" for name in columns) + "\n"
    for row in rows:
        yield "\t".join(map(_tsv_term, row)) + "\n"


def _json(columns: _Columns, rows: _Rows) -> Iterator[str]:
    yield f'{{"head": {json.dumps({"vars": list(columns)}, ensure_ascii=False)},\n"results": {{"bindings": ['
    separator = "\n"
    for row in rows:
        binding = {name: _json_term(cell) for name, cell in zip(columns, row, strict=True) if cell is not None}
        yield separator + json.dumps(binding, ensure_ascii=False)
        separator = ",\n"
    yield "\n]}}\n"


def _xml(columns: _Columns, rows: _Rows) -> Iterator[str]:
    names = [quoteattr(name) for name in columns]
    variables = "".join(f"<variable name={name}/>" for name in names)
    yield f"{_XML_START}  <head>{variables}</head>\n  <results>\n"
    for row in rows:
        cells = zip(names, row, strict=True)
        bound = "".join(f"<binding name={name}>{_xml_term(cell)}</binding>" for name, cell in cells if cell is not None)
        yield f"    <result>{bound}</result>\n"
    yield "  </results>\n</sparql>\n"


_TABLES: Mapping[str, Callable[[_Columns, _Rows], Iterator[str]]] = {
    "csv": _csv,
    "tsv": _tsv,
    "json": _json,
    "xml": _xml,
}


def _tsv_term(cell: Term | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, ox.Literal) and cell.datatype.value == f"{PREFIXES['xsd']}integer":
        return cell.value
    # The serialiser escapes line feeds and quotes; W3C wants tabs escaped, too.
    return str(cell).replace("\t", "\\t")


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


def _xml_term(cell: Term) -> str:
    if isinstance(cell, ox.Literal):
        text = _xml_text(cell.value)
        if cell.language:
            return f"<literal xml:lang={quoteattr(cell.language)}>{text}</literal>"
        if cell.datatype.value == f"{PREFIXES['xsd']}string":
            return f"<literal>{text}</literal>"
        return f"<literal datatype={quoteattr(cell.datatype.value)}>{text}</literal>"
    if isinstance(cell, ox.NamedNode):
        return f"<uri>{_xml_text(cell.value)}</uri>"
    if isinstance(cell, ox.BlankNode):
        return f"<bnode>{_xml_text(cell.value)}</bnode>"
    parts = zip(("subject", "predicate", "object"), (cell.subject, cell.predicate, cell.object), strict=True)
    return f"<triple>{''.join(f'<{name}>{_xml_term(part)}</{name}>' for name, part in parts)}</triple>"


def _xml_text(text: str) -> str:
    """Escape text. Carriage returns and outer spaces become references, because readers would change or drop them.

    XML 1.0 cannot express other control characters: U+FFFD replaces them.
    """
    written = xml_text(escape(text, {"\r": "&#13;"}))
    return _OUTER_SPACE.sub(lambda match: "".join(f"&#{ord(space)};" for space in match[0]), written)
