"""Experiments about the runs of a KG, made after it was built: whether labels are true, what ablating filters does.

Each is about one run. Its table lies beside the KG's others, as ``checks/0123456789abcdef.csv``; its statements are a
named graph, whose name is the experiment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filtag_kg.errors import FiltagError
from filtag_kg.files import only_writer, replacing_directory
from filtag_kg.graph import DataIris, Triple, quads
from filtag_kg.kg.kg import KG, open_kg
from filtag_kg.kg.rewriting import copy_files, description_graph, merged_lines, write_contents

ExperimentKind = Literal["check", "ablation"]


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """What an experiment found.

    Parameters
    ----------
    experiment_id : str
        16 hexadecimal digits; the same inputs give the same id.
    run_id : str
        The tagging run that it is about.
    table : str
        The text of its CSV.
    triples : iterable of Triple
        They go into the graph ``DataIris.run(experiment_id)``, which is also the IRI of the experiment.
    about : mapping of str to JSON values
        What it was made from, for the manifest: images with their hash, parameters, versions.
    """

    kind: ExperimentKind
    experiment_id: str
    run_id: str
    table: str
    triples: Iterable[Triple]
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordedExperiment:
    """An experiment that a KG holds.

    Parameters
    ----------
    path : Path
        Of its table.
    about : mapping of str to JSON values
        What it was made from.
    """

    kind: ExperimentKind
    experiment_id: str
    run_id: str
    path: Path
    about: Mapping[str, Any]


def experiments_of(kg: KG, kind: ExperimentKind) -> list[RecordedExperiment]:
    """Return the experiments of a kind that a KG holds, in the order in which they were added."""
    return [
        RecordedExperiment(
            record["kind"],
            record["id"],
            record["run"],
            kg.path / table_of(record),
            record["about"],
        )
        for record in kg.manifest.get("experiments", ())
        if record["kind"] == kind
    ]


def add_experiments(kg: KG, experiments: Sequence[Experiment]) -> KG:
    """Add experiments to a KG, in the place of those of the same ids.

    The directory is written anew, then swapped, so all of them are there or none is.

    Raises
    ------
    FiltagError
        If the KG lost a run that one is about, or another process is changing it.
    """
    with only_writer(kg.path):
        kg = open_kg(kg.path)
        known = {run["id"] for run in kg.manifest["runs"]}
        for experiment in experiments:
            if experiment.run_id not in known:
                raise FiltagError(f"{kg.path} has no run {experiment.run_id} any more: nothing was added")
        return _add_experiments(kg, experiments)


def _add_experiments(kg: KG, experiments: Sequence[Experiment]) -> KG:
    iris = DataIris(kg.manifest["parameters"]["base"])
    ids = {experiment.experiment_id for experiment in experiments}
    kept = [record for record in kg.manifest.get("experiments", ()) if record["id"] not in ids]
    replaced = [record for record in kg.manifest.get("experiments", ()) if record["id"] in ids]
    records = [
        {"id": each.experiment_id, "kind": each.kind, "run": each.run_id, "about": dict(each.about)}
        for each in experiments
    ]
    statements: set[str] = set()
    for each in experiments:
        statements |= quads(each.triples, iris.run(each.experiment_id))
    lines = merged_lines(
        kg,
        without=[description_graph(kg), *map(iris.run, ids)],
        more=sorted(f"{line}\n" for line in statements),
    )
    with replacing_directory(kg.path, open_kg) as unfinished:
        copy_files(kg.path, unfinished, without=map(table_of, replaced))
        for each in experiments:
            path = unfinished / _table_name(each.kind, each.experiment_id)
            path.parent.mkdir(exist_ok=True)
            path.write_text(each.table, encoding="utf-8")
        write_contents(
            unfinished,
            kg,
            lines,
            list(kg.manifest["runs"]),
            list(kg.manifest.get("added", ())),
            [*kept, *records],
        )
    return open_kg(kg.path)


def table_of(record: Mapping[str, Any]) -> str:
    """Return the name of the table of an experiment that a manifest records, from the KG's directory."""
    folder = record.get("folder", "")
    name = _table_name(record["kind"], record["id"])
    return f"{folder}/{name}" if folder else name


def _table_name(kind: str, experiment_id: str) -> str:
    return f"{kind}s/{experiment_id}.csv"
