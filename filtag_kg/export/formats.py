"""The export formats by name. A new one is a module that writes it, and a line in a table here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from filtag_kg.errors import FiltagError
from filtag_kg.export.graph_files import write_named_graphs, write_nquads, write_rdf
from filtag_kg.export.graphml import write_graphml
from filtag_kg.export.tables import write_csv, write_links, write_parquet
from filtag_kg.kg import KG

_WRITERS: Mapping[str, Callable[[KG, BinaryIO], None]] = {
    "turtle": lambda kg, output: write_rdf(kg, "turtle", output),
    "ntriples": lambda kg, output: write_rdf(kg, "ntriples", output),
    "nquads": write_nquads,
    "trig": write_named_graphs,
    "jsonld": lambda kg, output: write_rdf(kg, "jsonld", output),
    "rdfxml": lambda kg, output: write_rdf(kg, "rdfxml", output),
    "sssom": write_links,
    "graphml": write_graphml,
}
_TABLE_WRITERS: Mapping[str, Callable[[KG, str, BinaryIO], None]] = {"csv": write_csv, "parquet": write_parquet}

EXPORT_FORMATS = (*_WRITERS, *_TABLE_WRITERS)


def export_graph(kg: KG, format_: str, output: BinaryIO, *, table: str = "tags") -> None:
    """Write a KG for other tools, without holding it in memory, except for GraphML.

    Parameters
    ----------
    format_ : str
        The whole graph: ``nquads`` or ``trig``, with its named graphs; ``turtle``, ``ntriples``, ``jsonld`` or
        ``rdfxml``, which merge them and write each triple once, sorted as in ``graph.nq.gz``. Filters, classes and
        concepts as nodes and edges: ``graphml``. Parts: ``sssom``, the links of classes to concepts; ``csv`` or
        ``parquet``, a table.
    table : {"tags", "common", "concepts"}
        The table that ``csv`` and ``parquet`` write.

    Raises
    ------
    FiltagError
        If there is no such format or table, a package that it needs is not installed, or the KG is damaged.
    """
    if format_ in _TABLE_WRITERS:
        _TABLE_WRITERS[format_](kg, table, output)
    elif format_ in _WRITERS:
        _WRITERS[format_](kg, output)
    else:
        raise FiltagError(
            f"no export format {format_!r}: choose one of {', '.join(EXPORT_FORMATS)}", options=("format_",)
        )
