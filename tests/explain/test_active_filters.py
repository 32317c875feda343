from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import KG, FiltagError, open_kg
from filtag_kg.explain.active_filters import tagged_filters
from filtag_kg.network import Network
from filtag_kg.tags import contrast_to

pytest.importorskip("keras", reason="the cpu extra is not installed")


@pytest.mark.parametrize("rule", ["k=1", "k=1:contrast"])
def test_active_filters_are_the_best_of_each_layer(colours: KG, network: Network, rule: str) -> None:
    filters = tagged_filters(colours, network, rule)
    assert filters.profile is not None
    activations = np.random.default_rng(0).random((7, 5))
    for image, active in zip(activations, filters.active(activations), strict=True):
        scores = contrast_to(filters.profile, image) if rule.endswith("contrast") else image
        expected = {("first", int(np.argmax(scores[:2]))), ("last", int(np.argmax(scores[2:])))}
        assert set(filters.places(active)) == expected
        assert filters.by_layer(active).tolist() == [1, 1]


def test_tags_read_from_the_file_are_those_made_of_the_profile(colours: KG, network: Network, tmp_path: Path) -> None:
    made = tagged_filters(colours, network, "k=1")
    shutil.copytree(colours.path, tmp_path / "kg")
    (tmp_path / "kg" / "profile.npz").unlink()
    read = tagged_filters(open_kg(tmp_path / "kg"), network, "k=1")
    for index, class_id in enumerate(read.class_ids):
        np.testing.assert_array_equal(read.tagged[:, index], made.tagged[:, made.class_ids.index(class_id)])
    with pytest.raises(FiltagError, match="has no profile, which rule k=1:contrast needs: name another with --rule"):
        tagged_filters(open_kg(tmp_path / "kg"), network, "k=1:contrast")


def test_a_network_loaded_with_other_layers_is_refused(colours: KG, network: Network) -> None:
    fewer = replace(network, layers=network.layers[:1])
    with pytest.raises(FiltagError, match="is about other layers of colours than were loaded: load it with layers"):
        tagged_filters(colours, fewer)
