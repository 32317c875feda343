"""The pictures that come with the demo: of filters that are there, and small."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

import filtag_kg.demo
from filtag_kg.demo import demo_kg, demo_pictures, demo_profile
from filtag_kg.kg import KG


def test_the_demos_pictures_are_of_its_filters_and_small() -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    rows, pngs = demo_pictures("net")
    sizes = dict(zip(demo_profile().layer_names, demo_profile().layer_offsets[1:], strict=True))
    assert len(rows) == len({(row.layer, row.filter) for row in rows}) == 12
    assert all(row.network == "net" and row.filter < sizes[row.layer] and row.activation > 0 for row in rows)
    assert {image.open(io.BytesIO(png)).size for png in pngs} == {(224, 224)}
    folder = Path(filtag_kg.demo.__file__).with_name("pictures")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 200_000


def test_the_demos_kg_is_built_once(kg: KG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filtag_kg.demo, "build_demo", lambda path: shutil.copytree(kg.path, path))
    assert repr(demo_kg(tmp_path / "demo-kg")) == f"KnowledgeGraph({str(tmp_path / 'demo-kg')!r})"
    monkeypatch.undo()
    assert demo_kg(str(tmp_path / "demo-kg")).query("layer-summary").rows
