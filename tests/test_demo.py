"""The pictures that come with the demo: of filters that are there, and small."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import filtag_kg.demo
from filtag_kg.demo import demo_pictures, demo_profile


def test_the_demos_pictures_are_of_its_filters_and_small() -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    rows, pngs = demo_pictures("net")
    sizes = dict(zip(demo_profile().layer_names, demo_profile().layer_offsets[1:], strict=True))
    assert len(rows) == len({(row.layer, row.filter) for row in rows}) == 12
    assert all(row.network == "net" and row.filter < sizes[row.layer] and row.activation > 0 for row in rows)
    assert {image.open(io.BytesIO(png)).size for png in pngs} == {(224, 224)}
    folder = Path(filtag_kg.demo.__file__).with_name("pictures")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 200_000
