"""Plots, each defined once: written as SVG that follows a page's light or dark scheme, or as SVG and PDF for print.

Every function takes a width in pixels, :data:`WIDE` for a desk, :data:`NARROW` for a phone or a printed column, and
returns None where there is nothing to draw, so that a page can say so in words. The same data give the same bytes.
Matplotlib is imported when a plot is drawn.
"""

from filtag_kg.report.plots.ablation import ablation_plot
from filtag_kg.report.plots.concept_tree import TreeConcept, concept_tree
from filtag_kg.report.plots.confusion import ConfusedKind, confused_kinds, confusion_plot
from filtag_kg.report.plots.emergence import EmergingConcept, emergence_plot, emerging_concepts
from filtag_kg.report.plots.filter_rows import FilterRow, filter_rows_plot
from filtag_kg.report.plots.hits import hits_plot
from filtag_kg.report.plots.layer_share import layer_share_plot
from filtag_kg.report.plots.plot import MM_PER_PIXEL, Plot
from filtag_kg.report.plots.separation import separation_plot
from filtag_kg.report.plots.style import NARROW, PRINT_PAGE, WIDE
from filtag_kg.report.plots.sunburst import Wedge, sunburst_plot, wedges
from filtag_kg.report.plots.tag_counts import TagCounts, tag_count_plot, tag_counts

__all__ = [
    "MM_PER_PIXEL",
    "NARROW",
    "PRINT_PAGE",
    "WIDE",
    "ConfusedKind",
    "EmergingConcept",
    "FilterRow",
    "Plot",
    "TagCounts",
    "TreeConcept",
    "Wedge",
    "ablation_plot",
    "concept_tree",
    "confused_kinds",
    "confusion_plot",
    "emergence_plot",
    "emerging_concepts",
    "filter_rows_plot",
    "hits_plot",
    "layer_share_plot",
    "separation_plot",
    "sunburst_plot",
    "tag_count_plot",
    "tag_counts",
    "wedges",
]
