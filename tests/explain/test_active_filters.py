from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, Profile, load_profile, save_profile, tag_filters
from filtag_kg.explain.active_filters import tagged_filters
from filtag_kg.kg import KG, open_kg
from filtag_kg.network import Network
from filtag_kg.tags import contrast_to, parse_rule, tag_assignments

pytest.importorskip("keras", reason="the cpu extra is not installed")


@pytest.mark.parametrize("rule", ["k=1", "k=1:contrast"])
def test_active_filters_are_the_best_of_each_layer(colours: KG, network: Network, rule: str) -> None:
    filters = tagged_filters(colours, network, rule)
    profile = load_profile(colours.path / "profile.npz")
    activations = np.random.default_rng(0).random((7, 5))
    for image, active in zip(activations, filters.active(activations), strict=True):
        scores = contrast_to(profile, image) if rule.endswith("contrast") else image
        expected = {("first", int(np.argmax(scores[:2]))), ("last", int(np.argmax(scores[2:])))}
        assert set(filters.layers_and_filters(active)) == expected
        assert filters.by_layer(active).tolist() == [1, 1]


@pytest.mark.parametrize("rule", ["k=1", "k=1:contrast"])
def test_the_table_is_what_the_profile_says(colours: KG, network: Network, rule: str) -> None:
    filters = tagged_filters(colours, network, rule)
    profile = load_profile(colours.path / "profile.npz")
    tags = tag_filters(profile, [parse_rule(rule)], network=network.identifier)
    expected = {(row.layer, row.filter, row.class_id) for row in tag_assignments(tags)}
    found = {
        (*place, class_id)
        for index, class_id in enumerate(filters.class_ids)
        for place in filters.layers_and_filters(filters.tagged[:, index])
    }
    assert found == expected
    assert dict(zip(filters.class_ids, filters.class_labels, strict=True)) == dict(
        zip(profile.class_ids, profile.class_labels, strict=True)
    )


def test_a_contrast_needs_the_profile(colours: KG, network: Network, tmp_path: Path) -> None:
    shutil.copytree(colours.path, tmp_path / "kg")
    (tmp_path / "kg" / "profile.npz").unlink()
    assert tagged_filters(open_kg(tmp_path / "kg"), network, "k=1").tagged.any()
    with pytest.raises(FiltagError, match="has no profile, which rule k=1:contrast needs: name another rule"):
        tagged_filters(open_kg(tmp_path / "kg"), network, "k=1:contrast")


def test_a_network_loaded_with_other_layers_is_refused(colours: KG, network: Network) -> None:
    fewer = replace(network, layers=network.layers[:1])
    with pytest.raises(FiltagError, match="is about other layers of colours than were loaded: load it with layers"):
        tagged_filters(colours, fewer)


def test_a_damaged_tag_file_is_one_line(colours: KG, network: Network, tmp_path: Path) -> None:
    shutil.copytree(colours.path, tmp_path / "kg")
    for content in (None, "", "rule,layer\n", "network,layer,filter,class_id,label,rule\nx,last,y,n1,a,k=1\n"):
        if content is None:
            (tmp_path / "kg" / "tags.csv").unlink()
        else:
            (tmp_path / "kg" / "tags.csv").write_text(content)
        with pytest.raises(FiltagError, match=r"tags.csv.*: build the KG anew$"):
            tagged_filters(open_kg(tmp_path / "kg"), network)


def test_a_profile_is_read_without_what_is_not_needed(tmp_path: Path, profile: Profile) -> None:
    save_profile(profile, tmp_path / "p.npz")
    means = load_profile(tmp_path / "p.npz", means_alone=True)
    assert means.variance is None
    np.testing.assert_array_equal(means.mean, profile.mean)
    assert load_profile(tmp_path / "p.npz").variance is not None
