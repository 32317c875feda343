from __future__ import annotations

import io

import pytest
from PIL import Image

from filtag_kg.report.plots import NARROW, PRINT_PAGE, FilterRow, filter_rows_plot
from filtag_kg.report.plots.filter_rows import _wrapped
from tests.report.plots.reading import SVG, parsed, texts


def png(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


def rows(pictures: int) -> list[FilterRow]:
    files = tuple(png((40 * number, 0, 0)) for number in range(pictures))
    return [
        FilterRow("dog", "last, filter 3", "poodle, corgi", files),
        FilterRow("cat", "last, filter 0", "tabby", files),
    ]


@pytest.mark.parametrize("width", [NARROW, PRINT_PAGE])
@pytest.mark.parametrize("pictures", [0, 1, 6])
def test_each_filter_has_its_texts_and_pictures(width: int, pictures: int) -> None:
    plot = filter_rows_plot(rows(pictures), width=width)
    assert texts(plot) == ["dog", "last, filter 3", "poodle, corgi", "cat", "last, filter 0", "tabby"]
    root = parsed(plot)
    boxes = [
        [float(image.get(side, "")) for side in ("x", "y", "width", "height")] for image in root.iter(f"{SVG}image")
    ]
    assert len(boxes) == 2 * pictures
    _, _, right, bottom = (float(number) for number in (root.get("viewBox") or "").split())
    for x, y, wide, high in boxes:
        assert wide == high > 30
        assert 0 <= x <= x + wide <= right + 0.01
        assert 0 <= y <= y + high <= bottom + 0.01
    if pictures:
        # The pictures of the second filter begin below those of the first.
        assert min(y for _, y, _, _ in boxes[pictures:]) >= max(y + high for _, y, _, high in boxes[:pictures])
    # No text lies over a picture.
    for text in root.iter(f"{SVG}text"):
        y, anchor = float(text.get("y", "")), text.get("text-anchor", "start")
        for x, top, wide, high in boxes:
            beside = float(text.get("x", "")) <= x if anchor == "end" else x > 100 or y < top or y > top + high
            assert beside or y < top or y > top + high or x + wide < float(text.get("x", ""))


def test_tags_are_wrapped_and_cut() -> None:
    assert _wrapped("poodle", 100) == ["poodle"]
    first, second = _wrapped("golden retriever, corgi, poodle, terrier, beagle", 120)
    assert first.startswith("golden")
    assert second.endswith("…")
    assert _wrapped("", 100) == []


def test_no_filters() -> None:
    assert filter_rows_plot([]) is None
