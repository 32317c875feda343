"""Thumbnails of exemplars in the graph, and at the addresses that the graph gives them."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import filtag_kg as flt
from filtag_kg.kg import (
    Visualization,
    add_runs,
    build_kg,
    describe_visualizations,
    open_kg,
    validate_kg,
    write_visualizations,
)
from tests.kg.test_exemplar_pass import blob_detector, images
from tests.kg.test_visualizations import DEPICTED
from tests.server.servers import Server, serving

__all__ = ["images"]

pytest.importorskip("keras", reason="the cpu extra is not installed")

FRAGMENT = re.compile(r"#xywh=percent:(\d+),(\d+),(\d+),(\d+)")
PICTURES = """SELECT ?filter ?picture ?format ?title ?class WHERE {
  ?filter foaf:depiction ?region .
  BIND (IRI(STRBEFORE(STR(?region), "#")) AS ?picture)
  ?picture a foaf:Image ; dcterms:format ?format ; dcterms:title ?title ; foaf:depicts/skos:notation ?class
}"""


@pytest.fixture(scope="module")
def kg(images: Path, tmp_path_factory: pytest.TempPathFactory) -> flt.KnowledgeGraph:
    return flt.run(blob_detector("same"), images, tmp_path_factory.mktemp("kg") / "kg")


@pytest.fixture(scope="module")
def server(kg: flt.KnowledgeGraph) -> Iterator[Server]:
    with serving(Path(kg.location)) as running:
        yield running


def test_filters_are_depicted_by_regions_of_their_exemplars(kg: flt.KnowledgeGraph) -> None:
    rows = kg.query(
        "SELECT ?region WHERE { ?f flt:filterIndex 0 ; flt:inLayer/rdfs:label 'blob' ; foaf:depiction ?region }"
    )
    regions = sorted(row["region"] for row in rows.records())
    exemplars = kg.filter("blob", 0).exemplars
    assert len(regions) == len(exemplars) == 6
    for exemplar in exemplars:
        (region,) = (each for each in regions if Path(exemplar.thumbnail).name in each)
        match = FRAGMENT.search(region)
        assert match is not None
        left, top, width, height = map(int, match.groups())
        assert exemplar.where is not None
        crop = exemplar.where.crop
        assert left / 100 <= crop.left + 1e-3
        assert top / 100 <= crop.top + 1e-3
        assert crop.right <= (left + width) / 100 + 1e-3 <= 1.001
        assert crop.bottom <= (top + height) / 100 + 1e-3 <= 1.001


def test_pictures_say_what_they_are_of(kg: flt.KnowledgeGraph) -> None:
    rows = kg.query(PICTURES).records()
    assert {row["format"] for row in rows} == {"https://www.iana.org/assignments/media-types/image/jpeg"}
    assert {row["title"].split("/")[0] for row in rows if row["class"] == "class0"} == {"class0"}
    assert not validate_kg(open_kg(Path(kg.location))).findings


def test_a_picture_has_an_address(kg: flt.KnowledgeGraph, server: Server) -> None:
    from PIL import Image

    row = kg.query(PICTURES).records()[0]
    address = urlsplit(row["picture"]).path.removeprefix("/filtag/data")
    thumbnail = Path(kg.location) / "exemplars" / address.rpartition("/")[2]
    for accept in (None, "image/avif,image/webp,*/*;q=0.8", "image/jpeg"):
        answer = server.client.get(address, headers={} if accept is None else {"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), accept
        assert answer.content == thumbnail.read_bytes()
        assert "Accept" in answer.headers["vary"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.format == "JPEG"
    # Whoever follows a link gets a page about it.
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    assert server.client.get(address, headers={"Accept": browser}).headers["content-type"].startswith("text/html")
    about = server.client.get(address, headers={"Accept": "text/turtle"})
    assert about.headers["content-type"].startswith("text/turtle")
    assert "foaf:Image" in about.text
    for wrong in ("exemplars.csv", "9999999.jpg", "..%2F..%2Ffiltag.json"):
        assert server.client.get(address.rpartition("/")[0] + f"/{wrong}").status_code == 404


def test_a_picture_of_what_a_filter_looks_for_has_an_address(kg: flt.KnowledgeGraph, tmp_path: Path) -> None:
    opened = open_kg(shutil.copytree(kg.location, tmp_path / "kg"))
    row = Visualization(opened.manifest["network"], "blob", 0, "feature-visualisation", seed=0, steps=1, activation=0.5)
    write_visualizations(opened, [row], [b"a picture"])
    described = flt.KnowledgeGraph(describe_visualizations(opened).path)
    rows = [each for each in described.query(DEPICTED).records() if each["format"].endswith("image/png")]
    address = urlsplit(rows[0]["picture"]).path.removeprefix("/filtag/data")
    with serving(opened.path) as server:
        answer = server.client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.content == b"a picture"
        wrong = address.rpartition("/")[0]
        for name in ("visualizations.csv", "other.png", "..%2F..%2Ffiltag.json"):
            assert server.client.get(f"{wrong}/{name}").status_code == 404


def test_without_maps_the_whole_picture_depicts_a_filter(images: Path, tmp_path: Path) -> None:
    kg = flt.run(blob_detector("same"), images, tmp_path / "kg", maps=False)
    regions = [row["p"] for row in kg.query("SELECT ?p WHERE { ?f foaf:depiction ?p }").records()]
    assert regions
    assert all(region.endswith(".jpg") for region in regions)


def test_runs_of_one_profile_share_its_pictures(images: Path, tmp_path: Path) -> None:
    from filtag_kg.images import open_images

    network = flt.from_keras(blob_detector("same"))
    profile = flt.profile(network, images)

    def built(name: str, rule: flt.Rule, first_rule: int) -> flt.KnowledgeGraph:
        tags = flt.tag_filters(profile, [rule], network=network.identifier)
        with open_images(images) as opened:
            build_kg(
                tmp_path / name,
                tags,
                flt.wordnet(),
                flt.Provenance.of_profile(profile),
                profile=profile,
                images=opened,
                network=network,
                first_rule=first_rule,
            )
        return flt.KnowledgeGraph(tmp_path / name)

    count = "SELECT (COUNT(*) AS ?n) WHERE { ?f foaf:depiction ?p }"
    first = built("kg", flt.Rule("k", 1), 0)
    n = first.query(count).records()
    built("more", flt.Rule("q", 0.5), 1)
    both = add_runs(open_kg(tmp_path / "kg"), open_kg(tmp_path / "more"))
    assert flt.KnowledgeGraph(both.path).query(count).records() == n
    assert not validate_kg(both).findings
    assert flt.KnowledgeGraph(both.path).filter("blob", 0).exemplars[0].where is not None
