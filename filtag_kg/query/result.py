"""The answer to a query, the same whether it comes from a KG or over the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.query.result_html import result_html
from filtag_kg.query.terms import Term, Value, plain_text, python_value

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
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
        """Return Oxigraph's answer as a result."""
        if isinstance(answer, ox.QueryBoolean):
            return cls(("answer",), ((ox.Literal(bool(answer)),),))
        if isinstance(answer, ox.QueryTriples):
            return cls.of_triples(list(answer))
        columns = tuple(variable.value for variable in answer.variables)
        return cls(columns, tuple(tuple(solution) for solution in answer))

    @classmethod
    def of_triples(cls, triples: list[ox.Triple]) -> Result:
        """Return a graph as a result, sorted."""
        rows = sorted({(x.subject, x.predicate, x.object) for x in triples}, key=str)
        return cls(("subject", "predicate", "object"), tuple(rows), is_graph=True)

    def head(self, n: int = 5) -> Result:
        """Return the first rows as a result."""
        return replace(self, rows=self.rows[:n])

    def values(self) -> list[tuple[str, ...]]:
        """Return the rows as plain text: IRIs and lexical forms, an empty string where nothing is bound."""
        return [tuple(map(plain_text, row)) for row in self.rows]

    def records(self) -> list[dict[str, Value]]:
        """Return the rows as dicts of Python values: numbers, booleans and text, None where nothing is bound."""
        return [dict(zip(self.columns, map(python_value, row), strict=True)) for row in self.rows]

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
        return pd.DataFrame([list(map(python_value, row)) for row in self.rows], columns=list(self.columns))

    def _repr_html_(self) -> str:
        return result_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, ARG002 - IPython's protocol
        printer.text(str(self))

    def __repr__(self) -> str:
        """Return what is asked and how many rows there are; `str` and IPython show the rows."""
        n = len(self.rows)
        return f"<Result: {', '.join(self.columns)}; {n:,} {'row' if n == 1 else 'rows'}>"

    def __str__(self) -> str:
        """Return the first rows as a table of text."""
        from filtag_kg.query.result_table import text_of

        return text_of(self)
