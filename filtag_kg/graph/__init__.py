"""The knowledge graph: vocabulary, building, storing and exporting."""

from filtag_kg.graph.build import Provenance, build_kg
from filtag_kg.graph.export import EXPORT_FORMATS, export_graph, turtle_text
from filtag_kg.graph.kg import KG, check_output, open_kg
from filtag_kg.graph.nquads import Triple, double, integer, iri, literal, t
from filtag_kg.graph.resources import resource_folder
from filtag_kg.graph.vocabulary import DEFAULT_BASE, PREFIXES, DataIris, term

__all__ = [
    "DEFAULT_BASE",
    "EXPORT_FORMATS",
    "KG",
    "PREFIXES",
    "DataIris",
    "Provenance",
    "Triple",
    "build_kg",
    "check_output",
    "double",
    "export_graph",
    "integer",
    "iri",
    "literal",
    "open_kg",
    "resource_folder",
    "t",
    "term",
    "turtle_text",
]
