"""Explanations: one classification, mistakes, and how well tags name the classes of images, through the tags."""

from filtag_kg.explain.classification import ActiveFilter, Explanation, Prediction, explain_image
from filtag_kg.explain.confusions import (
    ClassConfusion,
    Confusion,
    class_confusions,
    confusions,
    confusions_csv,
    mistakes_csv,
)
from filtag_kg.explain.evaluation import Correlation, Evaluation, evaluate, rank_correlation
from filtag_kg.explain.evaluation_columns import (
    ClassHitsRow,
    HitsRow,
    class_hits_csv,
    class_hits_rows,
    hits_csv,
    hits_rows,
)
from filtag_kg.explain.evidence import Evidence
from filtag_kg.explain.explanation_json import explanation_json
from filtag_kg.explain.explanation_rdf import explanation_turtle
from filtag_kg.explain.hits import SCOPES, Hits, hits_at_n
from filtag_kg.explain.hits_figure import hits_svg
from filtag_kg.explain.mistakes import ErrorAnalysis, Mistake, find_mistakes
from filtag_kg.explain.nearest_concept import Group
from filtag_kg.explain.support import Support
from filtag_kg.explain.why_not import Carriers, WhyNot

__all__ = [
    "SCOPES",
    "ActiveFilter",
    "Carriers",
    "ClassConfusion",
    "ClassHitsRow",
    "Confusion",
    "Correlation",
    "ErrorAnalysis",
    "Evaluation",
    "Evidence",
    "Explanation",
    "Group",
    "Hits",
    "HitsRow",
    "Mistake",
    "Prediction",
    "Support",
    "WhyNot",
    "class_confusions",
    "class_hits_csv",
    "class_hits_rows",
    "confusions",
    "confusions_csv",
    "evaluate",
    "explain_image",
    "explanation_json",
    "explanation_turtle",
    "find_mistakes",
    "hits_at_n",
    "hits_csv",
    "hits_rows",
    "hits_svg",
    "mistakes_csv",
    "rank_correlation",
]
