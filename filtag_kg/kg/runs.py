"""The runs of a KG: add those of another KG, remove one by name. The directory is written anew, then swapped."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from filtag_kg.concepts import CommonConcept, family_name, too_few_classes
from filtag_kg.errors import FiltagError
from filtag_kg.files import only_writer, replacing_directory, scratch_directory, sha256_of
from filtag_kg.graph import PREFIXES, DataIris, DatasetDescription, count_store, emit_dataset, kg_files, quads
from filtag_kg.kg.build import kg_id_of
from filtag_kg.kg.kg import KG, open_kg
from filtag_kg.kg.manifest import kg_file_names, write_manifest
from filtag_kg.kg.store import finish_store, graph_lines, load_lines, pack_lines
from filtag_kg.kg.store_process import plain_rows
from filtag_kg.kg.tables import TABLES
from filtag_kg.output_paths import check_directory_output

_LAYERS = "SELECT ?name ?index WHERE { <%s> nno:hasLayer ?l . ?l rdfs:label ?name ; nno:hasLayerSequence ?index }"


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
    """

    run_id: str
    rule: str
    network: str
    folder: str
    score: str | None
    kinds_of: str
    classes_needed: Mapping[str, int] = field(default_factory=dict, hash=False)

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
    known = {run.run_id for run in runs_of(kg)}
    for run in runs_of(added):
        if run.run_id in known:
            raise FiltagError(f"{kg.path} holds the run {run.run_id} ({run.rule}) already: nothing was added")
    _check_layers(kg, added)
    folder = f"added/{added.manifest['id']}"
    runs = [*kg.manifest["runs"]]
    runs += [{**run, "network": added.manifest["network"], "folder": folder} for run in added.manifest["runs"]]
    builds = [*kg.manifest.get("added", ()), {**_build_record(added), "folder": folder}]
    lines = _merged_lines(
        [kg.graph_path, added.graph_path], without=[_description_graph(kg), _description_graph(added)]
    )
    with replacing_directory(kg.path, open_kg) as unfinished:
        _copy(kg.path, unfinished)
        _copy(added.path, unfinished / folder)
        _write(unfinished, kg, lines, runs, builds, title=_title(kg, added))
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
    """Remove a run with its results, and its network if no other run is about it; classes and concepts stay.

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
    graphs = {_description_graph(kg), iris.run(removed.run_id)}
    if all(run.network != removed.network for run in others):
        graphs.add(iris.network(removed.network))
    folders = {run.folder for run in others}
    builds = [build for build in kg.manifest.get("added", ()) if build["folder"] in folders]
    with replacing_directory(kg.path, open_kg) as unfinished:
        _copy(kg.path, unfinished, without={removed.folder} - folders)
        if removed.folder in folders:
            _remove_rule(unfinished / removed.folder, removed.rule)
        _write(
            unfinished,
            kg,
            _merged_lines([kg.graph_path], without=graphs),
            [run for run in kg.manifest["runs"] if run["id"] != removed.run_id],
            builds,
            title=_title(kg),
        )
    return open_kg(kg.path)


def _merged_lines(paths: Iterable[Path], *, without: Iterable[str]) -> Callable[[], Iterator[str]]:
    """Return what yields the lines of graph files, sorted and each once, but for those of some graphs."""
    endings = tuple(f" <{graph}> .\n" for graph in without)

    def lines() -> Iterator[str]:
        before = ""
        for line in heapq.merge(*map(graph_lines, paths)):
            if line != before and not line.endswith(endings):
                yield line
            before = line

    return lines


def _write(
    folder: Path,
    kg: KG,
    lines: Callable[[], Iterator[str]],
    runs: list[dict[str, Any]],
    builds: list[dict[str, Any]],
    *,
    title: str,
) -> None:
    """Write graph, store and manifest of a KG that has other runs than before."""
    iris = DataIris(kg.manifest["parameters"]["base"])
    kg_id = kg_id_of(run["id"] for run in runs)
    licences = _licences(kg, builds)
    store = ox.Store(str(folder / "store"))
    load_lines(store, lines())
    counts = count_store(partial(_rows, store))
    network = runs[0].get("network", kg.manifest["network"])
    (last_layer, _), *_ = sorted(_rows(store, _LAYERS % iris.network(network)), key=lambda row: -int(row[1]))
    digests = {path.name: sha256_of(path) for path in folder.iterdir() if path.suffix in (".csv", ".tsv")}
    about = DatasetDescription(
        kg_id=kg_id,
        title=title,
        runs=[run["id"] for run in runs],
        licences={graph: licence for graph, licence in licences.items() if graph in counts.statements},
        counts=counts,
        conceptnet=kg.manifest["parameters"]["conceptnet"],
        example=iris.filter(network, last_layer, 0),
        files=list(kg_files(digests, with_profile=(folder / "profile.npz").exists())),
    )
    description = sorted(f"{line}\n" for line in quads(emit_dataset(about, iris), iris.dataset(kg_id)))
    load_lines(store, description)
    finish_store(store)
    del store  # which closes it, before its files are hashed
    pack_lines(heapq.merge(lines(), description), folder / "graph.nq.gz")
    manifest = {
        **kg.manifest,
        "id": kg_id,
        "runs": runs,
        "added": builds,
        "licences": licences,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": {
            **kg.manifest["counts"],
            **counts.in_manifest(),
            "quads": sum(counts.statements.values()) + len(description),
        },
    }
    write_manifest(folder, manifest, known={})


def _rows(store: ox.Store, text: str) -> list[tuple[str, ...]]:
    return plain_rows(store.query(text, prefixes=PREFIXES, use_default_graph_as_union=True))


def _check_layers(kg: KG, added: KG) -> None:
    network = DataIris(kg.manifest["parameters"]["base"]).network(added.manifest["network"])
    layers, added_layers = (set(one.store_process().rows(_LAYERS % network)) for one in (kg, added))
    if layers and layers != added_layers:
        raise FiltagError(
            f"{kg.path} has other layers of {added.manifest['network']} than what is to be added: make a KG of its own"
        )


def _build_record(kg: KG) -> dict[str, Any]:
    return {
        name: kg.manifest[name] for name in ("id", "network", "inputs", "parameters", "counts", "licences", "built")
    }


def _licences(kg: KG, builds: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    licences = dict(kg.manifest["licences"])
    for build in builds:
        licences.update(build["licences"])
    return dict(sorted(licences.items()))


def _title(*kgs: KG) -> str:
    networks = dict.fromkeys(run.network for kg in kgs for run in runs_of(kg))
    return f"Filters of {' and '.join(networks)}, their tags and concepts"


def _copy(kg: Path, folder: Path, without: Iterable[str] = ()) -> None:
    """Copy the files of a KG except those that are written anew."""
    left_out = ("graph.nq.gz", "store/", *(f"{build}/" for build in without))
    for name in kg_file_names(kg):
        if not name.startswith(left_out):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(kg / name, folder / name)


def _remove_rule(folder: Path, rule: str) -> None:
    """Remove the rows of a rule from the tables of a build."""
    for table in TABLES.values():
        rows = [row for row in table.read(folder / table.file_name) if row.rule != rule]
        (folder / table.file_name).write_text(table.text(rows), encoding="utf-8")


def _description_graph(kg: KG) -> str:
    return DataIris(kg.manifest["parameters"]["base"]).dataset(kg.manifest["id"])
