from __future__ import annotations

import pytest

from filtag_kg.report.grouping import GroupedRun
from tests.report.plots.reading import grouped_run


@pytest.fixture
def grouped() -> GroupedRun:
    """Dogs from the first layer on and most in the last, cars from the second, a boat in the last."""
    common = {
        ("first", 0): "dog",
        ("second", 1): "dog",
        ("last", 0): "dog",
        ("last", 1): "dog",
        ("last", 2): "dog",
        ("last", 3): "dog",
        ("second", 2): "car",
        ("second", 3): "car",
        ("last", 4): "boat",
    }
    return grouped_run(common, tags={("first", 5): 1, ("first", 6): 2, ("second", 9): 9})
