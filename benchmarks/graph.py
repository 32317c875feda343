"""Measure the graph at full size: VGG16 on ImageNet's classes at q = 25 %, 1,056,000 tag assignments.

For one build: how fast statements are written, and loaded into Oxigraph; the total time and memory; the store's size;
how fast its tags are read; and how long each named query takes. For comparison, in the same process, rdflib answers the
same join on a part of the same graph.
"""

from __future__ import annotations

import argparse
import csv
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyoxigraph as ox
import rdflib
from concepts import vgg16_tags
from inputs import names_of

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet
from filtag_kg.graph import PREFIXES, DataIris
from filtag_kg.graph.emit_bulk import assignment_section, filter_sections, in_order
from filtag_kg.kg import KG, Provenance, build_kg, open_kg, read_tags
from filtag_kg.query import LocalEndpoint, catalogue, named_query

JOIN = """SELECT ?layer ?filter (COUNT(?class) AS ?matching) WHERE {
  ?class flt:atOrBelow <%s> .
  ?assignment flt:tag ?class ; prov:wasGeneratedBy ?run ; flt:filter ?f .
  ?run flt:rule "q=0.25" .
  ?f flt:filterIndex ?filter ; flt:inLayer ?l .
  ?l rdfs:label ?layer
} GROUP BY ?layer ?filter ORDER BY ?layer ?filter"""
SLICE = 3_000


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
    options = parser.parse_args()
    if options.build:
        build_alone(options.build, options.names, options.seed)
        return
    print(f"{platform.machine()}, Python {platform.python_version()}, pyoxigraph {version('pyoxigraph')}, ", end="")
    print(f"rdflib {version('rdflib')}\n")
    with tempfile.TemporaryDirectory(dir=options.folder) as room:
        command = [sys.executable, __file__, "--seed", str(options.seed)]
        command += ["--names", str(options.names)] if options.names else []
        subprocess.run([*command, "--build", f"{room}/kg"], check=True)
        kg = open_kg(Path(room) / "kg")
        triples = kg.manifest["counts"]["quads"]
        size = sum(file.stat().st_size for file in (kg.path / "store").iterdir())
        print(f"{triples:,} statements, {kg.graph_path.stat().st_size / triples:.1f} bytes each in graph.nq.gz")
        say("store", f"{size / triples:.0f} bytes a statement", "< 150", size / triples < 150)
        measure_reading(kg)
        measure_queries(kg, options.draws, options.seed)
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
    print(f"{len(tags):,} assignments")
    say("written", f"{n_lines / seconds:,.0f} statements/s", ">= 800,000", n_lines / seconds >= 800_000)
    start = time.perf_counter()
    kg = build_kg(path, tags, wordnet(), Provenance("vgg16"))
    seconds = time.perf_counter() - start
    (peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    text = path.parent / "graph.nq"
    n_lines = kg.manifest["counts"]["quads"]
    say("built in", f"{seconds:.0f} s, {int(peak) / 2**20:.1f} GiB of memory at most", "< 120", seconds < 120)
    with text.open("wb") as file:
        import gzip
        import shutil

        with gzip.open(kg.graph_path) as packed:
            shutil.copyfileobj(packed, file)
    start = time.perf_counter()
    store = ox.Store(str(path.parent / "store"))
    store.bulk_load(path=str(text), format=ox.RdfFormat.N_QUADS)
    speed = n_lines / (time.perf_counter() - start)
    say("loaded", f"{speed:,.0f} statements/s", ">= 100,000", speed >= 100_000)
    text.unlink()


def draw(name: str, known: dict[str, list[str]], rng: np.random.Generator) -> str:
    """Return a random value for a parameter from the graph."""
    if name in ("max_q", "max_confidence"):
        return f"{rng.uniform():.2f}"
    if name == "min_tags":
        return str(rng.integers(1, 500))
    if name == "filter":
        return str(rng.integers(0, 64))
    return str(rng.choice(known[name.partition("_")[0]]))


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


def measure_queries(kg: KG, draws: int, seed: int) -> None:
    """Print how long each named query takes, with random parameters; half of the optional ones are left out."""
    endpoint = LocalEndpoint(kg)
    rng = np.random.default_rng(seed)
    known = {
        "class": [row[0] for row in endpoint.ask("SELECT ?c { ?x a flt:ClassLabel ; skos:notation ?c }").values()],
        "concept": [row[0] for row in endpoint.ask("SELECT DISTINCT ?c { ?x flt:atOrBelow ?c }").values()],
        "layer": [row[0] for row in endpoint.ask("SELECT ?n { ?x nno:hasLayerSequence ?i ; rdfs:label ?n }").values()],
        "rule": list(kg.rules),
    }
    print("| query | most rows | median ms | most |\n|---|--:|--:|--:|")
    medians, most = [], []
    for query in catalogue():
        times, n_rows = [], []
        for _ in range(draws):
            names = [*query.required, *(name for name in query.optional if rng.uniform() < 0.5)]
            asked = {name: draw(name, known, rng) for name in names}
            start = time.perf_counter()
            n_rows.append(len(named_query(endpoint, query, asked).rows))
            times.append(1000 * (time.perf_counter() - start))
        print(f"| {query.name} | {max(n_rows):,} | {statistics.median(times):.0f} | {max(times):.0f} |", flush=True)
        medians.append(statistics.median(times))
        most.append(max(times))
    say("every query's median", f"{max(medians):.0f} ms", "< 200", max(medians) < 200)
    say("every query at worst", f"{max(most):.0f} ms", "< 1,000", max(most) < 1000)


def say(what: str, figure: str, target: str, met: bool) -> None:
    """Print a figure beside its target."""
    print(f"{'met   ' if met else 'MISSED'} {what}: {figure} ({target})", flush=True)


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
