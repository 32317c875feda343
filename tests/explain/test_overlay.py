"""Where in an image the support comes from: blobs whose places are known, and filters that look for them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.errors import FiltagError
from filtag_kg.explain import Explanation, Supporters, WeightedFilter, overlay_format, overlay_picture, overlays
from filtag_kg.images import decode
from filtag_kg.kg import Region
from tests.kg.test_exemplar_pass import blob_detector

pytest.importorskip("keras", reason="the cpu extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")

BRIGHT, DARK = ("blob", 0), ("blob", 1)


def blobs() -> Any:
    # Without padding, as what is dark beyond the border would be a blob, too.
    return blob_detector("valid")


def supporters(kind: Any, label: str, *weights: tuple[tuple[str, int], float]) -> Supporters:
    return Supporters(kind, label, label, tuple(WeightedFilter(*filter_, weight) for filter_, weight in weights))


def two_blobs(width: int, height: int, *, grey: float = 128, bright: float = 120, dark: float = 120) -> Any:
    """Return a grey image with a bright blob at a quarter of its sides, and a dark one at three quarters."""
    rows, columns = np.mgrid[:height, :width]
    pixels = np.full((height, width), float(grey))
    for place, height_of_blob in ((0.25, bright), (0.75, -dark)):
        distance = (columns - place * width) ** 2 + (rows - place * height) ** 2
        pixels += height_of_blob * np.exp(-distance / (2 * (min(width, height) / 28) ** 2))
    return Image.fromarray(np.repeat(pixels.astype(np.uint8)[:, :, None], 3, axis=2))


def png(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def peak(numbers: Any) -> tuple[float, float]:
    """Return where the highest number is, as shares of width and height."""
    row, column = np.unravel_index(np.asarray(numbers).argmax(), np.shape(numbers))
    return (column + 0.5) / np.shape(numbers)[1], (row + 0.5) / np.shape(numbers)[0]


def test_each_overlay_is_where_its_filters_respond() -> None:
    network = flt.from_keras(blobs())
    pixels = np.asarray(two_blobs(56, 56))
    regions_of = [supporters("class", "day", (BRIGHT, 0.6)), supporters("concept", "night", (DARK, 0.3))]
    together, day, night = overlays(network, pixels, regions_of)
    np.testing.assert_allclose(peak(day.map), 0.25, atol=0.06)
    np.testing.assert_allclose(peak(night.map), 0.75, atol=0.06)
    assert [each.kind for each in (together, day, night)] == ["all", "class", "concept"]
    assert [each.map.max() for each in (together, day, night)] == [1, 1, 1]
    # Both, by their weights: the blobs are alike.
    np.testing.assert_allclose(peak(together.map), 0.25, atol=0.06)
    np.testing.assert_allclose(together.map[30:, 30:].max(), 0.5, atol=0.02)
    np.testing.assert_allclose(together.map, together.map.T, atol=1e-6)


def test_without_support_there_is_nothing_to_show() -> None:
    network = flt.from_keras(blobs())
    assert overlays(network, np.zeros((56, 56, 3), np.uint8), []) == ()
    assert overlays(network, np.zeros((56, 56, 3), np.uint8), [supporters("class", "x")]) == ()
    # No filter responds to black.
    (together, _) = overlays(network, np.zeros((56, 56, 3), np.uint8), [supporters("class", "x", (BRIGHT, 1.0))])
    assert together.map.max() == 0


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("size", [(112, 112), (160, 100), (90, 150)])
@pytest.mark.parametrize("format_", ["PNG", "JPEG"])
def test_the_picture_lights_up_where_the_filter_responds(resize: str, size: tuple[int, int], format_: str) -> None:
    network = flt.from_keras(blobs(), resize=resize)
    # Of one colour, so that what is lit up is not grey.
    image = Image.merge(
        "RGB", [two_blobs(*size, grey=15, bright=235, dark=0).getchannel(0), *[Image.new("L", size, 0)] * 2]
    )
    content = png(image)
    explanation = Explanation(
        "x.png", "", "toy", "k=1", "", (), (), (), (), None, regions_of=(supporters("class", "day", (BRIGHT, 1.0)),)
    )
    picture = overlay_picture(network, content, decode(content, network.preparation), explanation, format_)
    with Image.open(io.BytesIO(picture)) as sheet:
        assert sheet.format == format_
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    # Three tiles: the image, all together, the class.
    scale = 240 / max(size)
    width, height = round(size[0] * scale), round(size[1] * scale)
    step = max(width, 160) + 12
    for number in (1, 2):
        tile = pixels[12 : 12 + height, 12 + number * step : 12 + number * step + width]
        coloured = tile[:, :, 0] - tile[:, :, 2]
        left, top = np.average(
            np.indices(coloured.shape)[::-1], axis=(1, 2), weights=np.maximum(coloured - 40, 0)[None].repeat(2, 0)
        )
        np.testing.assert_allclose((left / width, top / height), 0.25, atol=0.06)


def test_the_ending_names_the_format() -> None:
    assert [overlay_format(Path(name)) for name in ("x.png", "x.JPG", "a/b.jpeg")] == ["PNG", "JPEG", "JPEG"]
    with pytest.raises(FiltagError, match=r"x\.gif names no format for a picture: let it end in \.png, \.jpg, \.jpeg"):
        overlay_format(Path("x.gif"))


def test_padding_is_left_out() -> None:
    network = flt.from_keras(blobs())
    pixels = np.zeros((56, 56, 3), np.uint8)
    pixels[14:42] = np.asarray(two_blobs(56, 28, grey=15, bright=235, dark=0))
    (_, day) = overlays(network, pixels, [supporters("class", "day", (BRIGHT, 1.0))], Region(0, 0.25, 1, 0.75))
    np.testing.assert_allclose(peak(day.map), 0.25, atol=0.07)


def test_captions_are_in_any_european_script_and_on_one_line() -> None:
    network, image = flt.from_keras(blobs()), two_blobs(56, 56)
    pixels = np.asarray(image)

    def captioned(label: str) -> Any:
        regions_of = (supporters("concept", label, (BRIGHT, 1.0)),)
        explanation = Explanation("x", "", "toy", "k=1", "", (), (), (), (), None, regions_of=regions_of)
        return np.asarray(Image.open(io.BytesIO(overlay_picture(network, png(image), pixels, explanation))))

    assert np.array_equal(captioned("Dalmatian\ncoach\u2028dog"), captioned("Dalmatian coach dog"))
    # What a font does not have looks like any other such letter.
    letters = "é", "ß", "Ж", "Ω", "\ue000"
    assert len({captioned(letter).tobytes() for letter in letters}) == len(letters)
