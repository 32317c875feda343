"""The runs of a KG: add those of another KG, remove one by name. The directory is written anew, then swapped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filtag_kg.concepts import CommonConcept, family_name, too_few_classes
from filtag_kg.errors import FiltagError
from filtag_kg.files import only_writer, replacing_directory, scratch_directory, writing
from filtag_kg.graph import DataIris
from filtag_kg.kg.build_plan import joined_linking
from filtag_kg.kg.experiments import table_of
from filtag_kg.kg.kg import KG, open_kg
from filtag_kg.kg.rewriting import LAYERS, copy_files, description_graph, merged_lines, write_contents
from filtag_kg.kg.tables import SCORES, TABLES
from filtag_kg.output_paths import check_directory_output

_CLASSES = "SELECT ?class { ?class a flt:ClassLabel }"
_LINKS = "SELECT ?class ?concept { ?link sssom:subject_id ?class ; sssom:object_id ?concept }"


@dataclass(frozen=True, slots=True)
class KgRun:
    """A run that a KG holds.

    Parameters
    ----------
    folder : str
        Where in the KG's directory the files of its build lie; empty for those of the first.
    score : str or None
        What the rule ranked filters by; None where another method made the tags and does not say.
    kinds_of : str
        The concept source whose kinds are the run's hierarchy.
    classes_needed : mapping of family name to int
        How many classes the run needs at least, where it has too few for any filter to be coherent by the family.
    method, score_meaning : str, optional
        The other method that made the tags, and what its scores measure.
    """

    run_id: str
    rule: str
    network: str
    folder: str
    score: str | None
    kinds_of: str
    classes_needed: Mapping[str, int] = field(default_factory=dict, hash=False)
    method: str | None = None
    score_meaning: str | None = None

    def is_kind(self, row: CommonConcept) -> bool:
        """Return whether a common concept is a kind in the run's hierarchy; any other is a feature."""
        return row.is_kind(self.kinds_of)

    def too_few(self, relation: str = "IsA", source: str | None = None) -> str:
        """Return what to say instead of the number of coherent filters; empty where there are enough classes.

        Parameters
        ----------
        source : str, optional
            The concept source that states the relation; left out, that of the hierarchy.
        """
        needed = self.classes_needed.get(family_name(relation, source or self.kinds_of, self.kinds_of))
        return "" if needed is None else too_few_classes(needed)


def runs_of(kg: KG) -> list[KgRun]:
    """Return the runs of a KG, in the order in which they were added."""
    return [
        KgRun(
            run["id"],
            run["rule"],
            run.get("network", kg.manifest["network"]),
            run.get("folder", ""),
            run.get("score"),
            run["kinds_of"],
            run.get("classes_needed", {}),
            run.get("method"),
            run.get("score_meaning"),
        )
        for run in kg.manifest["runs"]
    ]


def add_runs(kg: KG, added: KG) -> KG:
    """Add the runs of another KG to a KG, their files under ``added/``.

    Parameters
    ----------
    added : KG
        It stays as it is. The numbers of its rules follow those of the KG (``build_kg(first_rule=…)``).

    Raises
    ------
    FiltagError
        If the KG has such a run already, the two do not share the base of their IRIs, or one network has other layers
        there than here.
    """
    with only_writer(kg.path):
        return _add_runs(open_kg(kg.path), added)


def _add_runs(kg: KG, added: KG) -> KG:
    for name in ("base", "conceptnet"):
        here, there = kg.manifest["parameters"][name], added.manifest["parameters"][name]
        if here != there:
            raise FiltagError(
                f"{kg.path} has the {name} {here}, what is to be added {there}: build with the same {name}",
                options=(name,),
            )
    known = {of_run: run for run in runs_of(kg) for of_run in (run.run_id, _made_of(kg, run))}
    same_links = _rows(added, _LINKS) <= _rows(kg, _LINKS)
    for run in runs_of(added):
        there = known.get(run.run_id) or (known.get(_made_of(added, run)) if same_links else None)
        if there is not None:
            raise FiltagError(f"{kg.path} holds the run {there.run_id} ({there.rule}) already: nothing was added")
    _check_layers(kg, added)
    folder = f"added/{added.manifest['id']}"
    runs = [*kg.manifest["runs"]]
    runs += [{**run, "network": added.manifest["network"], "folder": folder} for run in added.manifest["runs"]]
    builds = [*kg.manifest.get("added", ()), {**_build_record(added), "folder": folder}]
    experiments = [*kg.manifest.get("experiments", ())]
    experiments += [{**record, "folder": folder} for record in added.manifest.get("experiments", ())]
    linking_id = kg.manifest["linking"]
    if not _rows(added, _CLASSES) <= _rows(kg, _CLASSES):
        linking_id = joined_linking(linking_id, added.manifest["linking"])
    described = [description_graph(kg), description_graph(added)]
    lines = merged_lines(kg, added=added, linking_id=linking_id, without=described)
    with replacing_directory(kg.path, open_kg) as unfinished:
        copy_files(kg.path, unfinished)
        copy_files(added.path, unfinished / folder)
        write_contents(unfinished, kg, lines, runs, builds, experiments, linking_id=linking_id)
    return open_kg(kg.path)


