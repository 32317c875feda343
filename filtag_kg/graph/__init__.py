"""RDF: the vocabulary, the triples of each kind of thing, a graph's description of itself, and the RDF formats."""

from filtag_kg.graph.attribution import SPDX, Attribution, is_iri, licence_iri
from filtag_kg.graph.counts import GraphCounts, count_statements, count_store
from filtag_kg.graph.describe import DatasetDescription, KgFile, emit_dataset, file_media_type, kg_files
from filtag_kg.graph.emit import (
    RunDescription,
    emit_closure,
    emit_common,
    emit_concepts,
    emit_concepts_in_layers,
    emit_filters_in_run,
    emit_links,
    emit_network,
    emit_run,
    emit_tag_counts,
)
from filtag_kg.graph.emit_bulk import assignment_section, filter_sections, in_order
from filtag_kg.graph.emit_checks import CheckDescription, LabelVerdict, emit_label_check
from filtag_kg.graph.emit_mixed import emit_filter_parts, part_statements
from filtag_kg.graph.emit_pictures import (
    Depiction,
    OptimisedPicture,
    Picture,
    depiction_statements,
    emit_optimised_pictures,
    emit_pictures,
)
from filtag_kg.graph.emit_states import Statement, state_statements
from filtag_kg.graph.nquads import (
    DEFAULT_GRAPH,
    Triple,
    boolean,
    double,
    end_of_line,
    integer,
    iri,
    literal,
    quads,
    t,
)
from filtag_kg.graph.rdf_formats import RDF_FORMATS, RdfFormat, turtle_text, write_trig, write_triples
from filtag_kg.graph.resources import resource_folder
from filtag_kg.graph.vocabulary import DEFAULT_BASE, FEATURE_TERMS, ONTOLOGY, PREFIXES, QUERIES, DataIris, term
from filtag_kg.graph.xml_text import xml_text

__all__ = [
    "DEFAULT_BASE",
    "DEFAULT_GRAPH",
    "FEATURE_TERMS",
    "ONTOLOGY",
    "PREFIXES",
    "QUERIES",
    "RDF_FORMATS",
    "SPDX",
    "Attribution",
    "CheckDescription",
    "DataIris",
    "DatasetDescription",
    "Depiction",
    "GraphCounts",
    "KgFile",
    "LabelVerdict",
    "OptimisedPicture",
    "Picture",
    "RdfFormat",
    "RunDescription",
    "Statement",
    "Triple",
    "assignment_section",
    "boolean",
    "count_statements",
    "count_store",
    "depiction_statements",
    "double",
    "emit_closure",
    "emit_common",
    "emit_concepts",
    "emit_concepts_in_layers",
    "emit_dataset",
    "emit_filter_parts",
    "emit_filters_in_run",
    "emit_label_check",
    "emit_links",
    "emit_network",
    "emit_optimised_pictures",
    "emit_pictures",
    "emit_run",
    "emit_tag_counts",
    "end_of_line",
    "file_media_type",
    "filter_sections",
    "in_order",
    "integer",
    "iri",
    "is_iri",
    "kg_files",
    "licence_iri",
    "literal",
    "part_statements",
    "quads",
    "resource_folder",
    "state_statements",
    "t",
    "term",
    "turtle_text",
    "write_trig",
    "write_triples",
    "xml_text",
]
