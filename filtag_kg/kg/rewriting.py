"""Write a KG anew that holds more or less than before: its graph, its store and its manifest."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.files import sha256_of
from filtag_kg.graph import (
    DEFAULT_GRAPH,
    PREFIXES,
    DataIris,
    DatasetDescription,
    count_store,
    emit_dataset,
    kg_files,
    quads,
)
from filtag_kg.kg.build_plan import kg_id_of
from filtag_kg.kg.kg import KG
from filtag_kg.kg.manifest import kg_file_names, write_manifest
from filtag_kg.kg.own_data import attribution_of, attributions_of, own_licences
from filtag_kg.kg.store import finish_store, graph_lines, graph_of_line, load_lines, pack_lines
from filtag_kg.kg.store_process import plain_rows

_LABEL = "SELECT ?label WHERE { <%s> rdfs:label ?label }"
_HASHES = ("profileSha256", "tagsSha256")
LAYERS = "SELECT ?name ?index WHERE { <%s> nno:hasLayer ?l . ?l rdfs:label ?name ; nno:hasLayerSequence ?index }"
"""The layers of a network, whose IRI is to be filled in: a row of name and index for each."""


def merged_lines(
    kg: KG, *, without: Iterable[str], added: KG | None = None, linking_id: str = "", more: Sequence[str] = ()
) -> Callable[[], Iterator[str]]:
    """Return what yields the lines of a KG's graph and of what is added to it, sorted and each once.

    Parameters
    ----------
    without : iterable of str
        IRIs of the graphs that are left out. Of runs, their results in the default graph are left out, too.
    added : KG, optional
        What it says of a class and its links counts only if the first does not have the class.
    linking_id : str
        Of the linking that those of both become, if something is added.
    more : sequence of str
        Lines to add, sorted, each with its newline.
    """
    iris = DataIris(kg.manifest["parameters"]["base"])
    left_out = frozenset(without)
    ours, linking = iris.linking(kg.manifest["linking"]), iris.linking(linking_id)
    of_classes = graph_lines(kg.graph_path) if added is not None else iter(())
    classes = {_class_of(line, iris) for line in of_classes if graph_of_line(line) == ours}

    def lines() -> Iterator[str]:
        before = ""
        for line in heapq.merge(_old_lines(), _new_lines(), more):
            if line != before:
                yield line
            before = line

    def _old_lines() -> Iterator[str]:
        for line in _other_lines(kg.graph_path, left_out, iris):
            yield line if added is None else line.replace(f"<{ours}", f"<{linking}")

    def _new_lines() -> Iterator[str]:
        if added is None:
            return
        theirs = iris.linking(added.manifest["linking"])
        for each in _other_lines(added.graph_path, left_out, iris):
            # No other IRIs stand between those of linkings, so the lines stay sorted.
            line = each.replace(f"<{theirs}", f"<{linking}")
            if graph_of_line(line) != linking or _class_of(line, iris) not in classes:
                yield line

    return lines


def _other_lines(path: Path, left_out: Container[str], iris: DataIris) -> Iterator[str]:
    return (line for line in graph_lines(path) if _home_of(line, iris) not in left_out)


def _home_of(line: str, iris: DataIris) -> str:
    """Return the graph that a line belongs to: that of its run, if it is a result in the default graph.

    Raises
    ------
    FiltagError
        If it is in the default graph but no result of a run.
    """
    if (graph := graph_of_line(line)) != DEFAULT_GRAPH:
        return graph
    subject = line[1 : line.index(">")]
    try:
        return iris.run_of(subject)
    except ValueError as error:
        raise FiltagError(f"the graph is damaged ({error}): build the KG anew") from None


def _class_of(line: str, iris: DataIris) -> str:
    """Return which class a line is about, or the link of which.

    Their IRIs are ``…/class/{id}`` and ``…/linking/{id of the linking}/{id}``.
    """
    kind, *parts = line[1 : line.index(">")].removeprefix(iris.base).split("/")
    return "".join(parts[:1] if kind == "class" else parts[1:2])


def write_contents(
    folder: Path,
    kg: KG,
    lines: Callable[[], Iterator[str]],
    runs: list[dict[str, Any]],
    builds: list[dict[str, Any]],
    experiments: list[dict[str, Any]],
    *,
    linking_id: str = "",
) -> None:
    """Write graph, store and manifest of a KG that holds more or less than before.

    Parameters
    ----------
    folder : Path
        Where all its other files are.
    lines : callable
        What yields the lines of the graph, but for its description of itself.
    runs, builds, experiments : list of JSON objects
        What the manifest says of them.
    linking_id : str
        Of its linking, if that is another than before.
    """
    iris = DataIris(kg.manifest["parameters"]["base"])
    kg_id = kg_id_of(run["id"] for run in runs)
    licences = _licences(kg, builds)
    store = ox.Store(str(folder / "store"))
    load_lines(store, lines())
    counts = count_store(partial(_rows, store))
    network, *others = dict.fromkeys(run.get("network", kg.manifest["network"]) for run in runs)
    labels = [label for each in (network, *others) for (label,) in _rows(store, _LABEL % iris.network(each))]
    (last_layer, _), *_ = sorted(_rows(store, LAYERS % iris.network(network)), key=lambda row: -int(row[1]))
    digests = {path.name: sha256_of(path) for path in folder.iterdir() if path.suffix in (".csv", ".tsv")}
    own, attribution = own_licences(kg.manifest, runs, builds, experiments, iris), attribution_of(kg.manifest, builds)
    own_files = attributions_of(kg.manifest, builds)[""].licence
    about = DatasetDescription(
        kg_id=kg_id,
        title=f"Filters of {' and '.join(dict.fromkeys(labels))}, their tags and concepts",
        runs=[run["id"] for run in runs],
        linking=linking_id or kg.manifest["linking"],
        # Where nothing is linked, no source has a graph, and all that were searched are named.
        licences={graph: each for graph, each in licences.items() if graph in counts.statements} or licences,
        counts=counts,
        conceptnet=kg.manifest["parameters"]["conceptnet"],
        example=iris.filter(network, last_layer, 0),
        hashes={f"flt:{name}": kg.manifest["inputs"][name] for name in _HASHES if name in kg.manifest["inputs"]},
        files=list(
            kg_files(
                digests,
                with_profile=(folder / "profile.npz").exists(),
                source_licences=kg.manifest["licences"].values(),
                own=[] if own_files is None else [own_files],
            )
        ),
        own_licences=own,
        creators=attribution.creators,
        given_title=attribution.title,
    )
    description = sorted(f"{line}\n" for line in quads(emit_dataset(about, iris), iris.dataset(kg_id)))
    load_lines(store, description)
    finish_store(store)
    del store  # which closes it, before its files are hashed
    pack_lines(heapq.merge(lines(), description), folder / "graph.nq.gz")
    manifest = {
        **{name: value for name, value in kg.manifest.items() if name != "experiments"},
        "id": kg_id,
        "linking": linking_id or kg.manifest["linking"],
        "runs": runs,
        "added": builds,
        **({"experiments": experiments} if experiments else {}),
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


def copy_files(kg: Path, folder: Path, without: Iterable[str] = ()) -> None:
    """Copy the files of a KG except those that are written anew, as hard links where the file system has them.

    A KG may have tens of thousands of thumbnails. Whoever changes a copy puts another file in its place.

    Parameters
    ----------
    without : iterable of str
        Files and folders, the latter with a ``/`` at the end, that are left out.
    """
    left_out = ("graph.nq.gz", "store/", *without)
    for name in kg_file_names(kg):
        if not name.startswith(left_out):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(kg / name, folder / name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _licences(kg: KG, builds: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    licences = dict(kg.manifest["licences"])
    for build in builds:
        licences.update(build["licences"])
    return dict(sorted(licences.items()))


def description_graph(kg: KG) -> str:
    """Return the name of the graph that describes a KG."""
    return DataIris(kg.manifest["parameters"]["base"]).dataset(kg.manifest["id"])
