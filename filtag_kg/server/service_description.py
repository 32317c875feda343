"""The endpoint's description of itself, as RDF.

Source: W3C, *SPARQL 1.1 Service Description*; *Describing Linked Datasets with the VoID Vocabulary*.
"""

from __future__ import annotations

import csv
import io

import pyoxigraph as ox

from filtag_kg.graph import PREFIXES, RDF_FORMATS
from filtag_kg.server.jobs import Answer
from filtag_kg.server.worker import write_graph

_SD = "http://www.w3.org/ns/sparql-service-description#"
_TYPE = ox.NamedNode(f"{PREFIXES['rdf']}type")
_TRIPLES = ox.NamedNode(f"{PREFIXES['void']}triples")
_RESULT_FORMATS = (
    ox.QueryResultsFormat.JSON.iri,
    ox.QueryResultsFormat.XML.iri,
    ox.QueryResultsFormat.CSV.iri,
    ox.QueryResultsFormat.TSV.iri,
    *(each.syntax.iri for each in RDF_FORMATS.values()),
)


def describe_service(endpoint: str, overview: Answer, format_: str) -> bytes:
    """Return the description of the service.

    Parameters
    ----------
    endpoint : str
        The endpoint's address.
    overview : Answer
        The graphs of the store, and how many triples each has.
    format_ : str
        A graph format's name.
    """
    service, dataset, default = (ox.NamedNode(endpoint + part) for part in ("", "#dataset", "#default-graph"))
    statements: list[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal]] = [
        (service, _TYPE, _sd("Service")),
        (service, _sd("endpoint"), service),
        (service, _sd("supportedLanguage"), _sd("SPARQL11Query")),
        (service, _sd("feature"), _sd("UnionDefaultGraph")),
        *((service, _sd("resultFormat"), ox.NamedNode(iri)) for iri in _RESULT_FORMATS),
        (service, _sd("defaultDataset"), dataset),
        (dataset, _TYPE, _sd("Dataset")),
        (dataset, _sd("defaultGraph"), default),
        (default, _TYPE, _sd("Graph")),
        (default, _TRIPLES, ox.Literal(overview.rows)),
    ]
    for i, row in enumerate(csv.DictReader(io.StringIO(overview.body.decode()))):
        named, graph = ox.NamedNode(f"{endpoint}#named-graph-{i}"), ox.NamedNode(f"{endpoint}#graph-{i}")
        statements += [
            (dataset, _sd("namedGraph"), named),
            (named, _TYPE, _sd("NamedGraph")),
            (named, _sd("name"), ox.NamedNode(row["graph"])),
            (named, _sd("graph"), graph),
            (graph, _TYPE, _sd("Graph")),
            (graph, _TRIPLES, ox.Literal(int(row["triples"]))),
        ]
    return write_graph(sorted((ox.Triple(*each) for each in statements), key=str), format_)


def _sd(name: str) -> ox.NamedNode:
    return ox.NamedNode(_SD + name)
