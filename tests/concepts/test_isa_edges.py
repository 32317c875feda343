from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.concepts import Edge, KeptEdges
from filtag_kg.concepts.isa_edges import choose_isa_edges, strong_edges


def edge(start: str, end: str, weight: float = 2.0, source: str = "b", dataset: str = "/d/x") -> Edge:
    return Edge("IsA", start, end, weight, source, dataset, "https://example.org/licence")


def choose(*edges: Edge) -> KeptEdges:
    return choose_isa_edges(edges, label=lambda concept: concept.replace("_", " "), preference=["a", "b"])


def pairs(edges: tuple[Edge, ...]) -> list[tuple[str, str]]:
    return [(edge.start, edge.end) for edge in edges]


def test_weights_of_all_who_say_it_add_up() -> None:
    chosen = choose(
        edge("cake", "food", 0.5), edge("cake", "food", 0.5, dataset="/d/y"), edge("cake", "lie", 0.9), edge("x", "x")
    )
    assert pairs(chosen.kept) == [("cake", "food")] * 2
    assert pairs(chosen.weak) == [("cake", "lie"), ("x", "x")]


def test_phrases_that_put_nothing_together() -> None:
    chosen = choose(
        edge("cake", "good_dessert_item"),
        edge("pie", "good_dessert_item"),
        edge("cake", "sweet_thing"),
        edge("cake", "baked_goods"),
        edge("pie", "baked_goods"),
        edge("cake", "kind_of_food"),
        edge("kind_of_food", "food"),
        edge("pie", "food"),
    )
    assert pairs(chosen.phrases) == [
        ("cake", "good_dessert_item"),
        ("cake", "sweet_thing"),
        ("pie", "good_dessert_item"),
    ]
    assert ("cake", "baked_goods") in pairs(chosen.kept)
    assert ("cake", "kind_of_food") in pairs(chosen.kept)


def test_a_cycle_loses_its_weakest_edge_of_the_least_preferred_source() -> None:
    assert pairs(choose(edge("x", "y", 3), edge("y", "z", 1), edge("z", "x", 2)).cycles) == [("y", "z")]
    assert pairs(choose(edge("x", "y", 9), edge("y", "x", 2, "a")).cycles) == [("x", "y")]
    # Both sources say x -> y: it is as preferred as the better of them.
    assert pairs(choose(edge("x", "y", 1), edge("x", "y", 1, "a"), edge("y", "x", 5, "b")).cycles) == [("y", "x")]
    assert pairs(choose(edge("x", "y"), edge("y", "x")).cycles) == [("y", "x")]


@given(st.lists(st.tuples(*[st.integers(0, 7)] * 2, st.sampled_from([0.5, 1.0, 2.0, 3.0]), st.sampled_from("ab"))))
def test_what_stays_has_no_cycle_and_each_edge_left_out_would_close_one(
    said: list[tuple[int, int, float, str]],
) -> None:
    edges = [edge(f"n{start}", f"n{end}", weight, source) for start, end, weight, source in said]
    chosen = choose(*edges)
    kept = nx.DiGraph(pairs(chosen.kept))
    assert nx.is_directed_acyclic_graph(kept)
    assert all(nx.has_path(kept, one.end, one.start) for one in chosen.cycles)
    assert sorted(map(repr, chosen.kept + chosen.weak + chosen.phrases + chosen.cycles)) == sorted(map(repr, edges))
    assert choose(*reversed(edges)).kept == chosen.kept
    assert all(one in strong_edges(edges) for one in chosen.kept)
