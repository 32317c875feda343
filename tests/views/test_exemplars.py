"""Exemplars of a KG that was made of a network and its images."""

from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg import KnowledgeGraph
from tests.cli.test_cli import filtag
from tests.cli.test_run import COLOURS, images, network, options

__all__ = ["images", "network"]

pytest.importorskip("keras", reason="the cpu extra is not installed")


def test_a_filter_knows_the_images_that_activate_it_most(network: Path, images: Path, tmp_path: Path) -> None:
    from PIL import Image

    done = filtag("run", *options(network, images, tmp_path / "kg"), "-q")
    assert done.returncode == 0, done.stderr
    kg = KnowledgeGraph(tmp_path / "kg")
    for filter_, class_id in enumerate(COLOURS):
        found = kg.filter("colour", filter_)
        best = found.exemplars[:3]
        assert [each.class_id for each in best] == [class_id] * 3
        assert sorted(each.image for each in best) == [f"{class_id}/{place}.png" for place in range(3)]
        assert best[0].label == found.runs[0].tags[0].label
        activations = [each.activation for each in found.exemplars]
        assert activations == sorted(activations, reverse=True)
        for each in found.exemplars:
            with Image.open(tmp_path / "kg" / each.thumbnail) as thumbnail:
                assert max(thumbnail.size) <= 96
        assert found._repr_html_().count("<img src=") == min(9, len(found.exemplars))
