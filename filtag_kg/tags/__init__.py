"""Tags: which classes activate which filters most, by a rule or as another method says."""

from filtag_kg.tags.columns import TagAssignment, read_tag_assignments, tag_assignments, tags_csv
from filtag_kg.tags.filtag_labels import read_filtag_labels
from filtag_kg.tags.rules import Rule, Score, contrast_over_classes, contrast_to, parse_rule, tag_filters
from filtag_kg.tags.table import TagTable

__all__ = [
    "Rule",
    "Score",
    "TagAssignment",
    "TagTable",
    "contrast_over_classes",
    "contrast_to",
    "parse_rule",
    "read_filtag_labels",
    "read_tag_assignments",
    "tag_assignments",
    "tag_filters",
    "tags_csv",
]
