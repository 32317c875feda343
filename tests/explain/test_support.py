from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from filtag_kg.explain.support import Support, expected_ranks, p_filters


def test_one_layer_is_hypergeometric() -> None:
    for count in range(4):
        expected = hypergeom.sf(count - 1, 20, 5, 3)
        assert p_filters(count, [(20, 5, 3)]) == pytest.approx(expected)


def test_layers_add_up_as_if_every_draw_were_tried() -> None:
    layers = [(4, 2, 2), (5, 1, 2), (3, 0, 1)]
    totals = [0]
    for n_filters, carrying, active in layers:
        draws = [sum(place < carrying for place in drawn) for drawn in combinations(range(n_filters), active)]
        totals = [total + draw for total in totals for draw in draws]
    for count in range(4):
        assert p_filters(count, layers) == pytest.approx(np.mean(np.array(totals) >= count))


def test_large_layers_stay_exact() -> None:
    assert p_filters(300, [(4096, 2048, 400)]) == pytest.approx(hypergeom.sf(299, 4096, 2048, 400), rel=1e-9)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_expected_ranks_are_means_over_all_orders_of_equals(counts: list[int]) -> None:
    ranks = expected_ranks(np.array(counts))
    for count, rank in zip(counts, ranks, strict=True):
        more, equal = sum(x > count for x in counts), counts.count(count)
        assert rank == np.mean(range(more + 1, more + equal + 1))


@pytest.mark.parametrize(
    ("p_of_filters", "p_of_classes", "classes", "supported"),
    [(0.01, 0.05, 200, True), (0.01, 0.055, 200, False), (0.06, 0.005, 200, False), (0.01, 1 / 8, 8, True)],
)
def test_support_needs_both(p_of_filters: float, p_of_classes: float, classes: int, supported: bool) -> None:
    assert Support("a", "a", 1, 2, 1.0, classes, p_of_filters, p_of_classes).supported is supported
