from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from filtag_kg import Profile, Rule, tag_filters
from filtag_kg.tags import tag_assignments


def test_rows_come_out_sorted_whatever_order_they_were_given_in(profile: Profile) -> None:
    tags = tag_filters(profile, [Rule("k", 1), Rule("q", 0.5)], network="n")
    order = np.random.default_rng(1).permutation(len(tags))
    columns = ("rule", "layer", "filter", "class_", "rank", "activation", "contrast")
    shuffled = replace(tags, **{name: getattr(tags, name)[order] for name in columns})
    assert list(tag_assignments(shuffled)) == list(tag_assignments(tags))


@pytest.mark.parametrize("column", ["rule", "layer", "filter", "class_"])
def test_indices_out_of_range_are_refused(profile: Profile, column: str) -> None:
    tags = tag_filters(profile, [Rule("k", 1)], network="n")
    with pytest.raises(ValueError, match=f"column '{column}' must index"):
        replace(tags, **{column: np.full(len(tags), 99)})
