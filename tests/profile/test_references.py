from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, open_images
from filtag_kg.profile import PassOptions, checkpointing, collect, load_profile, merge_profiles, save_profile
from filtag_kg.profile.references import References, ReferenceSample, kept_filters, merge_references
from tests.profile.test_collect import archive, files, network, write_tar  # noqa: F401

CLASSES = ("cat", "dog")
ACTIVATIONS = arrays(np.float32, st.tuples(st.integers(1, 30), st.just(5)), elements=st.sampled_from([0.0, 0.25, 1.0]))


def images_of(n_images):
    return [ImageRef(CLASSES[index % 2], f"{CLASSES[index % 2]}/{index}.png") for index in range(n_images)]


def sampled(activations, images, most, batch_size=7):
    """Return the references of images that come in this order, and the last three of their five filters."""
    sample = ReferenceSample(3, most)
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        positions = np.arange(start, start + len(batch))
        sample.add(positions, [image.name for image in batch], activations[start : start + batch_size])
    return sample.named(images, CLASSES)


def same(one, other):
    assert one.names == other.names
    np.testing.assert_array_equal(one.classes, other.classes)
    np.testing.assert_array_equal(one.activations, other.activations)


@given(ACTIVATIONS, st.integers(1, 9), st.integers(0, 40), st.randoms(use_true_random=False))
def test_the_sample_is_that_of_a_sort_by_hash_however_the_images_come(activations, batch_size, most, chance):
    images = images_of(len(activations))
    found = sampled(activations, images, most, batch_size)
    by_hash = sorted(range(len(images)), key=lambda index: hashlib.sha256(images[index].name.encode()).hexdigest())
    assert found.names == tuple(images[index].name for index in by_hash[:most])
    np.testing.assert_array_equal(found.activations, activations[by_hash[:most], 2:])
    assert [CLASSES[row.argmax()] for row in found.classes] == [name[:3] for name in found.names]
    order = list(range(len(images)))
    chance.shuffle(order)
    same(sampled(activations[order], [images[index] for index in order], most), found)


@given(ACTIVATIONS, st.integers(0, 30), st.integers(1, 40))
def test_samples_of_parts_merge_into_that_of_the_whole(activations, cut, most):
    images = images_of(len(activations))
    expected = sampled(activations, images, most)
    parts = [sampled(activations[part], images[part], most) for part in (slice(0, cut), slice(cut, None))]
    rows = [np.arange(2), np.arange(2)]
    same(merge_references(parts, rows, 2, most), expected)
    same(merge_references(parts[::-1], rows, 2, most), expected)
    # In the second part the classes are in another order.
    turned = replace(parts[1], classes=parts[1].classes[:, ::-1])
    same(merge_references([parts[0], turned], [rows[0], rows[1][::-1]], 2, most), expected)


@given(ACTIVATIONS, st.integers(0, 30), st.integers(1, 40))
def test_a_sample_continues_from_a_checkpoint(activations, cut, most):
    images = images_of(len(activations))
    names = [image.name for image in images]
    before, empty = ReferenceSample(3, most), ReferenceSample(3, most)
    before.add(np.arange(len(names[:cut])), names[:cut], activations[:cut])
    continued = empty.restored(*before.by_key(), names[:cut])
    continued.add(np.arange(cut, max(cut, len(names))), names[cut:], activations[cut:])
    same(continued.named(images, CLASSES), sampled(activations, images, most))


def test_a_checkpoint_of_something_else_is_refused():
    empty = ReferenceSample(3, 2)
    image, activation = np.arange(1), np.zeros((1, 3), np.float16)
    for damaged in (
        (image + 5, activation),
        (image.astype(np.int32), activation),
        (image, activation.astype(np.float32)),
        (image, activation[:, :2]),
        (image, activation + np.float16("nan")),
        (np.arange(3), np.zeros((3, 3), np.float16)),
    ):
        with pytest.raises(ValueError, match="its reference images are not those of a pass"):
            empty.restored(*damaged, ["a", "b", "c"])


