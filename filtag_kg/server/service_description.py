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

__all__ = ["describe_service"]

_SD = "http://www.w3.org/ns/sparql-service-description#"
_VOID = PREFIXES["void"]
_TYPE = ox.NamedNode(f"{PREFIXES['rdf']}type")
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
    service = ox.NamedNode(endpoint)
    dataset = ox.NamedNode(f"{endpoint}#dataset")
    default = ox.NamedNode(f"{endpoint}#default-graph")
    triples = [
        ox.Triple(service, _TYPE, _sd("Service")),
        ox.Triple(service, _sd("endpoint"), service),
        ox.Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Query")),
        ox.Triple(service, _sd("feature"), _sd("UnionDefaultGraph")),
        *(ox.Triple(service, _sd("resultFormat"), ox.NamedNode(format_)) for format_ in _RESULT_FORMATS),
        ox.Triple(service, _sd("defaultDataset"), dataset),
        ox.Triple(dataset, _TYPE, _sd("Dataset")),
        ox.Triple(dataset, _sd("defaultGraph"), default),
        ox.Triple(default, _TYPE, _sd("Graph")),
        ox.Triple(default, ox.NamedNode(f"{_VOID}triples"), ox.Literal(overview.rows)),
    ]
    for i, row in enumerate(csv.DictReader(io.StringIO(overview.body.decode()))):
        named, graph = ox.NamedNode(f"{endpoint}#named-graph-{i}"), ox.NamedNode(f"{endpoint}#graph-{i}")
        triples += [
            ox.Triple(dataset, _sd("namedGraph"), named),
            ox.Triple(named, _TYPE, _sd("NamedGraph")),
            ox.Triple(named, _sd("name"), ox.NamedNode(row["graph"])),
            ox.Triple(named, _sd("graph"), graph),
            ox.Triple(graph, _TYPE, _sd("Graph")),
            ox.Triple(graph, ox.NamedNode(f"{_VOID}triples"), ox.Literal(int(row["triples"]))),
        ]
    return write_graph(sorted(triples, key=str), format_)


def _sd(name: str) -> ox.NamedNode:
    return ox.NamedNode(_SD + name)
