from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, split_images


def images(sizes):
    return [ImageRef(f"n{class_}", f"n{class_}/{index:03}.jpg") for class_, n in enumerate(sizes) for index in range(n)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.floats(0.05, 0.95), st.integers(0, 5))
def test_a_split_takes_a_share_of_each_class_and_loses_nothing(sizes, share, seed):
    every = images(sizes)
    kept, held_out = split_images(every[::-1], share, seed)
    assert sorted(kept + held_out) == every
    for class_, size in enumerate(sizes):
        n_kept = sum(image.class_id == f"n{class_}" for image in kept)
        assert n_kept == max(round(share * size), min(2, size))
    assert (kept, held_out) == split_images(every, share, seed)


def test_the_seed_decides_and_other_classes_do_not():
    every = images([30, 30])
    assert split_images(every, 0.8, 0) != split_images(every, 0.8, 1)
    kept, _ = split_images(every, 0.8, 0)
    alone, _ = split_images(every[30:], 0.8, 0)
    assert [image for image in kept if image.class_id == "n1"] == list(alone)
    places = [{image.name[-7:-4] for image in kept if image.class_id == f"n{class_}"} for class_ in range(2)]
    assert places[0] != places[1], "each class is shuffled by itself"


@pytest.mark.parametrize(("share", "seed"), [(0.0, 0), (1.0, 0), (1.5, 0), (float("nan"), 0), (0.5, -1)])
def test_what_is_no_split_is_refused(share, seed):
    with pytest.raises(FiltagError):
        split_images(images([5]), share, seed)


def test_an_image_with_several_labels_is_on_one_side_and_rare_classes_are_on_both():
    rare = [ImageRef("dog", f"{index:02}.jpg", ("lynx",)) for index in range(5)]
    every = rare + [ImageRef("dog", f"{index:02}.jpg") for index in range(5, 40)]
    kept, held_out = split_images(every, 0.8, 0)
    assert sorted(kept + held_out) == sorted(every)
    assert sum("lynx" in image.class_ids for image in held_out) == 1
    assert len(held_out) == 1 + 7
