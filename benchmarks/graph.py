"""Measure the graph at full size: VGG16 on ImageNet's classes at q = 25 %, 1,056,000 tag assignments.

For one build: how fast statements are written, and loaded into Oxigraph; the total time and memory; the store's size;
how fast its tags are read; and how long named queries and a new user's questions take (`graph_queries.py`). For
comparison, in the same process, rdflib answers the same join on a part of the same graph.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import ParamSpec, TypeVar
from unittest.mock import patch

import numpy as np
import pyoxigraph as ox
import rdflib
from concepts import vgg16_tags
from graph_queries import measure_queries, measure_questions, say
from inputs import names_of

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet
from filtag_kg.graph import PREFIXES, DataIris
from filtag_kg.graph.emit_bulk import assignment_section, filter_sections, in_order
from filtag_kg.kg import KG, Provenance, build, build_kg, build_plan, open_kg, read_tags, store
from filtag_kg.kg.store import finish_store, graph_lines, load_lines

JOIN = """SELECT ?layer ?filter (COUNT(?class) AS ?matching) WHERE {
  ?class flt:atOrBelow <%s> .
  ?assignment flt:tag ?class ; prov:wasGeneratedBy ?run ; flt:filter ?f .
  ?run flt:rule "q=0.25" .
  ?f flt:filterIndex ?filter ; flt:inLayer ?l .
  ?l rdfs:label ?layer
} GROUP BY ?layer ?filter ORDER BY ?layer ?filter"""
SLICE = 3_000
P = ParamSpec("P")
T = TypeVar("T")
PHASES = (
    (build_plan, "link_classes"),
    (build_plan, "build_hierarchy"),
    (build_plan, "common_concepts"),
    (build_plan, "runs_of_few_classes"),
    (build_plan, "concepts_in_layers"),
    (build, "plan_build"),
    (build, "_write_tables"),
    (store, "_load"),
    (store, "finish_store"),
    (build, "write_graph"),
    (build, "_write_graph"),
    (build, "write_manifest"),
)
"""The steps of a build that are timed; a step is printed after the steps that are part of it."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="class ids and labels; default: ImageNet's classes, by WordNet")
    parser.add_argument("--folder", type=Path, help="where there is room for 3 GB; default: the temporary folder")
    parser.add_argument(
        "--draws", type=int, default=20, help="how often each query is asked, each time with other parameters"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--build", type=Path, metavar="KG", help="only build")
    parser.add_argument("--kg", type=Path, metavar="DIR", help="only measure size and queries, of a KG that is there")
    options = parser.parse_args()
    if options.build:
        build_alone(options.build, options.names, options.seed)
        return
    print(f"{platform.machine()}, Python {platform.python_version()}, pyoxigraph {version('pyoxigraph')}, ", end="")
    print(f"rdflib {version('rdflib')}\n")
    if options.kg:
        kg = open_kg(options.kg)
        measure_size(kg)
        measure_queries(kg, options.draws, options.seed)
        measure_questions(kg, options.draws)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as room:
        command = [sys.executable, __file__, "--seed", str(options.seed)]
        command += ["--names", str(options.names)] if options.names else []
        subprocess.run([*command, "--build", f"{room}/kg"], check=True)
        kg = open_kg(Path(room) / "kg")
        measure_size(kg)
        measure_reading(kg)
        measure_queries(kg, options.draws, options.seed)
        measure_questions(kg, options.draws)
        compare_with_rdflib(kg)


def build_alone(path: Path, names_path: Path | None, seed: int) -> None:
    """Build, and print time and memory."""
    names = names_of(names_path)
    isa = build_hierarchy(link_classes(list(names), list(names.values()), wordnet()), wordnet())
    tags = vgg16_tags(names, isa, np.random.default_rng(seed))
    start = time.perf_counter()
    sections = [
        assignment_section(tags, "0" * 16, DataIris()),
        *filter_sections(tags, {"q=0.25": "0" * 16}, (), DataIris(), kinds_of="wordnet"),
    ]
    for _ in in_order([], sections):
        pass
    seconds = time.perf_counter() - start
    n_lines = sum(sum(section.counts.values()) for section in sections)
    del sections
    print(f"{len(tags):,} assignments")
    say("written", f"{n_lines / seconds:,.0f} statements/s", ">= 800,000", n_lines / seconds >= 800_000)
    print(f"load of the machine before the build: {os.getloadavg()[0]:.1f}\n\n| phase | s | CPU s |\n|---|--:|--:|")
    with ExitStack() as stack:
        for module, name in PHASES:
            stack.enter_context(patch.object(module, name, timed(getattr(module, name))))
        start, cpu = time.perf_counter(), time.process_time()
        kg = build_kg(path, tags, wordnet(), Provenance("vgg16"))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    (peak,) = (int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(f"| all | {seconds:.1f} | {cpu:.1f} |\n")
    say("built in", f"{seconds:.0f} s, {cpu:.0f} s of CPU", "< 60 s", seconds < 60)
    say("memory at most", f"{peak / 2**20:.2f} GiB", "< 2", peak < 2 << 20)
    measure_loading(kg, path.parent / "store")


def timed(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that prints how long it took, by the clock and of the processors."""

    def call(*arguments: P.args, **options: P.kwargs) -> T:
        start, cpu = time.perf_counter(), time.process_time()
        result = function(*arguments, **options)
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        print(f"| {name} | {time.perf_counter() - start:.1f} | {time.process_time() - cpu:.1f} |", flush=True)
        return result

    return call


def measure_loading(kg: KG, path: Path) -> None:
    """Print how fast a KG's statements are loaded into a new store."""
    n_lines = kg.manifest["counts"]["quads"]
    with tempfile.TemporaryFile(dir=path.parent) as text:
        with gzip.open(kg.graph_path) as packed:
            shutil.copyfileobj(packed, text)
        text.seek(0)
        start, cpu = time.perf_counter(), time.process_time()
        new = ox.Store(str(path))
        load_lines(new, TextIOWrapper(text, encoding="utf-8", newline="\n"))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    speed = n_lines / seconds
    say("loaded", f"{speed:,.0f} statements/s, {cpu:.0f} s of CPU", ">= 200,000", speed >= 200_000)
    finish_store(new)
    print(f"merged after {time.perf_counter() - start:.0f} s")


def measure_size(kg: KG) -> None:
    """Print how large the store is, and how many statements a tag assignment takes."""
    n_statements, n_tags = kg.manifest["counts"]["quads"], kg.manifest["counts"]["tags"]
    size = sum(file.stat().st_size for file in (kg.path / "store").iterdir()) / n_statements
    print(f"{n_statements:,} statements, {kg.graph_path.stat().st_size / n_statements:.1f} bytes each in graph.nq.gz")
    say("store", f"{size:.0f} bytes a statement", "<= 170", size <= 170)
    about_tags = sum("/tag/" in line.partition(" ")[0] for line in graph_lines(kg.graph_path)) / n_tags
    say("a tag assignment", f"{about_tags:.2f} statements", "<= 6", about_tags <= 6)


def measure_reading(kg: KG) -> None:
    """Print how long it takes to read the tags as arrays, beside Python's csv module, which only splits the rows."""
    start = time.perf_counter()
    tags = read_tags(kg.tags_path, network=kg.manifest["network"], rules=kg.rules)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    with kg.tags_path.open(newline="", encoding="utf-8") as file:
        n_rows = sum(1 for _ in csv.reader(file)) - 1
    alone = time.perf_counter() - start
    if n_rows != len(tags):
        raise AssertionError(f"{len(tags):,} tags of {n_rows:,} rows")
    million = seconds / n_rows * 1e6
    say("a million tags read in", f"{million:.2f} s, {seconds / alone:.1f} × csv alone", "< 1.5", million < 1.5)


def compare_with_rdflib(kg: KG) -> None:
    """Print how much faster Oxigraph finds the filters that react to dogs than rdflib, on the same statements."""
    dog = wordnet().of_class("n02084071")
    store, dataset = ox.Store(), rdflib.Dataset(default_union=True)
    shortcut = ox.NamedNode(f"{PREFIXES['flt']}hasTag")
    kept = 0
    for quad in kg.store():
        assigned = "/tag/" in str(quad.subject)
        kept += assigned
        if (not assigned or kept < 7 * SLICE) and quad.predicate != shortcut:
            store.add(quad)
    dataset.parse(data=store.dump(format=ox.RdfFormat.N_QUADS), format="nquads")
    start = time.perf_counter()
    found = store.query(JOIN % dog, prefixes=PREFIXES, use_default_graph_as_union=True)
    ours = [[cell.value for cell in row] for row in found]
    between = time.perf_counter()
    theirs = [list(map(str, row)) for row in dataset.query(JOIN % dog, initNs=PREFIXES)]
    ratio = (time.perf_counter() - between) / (between - start)
    if ours != theirs or not ours:
        raise AssertionError(f"{ours[:3]} is not {theirs[:3]}")
    say(f"the same join on {len(store):,} statements", f"{ratio:,.0f} × as fast as rdflib", ">= 100", ratio >= 100)


if __name__ == "__main__":
    main()
