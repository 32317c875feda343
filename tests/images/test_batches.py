from __future__ import annotations

import io
import threading

import numpy as np
import pytest

from filtag_kg.images import batches, open_images
from tests.preparations import to

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")


@pytest.fixture
def folder(tmp_path):
    """Twenty images, each of one grey that tells which it is; the eighth and the last are damaged."""
    for index in range(20):
        file = io.BytesIO()
        Image.new("RGB", (4, 4), (index, index, index)).save(file, "PNG")
        path = tmp_path / f"class{index % 2}" / f"{index:02}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file.getvalue() if index not in (8, 19) else b"damaged")
    return tmp_path


@pytest.mark.parametrize("batch_size", [1, 3, 20, 64])
@pytest.mark.parametrize("workers", [1, 5])
def test_images_come_in_order_whatever_the_threads(folder, batch_size, workers):
    with open_images(folder) as images:
        got = list(batches(images, to(4, 4), batch_size, workers=workers))
        order = [image for image in images.images if image.name[-6:-4] not in ("08", "19")]
    assert [image for batch in got for image in batch.images] == order
    for batch in got:
        assert len(batch.images) + len(batch.unreadable) <= batch_size
        assert [int(pixels[0, 0, 0]) for pixels in batch.pixels] == [int(x.name[-6:-4]) for x in batch.images]
    unreadable = [image.name for batch in got for image, _ in batch.unreadable]
    assert unreadable == ["class0/08.png", "class1/19.png"]


def test_only_some(folder):
    with open_images(folder) as images:
        (batch,) = batches(images, to(4, 4), 8, only=images.images[3:1:-1])
        assert batch.images == (images.images[3], images.images[2])


def test_look_ahead_is_bounded(folder, monkeypatch):
    with open_images(folder) as images:
        reads, read = [], images.read

        def counting(image):
            reads.append(image)
            return read(image)

        monkeypatch.setattr(images, "read", counting)
        stream = batches(images, to(4, 4), 2, workers=2)
        next(stream)
        assert len(reads) <= 6
        stream.close()


def test_stopping_early_leaves_no_thread(folder):
    with open_images(folder) as images:
        stream = batches(images, to(4, 4), 2, workers=3)
        next(stream)
        stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_an_empty_batch_has_the_right_shape(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"damaged")
    with open_images(tmp_path) as images:
        (batch,) = batches(images, to(5, 6), 2)
    assert (batch.pixels.shape, batch.pixels.dtype) == ((0, 5, 6, 3), np.uint8)


def test_a_batch_of_nothing_is_a_caller_s_mistake(folder):
    with open_images(folder) as images, pytest.raises(ValueError, match="at least 1"):
        next(batches(images, to(4, 4), 0))
