"""Pages that open with pictures, in a real browser: galleries, crops, lit places, and images that open large."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from filtag_kg.kg import KG, Region
from filtag_kg.report import FileUrls, Pages, Site, gallery, own_pages, semantic_report, write_report
from filtag_kg.report.placing import inset_style, sees_little
from filtag_kg.views import Exemplar, Where, filter_name, load_kg
from tests.browser import browser, page
from tests.pictures import CROP, pictured_copy
from tests.views.test_filter_names import EGYPTIAN, MINIVAN, TABBY, with_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

LAYER = "network/toy-0123456789ab/layer/deep"
PAGES = ["index.html", f"{LAYER}/index.html", f"{LAYER}/filter/0.html", "class/n02087394.html"]
PAGES += ["concept/02084071-n.html", "unusual.html", "pairs.html", "classes.html"]


def written(kg: KG, folder: Path) -> Path:
    loaded = load_kg(kg)
    report = semantic_report([loaded])
    write_report(report, folder, sites=[Site(loaded, report.grouped)])
    return folder


@pytest.fixture(scope="module")
def pictured(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> KG:
    return pictured_copy(kg, tmp_path_factory.mktemp("pictured") / "kg")


@pytest.fixture(scope="module")
def folder(pictured: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(pictured, tmp_path_factory.mktemp("report") / "report")


def broken_pictures(shown: Page) -> int:
    """Scroll through a page, so that lazy pictures are loaded, and return how many cannot be."""
    for _ in range(40):
        shown.mouse.wheel(0, 600)
    shown.wait_for_function("[...document.images].every(image => image.complete)")
    return int(shown.evaluate("[...document.images].filter(image => !image.naturalWidth).length"))


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_open_with_pictures(folder: Path, width: int) -> None:
    home = folder.as_uri()
    with browser() as opened, page(opened, home, width=width, scheme="dark") as shown:
        for name in PAGES:
            shown.goto(f"{home}/{name}")
            first = shown.locator("main img").first
            place = first.bounding_box()
            assert place is not None
            assert place["y"] < 600, name
            table = shown.locator("main table")
            if name != "classes.html" and table.count():
                assert place["y"] < (table.first.bounding_box() or {"y": 0})["y"], name
            assert shown.evaluate("document.documentElement.scrollWidth") <= width, name
            assert broken_pictures(shown) == 0, name


def test_a_tile_shows_the_crop(folder: Path) -> None:
    home = folder.as_uri()
    with browser() as opened, page(opened, home) as shown:
        shown.goto(f"{home}/index.html")
        tile = shown.locator(".gallery .tile").first
        box, image = tile.bounding_box(), tile.locator("img").bounding_box()
        assert box is not None
        assert image is not None
        assert image["width"] == pytest.approx(box["width"] / (CROP.right - CROP.left), rel=0.02)
        assert image["width"] == pytest.approx(image["height"], rel=0.02)
        assert box["x"] - image["x"] == pytest.approx(CROP.left * image["width"], rel=0.02)
        assert box["y"] - image["y"] == pytest.approx(CROP.top * image["height"], rel=0.04)
        assert shown.locator(".gallery .tiles").first.locator(".tile").count() == 9


def test_a_picture_opens_large_on_the_page_of_its_class(folder: Path) -> None:
    home = folder.as_uri()
    with browser() as opened, page(opened, home) as shown:
        shown.goto(f"{home}/index.html")
        tile = shown.locator(".gallery .tile").first
        label = str(tile.get_attribute("title"))
        tile.click()
        assert shown.get_by_role("heading", level=1).inner_text() == label
        large, other = shown.locator(".pictures li:target img"), shown.locator(".pictures li:not(:target) img").first
        sizes = [each.bounding_box() for each in (large, other)]
        assert sizes[0] is not None
        assert sizes[1] is not None
        assert sizes[0]["width"] > 2 * sizes[1]["width"]
        assert 0 <= sizes[0]["y"] < 900
        links = shown.locator(".pictures li:target p a")
        assert links.count() >= 1
        filter_ = links.first.locator("small").inner_text().replace(" · ", " · filter ")
        links.first.click()
        assert filter_ in shown.locator(".kicker").inner_text()


def test_exemplars_are_lit_where_the_filter_responds_and_grey_elsewhere(folder: Path) -> None:
    home = folder.as_uri()
    with browser() as opened, page(opened, home) as shown:
        shown.goto(f"{home}/{LAYER}/filter/0.html")
        assert shown.locator(".exemplars li").count() == 9
        # The whole picture, and the lit one over it, lie at the same place.
        boxes = [shown.locator(f".seen {name}").first.bounding_box() for name in ("> img", ".lit", ".lit img")]
        assert boxes[0] is not None
        assert boxes[1] == pytest.approx(boxes[0], abs=1)
        assert boxes[2] == pytest.approx(boxes[0], abs=1)
        shown.wait_for_function("[...document.images].slice(0, 2).every(image => image.complete)")
        import io

        from PIL import Image

        pixels = Image.open(io.BytesIO(shown.locator(".seen").first.screenshot())).convert("RGB")
        # The filter responds in the middle of the red half.
        lit = pixels.getpixel((int(0.9 * pixels.width), pixels.height // 2))
        dark = pixels.getpixel((10, 10)), pixels.getpixel((int(0.9 * pixels.width), 10))
        assert lit == pytest.approx((200, 0, 0), abs=8)
        for red, green, blue in dark:
            assert max(red, green, blue) < 40
            assert max(red, green, blue) - min(red, green, blue) < 8, "it is grey"


def test_a_lit_region_lies_over_the_same_region_of_the_picture() -> None:
    # Of a wide picture the network saw the square in the middle: from 0.25 to 0.75 of its width.
    assert inset_style(Region(0.25, 0, 0.75, 1)) == "left:-50.0%;top:0.0%;width:200.0%"


def test_a_filter_that_sees_little_at_once_says_so(folder: Path) -> None:
    assert "It sees little at once" in (folder / LAYER / "filter" / "0.html").read_text(encoding="utf-8")
    where = Where(CROP, Region(0, 0.1, 0.3, 0.8), Region(0, 0, 1, 1), np.zeros((4, 4), np.uint8))
    much = Exemplar("n1/0.png", "n1", "dog", 0.5, "exemplars/0.jpg", where=where)
    assert not sees_little([much]), "most of the height is not little"
    assert not sees_little([]), "nothing is known of it"


def test_a_concept_opens_with_the_filters_for_all_its_kinds(kg: KG) -> None:
    mixed = [TABBY, EGYPTIAN] * 4 + [MINIVAN]
    loaded = with_pictures(load_kg(kg), {0: [TABBY] * 9, 1: mixed})
    network = loaded.network_named()
    names = [filter_name(loaded, network, column) for column in (0, 1)]
    assert names[0].surprise > names[1].surprise
    cards = gallery.Galleries(loaded).of_concept(names[1].about)
    assert [card.name.text for card in cards[:2]] == ["cat: tabby, Egyptian cat", "tabby"]


def test_the_static_pages_have_no_script(folder: Path) -> None:
    for path in folder.rglob("*.html"):
        assert "<script" not in path.read_text(encoding="utf-8")


def test_filters_without_a_page_have_a_place_and_their_address_leads_there(
    pictured: KG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_pages, "MOST_OWN_PAGES", 2)
    root = written(pictured, tmp_path / "report")
    home = root.as_uri()
    texts = {path: path.read_text() for path in sorted((root / LAYER / "filter").glob("*.html"))}
    leading = [path for path, text in texts.items() if 'http-equiv="refresh"' in text]
    assert len(texts) == 4
    assert 2 <= len(leading) < 4
    assert len({path.stat().st_ino for path in leading}) == 1, "they take the room of one"
    number = leading[0].stem
    assert f'id="filter-{number}"' in (root / LAYER / "index.html").read_text()
    assert f"layer/deep/index.html#filter-{number}" in "".join(path.read_text() for path in root.glob("*/*.html"))
    with browser() as opened, page(opened, home) as shown:
        shown.goto(leading[0].as_uri())
        shown.wait_for_url("**/layer/deep/index.html")
        assert shown.locator(f"#filter-{number}").count() == 1


def test_the_images_of_a_class_are_cut_into_pages(pictured: KG, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filtag_kg.report.pages.PICTURES_A_PAGE", 2)
    monkeypatch.setattr(gallery, "PICTURES_A_PAGE", 2)
    pages = Pages(load_kg(pictured), FileUrls())
    shown = pages.galleries.pictures("n02087394")
    assert pages.n_pages_of_class("n02087394") == -(-len(shown) // 2) > 1
    second = pages.class_("n02087394", 2)
    assert [f'id="{picture.anchor}"' in second for picture in shown[:4]] == [False, False, True, True]
    assert pages.galleries.place(shown[2].exemplar) == (2, shown[2].anchor)
    assert "Filters that respond to it" not in second


def test_a_kg_without_pictures_shows_names_alone(kg: KG) -> None:
    pages = Pages(load_kg(kg), FileUrls())
    text = pages.class_("n02087394")
    assert "<img" not in text
    assert 'class="pictures"' not in text


def test_a_filter_with_more_exemplars_shows_them_all_on_its_page_alone(kg: KG, tmp_path: Path) -> None:
    loaded = load_kg(pictured_copy(kg, tmp_path / "kg", exemplars=12))
    (network,) = loaded.networks.values()
    pages = Pages(loaded, FileUrls())
    assert pages.filter(network, "deep", 0).count('class="seen"') == 12
    assert len(pages.galleries.of_filter(network.network, "deep", 0).exemplars) == 9
    assert all(pages.galleries.place(each) for each in loaded.exemplars[network.network, 5])