def test_the_last_layers_are_kept_up_to_a_number_of_filters():
    assert kept_filters([64, 128, 256], 255) == 256, "the last layer at least"
    assert kept_filters([64, 128, 256], 384) == 384
    assert kept_filters([64, 128, 256]) == 448
    assert kept_filters([7], 1) == 7


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"names": ("a", "")}, "reference_names must be the names of images"),
        ({"classes": np.ones((1, 2), np.bool_)}, "must be of 2 images"),
        ({"classes": np.ones(2, np.bool_)}, "must be tables"),
        ({"classes": np.zeros((2, 2), np.bool_)}, "must give each image a class"),
        ({"activations": np.full((2, 3), 1.5, np.float16)}, r"must be in \[0, 1\]"),
        ({"activations": np.full((2, 3), np.nan, np.float16)}, r"must be in \[0, 1\]"),
    ],
)
def test_references_that_do_not_fit_are_refused(changes, problem):
    whole = {"names": ("a", "b"), "classes": np.ones((2, 2), np.bool_), "activations": np.zeros((2, 3), np.float16)}
    References(**whole)
    with pytest.raises(ValueError, match=problem):
        References(**{**whole, **changes})


def profile_of(network, path, **options):  # noqa: F811
    with open_images(path) as images:
        return collect(network, images, PassOptions(**options))


def test_a_pass_keeps_references_and_its_profile_keeps_them_on_disk(network, archive, tmp_path):  # noqa: F811
    profile = profile_of(network, archive, batch_size=4)
    references = profile.references
    assert references is not None
    assert len(references.names) == profile.count.sum() < profile.metadata["references"] == 2000
    assert references.activations.shape[1] == profile.mean.shape[1]
    np.testing.assert_array_equal(references.classes.sum(axis=0), profile.count)
    # The mean of the references of a class is the class's.
    mean = references.classes.T.astype(float) @ references.activations / profile.count[:, None]
    np.testing.assert_allclose(mean, profile.mean, atol=1e-3)
    same(profile_of(network, archive, batch_size=3, references=5).references, first_of(references, 5))
    save_profile(profile, tmp_path / "p.npz")
    same(load_profile(tmp_path / "p.npz").references, references)
    assert load_profile(tmp_path / "p.npz", means_alone=True).references is None
    assert profile_of(network, archive, references=0).references is None


def first_of(references, most):
    return References(references.names[:most], references.classes[:most], references.activations[:most])


def test_an_interrupted_pass_keeps_the_same_references(network, archive, tmp_path):  # noqa: F811
    expected = profile_of(network, archive, batch_size=2, references=5)

    class Interrupted(Exception):  # noqa: N818
        pass

    def interrupt(done, _):
        if done >= 6:
            raise Interrupted

    output = tmp_path / "p.npz"
    options = PassOptions(batch_size=2, references=5)
    with open_images(archive) as images:
        with pytest.raises(Interrupted), checkpointing(output, seconds=0) as checkpoint:
            collect(network, images, options, checkpoint=checkpoint, progress=interrupt)
        with pytest.raises(FiltagError, match="of a pass with another references"), checkpointing(output) as checkpoint:
            collect(network, images, replace(options, references=6), checkpoint=checkpoint)
        with checkpointing(output) as checkpoint:
            found = collect(network, images, options, checkpoint=checkpoint)
    same(found.references, expected.references)


def test_merged_profiles_have_the_references_of_one_pass(network, files, tmp_path):  # noqa: F811
    names = sorted(files)
    parts = []
    for number, chosen in enumerate((names[::2], names[1::2])):
        write_tar(tmp_path / f"{number}.tar", {name: files[name] for name in chosen})
        parts.append(profile_of(network, tmp_path / f"{number}.tar", part=True, references=5 + number))
    write_tar(tmp_path / "all.tar", files)
    merged = merge_profiles(parts)
    expected = profile_of(network, tmp_path / "all.tar", references=5)
    same(merged.references, expected.references)
    assert merged.metadata["references"] == 5
    assert merge_profiles([parts[0], replace(parts[1], references=None)]).references is None


def test_a_profile_is_refused_whose_references_are_of_other_classes_or_layers(network, archive, tmp_path):  # noqa: F811
    profile = profile_of(network, archive)
    references = profile.references
    with pytest.raises(ValueError, match="reference_classes must be of"):
        replace(profile, references=replace(references, classes=np.ones((len(references.names), 1), np.bool_)))
    with pytest.raises(ValueError, match="reference_activations must be of the last layers"):
        replace(profile, references=replace(references, activations=references.activations[:, 1:]))
    save_profile(profile, tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as file:
        saved = dict(file)
    saved["reference_classes"] = saved["reference_classes"].astype(np.int64)
    content = io.BytesIO()
    np.savez(content, **saved)
    (tmp_path / "damaged.npz").write_bytes(content.getvalue())
    with pytest.raises(FiltagError, match="reference_classes is not a table of booleans"):
        load_profile(tmp_path / "damaged.npz")
