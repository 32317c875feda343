"""Draw docs/pictures/vocabulary.svg: the classes, how they are connected, and in which graph each stands."""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "vocabulary.svg"
WIDTH, HEIGHT = 1000, 820
GRAPHS = {
    "network": ("#dbe9f6", "a network's graph"),
    "default": ("#fbf3d0", "the default graph"),
    "run": ("#fde5c8", "a run's graph"),
    "links": ("#dff0d8", "a linking's graph"),
    "concepts": ("#e9dff3", "a concept source's graph"),
}
# Name, graph, left, top, width, and the properties that hold plain values.
BOXES = {
    "network": ("nno:NeuralNetwork", "network", 30, 40, 190, ["rdfs:label", "flt:weightsSha256"]),
    "layer": ("nno:Conv2D …", "network", 30, 230, 190, ["rdfs:label", "nno:hasLayerSequence"]),
    "filter": ("flt:Filter", "network", 30, 420, 190, ["flt:filterIndex", "flt:meanActivation", "foaf:depiction"]),
    "run": ("flt:TaggingRun", "run", 380, 40, 230, ["flt:rule, flt:score, flt:seed", "flt:linking, flt:software, …"]),
    "tag": ("flt:TagAssignment", "default", 330, 190, 190, ["flt:rank", "flt:activation", "flt:contrast"]),
    "common": (
        "flt:CommonConcept",
        "default",
        560,
        190,
        190,
        ["flt:rank, flt:coverage", "flt:supportCount", "flt:pValue, …"],
    ),
    "in layer": ("flt:ConceptInLayer", "default", 405, 600, 190, ["flt:coherentFilterCount", "flt:separation, …"]),
    "filter in run": (
        "flt:FilterInRun",
        "default",
        30,
        690,
        190,
        ["flt:tagCount*", "flt:coherenceQValue", "flt:mixedness, …"],
    ),
    "class": ("flt:ClassLabel", "links", 405, 420, 190, ["skos:notation", "skos:prefLabel"]),
    "link": ("flt:ConceptLink", "links", 790, 40, 190, ["sssom:confidence", "sssom:predicate_id"]),
    "concept": ("skos:Concept", "concepts", 790, 420, 190, ["skos:prefLabel, altLabel", "flt:conceptNetTerm"]),
}
# Points of each arrow, the label, and where that stands.
ARROWS = [
    ([(125, 122), (125, 230)], "nno:hasLayer", (132, 180), "start"),
    ([(125, 420), (125, 312)], "flt:inLayer", (132, 370), "start"),
    ([(380, 80), (220, 80)], "flt:network", (300, 72), "middle"),
    ([(450, 190), (480, 122)], "prov:wasGeneratedBy", (457, 160), "end"),
    ([(640, 190), (560, 122)], "prov:wasGeneratedBy", (616, 160), "start"),
    ([(345, 290), (200, 420)], "flt:filter", (262, 350), "end"),
    ([(440, 290), (480, 420)], "flt:tag", (486, 408), "start"),
    ([(465, 420), (425, 290)], "flt:strongestAssignment*", (444, 385), "end"),
    ([(575, 290), (220, 430)], "flt:filter", (500, 328), "start"),
    ([(700, 290), (820, 420)], "flt:concept", (806, 390), "start"),
    ([(220, 465), (405, 465)], "flt:hasTag*", (312, 457), "middle"),
    ([(595, 450), (790, 450)], "flt:concept, skos:exactMatch", (692, 442), "middle"),
    ([(595, 480), (790, 480)], "flt:atOrBelow*", (692, 497), "middle"),
    ([(880, 122), (880, 420)], "sssom:object_id", (888, 200), "start"),
    ([(790, 80), (768, 80), (768, 395), (560, 395), (560, 420)], "sssom:subject_id", (774, 160), "start"),
    ([(900, 502), (900, 545), (960, 545), (960, 502)], "skos:broader …", (975, 562), "end"),
    ([(125, 520), (125, 575), (810, 575), (810, 502)], "flt:commonConcept*", (420, 568), "middle"),
    ([(405, 640), (15, 640), (15, 270), (30, 270)], "flt:layer", (210, 632), "middle"),
    ([(595, 640), (830, 640), (830, 502)], "flt:concept", (700, 632), "middle"),
    ([(75, 690), (75, 522)], "flt:filter", (82, 612), "start"),
    ([(220, 740), (992, 740), (992, 20), (495, 20), (495, 40)], "prov:wasGeneratedBy", (500, 732), "middle"),
]


def main() -> None:
    """Write the picture."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    TARGET.write_text(picture(), encoding="utf-8")


def picture() -> str:
    """Return the picture as SVG."""
    size = f"0 0 {WIDTH} {HEIGHT + 40}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" font-family="sans-serif" font-size="13">',
        "<title>The vocabulary of the graph</title>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#444"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT + 40}" fill="white"/>',
    ]
    for points, *_ in ARROWS:
        path = " ".join(f"{x},{y}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="#444" marker-end="url(#head)"/>')
    for name, graph, x, y, width, values in BOXES.values():
        height = 42 + 20 * len(values)
        parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{GRAPHS[graph][0]}" stroke="#444"/>'
        )
        parts.append(
            f'<text x="{x + width / 2}" y="{y + 22}" text-anchor="middle" font-weight="bold">{escape(name)}</text>'
        )
        parts += [
            f'<text x="{x + 12}" y="{y + 46 + 20 * line}" fill="#333">{escape(value)}</text>'
            for line, value in enumerate(values)
        ]
    for _, label, (x, y), anchor in ARROWS:
        parts.append(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}" stroke="white" stroke-width="4" paint-order="stroke" '
            f'fill="#222">{escape(label)}</text>'
        )
    x = 30
    for colour, label in GRAPHS.values():
        parts.append(f'<rect x="{x}" y="{HEIGHT + 8}" width="16" height="16" fill="{colour}" stroke="#444"/>')
        parts.append(f'<text x="{x + 24}" y="{HEIGHT + 21}">{escape(label)}</text>')
        x += 46 + 7 * len(label)
    parts.append(f'<text x="{x}" y="{HEIGHT + 21}">* a shortcut</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
