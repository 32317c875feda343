"""Tags: which classes activate which filters most, by a rule or as another method says."""

from filtag_kg.tags.distribution import LayerDistribution, distribution_csv, tag_distribution
from filtag_kg.tags.filtag_labels import read_filtag_labels
from filtag_kg.tags.rules import Rule, Score, contrast_over_classes, contrast_to, parse_rule, tag_filters
from filtag_kg.tags.table import TagAssignment, TagTable, tag_assignments

__all__ = [
    "LayerDistribution",
    "Rule",
    "Score",
    "TagAssignment",
    "TagTable",
    "contrast_over_classes",
    "contrast_to",
    "distribution_csv",
    "parse_rule",
    "read_filtag_labels",
    "tag_assignments",
    "tag_distribution",
    "tag_filters",
]
