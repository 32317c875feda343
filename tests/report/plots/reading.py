"""Runs made by hand, and what is read out of an SVG."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from filtag_kg.concepts import CommonConcept, Links
from filtag_kg.kg import KG, KgRun
from filtag_kg.report.grouping import GroupedRun, group_run
from filtag_kg.report.plots import Plot
from filtag_kg.views import ConceptGraph, LoadedKg, NetworkLayers, RunResults
from filtag_kg.views.activations import Activations

SVG = "{http://www.w3.org/2000/svg}"
NETWORK = "toy-0123456789ab"
LAYERS = {"first": 10, "second": 20, "last": 10}
CLASSES = 40


def grouped_run(
    common: dict[tuple[str, int], str],
    *,
    tags: dict[tuple[str, int], int] | None = None,
    layers: dict[str, int] = LAYERS,
) -> GroupedRun:
    """Return a run whose coherent filters have the concepts named; each filter has three tags, if it does not say."""
    offsets = np.cumsum([0, *layers.values()])
    network = NetworkLayers(NETWORK, "toy", tuple(layers), ("Conv2D",) * len(layers), offsets)
    first = network.first_columns
    n_tags = np.zeros(network.n_filters, dtype=np.int64)
    for (layer, filter_), count in {**dict.fromkeys(common, 3), **(tags or {})}.items():
        n_tags[first[layer] + filter_] = count
    table = run_table(
        KgRun("run", "k=1", NETWORK, "", "activation", "wordnet"),
        n_tags,
        {
            first[layer] + filter_: (common_concept(layer, filter_, label),)
            for (layer, filter_), label in common.items()
        },
    )
    names = tuple(f"n{index:02}" for index in range(CLASSES))
    below = dict.fromkeys((f"c:{label}" for label in common.values()), (0,))
    unlinked = ((),) * CLASSES
    links = Links(names, names, ())
    graph = ConceptGraph({}, {}, {}, {}, {}, {}, names, names, unlinked, unlinked, links, {}, below)
    kg = KG(Path("kg"), {"id": "kg", "parameters": {"base": "http://example.org/"}})
    loaded = LoadedKg(kg, {NETWORK: network}, {"run": table}, graph, {}, {}, Activations({}, graph))
    return group_run(loaded, table)


def run_table(run: KgRun, n_tags: np.ndarray, common: dict[int, tuple[CommonConcept, ...]]) -> RunResults:
    """Return a run in which the first classes tag each filter."""
    column = np.repeat(np.arange(len(n_tags)), n_tags)
    class_ = np.concatenate([np.arange(0), *(np.arange(count) for count in n_tags)])
    unknown = np.full(len(column), np.nan)
    by_class = np.lexsort((column, class_))
    return RunResults(
        run=run,
        column=column,
        class_=class_,
        rank=np.zeros_like(column),
        activation=unknown,
        contrast=unknown,
        score=unknown,
        of_filter=np.cumsum([0, *n_tags]),
        by_class=by_class,
        of_class=np.searchsorted(class_[by_class], np.arange(CLASSES + 1)),
        common=common,
        in_layers={},
    )


def common_concept(layer: str, filter_: int, label: str) -> CommonConcept:
    return CommonConcept(
        rule="k=1",
        layer=layer,
        filter=filter_,
        concept=f"c:{label}",
        label=label,
        relation="IsA",
        source="wordnet",
        coverage=1.0,
        support=3,
        tags=3,
        ic=2.0,
        p_value=0.001,
        p_adjusted=0.001,
        q_value=0.01,
        rank=1,
    )


def page_svg(plot: Plot | None) -> str:
    assert plot is not None
    return plot.page_svg()


def parsed(plot: Plot | str | None) -> ET.Element:
    return ET.fromstring(plot if isinstance(plot, str) else page_svg(plot))


def texts(svg: Plot | str | None) -> list[str]:
    return ["".join(text.itertext()) for text in parsed(svg).iter(f"{SVG}text")]


def titles(svg: Plot | str | None) -> list[str]:
    """What marks say when they are pointed at, in the order drawn."""
    root = parsed(svg)
    return [title.text or "" for group in root for title in group.findall(f"{SVG}title")]


def circles(svg: Plot | str | None) -> dict[str, tuple[float, float, float]]:
    """Centre and radius of each disc that says something."""
    discs = {}
    for group in parsed(svg).findall(f"{SVG}g"):
        title, disc = group.find(f"{SVG}title"), group.find(f"{SVG}circle")
        if title is not None and disc is not None:
            discs[title.text or ""] = (float(disc.get("cx", "")), float(disc.get("cy", "")), float(disc.get("r", "")))
    return discs


def boxes(svg: Plot | str | None) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of each path that says something."""
    paths = {}
    for group in parsed(svg).findall(f"{SVG}g"):
        title, path = group.find(f"{SVG}title"), group.find(f"{SVG}path")
        if title is not None and path is not None:
            numbers = [float(part) for part in path.get("d", "").split() if part[0].isdigit() or part[0] == "-"]
            xs, ys = numbers[::2], numbers[1::2]
            paths[title.text or ""] = (min(xs), min(ys), max(xs), max(ys))
    return paths
