"""A KG read once into memory, and what it says of one thing at a time: for pages, terminals and notebooks."""

from filtag_kg.facts.concept_graph import ConceptGraph, Feature, Step
from filtag_kg.facts.facts import Facts
from filtag_kg.facts.knowledge_graph import KnowledgeGraph
from filtag_kg.facts.naming import classes_named, concepts_named, layer_and_filter
from filtag_kg.facts.reading import read_facts
from filtag_kg.facts.search import Found, SearchIndex, search_index
from filtag_kg.facts.tables import COHERENT_Q, NetworkTable, RunTable
from filtag_kg.facts.things import (
    ClassFacts,
    ConceptFacts,
    Exemplar,
    FilterFacts,
    FilterLine,
    FilterPair,
    FilterRun,
    InCommon,
    LayerFacts,
    LayerLine,
    LayerRun,
    Neighbour,
    NetworkFacts,
    Part,
    Related,
    Tag,
    TaggedFilter,
)

__all__ = [
    "COHERENT_Q",
    "ClassFacts",
    "ConceptFacts",
    "ConceptGraph",
    "Exemplar",
    "Facts",
    "Feature",
    "FilterFacts",
    "FilterLine",
    "FilterPair",
    "FilterRun",
    "Found",
    "InCommon",
    "KnowledgeGraph",
    "LayerFacts",
    "LayerLine",
    "LayerRun",
    "Neighbour",
    "NetworkFacts",
    "NetworkTable",
    "Part",
    "Related",
    "RunTable",
    "SearchIndex",
    "Step",
    "Tag",
    "TaggedFilter",
    "classes_named",
    "concepts_named",
    "layer_and_filter",
    "read_facts",
    "search_index",
]
