"""Merged profiles against one pass over all the images, with a real network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from filtag_kg.profile import PassOptions, collect, load_profile, merge_profiles, save_profile
from tests.profile.test_collect import archive, files, network, write_tar  # noqa: F401


@pytest.fixture(scope="module")
def shards(files, tmp_path_factory):  # noqa: F811
    """Three tars; the classes are spread over them unevenly, one is in a single tar."""
    folder = tmp_path_factory.mktemp("shards")
    names = sorted(files)
    parts = {"0": names[:9], "1": names[9:10], "2": names[10:]}
    return [write_tar(folder / f"s-{key}.tar", {name: files[name] for name in part}) for key, part in parts.items()]


def passed(network, path, **options):  # noqa: F811
    with open_images(path) as images:
        return collect(network, images, PassOptions(batch_size=4, **options))


@pytest.fixture(scope="module")
def parts(network, shards):  # noqa: F811
    return [passed(network, path, part=True) for path in shards]


def test_parts_merge_to_the_whole(network, shards, parts):  # noqa: F811
    whole = passed(network, shards[0].with_name("s-{0..2}.tar"))
    for order in (parts, parts[::-1], [merge_profiles(parts[:2]), parts[2]]):
        merged = merge_profiles(order)
        np.testing.assert_allclose(merged.mean, whole.mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(merged.variance, whole.variance, rtol=0, atol=1e-9)
        np.testing.assert_array_equal(merged.count, whole.count)
        assert merged.class_ids == whole.class_ids
        assert merged.metadata["images"]["sha256"] == whole.metadata["images"]["sha256"]
        assert merged.metadata["images"]["read"] == whole.metadata["images"]["read"] == 23
        assert merged.metadata["notes"] == whole.metadata["notes"] == []
        np.testing.assert_allclose(merged.exemplars.activation, whole.exemplars.activation, atol=1e-6)


def test_a_part_remembers_what_its_merger_will_know_better(parts):
    assert parts[1].class_ids == ("n01",)
    assert parts[1].metadata["notes"] == ["class n01: one image, variance 0"]


def test_a_merged_profile_is_saved_and_read(parts, tmp_path):
    merged = merge_profiles(parts)
    save_profile(merged, tmp_path / "p.npz")
    again = load_profile(tmp_path / "p.npz")
    assert again.metadata == merged.metadata
    assert again.exemplars.names == merged.exemplars.names
    np.testing.assert_array_equal(again.exemplars.image, merged.exemplars.image)


def refusal(profiles) -> str:
    with pytest.raises(FiltagError) as error:
        merge_profiles(profiles)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_does_not_belong_together_is_refused(parts):
    assert refusal([]).startswith("no profiles to merge")
    assert refusal([parts[0], parts[1], parts[0]]) == (
        "the images of s-0.tar are in two of the profiles: merge each image's once"
    )
    other = dataclasses.replace(parts[1], metadata=parts[1].metadata | {"identifier": "vgg16-0"})
    assert refusal([parts[0], other]).startswith("profiles of different identifier cannot be merged, ")
    for name, value, shown in (
        ("preprocess", "0..1", "-1..1 and 0..1"),
        ("input_size", [16, 16], "12, 16 and 16, 16"),
        ("precision", "float16", "float32 and float16"),
        ("resizing", "nearest", f"{parts[0].metadata['resizing']} and nearest"),
        ("outputs", ["a", "b", "c", "d"], "none and a, b, c … (4)"),
    ):
        metadata = (
            parts[1].metadata | {name: value} | ({"scaling": [[1.0, 0, 0, 0]] * 3} if name == "preprocess" else {})
        )
        assert refusal([parts[0], dataclasses.replace(parts[1], metadata=metadata)]) == (
            f"profiles of different {name} cannot be merged, {shown}: merge profiles of one network, "
            "made in the same way"
        )
    layers = dataclasses.replace(parts[1], layer_names=("a", "b", "c", "d"))
    assert refusal([parts[0], layers]).startswith("profiles of different layers")
    assert refusal([parts[0], dataclasses.replace(parts[1], variance=None)]).startswith("a profile without variances")


def test_what_two_passes_did_differently_is_not_said_of_both(parts):
    first, second = (
        dataclasses.replace(part, metadata={**part.metadata, "versions": {"keras": version}, "batch_size": size})
        for part, version, size in zip(parts, ("3.10", "3.11"), (4, 8), strict=False)
    )
    merged = merge_profiles([second, first])
    assert merged.metadata["versions"] == {"keras": "3.10, 3.11"}
    assert "batch_size" not in merged.metadata
    assert merge_profiles([merged, parts[2]]).metadata["versions"]["keras"].startswith("3.10, 3.11, ")
    unknown = dataclasses.replace(first, metadata={k: v for k, v in first.metadata.items() if k != "started"})
    assert "started" not in merge_profiles([unknown, second]).metadata
