# ruff: noqa: F811
"""An image with several labels is passed once and counts for each."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from filtag_kg.kg.exemplar_pass import write_exemplars
from filtag_kg.kg.exemplars import EXEMPLARS
from filtag_kg.profile import PassOptions, checkpointing, collect, merge_profiles
from tests.profile.test_collect import files, network, slow_activations, write_tar  # noqa: F401
from tests.profile.test_resume import StopHereError

LABELS = [("dog",), ("dog", "lynx"), ("cat", "dog"), ("cat",), ("lynx",), ("lynx", "cat", "dog")]


@pytest.fixture(scope="module")
def listed(files, tmp_path_factory):
    """Images in one folder, and a list with their labels."""
    folder = tmp_path_factory.mktemp("listed")
    rows = ["path,label"]
    for index, content in enumerate(files.values()):
        (folder / f"{index:02}.png").write_bytes(content)
        rows.append(f"{index:02}.png,{'|'.join(LABELS[index % len(LABELS)])}")
    (folder / "list.csv").write_text("\n".join(rows))
    return folder / "list.csv"


def test_mean_variance_and_count_are_over_all_images_of_a_label(keras, network, listed):
    ticks = []
    with open_images(listed) as images:
        profile = collect(network, images, PassOptions(batch_size=4), progress=lambda done, _: ticks.append(done))
        each = {image: slow_activations(keras, network, images.read(image)) for image in images.images}
    assert ticks[-1] == len(each) == 23, "each image is passed once"
    assert profile.metadata["images"]["read"] == 23
    assert profile.class_ids == ("cat", "dog", "lynx")
    for row, class_id in enumerate(profile.class_ids):
        of_class = [activations for image, activations in each.items() if class_id in image.class_ids]
        assert profile.count[row] == len(of_class)
        np.testing.assert_allclose(profile.mean[row], np.mean(of_class, axis=0), atol=1e-6)
        np.testing.assert_allclose(profile.variance[row], np.var(of_class, axis=0), atol=1e-6)


def test_an_image_is_an_exemplar_of_a_filter_once(network, listed, tmp_path):
    with open_images(listed) as images:
        profile = collect(network, images)
        write_exemplars(profile, images, tmp_path)
        labels = {image.name: image.class_ids for image in images.images}
    rows = list(EXEMPLARS.read(tmp_path / EXEMPLARS.file_name))
    seen = [(row.layer, row.filter, row.image) for row in rows]
    assert len(set(seen)) == len(seen)
    for row in rows:
        column = int(profile.layer_offsets[row.layer_index]) + row.filter
        means = {class_id: profile.mean[profile.class_ids.index(class_id), column] for class_id in labels[row.image]}
        assert means[row.class_id] == max(means.values())


def test_an_interrupted_pass_is_resumed(network, listed, tmp_path):
    def stop(done, _):
        if done >= 8:
            raise StopHereError

    options = PassOptions(batch_size=4)
    with open_images(listed) as images:
        expected = collect(network, images, options)
        with pytest.raises(StopHereError), checkpointing(tmp_path / "p.npz", seconds=0) as checkpoint:
            collect(network, images, options, checkpoint=checkpoint, progress=stop)
        ticks = []
        with checkpointing(tmp_path / "p.npz") as checkpoint:
            found = collect(
                network, images, options, checkpoint=checkpoint, progress=lambda done, _: ticks.append(done)
            )
    assert ticks[0] == 8
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.count, expected.count)


def test_images_held_out_are_so_under_all_labels(network, listed):
    with open_images(listed) as images:
        profile = collect(network, images, PassOptions(split=0.7))
        labels = {image.name: image.class_ids for image in images.images}
    held_out = [class_id for name in profile.held_out for class_id in labels[name]]
    for row, class_id in enumerate(profile.class_ids):
        total = sum(class_id in ids for ids in labels.values())
        assert profile.count[row] + held_out.count(class_id) == total


def test_parts_that_call_folders_otherwise_are_not_merged(network, files, tmp_path):
    contents = list(files.values())
    layouts = {
        "a": ["c/church/indoor", "b/bar"],
        "b": ["l/library/indoor", "b/bar"],
        "c": ["l/library/indoor", "c/church/indoor"],
    }
    parts = {}
    for index, (name, folders) in enumerate(layouts.items()):
        path = write_tar(tmp_path / f"{name}.tar", {f"{x}/{name}.png": contents[index] for x in folders})
        with open_images(path) as images:
            parts[name] = collect(network, images, PassOptions(part=True))
    advice = "make one profile of all images together, or give their classes in lists"
    for pair, different in (("ab", ("c/church/indoor", "l/library/indoor")), ("ac", ("indoor", "church"))):
        with pytest.raises(FiltagError) as error:
            merge_profiles([parts[name] for name in pair])
        assert str(error.value) == f"the profiles call folders otherwise, {different[0]} and {different[1]}: {advice}"
