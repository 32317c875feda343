"""Explanations: one classification through the tags of its filters, and how well tags name the classes of images."""

from filtag_kg.explain.classification import Evidence, Explanation, explain_image
from filtag_kg.explain.evaluation import Correlation, Evaluation, evaluate, rank_correlation
from filtag_kg.explain.evaluation_columns import (
    ClassHitsRow,
    HitsRow,
    class_hits_csv,
    class_hits_rows,
    hits_csv,
    hits_rows,
)
from filtag_kg.explain.hits import SCOPES, Hits, hits_at_n
from filtag_kg.explain.hits_figure import hits_svg

__all__ = [
    "SCOPES",
    "ClassHitsRow",
    "Correlation",
    "Evaluation",
    "Evidence",
    "Explanation",
    "Hits",
    "HitsRow",
    "class_hits_csv",
    "class_hits_rows",
    "evaluate",
    "explain_image",
    "hits_at_n",
    "hits_csv",
    "hits_rows",
    "hits_svg",
    "rank_correlation",
]
