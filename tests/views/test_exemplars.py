"""Exemplars of a KG that was made of a network and its images."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from filtag_kg import KnowledgeGraph, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, add_runs, build_kg, open_kg
from filtag_kg.views import load_kg
from filtag_kg.views.exemplars import read_exemplars
from tests.cli.test_cli import filtag
from tests.cli.test_run import COLOURS, images, network, options
from tests.pictures import pictured_copy

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
        # Each whole, and lit where the filter responds.
        lit = sum(each.where is not None for each in found.exemplars)
        assert found._repr_html_().count("<img src=") == min(9, len(found.exemplars)) + min(9, lit)


@pytest.mark.parametrize("with_maps", ["first", "added"])
def test_of_two_builds_the_one_with_maps_is_shown(with_maps: str, kg: KG, tmp_path: Path) -> None:
    pictured = pictured_copy(kg, tmp_path / "kg")
    folders = {"first": pictured.path / "exemplars", "added": pictured.path / "added" / "x" / "exemplars"}
    shutil.copytree(folders["first"], folders["added"])
    (without,) = folders.keys() - {with_maps}
    for name in ("maps.npy", "where.csv"):
        (folders[without] / name).unlink()
    (layers,) = load_kg(kg).networks.values()
    exemplars = read_exemplars(pictured, {"added/x": layers, "": layers}, {})
    assert len(exemplars) == layers.n_filters
    for of_filter in exemplars.values():
        assert {(each.where is None, (pictured.path / each.thumbnail).parent) for each in of_filter} == {
            (False, folders[with_maps])
        }


def test_a_rule_that_was_added_without_images_shows_those_of_the_network(
    kg: KG, profile: Profile, tmp_path: Path
) -> None:
    pictured = pictured_copy(kg, tmp_path / "kg")
    tags = tag_filters(profile, [Rule("q", 0.75)], network=str(kg.manifest["network"]))
    add_runs(pictured, build_kg(tmp_path / "more", tags, wordnet(), Provenance.of_profile(profile), profile=profile))
    both, added = (load_kg(open_kg(pictured.path), rule) for rule in (None, "q=0.75"))
    assert (len(added.runs), len(both.runs)) == (1, 3)
    assert added.exemplars
    assert dict(added.exemplars) == dict(both.exemplars)
