"""How images become those of a network's size: squashed, cropped or padded; grey, in colour or with transparency."""

from __future__ import annotations

import io

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import decode
from filtag_kg.images.decode import UnreadableImageError
from tests.preparations import to

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")


def picture(width, height, mode="RGB"):
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, *channels), np.uint8))


def png(image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(("width", "height"), [(40, 30), (30, 40), (64, 20), (8, 9)])
@pytest.mark.parametrize(("share", "resized"), [(1.0, 16), (0.875, 18), (16 / 20, 20)])
def test_a_crop_is_the_middle_of_the_image_whose_shorter_side_was_resized(width, height, share, resized):
    image = picture(width, height)
    short = min(width, height)
    whole = image.resize((int(resized * width / short), int(resized * height / short)), Image.Resampling.BICUBIC)
    left, top = round((whole.width - 16) / 2), round((whole.height - 16) / 2)
    expected = np.asarray(whole)[top : top + 16, left : left + 16]
    got = decode(png(image), to(16, 16, resize="crop", crop_share=share, interpolation="bicubic"))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("resize", "resize_size", "crop"), [("crop", 256, 224), ("crop", 232, 224), ("crop", 342, 299)]
)
def test_it_is_what_torchvision_does(resize, resize_size, crop):
    transforms = pytest.importorskip("torchvision.transforms", reason="compares with torchvision")
    image = picture(500, 375)
    steps = transforms.Compose([transforms.Resize(resize_size), transforms.CenterCrop(crop)])
    got = decode(png(image), to(crop, crop, resize="crop", crop_share=crop / resize_size))
    np.testing.assert_array_equal(got, np.asarray(steps(image)))


def test_a_crop_for_a_network_that_is_not_square():
    image = picture(100, 100)
    got = decode(png(image), to(10, 40, resize="crop"))
    whole = np.asarray(image.resize((40, 40), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(got, whole[15:25])


@pytest.mark.parametrize(("width", "height", "inner"), [(40, 20, (4, 12, 0, 16)), (20, 40, (0, 16, 4, 12))])
def test_padding_keeps_the_aspect_and_fills_up_with_black(width, height, inner):
    image = picture(width, height)
    got = decode(png(image), to(16, 16, resize="pad"))
    top, bottom, left, right = inner
    small = image.resize((right - left, bottom - top), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(got[top:bottom, left:right], np.asarray(small))
    got = got.copy()
    got[top:bottom, left:right] = 0
    assert not got.any()


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(resize, mode, channels):
    got = decode(png(picture(30, 20, mode)), to(8, 8, channels, resize=resize))
    assert (got.shape, got.dtype) == ((8, 8, channels), np.uint8)


def test_grey_is_pillow_s():
    image = picture(8, 8)
    np.testing.assert_array_equal(decode(png(image), to(8, 8, 1))[:, :, 0], np.asarray(image.convert("L")))


def test_a_one_pixel_image_has_every_frame():
    for resize in ("squash", "crop", "pad"):
        assert decode(png(picture(1, 1)), to(7, 5, resize=resize)).shape == (7, 5, 3)
    assert decode(png(picture(1, 300)), to(7, 5, resize="pad")).shape == (7, 5, 3)


@pytest.mark.parametrize(("width", "height"), [(65_535, 1), (1, 65_535)])
def test_a_strip_is_not_cropped_by_way_of_gigabytes(width, height):
    content = png(Image.new("RGB", (width, height)))
    with pytest.raises(UnreadableImageError, match=f"{width} × {height} pixels are too narrow to be cropped"):
        decode(content, to(224, 224, resize="crop"))
    assert decode(content, to(224, 224, resize="pad")).shape == (224, 224, 3)


def test_files_have_no_other_number_of_channels():
    with pytest.raises(FiltagError) as error:
        decode(png(picture(8, 8)), to(8, 8, 6))
    assert str(error.value) == "the network takes 6 channels, which image files do not have: give arrays"
