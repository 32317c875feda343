from __future__ import annotations

import pytest

from filtag_kg.report.grouping import GroupedRun, group_run
from tests.report.plots.reading import made_run


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
    return group_run(made_run(common, tags={("first", 5): 1, ("first", 6): 2, ("second", 9): 9}), q=0.05)
