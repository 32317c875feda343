from __future__ import annotations

import io

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import batches, expand_braces, open_images, open_shard
from tests.preparations import to

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")


@pytest.fixture
def pattern(tmp_path):
    """Two folders of three and five images, of two classes each."""
    for shard, n_images in ((1, 3), (2, 5)):
        for index in range(n_images):
            path = tmp_path / f"shard-{shard}" / f"class{index % 2}" / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            file = io.BytesIO()
            Image.new("RGB", (4, 4), (10 * shard + index,) * 3).save(file, "PNG")
            path.write_bytes(file.getvalue())
    return tmp_path / "shard-{1..2}"


def test_shards_are_read_as_one(pattern):
    with open_images(pattern) as images:
        assert images.classes == ("class0", "class1")
        assert [image.name for image in images.reading_order] == [
            *(f"shard-1/class{index % 2}/{index}.png" for index in (0, 2, 1)),
            *(f"shard-2/class{index % 2}/{index}.png" for index in (0, 2, 4, 1, 3)),
        ]
        assert [images.shard_of(image) for image in images.reading_order] == [0] * 3 + [1] * 5


def test_no_batch_reaches_into_another_shard(pattern):
    with open_images(pattern) as images:
        sizes = [len(batch.images) for batch in batches(images, to(4, 4), 2)]
        assert sizes == [2, 1, 2, 2, 1]
        values = [int(pixels[0, 0, 0]) for batch in batches(images, to(4, 4), 2) for pixels in batch.pixels]
        assert values == [10, 12, 11, 20, 22, 24, 21, 23]


def test_a_shard_alone_is_what_it_is_among_others(pattern):
    with open_images(pattern) as images, open_shard(pattern.with_name("shard-2")) as shard:
        assert [image for image in images.reading_order if images.shard_of(image) == 1] == list(shard.reading_order)
        both = [list(batches(images, to(4, 4), 2))[2:], list(batches(shard, to(4, 4), 2))]
        for one, other in zip(*both, strict=True):
            assert one.images == other.images
            np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_range_of_one_shard(pattern):
    with open_images(pattern.with_name("shard-{2..2}")) as images, open_shard(pattern.with_name("shard-2")) as shard:
        assert images.images == shard.images


def test_the_hash_does_not_depend_on_the_order_of_the_shards(pattern):
    turned = pattern.with_name("shard-{2,1}")
    with open_images(pattern) as images, open_images(turned) as others:
        assert images.sha256() == others.sha256()
        assert images.images == others.images


def test_some_of_the_images(pattern):
    with open_images(pattern) as images:
        some = images.only(images.reading_order[2:5])
        assert some.reading_order == images.reading_order[2:5]
        assert some.listing_sha256() != images.listing_sha256()
        assert [len(batch.images) for batch in batches(some, to(4, 4), 8)] == [1, 2]


def test_mistakes_end_in_one_line(tmp_path, pattern):
    for asked, said in (
        (tmp_path / "shard-{1..3}", f"no images at {tmp_path / 'shard-3'}: check the path"),
        (tmp_path / "{shard-1,x/../shard-1}", "two shards of"),
        (tmp_path / "shard-{3..1}", "{3..1} in"),
    ):
        with pytest.raises(FiltagError) as error:
            open_images(asked)
        assert said in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.tar", ["a.tar"]),
        ("a{9..11}", ["a9", "a10", "a11"]),
        ("a{009..011}", ["a009", "a010", "a011"]),
        ("{x,}y", ["xy", "y"]),
        ("{lone}", ["{lone}"]),
    ],
)
def test_braces_expand_as_in_a_shell(pattern, names):
    assert expand_braces(pattern) == names
