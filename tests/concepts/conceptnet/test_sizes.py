from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.concepts.conceptnet.sizes import sizes_below


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_sizes_are_about_right_on_graphs_with_cycles(graph: tuple[int, list[tuple[int, int]]]) -> None:
    n_nodes, edges = graph
    start, end = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    sizes = sizes_below(start, end, n_nodes)
    exact = np.array(
        [len(nx.ancestors(nx.DiGraph([(i, i) for i in range(n_nodes)] + edges), i) | {i}) for i in range(n_nodes)]
    )
    assert ((exact == 1) <= (sizes == 1)).all()
    assert (abs(np.log(sizes / exact)) < 0.7).all()


def test_sizes_of_a_large_tree() -> None:
    child = np.arange(1, 20_000)
    sizes = sizes_below(child, (child - 1) // 2, 20_000)
    assert abs(sizes[0] / 20_000 - 1) < 0.4
    assert (sizes[10_000:] == 1).all()
    assert (sizes == sizes_below(child, (child - 1) // 2, 20_000)).all()


def test_no_edges() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert sizes_below(nothing, nothing, 3).tolist() == [1, 1, 1]
    assert sizes_below(nothing, nothing, 0).tolist() == []
