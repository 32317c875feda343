"""Several runs in one KG: add those of another, remove one by name. The directory is written anew, then swapped."""

from __future__ import annotations

import csv
import hashlib
import heapq
import re
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from filtag_kg.concepts import too_few_classes
from filtag_kg.csv_table import csv_writer
from filtag_kg.errors import FiltagError
from filtag_kg.files import only_writer, replacing_directory, scratch_directory, sha256_of
from filtag_kg.graph import PREFIXES, DataIris, DatasetDescription, emit_dataset, kg_files, quads, t
from filtag_kg.kg.kg import KG, open_kg
from filtag_kg.kg.manifest import kg_file_names, write_manifest
from filtag_kg.kg.store import graph_lines, write_graph
from filtag_kg.kg.tables import TAGS
from filtag_kg.output_paths import check_directory_output

__all__ = ["KgRun", "add_runs", "build_into", "remove_run", "runs_of"]

_BLOCK = 10_000
_TYPE_LINE = re.compile(rf"<[^>]*> {re.escape(t('rdf:type'))} <({re.escape(PREFIXES['flt'])}\w+)> ")
_PREDICATE = re.compile(r"<[^>]*> (<[^>]*>) ")
_COUNTED = ("ClassLabel", "CommonConcept", "CommonFeature", "ConceptInLayer", "ConceptLink", "Filter", "TagAssignment")


@dataclass(frozen=True, slots=True)
class KgRun:
    """A run that a KG holds.

    Parameters
    ----------
    run_id, rule, network : str
    folder : str
        Where in the KG's directory the files of its build lie; empty for those of the first.
    score : str or None
        What the rule ranked filters by; None where another method made the tags and does not say.
    classes_needed : mapping of relation to int
        How many classes the run needs at least, where it has too few for any filter to be coherent by the relation.
    """

    run_id: str
    rule: str
    network: str
    folder: str
    score: str | None
    classes_needed: Mapping[str, int] = field(default_factory=dict, hash=False)

    def too_few(self, relation: str = "IsA") -> str:
        """Return what to say instead of how many filters are coherent; nothing where there are enough classes."""
        needed = self.classes_needed.get(relation)
        return "" if needed is None else too_few_classes(needed)


def runs_of(kg: KG) -> list[KgRun]:
    """Return the runs of a KG, the first first."""
    return [
        KgRun(
            run["id"],
            run["rule"],
            run.get("network", kg.manifest["network"]),
            run.get("folder", ""),
            run.get("score"),
            run.get("classes_needed", {}),
        )
        for run in kg.manifest["runs"]
    ]


