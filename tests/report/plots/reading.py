"""Runs made by hand, and what is read out of an SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from filtag_kg.concepts import CommonConcept
from filtag_kg.report.runs import Layer, Place, Run

SVG = "{http://www.w3.org/2000/svg}"
LAYERS = (Layer(0, "first", 10), Layer(1, "second", 20), Layer(2, "last", 10))
LABELS = {f"n{place}": f"class {place}" for place in range(40)}


def made_run(
    common: dict[Place, str], *, tags: dict[Place, int] | None = None, layers: tuple[Layer, ...] = LAYERS
) -> Run:
    """Return a run whose coherent filters have the concepts named; each filter has three tags, if it does not say."""
    counts = {**dict.fromkeys(common, 3), **(tags or {})}
    rows = tuple(
        CommonConcept(
            rule="k=1",
            layer=layer,
            filter=filter_,
            concept=f"c:{label}",
            label=label,
            relation="IsA",
            coverage=1.0,
            support=3,
            tags=3,
            ic=2.0,
            p_value=0.001,
            p_adjusted=0.001,
            q_value=0.01,
            rank=1,
        )
        for (layer, filter_), label in common.items()
    )
    return Run(
        kg="kg",
        network="toy-0123456789ab",
        rule="k=1",
        layers=layers,
        labels=LABELS,
        tags={place: tuple(LABELS)[:count] for place, count in counts.items()},
        common=rows,
        concepts=frozenset(row.concept for row in rows),
    )


def parsed(svg: str | None) -> ET.Element:
    assert svg is not None
    return ET.fromstring(svg)


def texts(svg: str | None) -> list[str]:
    return ["".join(text.itertext()) for text in parsed(svg).iter(f"{SVG}text")]


def titles(svg: str | None) -> list[str]:
    """What marks say when they are pointed at, in the order drawn."""
    root = parsed(svg)
    return [title.text or "" for group in root for title in group.findall(f"{SVG}title")]


def circles(svg: str | None) -> dict[str, tuple[float, float, float]]:
    """Centre and radius of each disc that says something."""
    found = {}
    for group in parsed(svg).findall(f"{SVG}g"):
        title, disc = group.find(f"{SVG}title"), group.find(f"{SVG}circle")
        if title is not None and disc is not None:
            found[title.text or ""] = (float(disc.get("cx", "")), float(disc.get("cy", "")), float(disc.get("r", "")))
    return found


def boxes(svg: str | None) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of each path that says something."""
    found = {}
    for group in parsed(svg).findall(f"{SVG}g"):
        title, path = group.find(f"{SVG}title"), group.find(f"{SVG}path")
        if title is not None and path is not None:
            numbers = [float(part) for part in path.get("d", "").split() if part[0].isdigit() or part[0] == "-"]
            xs, ys = numbers[::2], numbers[1::2]
            found[title.text or ""] = (min(xs), min(ys), max(xs), max(ys))
    return found
