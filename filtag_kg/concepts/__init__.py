"""Concepts: their sources, the links of classes to them, the IsA hierarchy and what tags have in common.

What is exported here is for the rest of the package and stable within it; the embedded data is read at the
first call of `wordnet`, not at import.
"""

from filtag_kg.concepts.activation_test import ActivationTest, activation_test
from filtag_kg.concepts.adjectives import color_of, seen_nouns
from filtag_kg.concepts.common import (
    CHANCE_P,
    COHERENT_Q,
    DRAWS,
    MIN_IC,
    CommonConcept,
    adjusted_p_values,
    common_concepts,
    p_values,
    q_values,
)
from filtag_kg.concepts.conceptnet import ConceptNetIndex, DumpSummary, default_index, import_dump
from filtag_kg.concepts.conceptnet.excerpt import conceptnet_excerpt
from filtag_kg.concepts.curated_links import CuratedLink, check_sssom, read_curated_links
from filtag_kg.concepts.doubt import DoubtfulLink, doubtful_links
from filtag_kg.concepts.familiarity import is_familiar
from filtag_kg.concepts.families import families_of, family_name
from filtag_kg.concepts.features import Features
from filtag_kg.concepts.few_classes import classes_needed, runs_of_few_classes, too_few_classes
from filtag_kg.concepts.hierarchy import Hierarchy, build_hierarchy
from filtag_kg.concepts.in_layers import ConceptInLayer, concepts_in_layers
from filtag_kg.concepts.isa_edges import KeptEdges
from filtag_kg.concepts.label_matches import label_matches
from filtag_kg.concepts.linking import link_classes, preferred_labels
from filtag_kg.concepts.links import Link, Links
from filtag_kg.concepts.mixed import CLEAR_CONTRAST, MixedFilters, MixedPart, mixed_filters, mixedness
from filtag_kg.concepts.separation import separation
from filtag_kg.concepts.similarity import Closeness, Similarities, similarities
from filtag_kg.concepts.source import FEATURES, RELATIONS, Concept, ConceptSource, Edge, Sense
from filtag_kg.concepts.sources import DEFAULT_CONCEPTS, concept_source
from filtag_kg.concepts.sssom import SSSOM_COLUMNS, sssom_text
from filtag_kg.concepts.terms import CONCEPTNET, noun_term, standard_text, term_uri
from filtag_kg.concepts.word_facts import WordFacts, look_up, word_facts_text
from filtag_kg.concepts.wordnet import WordNet, wordnet
from filtag_kg.concepts.words import base_forms, parts_of_speech

__all__ = [
    "CHANCE_P",
    "CLEAR_CONTRAST",
    "COHERENT_Q",
    "CONCEPTNET",
    "DEFAULT_CONCEPTS",
    "DRAWS",
    "FEATURES",
    "MIN_IC",
    "RELATIONS",
    "SSSOM_COLUMNS",
    "ActivationTest",
    "Closeness",
    "CommonConcept",
    "Concept",
    "ConceptInLayer",
    "ConceptNetIndex",
    "ConceptSource",
    "CuratedLink",
    "DoubtfulLink",
    "DumpSummary",
    "Edge",
    "Features",
    "Hierarchy",
    "KeptEdges",
    "Link",
    "Links",
    "MixedFilters",
    "MixedPart",
    "Sense",
    "Similarities",
    "WordFacts",
    "WordNet",
    "activation_test",
    "adjusted_p_values",
    "base_forms",
    "build_hierarchy",
    "check_sssom",
    "classes_needed",
    "color_of",
    "common_concepts",
    "concept_source",
    "conceptnet_excerpt",
    "concepts_in_layers",
    "default_index",
    "doubtful_links",
    "families_of",
    "family_name",
    "import_dump",
    "is_familiar",
    "label_matches",
    "link_classes",
    "look_up",
    "mixed_filters",
    "mixedness",
    "noun_term",
    "p_values",
    "parts_of_speech",
    "preferred_labels",
    "q_values",
    "read_curated_links",
    "runs_of_few_classes",
    "seen_nouns",
    "separation",
    "similarities",
    "sssom_text",
    "standard_text",
    "term_uri",
    "too_few_classes",
    "word_facts_text",
    "wordnet",
]
