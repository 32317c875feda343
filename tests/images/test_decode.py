from __future__ import annotations

import io

import numpy as np
import pytest

from filtag_kg.images import UnreadableImageError, decode

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")


def encode(image, kind="PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(height=10, width=20):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def test_pixels_come_as_height_width_rgb():
    pixels = decode(encode(picture()), (10, 20))
    assert (pixels.dtype, pixels.shape) == (np.uint8, (10, 20, 3))
    np.testing.assert_array_equal(pixels, np.asarray(picture()))


def test_resizing_is_pillow_s_bilinear():
    expected = np.asarray(picture(50, 40).resize((7, 9), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(decode(encode(picture(50, 40)), (9, 7)), expected)


def in_mode(mode):
    grey = Image.new("L", (6, 4), 128)
    if mode == "I;16":
        return Image.fromarray(np.full((4, 6), 128 << 8, np.uint16))
    if mode == "P":
        return grey.convert("RGB").quantize(4)
    return grey.convert(mode) if mode in ("L", "LA") else grey.convert("RGB").convert(mode)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("P", "GIF"), ("RGBA", "PNG"), ("RGBA", "WEBP"), ("CMYK", "JPEG"),
     ("L", "JPEG"), ("YCbCr", "JPEG"), ("I;16", "PNG"), ("I;16", "TIFF"), ("RGB", "BMP")],
)  # fmt: skip
def test_every_mode_becomes_rgb(mode, kind):
    pixels = decode(encode(in_mode(mode), kind), (4, 6))
    assert pixels.shape == (4, 6, 3)
    assert np.abs(pixels.astype(int) - 128).max() <= 2


def test_black_and_white():
    assert decode(encode(Image.new("1", (6, 4), 1)), (4, 6)).min() == 255


def test_a_palette_with_transparency_warns_of_nothing(recwarn):
    image = picture().quantize(8)
    image.info["transparency"] = bytes([0, 128] + [255] * 6)
    assert decode(encode(image, transparency=image.info["transparency"]), (10, 20)).shape == (10, 20, 3)
    assert not recwarn.list


def test_the_camera_s_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees to see it upright
    upright = decode(encode(picture(), exif=exif), (20, 10))
    np.testing.assert_array_equal(upright, np.asarray(picture().transpose(Image.Transpose.ROTATE_270)))


def test_a_big_jpeg_is_close_to_its_full_decoding():
    smooth = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8))
    content = encode(smooth.resize((1600, 1200), Image.Resampling.BICUBIC), "JPEG", quality=95)
    full = Image.open(io.BytesIO(content)).resize((64, 48), Image.Resampling.BILINEAR)
    difference = decode(content, (48, 64)).astype(int) - np.asarray(full).astype(int)
    assert np.abs(difference).max() <= 6


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(content, (4, 4))[0, 0], [255, 0, 0])


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", encode(picture())[:60], encode(picture(), "JPEG")[:200], encode(picture(), "BMP")[:100]],
    ids=["empty", "nonsense", "png", "jpeg", "bmp"],
)
def test_what_is_damaged_is_unreadable(content):
    with pytest.raises(UnreadableImageError):
        decode(content, (4, 4))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("limit", "line"), [(1000, "120000 pixels are too many"), (100_000, "400 × 300 pixels are too many")]
)
def test_a_decompression_bomb_is_unreadable(monkeypatch, limit, line):
    content = encode(Image.new("1", (400, 300)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(UnreadableImageError, match=f"^{line}$"):
        decode(content, (4, 4))


def test_numbers_of_unknown_range_are_unreadable():
    content = encode(Image.fromarray(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)), "TIFF")
    with pytest.raises(UnreadableImageError, match="unknown range"):
        decode(content, (4, 4))
