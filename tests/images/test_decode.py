from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.images import UnreadableImageError, decode, read_file, thumbnail
from tests.preparations import to

Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")


def encode(image, kind="PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(height=10, width=20):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def test_pixels_come_as_height_width_rgb():
    pixels = decode(encode(picture()), to(10, 20))
    assert (pixels.dtype, pixels.shape) == (np.uint8, (10, 20, 3))
    np.testing.assert_array_equal(pixels, np.asarray(picture()))


def test_resizing_is_pillow_s_bilinear():
    expected = np.asarray(picture(50, 40).resize((7, 9), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(decode(encode(picture(50, 40)), to(9, 7)), expected)


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
    pixels = decode(encode(in_mode(mode), kind), to(4, 6))
    assert pixels.shape == (4, 6, 3)
    assert np.abs(pixels.astype(int) - 128).max() <= 2


def test_black_and_white():
    assert decode(encode(Image.new("1", (6, 4), 1)), to(4, 6)).min() == 255


def test_a_palette_with_transparency_warns_of_nothing(recwarn):
    image = picture().quantize(8)
    image.info["transparency"] = bytes([0, 128] + [255] * 6)
    assert decode(encode(image, transparency=image.info["transparency"]), to(10, 20)).shape == (10, 20, 3)
    assert not recwarn.list


def test_the_camera_s_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees to see it upright
    upright = decode(encode(picture(), exif=exif), to(20, 10))
    np.testing.assert_array_equal(upright, np.asarray(picture().transpose(Image.Transpose.ROTATE_270)))


def test_a_big_jpeg_is_close_to_its_full_decoding():
    smooth = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8))
    content = encode(smooth.resize((1600, 1200), Image.Resampling.BICUBIC), "JPEG", quality=95)
    full = Image.open(io.BytesIO(content)).resize((64, 48), Image.Resampling.BILINEAR)
    difference = decode(content, to(48, 64)).astype(int) - np.asarray(full).astype(int)
    assert np.abs(difference).max() <= 6


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(content, to(4, 4))[0, 0], [255, 0, 0])


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", encode(picture())[:60], encode(picture(), "JPEG")[:200], encode(picture(), "BMP")[:100]],
    ids=["empty", "nonsense", "png", "jpeg", "bmp"],
)
def test_what_is_damaged_is_unreadable(content):
    with pytest.raises(UnreadableImageError):
        decode(content, to(4, 4))


