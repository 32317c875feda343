"""The page of mixed filters and the page of one, in a real browser, with pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from filtag_kg.kg import KG
from tests.browser import browser, page
from tests.pictures import pictured_copy
from tests.server.servers import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FILTER = "/network/mixed-0123456789ab/layer/deep/filter/40"


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def server(mixed_kg: KG, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(pictured_copy(mixed_kg, tmp_path_factory.mktemp("pictured") / "kg").path) as running:
        yield running


@pytest.mark.parametrize("path", ["/mixed", FILTER])
def test_a_part_without_exemplars_shows_images_of_its_classes(server: Server, path: str) -> None:
    shown = server.client.get(path, headers={"Accept": "text/html"})
    assert shown.status_code == 200
    assert 'class="tile example"' in shown.text


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("path", ["/mixed", FILTER])
def test_the_pages_are_whole_and_accessible(
    opened: Browser, server: Server, path: str, scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with page(opened, server.url, scheme=scheme, width=width) as shown:
        shown.goto(server.url + path)
        shown.wait_for_load_state("networkidle")
        assert shown.locator(".mixed > div").count() >= 2
        assert shown.locator(".mixed .tile").count() >= 4
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        broken = "[...document.images].filter(image => image.complete && !image.naturalWidth).length"
        assert shown.evaluate(broken) == 0
        found: list[dict[str, Any]] = axe.Axe().run(shown).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_the_list_leads_to_the_filter_and_back(opened: Browser, server: Server) -> None:
    with page(opened, server.url) as shown:
        shown.goto(server.url)
        shown.get_by_role("link", name="Mixed", exact=True).click()
        shown.locator(".mixed-filter h2 a").first.click()
        shown.get_by_role("heading", name="Responds to two unrelated things").wait_for()
        shown.get_by_role("link", name="All mixed filters").click()
        shown.get_by_role("heading", name="Mixed filters").wait_for()


def test_a_network_has_one_page(server: Server) -> None:
    assert server.client.get("/mixed?page=2", headers={"Accept": "text/html"}).status_code == 404
