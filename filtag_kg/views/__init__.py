"""A KG read once into memory, and what it says of one thing at a time: for pages, terminals and notebooks."""

from filtag_kg.views.activations import ABOUT_HIGHER, Higher
from filtag_kg.views.chance import NOT_BEYOND_CHANCE, chance_text, probability_text
from filtag_kg.views.concept_graph import ConceptGraph, Feature, Step
from filtag_kg.views.facts import Facts
from filtag_kg.views.knowledge_graph import KnowledgeGraph, build_kg
from filtag_kg.views.naming import class_named, classes_named, concepts_named, layer_and_filter
from filtag_kg.views.reading import read_facts
from filtag_kg.views.search import Found, SearchIndex, search_index
from filtag_kg.views.tables import NetworkTable, RunTable
from filtag_kg.views.things import (
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
    "ABOUT_HIGHER",
    "NOT_BEYOND_CHANCE",
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
    "Higher",
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
    "build_kg",
    "chance_text",
    "class_named",
    "classes_named",
    "concepts_named",
    "layer_and_filter",
    "probability_text",
    "read_facts",
    "search_index",
]
