"""Measure how long named queries, and questions as a new user would write them, take on a KG.

The questions are in `questions/`, each a file of SPARQL that begins with the question in English.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filtag_kg.kg import KG
from filtag_kg.query import PARAMETERS, LocalEndpoint, NamedQuery, Result, catalogue, named_query, sparql_query

QUESTIONS = Path(__file__).with_name("questions")
TARGETS = {"queries": (200, 500), "questions": (1000, 5000)}
"""Milliseconds: of each query, median and 95th percentile over its draws; of the questions, median and slowest."""


@dataclass(frozen=True)
class Known:
    """What a KG has of each kind that a parameter may be."""

    classes: list[str]
    concepts: list[str]
    features: list[str]
    filters: dict[str, int]
    """How many filters each layer has."""
    rules: list[str]


def known_in(kg: KG, endpoint: LocalEndpoint) -> Known:
    """Look up what parameters can be drawn from."""

    def column(text: str) -> list[str]:
        return [row[0] for row in endpoint.ask(text).values()]

    layers = endpoint.ask("""SELECT ?name (COUNT(?f) AS ?n) {
      ?l nno:hasLayerSequence ?i ; rdfs:label ?name . ?f flt:inLayer ?l
    } GROUP BY ?i ?name ORDER BY ?i""")
    return Known(
        classes=column("SELECT ?id { ?x a flt:ClassLabel ; skos:notation ?id } ORDER BY ?id"),
        concepts=column("SELECT DISTINCT ?c { ?x flt:atOrBelow ?c } ORDER BY ?c"),
        features=column("SELECT DISTINCT ?c { ?x a flt:CommonFeature ; flt:concept ?c } ORDER BY ?c"),
        filters={name: int(n) for name, n in layers.values()},
        rules=list(kg.rules),
    )


def draw(query: NamedQuery, known: Known, rng: np.random.Generator) -> dict[str, str]:
    """Return random values of a query's parameters; half of the optional ones are left out."""
    names = [*query.required, *(name for name in query.optional if rng.uniform() < 0.5)]
    about_features = "flt:CommonFeature" in query.text and bool(known.features)
    asked: dict[str, str] = {}
    for name in names:
        match PARAMETERS[name].kind:
            case "class":
                asked[name] = rng.choice(known.classes)
            case "concept":
                asked[name] = rng.choice(known.features if about_features else known.concepts)
            case "layer":
                asked[name] = rng.choice(list(known.filters))
            case "run":
                # The overlap of two rules is that of one with itself, where there is no other.
                left = [rule for rule in known.rules if rule not in asked.values()]
                asked[name] = rng.choice(left or known.rules)
            case "number from 0 to 1":
                asked[name] = f"{rng.uniform():.2f}"
            case "whole number":
                asked[name] = str(rng.integers(1, 500))
    if "filter" in names:
        asked["filter"] = str(rng.integers(known.filters[asked["layer"]]))
    return asked


def measure_queries(kg: KG, draws: int, seed: int) -> None:
    """Print how long each named query takes, with random parameters; half of the optional ones are left out."""
    endpoint = LocalEndpoint(kg)
    known = known_in(kg, endpoint)
    rng = np.random.default_rng(seed)
    print("| query | most rows | median ms | 95 % ms | CPU, median ms |\n|---|--:|--:|--:|--:|")
    medians, tails = {}, {}
    for query in catalogue():
        times = []
        n_rows = 0
        for _ in range(draws):
            asked = draw(query, known, rng)
            n, wall, cpu = timed(lambda query=query, asked=asked: named_query(endpoint, query, asked))
            times.append((wall, cpu))
            n_rows = max(n_rows, n)
        wall, cpu = np.median(times, axis=0)
        medians[query.name], tails[query.name] = wall, np.quantile(times, 0.95, axis=0)[0]
        print(f"| {query.name} | {n_rows:,} | {wall:.0f} | {tails[query.name]:.0f} | {cpu:.0f} |", flush=True)
    for what, figures, target in zip(("median", "95th percentile"), (medians, tails), TARGETS["queries"], strict=True):
        slowest = max(figures, key=figures.__getitem__)
        n_met = sum(figure < target for figure in figures.values())
        figure = f"{figures[slowest]:.0f} ms ({slowest}), {n_met} of {len(figures)} meet it"
        say(f"named queries, {what}", figure, f"< {target} ms", figures[slowest] < target)


def measure_questions(kg: KG, draws: int) -> None:
    """Print how long each question of `questions/` takes."""
    endpoint = LocalEndpoint(kg)
    print("| question | rows | median ms | most ms | CPU, median ms |\n|---|--:|--:|--:|--:|")
    medians, most = {}, {}
    for path in sorted(QUESTIONS.glob("*.rq")):
        text = path.read_text("utf-8")
        times = []
        for _ in range(draws):
            n, wall, cpu = timed(lambda text=text: sparql_query(endpoint, text))
            times.append((wall, cpu))
        wall, cpu = np.median(times, axis=0)
        medians[path.stem], most[path.stem] = wall, np.max(times, axis=0)[0]
        print(f"| {path.stem} | {n:,} | {wall:.0f} | {most[path.stem]:.0f} | {cpu:.0f} |", flush=True)
    median = np.median(list(medians.values()))
    slowest = max(most, key=most.__getitem__)
    median_target, most_target = TARGETS["questions"]
    say(f"{len(medians)} questions, median", f"{median:.0f} ms", f"< {median_target:,} ms", median < median_target)
    figure = f"{most[slowest]:.0f} ms ({slowest})"
    say("the slowest question", figure, f"< {most_target:,} ms", most[slowest] < most_target)


def timed(ask: Callable[[], Result]) -> tuple[int, float, float]:
    """Ask; return the number of rows, and the milliseconds by the clock and of CPU, of the store's process included."""
    start, cpu = time.perf_counter(), cpu_seconds()
    n_rows = len(ask().rows)
    return n_rows, 1000 * (time.perf_counter() - start), 1000 * (cpu_seconds() - cpu)


def cpu_seconds() -> float:
    """Return how much CPU time this process took, with the store's process, which is its child."""
    seconds = time.process_time()
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            # Nanoseconds on a CPU: of the child's main thread, which answers the queries.
            seconds += int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
    return seconds


def say(what: str, figure: str, target: str, met: bool) -> None:
    """Print a figure beside its target."""
    print(f"{'met   ' if met else 'MISSED'} {what}: {figure} ({target})", flush=True)
