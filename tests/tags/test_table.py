from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import Profile, Rule, tag_filters
from filtag_kg.tags import read_tag_assignments, tag_assignments, tags_csv


def test_rows_come_out_sorted_whatever_order_they_were_given_in(profile: Profile) -> None:
    tags = tag_filters(profile, [Rule("k", 1), Rule("q", 0.5)], network="n")
    order = np.random.default_rng(1).permutation(len(tags))
    columns = ("rule", "layer", "filter", "class_", "rank", "activation", "contrast")
    shuffled = replace(tags, **{name: getattr(tags, name)[order] for name in columns})
    assert tags_csv(shuffled) == tags_csv(tags)


def test_csv_round_trip(profile: Profile, tmp_path: Path) -> None:
    tags = tag_filters(profile, [Rule("k", 2, "contrast")], network='a "quoted", name')
    (tmp_path / "tags.csv").write_text(tags_csv(tags))
    assert read_tag_assignments(tmp_path / "tags.csv") == list(tag_assignments(tags))


def test_csv_header_is_the_contract(profile: Profile) -> None:
    header = tags_csv(tag_filters(profile, [Rule("k", 1)], network="n")).partition("\n")[0]
    assert header == "network,layer_index,layer,filter,class_id,label,rank,activation,contrast,rule"


@pytest.mark.parametrize("column", ["rule", "layer", "filter", "class_"])
def test_indices_out_of_range_are_refused(profile: Profile, column: str) -> None:
    tags = tag_filters(profile, [Rule("k", 1)], network="n")
    with pytest.raises(ValueError, match=f"column '{column}' must index"):
        replace(tags, **{column: np.full(len(tags), 99)})
