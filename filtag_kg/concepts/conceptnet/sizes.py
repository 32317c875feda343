"""How many nodes lie below each node of a large graph with cycles.

Counting exactly takes a set for each node; estimating takes a few numbers. Give each node random exponential variables:
the least of those below a node falls with their number. Of m such minima with sum s, (m - 1) / s is an unbiased
estimate with a relative standard error of 1 / sqrt(m - 2) [1]_.

References
----------
.. [1] Cohen 1997, Size-Estimation Framework with Applications to Transitive Closure and Reachability
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MINIMA = 64
_AT_ONCE = 8


def sizes_below(start: NDArray[np.int64], end: NDArray[np.int64], n_nodes: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Return an estimate of how many nodes lie at or below each node, itself included.

    A node with nothing below it has 1, exactly; others are estimated with a relative standard error of 13 %.

    Parameters
    ----------
    start, end : int64 arrays of shape (n_edges,)
        Indices of nodes: the start of an edge lies below its end.
    seed : int
        For the random variables.

    Returns
    -------
    int64 array of shape (n_nodes,)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(n_nodes, n_nodes))
    # Nodes on a cycle all lie below each other: they are treated as one.
    n_components, component = connected_components(graph, directed=True, connection="strong")
    edges = np.unique(np.stack([component[start], component[end]]), axis=1)
    lower, upper = edges[:, edges[0] != edges[1]]
    steps = list(_by_level(lower, upper, n_components))
    random = np.random.default_rng(seed)
    total = np.zeros(n_components)
    for _ in range(_MINIMA // _AT_ONCE):
        least = np.full((n_components, _AT_ONCE), np.inf)
        np.minimum.at(least, component, random.exponential(size=(n_nodes, _AT_ONCE)))
        for below, above in steps:
            np.minimum.at(least, above, least[below])
        total += least.sum(axis=1)
    members = np.bincount(component, minlength=n_components)
    estimate = np.maximum(np.rint((_MINIMA - 1) / total), members + np.bincount(upper, minlength=n_components))
    alone = np.ones(n_components, dtype=np.bool_)
    alone[upper] = False
    sizes: NDArray[np.int64] = np.where(alone, members, estimate).astype(np.int64)[component]
    return sizes


def _by_level(
    lower: NDArray[np.int64], upper: NDArray[np.int64], n_nodes: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the edges of an acyclic graph in steps: the edges below the upper ends of a step are in earlier steps."""
    level = np.zeros(n_nodes, dtype=np.int64)
    while True:
        raised = level.copy()
        np.maximum.at(raised, upper, raised[lower] + 1)
        if (raised == level).all():
            break
        level = raised
    of_edge = level[upper]
    order = np.argsort(of_edge, kind="stable")
    borders = np.flatnonzero(np.diff(of_edge[order])) + 1
    return list(zip(np.split(lower[order], borders), np.split(upper[order], borders), strict=True))
