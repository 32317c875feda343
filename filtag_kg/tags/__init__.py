"""Tags: which classes activate which filters most, selected by a rule or given by another method."""

from filtag_kg.tags.distribution import LayerDistribution, distribution_csv, hubs, tag_distribution
from filtag_kg.tags.label_formats import LABEL_FORMATS, ImportedLabels, read_filtag_labels, read_labels
from filtag_kg.tags.label_table import Known, matching_layer
from filtag_kg.tags.rules import Rule, Score, contrast_over_classes, contrast_to, parse_rule, tag_filters
from filtag_kg.tags.table import TagAssignment, TagScore, TagTable, tag_assignment_values, tag_assignments, tag_scores

__all__ = [
    "LABEL_FORMATS",
    "ImportedLabels",
    "Known",
    "LayerDistribution",
    "Rule",
    "Score",
    "TagAssignment",
    "TagScore",
    "TagTable",
    "contrast_over_classes",
    "contrast_to",
    "distribution_csv",
    "hubs",
    "matching_layer",
    "parse_rule",
    "read_filtag_labels",
    "read_labels",
    "tag_assignment_values",
    "tag_assignments",
    "tag_distribution",
    "tag_filters",
    "tag_scores",
]
