"""A KG read once into memory, and what it says of one thing at a time: for pages, terminals and notebooks."""

from filtag_kg.views.ablations import Conclusion, ablation_text, change_text, conclusion, points_text
from filtag_kg.views.activations import ABOUT_HIGHER, Higher
from filtag_kg.views.certainty import NOT_BEYOND_CHANCE, chance_text, check_text, probability_text
from filtag_kg.views.class_pairs import ClassPair, FilterResponse, alike_classes, class_pair, class_pairs
from filtag_kg.views.concept_graph import (
    RELATION_TEXTS,
    SOURCE_TEXTS,
    ConceptGraph,
    Feature,
    Step,
    statement_text,
)
from filtag_kg.views.heat_maps import map_strip
from filtag_kg.views.knowledge_graph import KnowledgeGraph, build_kg
from filtag_kg.views.label_checks import LabelChecks
from filtag_kg.views.label_summary import LabelSummary, summarise_by_layer, summarise_labels
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.loading import load_kg, network_layers
from filtag_kg.views.naming import class_named, classes_named, concepts_named, layer_and_filter
from filtag_kg.views.records import (
    ClassView,
    ConceptView,
    Exemplar,
    FilterLine,
    FilterPair,
    FilterRun,
    FilterView,
    InCommon,
    LayerLine,
    LayerRun,
    LayerView,
    LinkedConcept,
    Neighbour,
    NetworkView,
    Part,
    Related,
    Tag,
    TaggedFilter,
    Where,
)
from filtag_kg.views.results import NetworkLayers, RunResults
from filtag_kg.views.search import Match, SearchIndex, search_index
from filtag_kg.views.unusual import INACTIVE, UNEXPLAINED, UnusualFilters, UnusualLayer, unusual_filters

__all__ = [
    "ABOUT_HIGHER",
    "INACTIVE",
    "NOT_BEYOND_CHANCE",
    "RELATION_TEXTS",
    "SOURCE_TEXTS",
    "UNEXPLAINED",
    "ClassPair",
    "ClassView",
    "ConceptGraph",
    "ConceptView",
    "Conclusion",
    "Exemplar",
    "Feature",
    "FilterLine",
    "FilterPair",
    "FilterResponse",
    "FilterRun",
    "FilterView",
    "Higher",
    "InCommon",
    "KnowledgeGraph",
    "LabelChecks",
    "LabelSummary",
    "LayerLine",
    "LayerRun",
    "LayerView",
    "LinkedConcept",
    "LoadedKg",
    "Match",
    "Neighbour",
    "NetworkLayers",
    "NetworkView",
    "Part",
    "Related",
    "RunResults",
    "SearchIndex",
    "Step",
    "Tag",
    "TaggedFilter",
    "UnusualFilters",
    "UnusualLayer",
    "Where",
    "ablation_text",
    "alike_classes",
    "build_kg",
    "chance_text",
    "change_text",
    "check_text",
    "class_named",
    "class_pair",
    "class_pairs",
    "classes_named",
    "concepts_named",
    "conclusion",
    "layer_and_filter",
    "load_kg",
    "map_strip",
    "network_layers",
    "points_text",
    "probability_text",
    "search_index",
    "statement_text",
    "summarise_by_layer",
    "summarise_labels",
    "unusual_filters",
]