@pytest.mark.parametrize(
    ("limit", "line"), [(1000, "120000 pixels are too many"), (100_000, "400 × 300 pixels are too many")]
)
@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP", "WEBP", "JPEG", "PPM", "AVIF"])
def test_a_decompression_bomb_is_unreadable(monkeypatch, recwarn, kind, limit, line):
    content = encode(Image.new("L", (400, 300)), kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(UnreadableImageError, match=f"^{line}$"):
        decode(content, to(4, 4))
    assert not recwarn.list


def test_the_limit_does_not_depend_on_pillow_s(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(UnreadableImageError, match=r"^20000 × 20000 pixels are too many$"):
        decode(encode(Image.new("1", (20_000, 20_000))), to(4, 4))


def test_a_jpeg_of_a_thousand_scans_is_unreadable():
    content = encode(picture(), "JPEG", progressive=True)
    scans = content.index(b"\xff\xda"), content.rindex(b"\xff\xda")
    content = content[: scans[0]] + content[scans[0] : scans[1]] * 200 + content[scans[1] :]
    with pytest.raises(UnreadableImageError, match=r"^1,801 scans are too many$"):
        decode(content, to(4, 4))


def test_numbers_of_unknown_range_are_unreadable():
    content = encode(Image.fromarray(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)), "TIFF")
    with pytest.raises(UnreadableImageError, match="unknown range"):
        decode(content, to(4, 4))


def test_grey_numbers_of_16_bits_keep_their_upper_half():
    grey = np.random.default_rng(0).integers(0, 2**16, (10, 20), np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        pixels = decode(encode(Image.fromarray(grey), kind), to(10, 20))
        np.testing.assert_array_equal(pixels, np.repeat((grey >> 8)[..., None], 3, 2))


# Formats, and programs that decoders start.

REFUSED = "not in a known image format"
MAGIC = {
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(mark) (w) file closefile\nshowpage\n",
    "postscript in a binary header": b"\xc5\xd0\xd3\xc6" + b"\x1e\0\0\0\x40\0\0\0" + bytes(18) + b"%!PS-Adobe-3.0\n",
    "windows metafile": b"\xd7\xcd\xc6\x9a\0\0" + bytes(40),
    "enhanced metafile": b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(40),
    "flic": bytes(4) + b"\x11\xaf" + bytes(200),
    "photoshop": b"8BPS\0\1" + bytes(60),
    "icon": b"\0\0\1\0\1\0" + bytes(60),
    "apple icon": b"icns" + bytes(60),
    "direct draw": b"DDS " + bytes(200),
    "fits": b"SIMPLE  =                    T" + b" " * 2850,
    "iptc": b"\x1c\x02\x78\0\x01x",
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
    "jpeg 2000 code": b"\xff\x4f\xff\x51" + bytes(60),
    "kodak": b"\0" * 2048 + b"PCD_" + bytes(60),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(60),
    "pdf": b"%PDF-1.7\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "script": b"#!/bin/sh\ntouch mark\n",
}


@pytest.mark.parametrize("name", MAGIC)
def test_other_formats_are_unreadable(recwarn, name):
    for read in (lambda content: decode(content, to(4, 4)), thumbnail):
        with pytest.raises(UnreadableImageError, match=f"^{REFUSED}$"):
            read(MAGIC[name])
    assert not recwarn.list


def test_whatever_else_pillow_writes_is_unreadable():
    Image.init()
    for kind in sorted(Image.SAVE.keys() - {"JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"}):
        for mode in ("RGB", "L", "P", "1"):
            try:
                content = encode(Image.new(mode, (64, 64)), kind)
            except (OSError, ValueError, KeyError, AttributeError):
                continue
            with pytest.raises(UnreadableImageError, match=f"^{REFUSED}$"):
                decode(content, to(4, 4))


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_no_program_is_started(tmp_path):
    """A file called .jpg that is PostScript: Pillow's own opening starts Ghostscript, ours does not."""
    (tmp_path / "image.jpg").write_bytes(encode(picture(), "EPS"))
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    ours = (
        "from filtag_kg.images import decode, thumbnail; from filtag_kg.network import Preparation;"
        "from filtag_kg.network.scaling import named_scaling;"
        "to = Preparation((4, 4), named_scaling('none')); decode(open('image.jpg', 'rb').read(), to)"
    )
    pillow = "from PIL import Image; Image.open('image.jpg').load()"
    thumbnails = ours.replace("decode(o", "thumbnail(o").replace(", to)", ")")
    for code, started in ((ours, False), (thumbnails, False), (pillow, True)):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True)
        assert done.returncode == 1
        assert (tmp_path / "started").exists() == started


# Metadata that is broken, around pixels that are not.


def tiff(*entries, order="<"):
    """EXIF data of entries (tag, type, count, value as four bytes)."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "LH", 8, len(entries))
    return head + b"".join(struct.pack(order + "HHL", *entry[:3]) + entry[3] for entry in entries) + bytes(4)


def segment(marker, content):
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def chunk(name, content, checksum=None):
    checksum = zlib.crc32(name + content) if checksum is None else checksum
    return len(content).to_bytes(4, "big") + name + content + checksum.to_bytes(4, "big")


EXIF_6 = tiff((0x0112, 3, 1, b"\6\0\0\0"))
BROKEN_EXIF = {
    "empty": b"",
    "nonsense": b"\0\x08\0\x02\x01\x12\0\x03",
    "cut in the header": EXIF_6[:6],
    "cut in the count": EXIF_6[:9],
    "cut in the entry": EXIF_6[:18],
    "a directory outside": EXIF_6[:4] + b"\xff\xff\xff\xff" + EXIF_6[8:],
    "orientation 0": tiff((0x0112, 3, 1, bytes(4))),
    "orientation 9": tiff((0x0112, 3, 1, b"\t\0\0\0")),
    "orientation 65535": tiff((0x0112, 3, 1, b"\xff\xff\0\0")),
    "a word": tiff((0x0112, 2, 2, b"6\0\0\0")),
    "a fraction": tiff((0x0112, 5, 1, b"\x08\0\0\0")),
    "two numbers": tiff((0x0112, 3, 2, b"\6\0\6\0")),
    "no numbers": tiff((0x0112, 3, 0, b"\6\0\0\0")),
    "other tags alone": tiff((0x010F, 2, 4, b"abc\0")),
    "65535 entries": EXIF_6[:8] + b"\xff\xff" + bytes(60_000),
}
READABLE_EXIF = {
    "plain": EXIF_6,
    "big-endian": tiff((0x0112, 3, 1, b"\0\6\0\0"), order=">"),
    "two prefixes": b"Exif\0\0" + EXIF_6,
    "a directory that leads to itself": tiff((0x0112, 3, 1, b"\6\0\0\0"), (0x8769, 4, 1, b"\x08\0\0\0")),
    "a value outside": tiff((0x010F, 2, 999_999, b"\xff\xff\xff\x7f"), (0x0112, 3, 1, b"\6\0\0\0")),
    "unknown types": tiff((0x0100, 99, 7, b"abcd"), (0x0112, 3, 1, b"\6\0\0\0"), (0x02BC, 5, 1, b"abcd")),
    "cut behind it": EXIF_6[:22],
    "large": EXIF_6 + bytes(65_000),
}


def with_exif(kind, exif):
    if kind == "JPEG":
        plain = encode(picture(), "JPEG", quality=95)
        return plain[:2] + segment(0xE1, b"Exif\0\0" + exif) + plain[2:]
    if kind == "PNG":
        return plain_png()[:33] + chunk(b"eXIf", exif) + plain_png()[33:]
    return encode(picture(), kind, exif=exif, lossless=True)


def plain_png():
    return encode(picture())


def pixels_of(kind):
    plain = encode(picture(), kind, **({"quality": 95} if kind == "JPEG" else {"lossless": True}))
    return np.asarray(Image.open(io.BytesIO(plain)).convert("RGB"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("name", BROKEN_EXIF)
def test_an_orientation_that_cannot_be_read_leaves_the_image_as_it_is(recwarn, kind, name):
    np.testing.assert_array_equal(decode(with_exif(kind, BROKEN_EXIF[name]), to(10, 20)), pixels_of(kind))
    assert not recwarn.list


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("name", READABLE_EXIF)
def test_an_orientation_that_can_be_read_counts_whatever_stands_around_it(recwarn, kind, name):
    expected = np.rot90(pixels_of(kind), -1)
    np.testing.assert_array_equal(decode(with_exif(kind, READABLE_EXIF[name]), to(20, 10)), expected)
    assert not recwarn.list


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_turns_the_image_upright(kind, orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(picture(), kind, exif=exif.tobytes(), quality=95)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(decode(content, to(*upright.shape[:2])), upright)


JPEG_SEGMENTS = {
    "colour profile": segment(0xE2, b"ICC_PROFILE\0\x05\x02nonsense"),
    "colour profile that is cut off": segment(0xE2, b"ICC_PROFILE\0"),
    "several pictures": segment(
        0xE2, b"MPF\0" + tiff((0xB001, 4, 1, b"\xff\xff\xff\xff"), (0xB002, 7, 9, b"\xff" * 4))
    ),
    "xmp": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation='6'"),
    "photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\xff\xff\xff"),
    "jfif that is cut off": segment(0xE0, b"JFIF\0\1"),
    "adobe that is cut off": segment(0xEE, b"Adobe\0"),
    "comment": segment(0xFE, b"\xff\xd9\xff\xda" * 9),
    "nothing": segment(0xEF, b""),
    "sixty segments": segment(0xE1, b"Exif\0\0" + b"\xff" * 65_000) * 60,
    "bytes between segments": segment(0xFE, b"") + b"\0\0\0",
}


@pytest.mark.parametrize("name", JPEG_SEGMENTS)
def test_segments_of_a_jpeg_that_say_nothing_of_its_pixels(recwarn, name):
    plain = encode(picture(), "JPEG", quality=95)
    np.testing.assert_array_equal(
        decode(plain[:2] + JPEG_SEGMENTS[name] + plain[2:] + b"\0trailing", to(10, 20)), pixels_of("JPEG")
    )
    assert not recwarn.list


def test_segments_that_say_how_colours_are_stored_count():
    for mode, options in (("CMYK", {}), ("RGB", {"keep_rgb": True}), ("L", {}), ("YCbCr", {})):
        content = encode(picture().convert(mode), "JPEG", quality=95, **options)
        expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        np.testing.assert_array_equal(decode(content, to(10, 20)), expected)


PNG_CHUNKS = {
    "text that unpacks to much": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000))),
    "text in other languages": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(2_000_000))),
    "text that does not unpack": chunk(b"zTXt", b"Comment\0\0nonsense"),
    "colour profile": chunk(b"iCCP", b"name\0\0nonsense"),
    "resolution": chunk(b"pHYs", b"\0"),
    "gamma": chunk(b"gAMA", b""),
    "checksum": chunk(b"tEXt", b"Comment\0text", checksum=1),
    "orientation with a wrong checksum": chunk(b"eXIf", EXIF_6, checksum=1),
    "transparency": chunk(b"tRNS", b"\0"),
    "animation": chunk(b"acTL", b"\0"),
    "unknown": chunk(b"abCd", b"\0" * 100_000),
}


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("name", PNG_CHUNKS)
def test_chunks_of_a_png_that_say_nothing_of_its_pixels(recwarn, name, place):
    plain = plain_png()
    at = 33 if place == "first" else len(plain) - 12
    content = plain[:at] + PNG_CHUNKS[name] + plain[at:] + b"trailing"
    np.testing.assert_array_equal(decode(content, to(10, 20)), np.asarray(picture()))
    assert not recwarn.list


def test_a_png_that_is_cut_off_behind_its_pixels():
    content = plain_png()[:-12] + chunk(b"tEXt", b"Comment\0text")[:-6]
    np.testing.assert_array_equal(decode(content, to(10, 20)), np.asarray(picture()))


@pytest.mark.parametrize(
    ("compression", "big_tiff"),
    [("raw", False), ("raw", True), ("tiff_lzw", False), ("tiff_adobe_deflate", False), ("packbits", False)],
)
def test_tags_of_a_tiff_that_say_nothing_of_its_pixels(recwarn, compression, big_tiff):
    info = {305: "x" * 40, 700: b"<xmp", 34675: b"no profile", 33432: "me"}
    content = encode(picture(), "TIFF", compression=compression, big_tiff=big_tiff, tiffinfo=info)
    for tag in info:
        # Each becomes a fraction that lies outside the file.
        found = re.search(re.escape(tag.to_bytes(2, "little")) + rb"[\1-\x0c]\0", content)
        assert found is not None
        entry = found.start()
        length = 8 if big_tiff else 4
        content = content[: entry + 2] + b"\5\0" + b"\xff" * (2 * length) + content[entry + 4 + 2 * length :]
    np.testing.assert_array_equal(decode(content, to(10, 20)), np.asarray(picture()))
    assert not recwarn.list


def test_of_several_images_in_a_tiff_the_first_counts():
    content = encode(picture(), "TIFF", save_all=True, append_images=[Image.new("RGB", (4, 4))] * 3)
    np.testing.assert_array_equal(decode(content, to(10, 20)), np.asarray(picture()))


CASES = Path(__file__).with_name("cases")


@pytest.mark.parametrize("path", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_what_cameras_and_programs_wrote(recwarn, path):
    """Twenty pixels wide and sixteen high, their metadata cut, doubled, looping, of wrong types, or leading outside."""
    turned = path.stem in {"doubled", "exififd_loop", "makernote_offset_out", "rational_minus1_0", "tag_of_wrong_type"}
    pixels = decode(path.read_bytes(), to(*((20, 16) if turned else (16, 20))))
    assert not recwarn.list
    if path.suffix == ".jpg":
        stored = np.asarray(Image.open(path))
        np.testing.assert_array_equal(pixels, np.rot90(stored, -1) if turned else stored)


# Limits, silence and damage.


def test_a_file_is_regular_and_of_a_sensible_size(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(plain_png())
    assert read_file(path) == plain_png()
    monkeypatch.setattr(sys.modules["filtag_kg.images.decode"], "MOST_BYTES", 2**20)
    path.write_bytes(bytes(2**20 + 1))
    for read in (lambda: read_file(path), lambda: decode(path.read_bytes(), to(4, 4))):
        with pytest.raises(UnreadableImageError, match=r"^its file has more than 1 MiB$"):
            read()
    for name, error in (("none", FileNotFoundError), ("", IsADirectoryError)):
        with pytest.raises(error):
            read_file(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.png")
    for path in (tmp_path / "x.png", Path("/dev/zero")):
        with pytest.raises(UnreadableImageError, match=r"^no regular file$"):
            read_file(path)


def test_warnings_of_others_stay_as_they_were(capfd):
    before, handlers = list(warnings.filters), list(logging.getLogger().handlers)
    decode(plain_png(), to(4, 4))
    with pytest.raises(UnreadableImageError):
        decode(encode(picture(), "TIFF", compression="tiff_lzw")[:200], to(4, 4))
    assert (warnings.filters, logging.getLogger().handlers) == (before, handlers)
    assert capfd.readouterr() == ("", "")
    with pytest.warns(UserWarning, match="of others"):
        warnings.warn("of others", stacklevel=1)


KINDS = {
    **{kind: encode(picture(), kind) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")},
    "LZW": encode(picture(), "TIFF", compression="tiff_lzw"),
    "progressive": encode(picture(), "JPEG", progressive=True, exif=EXIF_6, icc_profile=b"none", comment=b"x"),
    "palette": encode(picture().quantize(8), transparency=b"\0\x80", exif=EXIF_6),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_damage_is_unreadable_or_gives_pixels(kind, data):
    content = bytearray(KINDS[kind])
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pixels = decode(bytes(content), to(5, 6))
        except UnreadableImageError:
            return
    assert (pixels.shape, pixels.dtype) == ((5, 6, 3), np.uint8)


def test_a_tiff_whose_tags_lead_beyond_its_end_is_told_by_one_error_without_a_warning() -> None:
    file = io.BytesIO()
    Image.fromarray(np.zeros((10, 20, 3), np.uint8)).save(file, "TIFF", compression="tiff_lzw")
    content = bytearray(file.getvalue())
    entry = content.index(struct.pack("<H", 284))  # Of planar configuration there is one number.
    content[entry + 4 : entry + 8] = struct.pack("<I", 2**20)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.suppress(UnreadableImageError):
            decode(bytes(content), to(5, 6))
    assert not caught


def test_an_image_with_an_enormous_side_is_refused_before_it_is_decoded() -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    content = bytearray(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    canvas = content.index(b"VP8X") + 12
    content[canvas : canvas + 6] = (70_000 - 1).to_bytes(3, "little") + (10 - 1).to_bytes(3, "little")
    with pytest.raises(UnreadableImageError, match=r"^70000 × 10 pixels are too many$"):
        decode(bytes(content), to(5, 6))
