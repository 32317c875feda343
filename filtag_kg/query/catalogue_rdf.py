"""The catalogue of named queries as RDF, so a graph can be published with its queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from filtag_kg.graph import ONTOLOGY, QUERIES, Triple, boolean, integer, iri, literal, t, turtle_text
from filtag_kg.query.catalogue import NamedQuery
from filtag_kg.query.parameters import PARAMETERS


def catalogue_turtle(queries: Iterable[NamedQuery]) -> str:
    """Return named queries as Turtle: each a ``sh:SPARQLSelectExecutable`` with its text and parameters.

    The form is that of SIB's example queries, with IRIs in place of blank nodes. Each text declares its own prefixes.
    """
    return turtle_text(triple for query in queries for triple in _triples(query))


def _triples(query: NamedQuery) -> Iterator[Triple]:
    node = iri(f"{QUERIES}/{query.name}")
    yield node, t("rdf:type"), t("sh:SPARQLExecutable")
    yield node, t("rdf:type"), t("sh:SPARQLSelectExecutable")
    yield node, t("rdfs:label"), literal(query.name)
    yield node, t("rdfs:comment"), literal(query.summary, language="en")
    yield node, t("rdfs:isDefinedBy"), iri(QUERIES)
    yield node, t("sh:select"), literal(query.text)
    for order, name in enumerate(query.parameters):
        parameter = iri(f"{QUERIES}/{query.name}/{name}")
        yield node, t("sh:parameter"), parameter
        yield parameter, t("rdf:type"), t("sh:Parameter")
        yield parameter, t("sh:path"), iri(f"{QUERIES}/parameter/{PARAMETERS[name].variable}")
        yield parameter, t("sh:name"), literal(name)
        yield parameter, t("sh:description"), literal(PARAMETERS[name].meaning, language="en")
        yield parameter, t("sh:order"), integer(order)
        yield parameter, t("sh:optional"), boolean(name in query.optional)
    yield iri(QUERIES), t("rdfs:seeAlso"), iri(ONTOLOGY)
