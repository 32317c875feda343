"""A check of labels as part of the KG: a table and a named graph for each run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.explain.checked_labels import CONFIRMED_Q
from filtag_kg.explain.label_checks import LabelCheck
from filtag_kg.graph import CheckDescription, DataIris, LabelVerdict, emit_label_check
from filtag_kg.kg import KG, LABEL_CHECKS, CheckedLabel, Experiment, KgRun, add_experiments, runs_of


def add_label_check(kg: KG, check: LabelCheck) -> KG:
    """Add a check to a KG: a table and a named graph for each run, in the place of an earlier check of the run.

    Raises
    ------
    FiltagError
        If the KG lost one of the runs, or another process is changing it.
    """
    runs = {run.run_id: run for run in runs_of(kg)}
    iris = DataIris(kg.manifest["parameters"]["base"])
    gone = next((run_id for run_id in check.runs if run_id not in runs), None)
    if gone is not None:
        raise FiltagError(f"{kg.path} has no run {gone} any more: nothing was added")
    return add_experiments(
        kg, [_experiment(runs[run_id], labels, check, iris) for run_id, labels in check.runs.items()]
    )


def label_check_csv(labels: Iterable[CheckedLabel]) -> str:
    """Return checked labels as the text of a CSV file."""
    return LABEL_CHECKS.text(labels)


def _experiment(run: KgRun, labels: Sequence[CheckedLabel], check: LabelCheck, iris: DataIris) -> Experiment:
    # One check of a run is enough: the last one counts.
    check_id = hashlib.sha256(f"check {run.run_id}".encode()).hexdigest()[:16]
    counts = Counter(row.status for row in labels)
    description = CheckDescription(
        check_id=check_id,
        run_id=run.run_id,
        network=check.network,
        images_sha256=check.images_sha256,
        images=check.images,
        classes=check.classes,
        labels=len(labels),
        testable=len(labels) - counts["not testable"],
        confirmed=counts["confirmed"],
        level=CONFIRMED_Q,
        draws=check.draws,
        seed=check.seed,
        software=tuple(f"{name} {version(name)}" for name in ("filtag-kg", "numpy", "scipy")),
    )
    about: dict[str, Any] = asdict(description) | {"source": check.source, "notes": list(check.notes)}
    about["software"] = list(description.software)
    verdicts = (_verdict(row, run, iris) for row in labels)
    triples = emit_label_check(description, verdicts, iris)
    return Experiment("check", check_id, run.run_id, label_check_csv(labels), triples, about)


def _verdict(row: CheckedLabel, run: KgRun, iris: DataIris) -> LabelVerdict:
    if row.kind == "tag":
        node = iris.assignment(run.run_id, row.layer, row.filter, row.label_id)
    elif (row.relation, row.source) == ("IsA", run.kinds_of):
        node = iris.common(run.run_id, row.layer, row.filter, row.rank or 0)
    else:
        node = iris.feature(run.run_id, row.layer, row.filter, row.relation, row.source, row.rank or 0)
    confirmed = None if row.status == "not testable" else row.status == "confirmed"
    return LabelVerdict(node, confirmed, row.q_value, row.correlation, row.auc, row.auprc)
