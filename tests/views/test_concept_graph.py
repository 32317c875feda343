"""The way up from a concept, against networkx on random hierarchies."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.concepts import Links
from filtag_kg.views import ConceptGraph, Feature, Step, statement_text

N_CONCEPTS = 9
# Edges from a lower number to a higher one cannot form a cycle.
EDGES = st.sets(
    st.tuples(st.integers(0, N_CONCEPTS - 1), st.integers(0, N_CONCEPTS - 1)).filter(lambda edge: edge[0] < edge[1])
)
# What is above what must not follow from the names.
NAMES = st.permutations("abcdefghi")


def graph_of(edges: set[tuple[int, int]], names: list[str], bearers: set[int] = frozenset()) -> ConceptGraph:
    parents: dict[str, list[str]] = {}
    for lower, upper in sorted(edges, key=lambda edge: names[edge[1]]):
        parents.setdefault(names[lower], []).append(names[upper])
    return ConceptGraph(
        labels={name: name.upper() for name in names},
        alt_labels={},
        terms={},
        parents={lower: tuple(upper) for lower, upper in parents.items()},
        children={},
        features={names[bearer]: (Feature("HasA", "tail", "tail", "conceptnet"),) for bearer in bearers},
        class_ids=(),
        class_labels=(),
        class_concepts=(),
        confidences=(),
        links=Links((), (), ()),
        above={},
        classes_below={},
    )


def shortest(edges: set[tuple[int, int]], names: list[str], start: int, ends: set[int]) -> tuple[str, ...]:
    """Of all shortest ways to any of some ends that with the lowest names; nothing if there is none."""
    graph = nx.DiGraph([(names[lower], names[upper]) for lower, upper in edges])
    graph.add_nodes_from(names)
    ways = [
        tuple(way)
        for end in ends
        if nx.has_path(graph, names[start], names[end])
        for way in nx.all_shortest_paths(graph, names[start], names[end])
    ]
    return min(ways, key=lambda way: (len(way), way), default=())


@given(EDGES, NAMES, st.integers(0, N_CONCEPTS - 1), st.integers(0, N_CONCEPTS - 1))
def test_a_path_is_the_shortest_and_of_equals_that_of_the_lower_names(edges, names, start, end):
    path = graph_of(edges, names).path(names[start], names[end])
    assert tuple(step.concept for step in path) == shortest(edges, names, start, {end})
    assert all(step.label == step.concept.upper() for step in path)


@given(EDGES, NAMES, st.integers(0, N_CONCEPTS - 1), st.sets(st.integers(0, N_CONCEPTS - 1)))
def test_a_path_to_a_feature_ends_at_the_nearest_that_has_it(edges, names, start, bearers):
    graph = graph_of(edges, names, bearers)
    path = graph.path(names[start], "tail", ("HasA", "conceptnet"))
    assert tuple(step.concept for step in path) == shortest(edges, names, start, bearers)
    assert graph.path(names[start], "tail", ("MadeOf", "conceptnet")) == ()
    assert graph.path(names[start], "tail", ("HasA", "wordnet")) == ()


def test_a_stated_kind_is_that_of_the_class_alone():
    upwards = {name: ("a", "b")[index:] for index, name in enumerate("ab")}
    pet, tail = (Feature(relation, end, end, "conceptnet") for relation, end in (("IsA", "pet"), ("HasA", "tail")))
    graph = replace(graph_of({(0, 1)}, list("ab")), features={"b": (tail, pet)}, above=upwards)
    assert graph.path("b", "pet", ("IsA", "conceptnet")) == (Step("b", "B"),)
    assert graph.path("a", "pet", ("IsA", "conceptnet")) == ()
    assert graph.path("a", "tail", ("HasA", "conceptnet")) == (Step("a", "A"), Step("b", "B"))
    assert graph.features_above("a") == {tail}
    assert graph.features_above("b") == {tail, pet}


@pytest.mark.parametrize(
    ("relation", "label", "text"),
    [
        ("HasA", "wing", "has wing"),
        ("IsA", "shoe", "is a shoe"),
        ("IsA", "animal", "is an animal"),
        ("UsedFor", "make music", "used to make music"),
        ("CapableOf", "fly", "can fly"),
        ("HasProperty", "round", "is round"),
        ("AtLocation", "kitchen", "found in kitchen"),
    ],
)
def test_statements_are_what_a_person_says(relation: str, label: str, text: str):
    assert statement_text(relation, label) == text


def test_a_cycle_in_a_source_ends_no_walk():
    graph = graph_of({(0, 1), (1, 0), (1, 2)}, list("abcdefghi"))
    assert [step.concept for step in graph.path("a", "c")] == ["a", "b", "c"]
    assert graph.path("a", "d") == ()
    assert graph.label("urn:unknown") == "urn:unknown"
