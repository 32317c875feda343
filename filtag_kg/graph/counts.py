"""How much a graph holds: known from the data of a build, or counted in a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from filtag_kg.graph.nquads import DEFAULT_GRAPH
from filtag_kg.graph.vocabulary import term

_CLASSES = (
    "flt:ClassLabel",
    "flt:CommonConcept",
    "flt:CommonFeature",
    "flt:ConceptInLayer",
    "flt:ConceptLink",
    "flt:Filter",
    "flt:FilterInRun",
    "flt:FilterPart",
)
_ASSIGNMENT = "flt:TagAssignment"
_LINKS = ("skos:broadMatch", "skos:closeMatch", "skos:exactMatch", "skos:narrowMatch", "skos:relatedMatch")
_PER_CLASS = f"""SELECT ?class (COUNT(*) AS ?n) WHERE {{
  VALUES ?class {{ {" ".join(_CLASSES)} }} ?x a ?class
}} GROUP BY ?class"""
_ASSIGNMENTS = "SELECT (COUNT(*) AS ?n) WHERE { ?assignment flt:tag ?class }"
_PER_PROPERTY = f"""SELECT ?property (COUNT(*) AS ?n) WHERE {{
  VALUES ?property {{ nno:hasLayer flt:conceptNetTerm {" ".join(_LINKS)} }} ?s ?property ?o
}} GROUP BY ?property"""

_LINKED = """SELECT (COUNT(DISTINCT ?class) AS ?n) WHERE {
  ?link a flt:ConceptLink ; sssom:subject_id ?class
}"""


@dataclass(frozen=True, slots=True)
class GraphCounts:
    """How many statements and things a graph holds.

    Parameters
    ----------
    conceptnet_terms : int
        ConceptNet terms that concepts have.
    things : mapping of classes such as ``flt:Filter`` to int
    linked_classes : int
        Classes with a link; one may have several.
    links : mapping of properties such as ``skos:exactMatch`` to int
        How often each links a class to a concept.
    statements : mapping of graph to int
        A graph is its IRI, or `DEFAULT_GRAPH`.
    """

    layers: int
    conceptnet_terms: int
    linked_classes: int
    things: Mapping[str, int]
    links: Mapping[str, int]
    statements: Mapping[str, int]

    def in_manifest(self) -> dict[str, int]:
        """Return the counts that a manifest records and a store can answer for, by their names there."""
        return {
            "layers": self.layers,
            "filters": self.things["flt:Filter"],
            "classes": self.things["flt:ClassLabel"],
            "linked_classes": self.linked_classes,
            "tags": self.things[_ASSIGNMENT],
            "common_concepts": self.things["flt:CommonConcept"] + self.things["flt:CommonFeature"],
            "concepts_in_layers": self.things["flt:ConceptInLayer"],
        }


def count_store(ask: Callable[[str], Iterable[tuple[str, ...]]]) -> GraphCounts:
    """Count what a store holds.

    Parameters
    ----------
    ask : callable
        From a query to its rows, each cell as plain text.
    """
    things, properties = (_counter(ask(text)) for text in (_PER_CLASS, _PER_PROPERTY))
    ((n_assignments,),) = ask(_ASSIGNMENTS)
    return GraphCounts(
        layers=properties[term("nno:hasLayer")],
        conceptnet_terms=properties[term("flt:conceptNetTerm")],
        linked_classes=sum(int(n) for (n,) in ask(_LINKED)),
        things={**{name: things[term(name)] for name in _CLASSES}, _ASSIGNMENT: int(n_assignments)},
        links={name: properties[term(name)] for name in _LINKS if properties[term(name)]},
        statements=count_statements(ask),
    )


def count_statements(ask: Callable[[str], Iterable[tuple[str, ...]]]) -> Counter[str]:
    """Return the number of statements of each graph; parameters as in `count_store`."""
    named = _counter(ask("SELECT ?graph (COUNT(*) AS ?n) WHERE { GRAPH ?graph { ?s ?p ?o } } GROUP BY ?graph"))
    # The union of all graphs repeats what stands in several.
    ((everything,),) = ask("SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")
    return Counter({DEFAULT_GRAPH: int(everything) - named.total(), **named})


def _counter(rows: Iterable[tuple[str, ...]]) -> Counter[str]:
    return Counter({name: int(n) for name, n in rows})
