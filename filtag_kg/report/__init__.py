"""Reports: what people read of a KG. Pages need nothing but a browser, with no script and no request to anywhere."""

from filtag_kg.report.agreement import Agreement, CoherentDifference, LayerAgreement, compare_runs
from filtag_kg.report.agreement_page import agreement_page, disagreements, run_names
from filtag_kg.report.conformance import AUTHORS, Conformance, draw_sheet, rate_sheet, write_sheet
from filtag_kg.report.figures import Figure, confusion_figure, filters_figure, hits_figure, run_figures
from filtag_kg.report.gallery import FilterCard
from filtag_kg.report.grouping import GroupedRun, check_level
from filtag_kg.report.label_agreement import (
    Agreeing,
    ComparedFilter,
    LabelAgreement,
    biggest_disagreements,
    label_agreement,
)
from filtag_kg.report.misclassifications_page import (
    misclassifications_page,
    misclassified_thumbnails,
    write_misclassifications,
)
from filtag_kg.report.own_folder import OwnFolder
from filtag_kg.report.pages import Pages, PageSettings
from filtag_kg.report.plots import NARROW, PRINT_PAGE, Plot, hits_plot
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.semantic import SemanticReport, check_report_folder, semantic_report, write_report
from filtag_kg.report.site import Site, style_sheet
from filtag_kg.report.urls import FileUrls, PageUrls

__all__ = [
    "AUTHORS",
    "NARROW",
    "PRINT_PAGE",
    "Agreeing",
    "Agreement",
    "CoherentDifference",
    "ComparedFilter",
    "Conformance",
    "Figure",
    "FileUrls",
    "FilterCard",
    "GroupedRun",
    "LabelAgreement",
    "LayerAgreement",
    "OwnFolder",
    "PageSettings",
    "PageUrls",
    "Pages",
    "Plot",
    "Proportion",
    "SemanticReport",
    "Site",
    "agreement_page",
    "biggest_disagreements",
    "check_level",
    "check_report_folder",
    "compare_runs",
    "confusion_figure",
    "disagreements",
    "draw_sheet",
    "filters_figure",
    "hits_figure",
    "hits_plot",
    "label_agreement",
    "misclassifications_page",
    "misclassified_thumbnails",
    "rate_sheet",
    "run_figures",
    "run_names",
    "semantic_report",
    "style_sheet",
    "write_misclassifications",
    "write_report",
    "write_sheet",
]
