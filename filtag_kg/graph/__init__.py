"""The knowledge graph: vocabulary, building, storing and exporting."""

from filtag_kg.graph.as_networkx import to_networkx
from filtag_kg.graph.build import Provenance, build_kg
from filtag_kg.graph.export import EXPORT_FORMATS, export_graph, turtle_text, write_triples
from filtag_kg.graph.jsonld import write_jsonld
from filtag_kg.graph.kg import KG, check_output, open_kg, reserved_output
from filtag_kg.graph.manifest import file_differences
from filtag_kg.graph.nquads import Triple, boolean, double, integer, iri, literal, t
from filtag_kg.graph.publish import Credentials, credentials, publish_kg
from filtag_kg.graph.redirects import MOVED, send_on, without_secrets
from filtag_kg.graph.resources import resource_folder
from filtag_kg.graph.several import KgRun, add_runs, build_into, remove_run, runs_of
from filtag_kg.graph.store_process import StoreProcess
from filtag_kg.graph.validate import Finding, Validation, validate_kg
from filtag_kg.graph.visualizations import (
    VISUALIZATION_METHODS,
    Visualization,
    read_visualizations,
    write_visualizations,
)
from filtag_kg.graph.vocabulary import DEFAULT_BASE, ONTOLOGY, PREFIXES, QUERIES, DataIris, term
from filtag_kg.graph.xml_text import xml_text

__all__ = [
    "DEFAULT_BASE",
    "EXPORT_FORMATS",
    "KG",
    "MOVED",
    "ONTOLOGY",
    "PREFIXES",
    "QUERIES",
    "VISUALIZATION_METHODS",
    "Credentials",
    "DataIris",
    "Finding",
    "KgRun",
    "Provenance",
    "StoreProcess",
    "Triple",
    "Validation",
    "Visualization",
    "add_runs",
    "boolean",
    "build_into",
    "build_kg",
    "check_output",
    "credentials",
    "double",
    "export_graph",
    "file_differences",
    "integer",
    "iri",
    "literal",
    "open_kg",
    "publish_kg",
    "read_visualizations",
    "remove_run",
    "reserved_output",
    "resource_folder",
    "runs_of",
    "send_on",
    "t",
    "term",
    "to_networkx",
    "turtle_text",
    "validate_kg",
    "without_secrets",
    "write_jsonld",
    "write_triples",
    "write_visualizations",
    "xml_text",
]
