"""Explain one classification and all misclassifications, evaluate tags and check labels, draw what filters look for."""

from filtag_kg.explain.ablation import AblationOptions, ablate
from filtag_kg.explain.ablation_filters import CHOICES
from filtag_kg.explain.ablation_record import add_ablation
from filtag_kg.explain.active_filters import tagged_classes
from filtag_kg.explain.bootstrap import RESAMPLES, bootstrap_intervals
from filtag_kg.explain.checked_labels import CONFIRMED_Q
from filtag_kg.explain.class_evidence import ClassEvidence
from filtag_kg.explain.classification import (
    BASES,
    By,
    Explanation,
    ImagePixels,
    explain_image,
    explain_pixels,
    read_pixels,
)
from filtag_kg.explain.confusions import (
    Confusion,
    class_confusions,
    confusions,
    confusions_csv,
    misclassifications_csv,
    read_confusions,
)
from filtag_kg.explain.evaluation import Evaluation, evaluate, rank_correlation
from filtag_kg.explain.evaluation_columns import (
    HitsRow,
    class_hits_csv,
    hits_csv,
    hits_rows,
    read_hits,
)
from filtag_kg.explain.evaluation_record import (
    EvaluationRecord,
    evaluation_record,
    read_evaluation,
    write_evaluation_record,
)
from filtag_kg.explain.evidence import Evidence
from filtag_kg.explain.explanation_json import explanation_json
from filtag_kg.explain.explanation_rdf import explanation_turtle
from filtag_kg.explain.hits import SCOPES, Hits, hits_at_n
from filtag_kg.explain.kg_evidence import ImageEvidence, PairEvidence
from filtag_kg.explain.label_check_record import add_label_check, label_check_csv
from filtag_kg.explain.label_checks import LabelCheck, check_labels
from filtag_kg.explain.label_scores import SCORES, LabelScores, label_scores
from filtag_kg.explain.misclassification_record import misclassification_record_json, read_misclassifications
from filtag_kg.explain.misclassifications import Misclassification, MisclassificationAnalysis, find_misclassifications
from filtag_kg.explain.nearest_concept import Group
from filtag_kg.explain.overlay import LitPicture, Overlay, lit_pictures, overlay_format, overlay_picture, overlays
from filtag_kg.explain.support import Support
from filtag_kg.explain.supporters import Supporters, WeightedFilter
from filtag_kg.explain.verdict import limits, verdict
from filtag_kg.explain.visualization_store import add_visualizations
from filtag_kg.explain.visualize import FilterPicture, find_layer, visualize
from filtag_kg.explain.why_not import WhyNot

__all__ = [
    "BASES",
    "CHOICES",
    "CONFIRMED_Q",
    "RESAMPLES",
    "SCOPES",
    "SCORES",
    "AblationOptions",
    "By",
    "ClassEvidence",
    "Confusion",
    "Evaluation",
    "EvaluationRecord",
    "Evidence",
    "Explanation",
    "FilterPicture",
    "Group",
    "Hits",
    "HitsRow",
    "ImageEvidence",
    "ImagePixels",
    "LabelCheck",
    "LabelScores",
    "LitPicture",
    "Misclassification",
    "MisclassificationAnalysis",
    "Overlay",
    "PairEvidence",
    "Support",
    "Supporters",
    "WeightedFilter",
    "WhyNot",
    "ablate",
    "add_ablation",
    "add_label_check",
    "add_visualizations",
    "bootstrap_intervals",
    "check_labels",
    "class_confusions",
    "class_hits_csv",
    "confusions",
    "confusions_csv",
    "evaluate",
    "evaluation_record",
    "explain_image",
    "explain_pixels",
    "explanation_json",
    "explanation_turtle",
    "find_layer",
    "find_misclassifications",
    "hits_at_n",
    "hits_csv",
    "hits_rows",
    "label_check_csv",
    "label_scores",
    "limits",
    "lit_pictures",
    "misclassification_record_json",
    "misclassifications_csv",
    "overlay_format",
    "overlay_picture",
    "overlays",
    "rank_correlation",
    "read_confusions",
    "read_evaluation",
    "read_hits",
    "read_misclassifications",
    "read_pixels",
    "tagged_classes",
    "verdict",
    "visualize",
    "write_evaluation_record",
]
