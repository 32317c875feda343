"""The answer to a query, the same whether it comes from a KG or over the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.query.result_html import result_html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Result", "Term", "Value", "plain_row"]

Value = str | int | float | bool | None
"""A term as Python has it."""

_XSD = "http://www.w3.org/2001/XMLSchema#"
_VALUES: Mapping[str, Callable[[str], Value]] = {
    f"{_XSD}integer": int,
    f"{_XSD}decimal": float,
    f"{_XSD}double": float,
    f"{_XSD}float": float,
    f"{_XSD}boolean": "true".__eq__,
}

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of RDF terms.

    Parameters
    ----------
    columns : tuple of str
        ``subject``, ``predicate`` and ``object`` for a graph; ``answer`` for ASK.
    rows : tuple of tuples of terms
        None where a variable is unbound.
    is_graph : bool
        Whether the rows are the triples of CONSTRUCT or DESCRIBE.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]
    is_graph: bool = False

    @classmethod
    def of(cls, answer: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples) -> Result:
        """Return what Oxigraph answered."""
        if isinstance(answer, ox.QueryBoolean):
            return cls(("answer",), ((ox.Literal(bool(answer)),),))
        if isinstance(answer, ox.QueryTriples):
            return cls.of_triples(list(answer))
        columns = tuple(variable.value for variable in answer.variables)
        return cls(columns, tuple(tuple(solution) for solution in answer))

    @classmethod
    def of_triples(cls, triples: list[ox.Triple]) -> Result:
        """Return a graph, sorted."""
        rows = sorted({(x.subject, x.predicate, x.object) for x in triples}, key=str)
        return cls(("subject", "predicate", "object"), tuple(rows), is_graph=True)

    def values(self) -> list[tuple[str, ...]]:
        """Return the rows as plain text: IRIs and lexical forms, an empty string where nothing is bound."""
        return [plain_row(row) for row in self.rows]

    def records(self) -> list[dict[str, Value]]:
        """Return the rows as dicts of Python values: numbers, booleans and text, None where nothing is bound."""
        return [dict(zip(self.columns, map(_value, row), strict=True)) for row in self.rows]

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas frame.

        Raises
        ------
        FiltagError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise FiltagError("frames need pandas: install it with pip install 'filtag-kg[tables]'") from None
        return pd.DataFrame([list(map(_value, row)) for row in self.rows], columns=list(self.columns))

    def _repr_html_(self) -> str:
        return result_html(self)


def plain_row(row: Sequence[Term | None]) -> tuple[str, ...]:
    """Return a row as plain text: IRIs and lexical forms, an empty string where nothing is bound."""
    return tuple("" if cell is None else _text(cell) for cell in row)


def _value(cell: Term | None) -> Value:
    if cell is None:
        return None
    if isinstance(cell, ox.Literal):
        try:
            return _VALUES.get(cell.datatype.value, str)(cell.value)
        except ValueError:
            # A number by its type alone, as another store may hold it.
            return cell.value
    return _text(cell)


def _text(cell: Term) -> str:
    return str(cell) if isinstance(cell, ox.BlankNode | ox.Triple) else cell.value
