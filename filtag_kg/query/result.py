"""The answer to a query, the same whether it comes from a KG or over the network."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox

__all__ = ["Result", "Term"]

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
        return [tuple("" if cell is None else _text(cell) for cell in row) for row in self.rows]


def _text(cell: Term) -> str:
    return str(cell) if isinstance(cell, ox.BlankNode | ox.Triple) else cell.value