def build_into(path: Path, build: Callable[[KG, Path], KG]) -> KG:
    """Build a KG and add its runs to an existing one, which no other process may change meanwhile.

    Parameters
    ----------
    path : Path
        The KG to add to.
    build : callable
        Takes that KG and a directory to build in; returns the KG to add.

    Raises
    ------
    FiltagError
        If there is no KG, another process is changing it, or the two do not fit.
    """
    check_directory_output(open_kg(path).path)
    with scratch_directory(path) as scratch:
        kg = open_kg(path)
        return add_runs(kg, build(kg, scratch / "added"))


def remove_run(kg: KG, name: str) -> KG:
    """Remove a run with its results and the experiments about it, and its network if no other run is about that.

    Classes and concepts stay.

    Parameters
    ----------
    name : str
        The run's id, or its rule where no other run has that.

    Raises
    ------
    FiltagError
        If no run, or more than one, is called so, or it is the only one.
    """
    with only_writer(kg.path):
        return _remove_run(open_kg(kg.path), name)


def _remove_run(kg: KG, name: str) -> KG:
    runs = runs_of(kg)
    matches = [run for run in runs if name in (run.run_id, run.rule)]
    if len(matches) != 1:
        ids = ", ".join(f"{run.run_id} ({run.rule}, {run.network})" for run in runs)
        raise FiltagError(f"{len(matches) or 'no'} runs of {kg.path} are called {name!r}: name one of {ids}")
    (removed,) = matches
    if len(runs) == 1:
        raise FiltagError(f"{name} is the only run of {kg.path}: delete the directory instead")
    others = [run for run in runs if run != removed]
    if not removed.folder and all(run.folder for run in others):
        raise FiltagError(f"{name} is the last run of the build that {kg.path} began with: build anew without it")
    iris = DataIris(kg.manifest["parameters"]["base"])
    experiments = [*kg.manifest.get("experiments", ())]
    about_it = [record for record in experiments if record["run"] == removed.run_id]
    graphs = {description_graph(kg), *map(iris.run, (removed.run_id, *(record["id"] for record in about_it)))}
    if all(run.network != removed.network for run in others):
        graphs |= {iris.network(removed.network), iris.visualizations_graph(removed.network)}
    folders = {run.folder for run in others}
    profiles = {run.run_id: profile_graph_of(kg, run, iris) for run in (removed, *others)}
    if profiles[removed.run_id] not in {profiles[run.run_id] for run in others}:
        graphs |= {profiles[removed.run_id]} - {""}
    builds = [build for build in kg.manifest.get("added", ()) if build["folder"] in folders]
    with replacing_directory(kg.path, open_kg) as unfinished:
        gone = [f"{folder}/" for folder in {removed.folder} - folders]
        copy_files(kg.path, unfinished, without=[*gone, *map(table_of, about_it)])
        if removed.folder in folders:
            _remove_rule(unfinished / removed.folder, removed.rule)
        write_contents(
            unfinished,
            kg,
            merged_lines(kg, without=graphs),
            [run for run in kg.manifest["runs"] if run["id"] != removed.run_id],
            builds,
            [record for record in experiments if record not in about_it],
        )
    return open_kg(kg.path)


def _check_layers(kg: KG, added: KG) -> None:
    network = DataIris(kg.manifest["parameters"]["base"]).network(added.manifest["network"])
    layers, added_layers = (set(one.store_process().rows(LAYERS % network)) for one in (kg, added))
    if layers and layers != added_layers:
        raise FiltagError(
            f"{kg.path} has other layers of {added.manifest['network']} than what is to be added: make a KG of its own"
        )


def _rows(kg: KG, query: str) -> set[tuple[str, ...]]:
    return set(kg.store_process().rows(query))


def _made_of(kg: KG, run: KgRun) -> str:
    """Return what a run was made of but for the links of its classes: equal for runs with the same results.

    The id of a run says whether its links were chosen or given, too, so it differs where they are the same.
    """
    build = _builds(kg)[run.folder]
    digests = {name: value for name, value in build["inputs"].items() if name.endswith("Sha256")}
    parameters = {name: value for name, value in build["parameters"].items() if name != "curated_links"}
    return json.dumps([run.network, run.rule, digests or run.run_id, parameters], sort_keys=True)


def _builds(kg: KG) -> dict[str, Any]:
    """Return what the manifest says of each build, by its folder."""
    return {"": kg.manifest, **{build["folder"]: build for build in kg.manifest.get("added", ())}}


def _build_record(kg: KG) -> dict[str, Any]:
    names = ("id", "network", "inputs", "parameters", "counts", "licences", "attribution", "built", "mixed")
    return {name: kg.manifest[name] for name in names if name in kg.manifest}


def profile_graph_of(kg: KG, run: KgRun, iris: DataIris) -> str:
    """Return the name of the graph of what a run's profile says of filters; empty if the run has no profile."""
    digest = _builds(kg)[run.folder]["inputs"].get("profileSha256")
    return "" if digest is None else iris.profile_graph(run.network, digest)


def _remove_rule(folder: Path, rule: str) -> None:
    """Remove the rows of a rule from the tables of a build."""
    tables = [*TABLES.values(), *([SCORES] if (folder / SCORES.file_name).exists() else [])]
    for table in tables:
        rows = [row for row in table.read(folder / table.file_name) if row.rule != rule]
        # Another file in its place: this one may be that of the KG that is being replaced, too.
        with writing(folder / table.file_name) as file:
            file.write(table.text(rows).encode())
