from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from filtag_kg import Profile, Rule, tag_filters
from filtag_kg.tags import tag_assignments, tag_scores


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


def test_scores_are_sorted_with_their_rows_and_unknown_unless_given(profile: Profile) -> None:
    tags = tag_filters(profile, [Rule("k", 1)], network="n")
    assert np.isnan(tags.score).tolist() == [True] * len(tags)
    columns = ("rule", "layer", "filter", "class_", "rank", "activation", "contrast")
    backwards = {name: getattr(tags, name)[::-1] for name in columns}
    scored = replace(tags, **backwards, score=np.arange(len(tags), dtype=np.float64))
    assert scored.score.tolist() == list(range(len(tags)))[::-1]
    assert [row.score for row in tag_scores(scored)] == scored.score.tolist()
    shorter = replace(tags, **{name: getattr(tags, name)[:2] for name in columns})
    assert np.isnan(shorter.score).tolist() == [True, True]
    with pytest.raises(ValueError, match="all columns of a tag table must have the same length"):
        replace(tags, score=np.zeros(2))
    with pytest.raises(ValueError, match="contrasts and scores finite"):
        replace(tags, score=np.full(len(tags), np.inf))
