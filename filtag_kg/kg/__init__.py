"""A KG's directory: its manifest, tables, store and pictures; how it is built and changed."""

from filtag_kg.kg.ablations import (
    ABLATED_CLASSES,
    MEASURES,
    REPLACEMENTS,
    SCOPES,
    AblatedClass,
    Ablation,
    Change,
    Measure,
    Replacement,
    Scope,
    read_ablations,
)
from filtag_kg.kg.build import build_kg
from filtag_kg.kg.build_plan import BuildParameters, kg_id_of
from filtag_kg.kg.described_pictures import describe_visualizations
from filtag_kg.kg.exemplars import EXEMPLARS, ExemplarRow
from filtag_kg.kg.experiments import Experiment, ExperimentKind, RecordedExperiment, add_experiments, experiments_of
from filtag_kg.kg.kg import KG, check_output, open_kg, reserved_output
from filtag_kg.kg.label_checks import LABEL_CHECKS, CheckedLabel, LabelStatus, RunCheck, read_label_checks
from filtag_kg.kg.manifest import file_differences
from filtag_kg.kg.mixed import MIXED, MixedTest, read_mixed
from filtag_kg.kg.own_data import attribution_of, licences_of_own_data
from filtag_kg.kg.provenance import Provenance
from filtag_kg.kg.runs import KgRun, add_runs, build_into, profile_graph_of, remove_run, runs_of
from filtag_kg.kg.store import graph_lines, graph_of_line, graph_quads, graph_triples
from filtag_kg.kg.store_process import StoreProcess
from filtag_kg.kg.tables import COMMON, CONCEPTS, SCORES, TABLES, TAGS, Table, read_common_concepts, read_tags
from filtag_kg.kg.validate import Finding, Validation, validate_kg
from filtag_kg.kg.visualizations import (
    VISUALIZATION_METHODS,
    Visualization,
    read_visualizations,
    write_visualizations,
)
from filtag_kg.kg.where import MAP_SIDE, WHERE, WHOLE_PICTURE, Region, WhereRow, WhereTable, read_where

__all__ = [
    "ABLATED_CLASSES",
    "COMMON",
    "CONCEPTS",
    "EXEMPLARS",
    "KG",
    "LABEL_CHECKS",
    "MAP_SIDE",
    "MEASURES",
    "MIXED",
    "REPLACEMENTS",
    "SCOPES",
    "SCORES",
    "TABLES",
    "TAGS",
    "VISUALIZATION_METHODS",
    "WHERE",
    "WHOLE_PICTURE",
    "AblatedClass",
    "Ablation",
    "BuildParameters",
    "Change",
    "CheckedLabel",
    "ExemplarRow",
    "Experiment",
    "ExperimentKind",
    "Finding",
    "KgRun",
    "LabelStatus",
    "Measure",
    "MixedTest",
    "Provenance",
    "RecordedExperiment",
    "Region",
    "Replacement",
    "RunCheck",
    "Scope",
    "StoreProcess",
    "Table",
    "Validation",
    "Visualization",
    "WhereRow",
    "WhereTable",
    "add_experiments",
    "add_runs",
    "attribution_of",
    "build_into",
    "build_kg",
    "check_output",
    "describe_visualizations",
    "experiments_of",
    "file_differences",
    "graph_lines",
    "graph_of_line",
    "graph_quads",
    "graph_triples",
    "kg_id_of",
    "licences_of_own_data",
    "open_kg",
    "profile_graph_of",
    "read_ablations",
    "read_common_concepts",
    "read_label_checks",
    "read_mixed",
    "read_tags",
    "read_visualizations",
    "read_where",
    "remove_run",
    "reserved_output",
    "runs_of",
    "validate_kg",
    "write_visualizations",
]
