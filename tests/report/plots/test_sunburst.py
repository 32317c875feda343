from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import TreeConcept, concept_tree, sunburst_plot, wedges
from tests.report.plots.reading import SVG, grouped_run, parsed, texts, titles

LAYER = {"last": 1000}
PARENTS = {
    "c:dog": ("c:canine", "c:pet"),
    "c:cat": ("c:carnivore",),
    "c:canine": ("c:carnivore",),
    "c:carnivore": ("c:animal",),
    "c:pet": ("c:animal",),
    "c:animal": ("c:thing",),
    "c:car": ("c:vehicle",),
    "c:limousine": ("c:car",),
    "c:vehicle": ("c:thing",),
}
LABELS = {concept: concept[2:] for concept in [*PARENTS, "c:thing"]}


def grouped_of(counts: dict[str, int]) -> GroupedRun:
    labels = [label for label, count in counts.items() for _ in range(count)]
    common = {("last", index): label for index, label in enumerate(labels)}
    return grouped_run(common, layers=LAYER)


def leaf(label: str, filters: int) -> TreeConcept:
    return TreeConcept(f"c:{label}", label, filters, ())


def test_the_tree_by_hand() -> None:
    tree = concept_tree(grouped_of({"dog": 5, "cat": 3, "car": 2, "limousine": 1}), PARENTS, LABELS)
    # Canine, animal and vehicle have one child alone; dog is below canine, which has more above it than pet.
    carnivore = TreeConcept("c:carnivore", "carnivore", 0, (leaf("dog", 5), leaf("cat", 3)))
    car = TreeConcept("c:car", "car", 2, (leaf("limousine", 1),))
    assert tree == TreeConcept("c:thing", "thing", 0, (carnivore, car))
    assert tree.total == 11


def test_of_too_many_levels_those_go_that_tell_least() -> None:
    counts = {"dog": 5, "cat": 3, "car": 2, "limousine": 1}
    tree = concept_tree(grouped_of(counts), PARENTS, LABELS, levels=1)
    # Carnivore gives way; the limousine cannot, so it is counted as a car.
    assert tree == TreeConcept("c:thing", "thing", 0, (leaf("dog", 5), leaf("car", 3), leaf("cat", 3)))


def test_concepts_with_nothing_above_them_lie_side_by_side() -> None:
    tree = concept_tree(grouped_of({"dog": 1, "cat": 2}), {}, {})
    assert tree == TreeConcept("", "", 0, (TreeConcept("c:cat", "c:cat", 2, ()), TreeConcept("c:dog", "c:dog", 1, ())))


@given(
    st.dictionaries(st.sampled_from(range(30)), st.integers(1, 20), min_size=1),
    st.lists(st.sets(st.integers(0, 29), max_size=3), min_size=30, max_size=30),
    st.integers(1, 4),
)
def test_no_filter_is_lost_whatever_the_hierarchy(counts: dict[int, int], above: list[set[int]], levels: int) -> None:
    # A parent has a lower number: no cycles.
    parents = {f"c:{at}": tuple(f"c:{p}" for p in sorted(up) if p < at) for at, up in enumerate(above)}
    tree = concept_tree(grouped_of({str(at): count for at, count in counts.items()}), parents, {}, levels=levels)
    assert tree is not None
    assert tree.total == sum(counts.values())

    def depth(node: TreeConcept) -> int:
        return max((1 + depth(child) for child in node.children), default=0)

    assert depth(tree) <= levels
    shown = list(wedges(tree, hole=60, ring=90))
    assert all(0 <= wedge.start < wedge.stop <= 360 + 1e-9 for wedge in shown)
    for ring in range(1, levels + 1):
        spans = [(wedge.start, wedge.stop) for wedge in shown if wedge.ring == ring]
        assert all(stop <= start + 1e-9 for (_, stop), (start, _) in pairwise(spans))


def test_every_concept_is_a_wedge_as_wide_as_its_filters_are_many() -> None:
    tree = concept_tree(grouped_of({"dog": 5, "cat": 3, "car": 2, "limousine": 2}), PARENTS, LABELS)
    assert tree is not None
    by_label = {wedge.label: wedge for wedge in wedges(tree, hole=60, ring=90)}
    spans = {label: round(wedge.stop - wedge.start, 6) for label, wedge in by_label.items()}
    assert spans == {"carnivore": 240, "dog": 150, "cat": 90, "car": 120, "limousine": 60}
    assert {label: wedge.ring for label, wedge in by_label.items()} == {
        "carnivore": 1,
        "dog": 2,
        "cat": 2,
        "car": 1,
        "limousine": 2,
    }
    svg = sunburst_plot(tree)
    assert titles(svg) == [f"{wedge.label}: {wedge.filters} filters" for wedge in by_label.values()]
    assert {"12", "a clear theme", "dog", "cat", "carnivore", "car"} <= set(texts(svg))


def test_small_concepts_are_one_wedge_that_names_them() -> None:
    counts = {"dog": 900, **{f"rare{index:02}": 1 for index in range(20)}}
    tree = concept_tree(grouped_of(counts), {}, {f"c:{name}": name for name in counts})
    dog, others = wedges(tree, hole=60, ring=90) if tree else ()
    assert (dog.concept, others.concept, others.filters) == ("c:dog", None, 20)
    assert others.label.startswith("rare00, rare01, ")
    assert others.label.endswith("rare11, …")
    assert "rare00" not in texts(sunburst_plot(tree))


def test_wedges_lead_where_they_are_told() -> None:
    tree = concept_tree(grouped_of({"dog": 5, "cat": 3}), PARENTS, LABELS)
    svg = sunburst_plot(tree, href=lambda iri: f"concept/{iri[2:]}.html" if iri == "c:dog" else None)
    (link,) = parsed(svg).iter(f"{SVG}a")
    assert (link.get("href"), link.get("aria-label")) == ("concept/dog.html", "dog: 5 filters")


def test_one_concept_alone_and_none() -> None:
    alone = concept_tree(grouped_of({"dog": 2}), PARENTS, LABELS)
    assert alone == TreeConcept("", "", 0, (leaf("dog", 2),))
    assert {"2", "dog"} <= set(texts(sunburst_plot(alone)))
    assert concept_tree(grouped_of({}), PARENTS, LABELS) is None
    assert sunburst_plot(None) is None
    with pytest.raises(ValueError, match="a tree of 0 levels has no concepts"):
        concept_tree(grouped_of({"dog": 2}), PARENTS, LABELS, levels=0)