def add_runs(kg: KG, added: KG) -> KG:
    """Put the runs of another KG into a KG, under ``added/`` their files.

    Parameters
    ----------
    kg : KG
    added : KG
        It stays as it is. Its rules are counted on from those of the KG (``build_kg(first_rule=…)``).

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
                f"{kg.path} has the {name} {here}, what is to be added {there}: build with the same --{name}"
            )
    known = {run.run_id for run in runs_of(kg)}
    for run in runs_of(added):
        if run.run_id in known:
            raise FiltagError(f"{kg.path} holds the run {run.run_id} ({run.rule}) already: nothing was added")
    _same_layers(kg, added)
    folder = f"added/{added.manifest['id']}"
    runs = [*kg.manifest["runs"]]
    runs += [{**run, "network": added.manifest["network"], "folder": folder} for run in added.manifest["runs"]]
    builds = [*kg.manifest.get("added", ()), {**_facts(added), "folder": folder}]
    lines = _Lines([kg.graph_path, added.graph_path], _not_in(_described(kg) | _described(added)))
    with replacing_directory(kg.path, open_kg) as room:
        _copy(kg.path, room)
        _copy(added.path, room / folder)
        _write(room, kg, lines, runs, builds, title=_title(kg, added))
    return open_kg(kg.path)


def build_into(path: Path, build: Callable[[KG, Path], KG]) -> KG:
    """Build a KG and add its runs to one that is there, alone among those that may want to change it.

    Parameters
    ----------
    path : Path
        The KG to add to.
    build : callable
        From that KG and the directory to make to what is to be added.

    Raises
    ------
    FiltagError
        If there is no KG, another process is changing it, or the two do not fit.
    """
    check_directory_output(open_kg(path).path)
    with scratch_directory(path) as room:
        kg = open_kg(path)
        return add_runs(kg, build(kg, room / "added"))


def remove_run(kg: KG, name: str) -> KG:
    """Remove a run with all that it found. A network that no run is left of goes with it; classes and concepts stay.

    Parameters
    ----------
    kg : KG
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
    found = [run for run in runs if name in (run.run_id, run.rule)]
    if len(found) != 1:
        ids = ", ".join(f"{run.run_id} ({run.rule}, {run.network})" for run in runs)
        raise FiltagError(f"{len(found) or 'no'} runs of {kg.path} are called {name!r}: name one of {ids}")
    (gone,) = found
    if len(runs) == 1:
        raise FiltagError(f"{name} is the only run of {kg.path}: delete the directory instead")
    if not gone.folder and all(run.folder for run in runs if run != gone):
        raise FiltagError(f"{name} is the last run of the build that {kg.path} began with: build anew without it")
    iris = DataIris(kg.manifest["parameters"]["base"])
    graphs = _described(kg) | {iris.run(gone.run_id)}
    left = [run for run in kg.manifest["runs"] if run["id"] != gone.run_id]
    if all(run.network != gone.network for run in runs if run != gone):
        graphs.add(iris.network(gone.network))
    folders = {run.get("folder", "") for run in left}
    builds = [build for build in kg.manifest.get("added", ()) if build["folder"] in folders]
    lines = _Lines([kg.graph_path], _not_in(graphs))
    with replacing_directory(kg.path, open_kg) as room:
        _copy(kg.path, room, without={gone.folder} - folders)
        if gone.folder in folders:
            for table in ("tags.csv", "common.csv", "concepts.csv"):
                _without_rule(room / gone.folder / table, gone.rule)
        _write(room, kg, lines, left, builds, title=_title(kg))
    return open_kg(kg.path)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The sorted lines of several graph files, each once, but for those of some graphs."""

    paths: list[Path]
    wanted: Callable[[str], bool]

    def __iter__(self) -> Iterator[str]:
        before = ""
        for line in heapq.merge(*map(graph_lines, self.paths)):
            if line != before and self.wanted(line):
                yield line
            before = line


@dataclass(frozen=True, slots=True)
class _Found:
    in_graph: Counter[str] = field(default_factory=Counter)
    of_class: Counter[str] = field(default_factory=Counter)
    predicates: Counter[str] = field(default_factory=Counter)


def _write(
    room: Path, kg: KG, lines: Iterable[str], runs: list[dict[str, Any]], builds: list[dict[str, Any]], *, title: str
) -> None:
    """Write graph, store and manifest of a KG that has other runs than before."""
    found = _count(lines)
    iris = DataIris(kg.manifest["parameters"]["base"])
    kg_id = hashlib.sha256(" ".join(run["id"] for run in runs).encode()).hexdigest()[:16]
    licences = _licences(kg, builds)
    about = DatasetDescription(
        kg_id=kg_id,
        title=title,
        runs=[run["id"] for run in runs],
        licences={graph: licence for graph, licence in licences.items() if found.in_graph[graph]},
        triples_in=dict(sorted(found.in_graph.items())),
        classes={f"flt:{name}": found.of_class[name] for name in _COUNTED},
        links={
            f"skos:{name}": found.predicates[t(f"skos:{name}")]
            for name in ("broadMatch", "closeMatch", "exactMatch", "narrowMatch", "relatedMatch")
            if found.predicates[t(f"skos:{name}")]
        },
        concept_graphs=[graph for graph in licences if found.in_graph[graph]],
        conceptnet_terms=found.predicates[t("flt:conceptNetTerm")],
        conceptnet=kg.manifest["parameters"]["conceptnet"],
        example=iris.filter(str(runs[0].get("network", kg.manifest["network"])), _a_layer(room), 0),
        files=list(kg_files({path.name: sha256_of(path) for path in room.iterdir() if path.suffix in (".csv", ".tsv")},
                            with_profile=(room / "profile.npz").exists())),
    )  # fmt: skip
    described = sorted(quads(emit_dataset(about, iris), iris.dataset(kg_id)))
    merged = heapq.merge(lines, (f"{line}\n" for line in described))
    write_graph(_blocks(merged), room / "graph.nq.gz", room / "store")
    manifest = dict(kg.manifest) | {
        "id": kg_id,
        "runs": runs,
        "added": builds,
        "licences": licences,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": {
            **kg.manifest["counts"],
            "layers": found.predicates[t("nno:hasLayer")],
            "filters": found.of_class["Filter"],
            "classes": found.of_class["ClassLabel"],
            "linked_classes": found.of_class["ConceptLink"],
            "tags": found.of_class["TagAssignment"],
            "concepts_in_layers": found.of_class["ConceptInLayer"],
            "common_concepts": found.of_class["CommonConcept"] + found.of_class["CommonFeature"],
            "quads": sum(found.in_graph.values()) + len(described),
        },
    }
    write_manifest(room, manifest, known={})


def _count(lines: Iterable[str]) -> _Found:
    found = _Found()
    for line in lines:
        found.in_graph[_graph_of(line)] += 1
        typed = _TYPE_LINE.match(line)
        if typed is not None:
            found.of_class[typed[1].removeprefix(PREFIXES["flt"])] += 1
        else:
            predicate = _PREDICATE.match(line)
            assert predicate is not None
            found.predicates[predicate[1]] += 1
    return found


def _same_layers(kg: KG, added: KG) -> None:
    text = "SELECT ?name ?place WHERE { <%s> nno:hasLayer ?l . ?l rdfs:label ?name ; nno:hasLayerSequence ?place }"
    iri = DataIris(kg.manifest["parameters"]["base"]).network(added.manifest["network"])
    here, there = (_solutions(one, text % iri) for one in (kg, added))
    if here and here != there:
        raise FiltagError(
            f"{kg.path} has other layers of {added.manifest['network']} than what is to be added: make a KG of its own"
        )


def _solutions(kg: KG, text: str) -> set[tuple[str, ...]]:
    answer = kg.store_process().query(text)
    assert isinstance(answer, ox.QuerySolutions)
    return {tuple(map(str, row)) for row in answer}


def _facts(kg: KG) -> dict[str, Any]:
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


def _a_layer(room: Path) -> str:
    """Return the last layer that the tags speak of."""
    rows = deque(TAGS.read(room / TAGS.file_name), maxlen=1)
    return rows[0].layer if rows else ""


def _copy(kg: Path, room: Path, without: Iterable[str] = ()) -> None:
    """Copy what a build left, but for what is written anew."""
    left_out = ("graph.nq.gz", "store/", *(f"{folder}/" for folder in without))
    for name in kg_file_names(kg):
        if not name.startswith(left_out):
            (room / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(kg / name, room / name)


def _without_rule(path: Path, rule: str) -> None:
    """Leave the rows of a rule out of a table."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
        column = rows[0].index("rule")
        kept = [row for row in rows if row[column] != rule]
    except (OSError, ValueError, IndexError, csv.Error):
        raise FiltagError(f"{path} is missing or damaged: build the KG anew") from None
    with path.open("w", encoding="utf-8", newline="") as file:
        csv_writer(file).writerows(kept)


def _described(kg: KG) -> set[str]:
    return {DataIris(kg.manifest["parameters"]["base"]).dataset(kg.manifest["id"])}


def _not_in(graphs: set[str]) -> Callable[[str], bool]:
    return lambda line: _graph_of(line) not in graphs


def _graph_of(line: str) -> str:
    return line[line.rindex(" <") + 2 : line.rindex(">")]


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    iterator = iter(lines)
    while some := list(islice(iterator, _BLOCK)):
        yield "".join(some)
