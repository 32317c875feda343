"""The explorer in a real browser: search, browse, query, compare, drop an image; with keys, in the dark, on a phone."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import escape as escaped
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, add_runs, build_kg, runs_of
from tests.browser import browser, page
from tests.colours import colours_kg, load_colours, save_colours
from tests.label_checks import checked_copy
from tests.pictures import pictured_copy
from tests.server.servers import Server, serving, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOG = "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"
FILTER = "/network/toy-0123456789ab/layer/deep/filter/0"
PAGES = [
    "/",
    "/network/toy-0123456789ab/layer/deep",
    FILTER,
    "/class/n02090379",
    f"/resource?iri={DOG}",
    "/classes",
    "/concepts",
    "/groups",
    "/labels",
    "/search?q=dog",
    "/query",
    "/query?name=filters-by-concept&concept=dog",
    "/compare?kind=filters&a=deep/0&b=deep/1",
    "/compare?kind=layers&a=shallow&b=deep",
    "/compare?kind=runs&a=k%3D1&b=q%3D0.5",
    "/unusual",
    "/pairs",
    "/mixed",
    "/glossary",
    "/compare?kind=classes&a=n02123045&b=n02124075",
    "/explain",
]
PICTURED_PAGES = [
    "/",
    "/network/toy-0123456789ab/layer/deep",
    FILTER,
    "/class/n02090379",
    f"/resource?iri={DOG}",
    "/classes",
    "/concepts",
    "/unusual",
    "/pairs",
    "/compare?kind=filters&a=deep/0&b=deep/1",
    "/compare?kind=layers&a=shallow&b=deep",
    "/compare?kind=classes&a=n02123045&b=n02124075",
]


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as started:
        yield started


def escape(text: str) -> str:
    """Escape a text as Jinja does."""
    return escaped(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def html(server: Server, path: str) -> httpx.Response:
    return server.client.get(path, headers={"Accept": "text/html"})


def test_search_with_keys_alone(opened: Browser, server: Server) -> None:
    with page(opened, server.url) as shown:
        shown.goto(server.url)
        shown.keyboard.press("/")
        shown.keyboard.type("redbo")
        option = shown.get_by_role("option", name="redbone").first
        option.wait_for()
        box = shown.get_by_role("combobox", name="Search filters, layers, classes and concepts")
        assert box.get_attribute("aria-expanded") == "true"
        shown.keyboard.press("ArrowDown")
        assert option.get_attribute("aria-selected") == "true"
        assert box.get_attribute("aria-activedescendant") == option.get_attribute("id")
        shown.keyboard.press("Enter")
        shown.get_by_role("heading", level=1, name="redbone").wait_for()


def test_escape_closes_the_list_and_enter_searches(opened: Browser, server: Server) -> None:
    with page(opened, server.url) as shown:
        shown.goto(server.url)
        shown.get_by_role("searchbox").or_(shown.get_by_role("combobox")).first.fill("dog")
        shown.get_by_role("option").first.wait_for()
        shown.keyboard.press("Escape")
        assert not shown.get_by_role("listbox").is_visible()
        shown.locator("[data-search] input").fill("cat")
        shown.keyboard.press("Enter")
        shown.wait_for_url(re.compile(r"/search\?q=cat$"))
        assert shown.get_by_role("link", name="cat", exact=True).count()


def test_browsing_from_network_to_filter_and_from_concept_to_filters(opened: Browser, server: Server) -> None:
    with page(opened, server.url) as shown:
        shown.goto(server.url)
        shown.get_by_role("link", name="deep", exact=True).first.click()
        shown.get_by_role("link", name="0", exact=True).first.click()
        shown.locator(".kicker", has_text="deep · filter 0").wait_for()
        assert shown.get_by_role("link", name="bloodhound").count()
        shown.goto(f"{server.url}/concepts")
        shown.get_by_role("link", name="dog", exact=True).first.click()
        shown.get_by_role("heading", level=1, name="dog", exact=True).wait_for()
        shown.get_by_role("link", name="deep · 0").first.click()
        shown.locator(".kicker", has_text="deep · filter 0").wait_for()


def test_a_named_query_its_sparql_and_its_link(opened: Browser, server: Server, tmp_path: Path) -> None:
    with page(opened, server.url) as shown:
        shown.goto(f"{server.url}/query?name=filters-by-concept")
        shown.locator("[name=concept]").fill("dog")
        shown.locator("[name=concept]").press("Tab")  # Suggestions would lie over the button.
        shown.locator("[name=layer]").select_option("deep")
        shown.get_by_role("button", name="Ask").click()
        shown.get_by_role("cell", name="Rhodesian ridgeback, bloodhound, redbone").or_(
            shown.get_by_role("cell", name="bloodhound")
        ).first.wait_for()
        assert "concept=dog" in shown.url
        with shown.expect_download() as downloading:
            shown.get_by_role("link", name="CSV").click()
        downloading.value.save_as(tmp_path / "answer.csv")
        rows = list(csv.DictReader((tmp_path / "answer.csv").open()))
        assert rows[0]["layer"] == "deep"
        shown.get_by_text("Its SPARQL").click()
        text = shown.get_by_label("SPARQL", exact=True)
        assert f"VALUES ?concept {{ <{DOG}> }}" in text.input_value()
        # It can be edited, and run as it stands.
        text.fill(text.input_value() + "\nLIMIT 1")
        shown.get_by_role("button", name="Run SPARQL").click()
        shown.get_by_text(re.compile(r"^1 row in")).wait_for()
        shared = shown.url
        assert "sparql=" in shared
    with page(opened, server.url) as again:
        again.goto(shared)
        again.get_by_text(re.compile(r"^1 row in")).wait_for()


def test_an_error_is_shown_where_it_was_made(opened: Browser, server: Server) -> None:
    context = opened.new_context()
    shown = context.new_page()
    shown.goto(f"{server.url}/query")
    shown.get_by_label("SPARQL", exact=True).fill("SELECT ?x WHERE { ?x")
    shown.get_by_label("SPARQL", exact=True).press("Control+Enter")
    shown.get_by_text("the query is malformed in line 1").wait_for()
    shown.get_by_label("SPARQL", exact=True).fill("DELETE WHERE { ?s ?p ?o }")
    shown.get_by_role("button", name="Run SPARQL").click()
    shown.get_by_text("read-only").wait_for()
    context.close()


def test_a_form_offers_what_a_parameter_may_be(opened: Browser, server: Server) -> None:
    with page(opened, server.url) as shown:
        shown.goto(f"{server.url}/query?name=filters-of-class&class=tabby")
        field = shown.locator("[name=class]")
        field.fill("")
        field.press_sequentially("minivan")
        shown.get_by_role("option", name="minivan").first.click()
        assert field.input_value() == "n03770679"
        shown.get_by_role("button", name="Ask").click()
        shown.get_by_text(re.compile(r"^\d+ rows? in")).wait_for()


def test_comparing_filters_layers_and_runs(opened: Browser, server: Server) -> None:
    with page(opened, server.url) as shown:
        shown.goto(f"{server.url}/compare")
        form = shown.locator("form", has=shown.get_by_role("heading", name="Filters"))
        form.get_by_label("Filter").fill("deep/0")
        form.get_by_label("and").fill("deep/1")
        assert form.get_by_role("option").first.inner_text() == "the first (k=1)"
        form.get_by_label("Rule").select_option(label="q=0.5")
        form.get_by_role("button").click()
        shown.get_by_role("heading", name="deep · 0 and deep · 1").wait_for()
        assert "mark one of them, " in shown.inner_text("main")
        shown.get_by_role("button", name="Compare layers").click()
        shown.get_by_role("heading", name="shallow and deep").wait_for()
        shown.get_by_role("button", name="Compare runs").click()
        shown.get_by_role("heading", name="k=1 and q=0.5").wait_for()


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"a": "deep/9", "b": "deep/1"}, "no filter 9 in deep: it has 0 to 3"),
        (
            {"a": "<b>", "b": "deep/1"},
            "&#39;&lt;b&gt;&#39; is not a filter: give its layer and index",
        ),
        ({"kind": "layers", "a": "x", "b": "deep"}, "no layer &#39;x&#39; in toy: it has shallow, deep"),
        ({"kind": "dogs", "a": "x", "b": "y"}, "kind=dogs cannot be compared: choose filters, layers, classes or runs"),
    ],
)
def test_what_cannot_be_compared(server: Server, asked: dict[str, str], line: str) -> None:
    answer = server.client.get("/compare", params=asked)
    assert answer.status_code == 400
    assert line in answer.text


def test_an_image_is_dropped_and_explained(opened: Browser, tmp_path: Path) -> None:
    from PIL import Image

    network, classes = save_colours(tmp_path)
    built = colours_kg(load_colours(network, classes), tmp_path / "kg")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "red <b>.png")
    (tmp_path / "none.png").write_bytes(b"no image")
    options = ("--network", str(network), "--preprocess", "0..1", "--classes", str(classes), "-q")
    with serving(built.path, *options) as server:
        with page(opened, server.url) as shown:
            shown.goto(f"{server.url}/explain")
            shown.set_input_files("#image", str(tmp_path / "red <b>.png"))
            shown.locator("[data-explanation] h2, [data-status].error").first.wait_for(timeout=120_000)
            text = shown.inner_text("main")
            assert "red <b>.png" in text
            assert "Rhodesian ridgeback" in text
            assert shown.get_by_role("link", name="last · 0").count()
            lit = shown.locator(".lit img")
            captions = shown.locator(".lit figcaption").all_inner_texts()
            assert captions[:2] == ["all together", "Rhodesian ridgeback (the class)"]
            assert lit.evaluate_all("images => images.every(image => image.complete && image.naturalWidth > 0)")
            # As one drops it with a mouse.
            data = shown.evaluate_handle(
                """async () => { const made = new DataTransfer();
                const canvas = document.createElement("canvas"); canvas.width = canvas.height = 8;
                const drawing = canvas.getContext("2d"); drawing.fillStyle = "#00f"; drawing.fillRect(0, 0, 8, 8);
                const blob = await new Promise((done) => canvas.toBlob(done));
                made.items.add(new File([blob], "blue.png")); return made; }"""
            )
            shown.dispatch_event("[data-drop]", "drop", {"dataTransfer": data})
            shown.get_by_role("link", name="last · 2").wait_for(timeout=60_000)
            assert "blue.png" in shown.inner_text("main")
            assert shown.locator("[data-preview]").is_visible()
        context = opened.new_context()  # Its console complains of the status, which is right.
        shown = context.new_page()
        shown.goto(f"{server.url}/explain")
        shown.set_input_files("#image", str(tmp_path / "none.png"))
        shown.get_by_text("none.png is not a readable image").wait_for(timeout=60_000)
        assert not shown.locator("[data-preview]").is_visible()
        context.close()
        sent = {"Content-Type": "application/octet-stream"}
        bad = server.client.post("/explain", content=b"no image", headers={**sent, "X-File-Name": "none.png"})
        assert (bad.status_code, bad.text) == (
            400,
            "none.png is not a readable image (not in a known image format): give a JPEG, PNG or the like\n",
        )
        empty = server.client.post("/explain", content=b"", headers={"Content-Type": "image/png"})
        assert (empty.status_code, empty.text) == (400, "no image was sent: drop one\n")
        large = server.client.post("/explain", content=bytes(20_000_001), headers=sent)
        assert (large.status_code, large.text) == (413, "the image has more than 20 MB: give a smaller one\n")
        other = server.client.post("/explain", content=b"x", headers={"Sec-Fetch-Site": "cross-site"})
        assert other.status_code == 403
        for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data; boundary=x"}):
            form = server.client.post("/explain", content=b"x", headers=kind)
            line = "send the image itself as the body, as image/jpeg or application/octet-stream\n"
            assert (form.status_code, form.text) == (415, line)
        asked_before = server.client.options("/explain", headers={"Origin": "http://other.example"})
        assert "Access-Control-Allow-Headers" not in asked_before.headers
        image = (tmp_path / "red <b>.png").read_bytes()
        ruled = server.client.post("/explain?rule=nope", content=image, headers=sent)
        assert ruled.status_code == 400
        assert ruled.text.startswith("no rule 'nope' in the KG: it has ")
        said = server.stderr()
    assert said == ""


def test_a_kg_whose_network_is_not_at_hand_says_so(server: Server) -> None:
    # The small KG names its network, but there is none of that name, and no file.
    answer = server.client.post("/explain", content=b"x", headers={"Content-Type": "image/png"})
    assert answer.status_code == 400
    assert answer.text == "the KG does not say where its network toy is: name it\n"
    assert html(server, "/explain").status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_serious_violation(opened: Browser, server: Server, path: str) -> None:
    with page(opened, server.url) as shown:
        shown.goto(server.url + path)
        shown.wait_for_load_state("networkidle")
        for scheme in ("light", "dark"):
            shown.emulate_media(color_scheme=scheme)
            assert violations(shown) == [], scheme


def violations(shown: Page) -> list[tuple[str, str]]:
    """Return what axe finds that is serious: the rule, and the first element that breaks it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found: list[dict[str, Any]] = axe.Axe().run(shown).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


@pytest.fixture(scope="module")
def pictured(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The small KG with pictures."""
    with serving(pictured_copy(kg, tmp_path_factory.mktemp("pictured") / "kg").path) as running:
        yield running


@pytest.mark.parametrize("path", PICTURED_PAGES)
def test_pages_with_pictures(opened: Browser, pictured: Server, path: str) -> None:
    with page(opened, pictured.url) as shown:
        shown.goto(pictured.url + path)
        for scheme, width in (("light", 1280), ("dark", 390)):
            shown.emulate_media(color_scheme=scheme)
            shown.set_viewport_size({"width": width, "height": 900})
            shown.wait_for_load_state("networkidle")
            assert shown.locator("main img").count()
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            broken = "[...document.images].filter(image => image.complete && !image.naturalWidth).length"
            assert shown.evaluate(broken) == 0
            assert violations(shown) == []


def test_a_filter_that_is_found_shows_its_pictures_and_its_name(opened: Browser, pictured: Server) -> None:
    with page(opened, pictured.url) as shown:
        shown.goto(f"{pictured.url}/search?q=deep+0")
        found = shown.locator(".found .pictured").first
        assert found.locator(".tile img").count() == 3
        assert "deep 0" in found.inner_text()
        found.locator("div > a").last.click()
        shown.locator(".lit").first.wait_for()
    rows = pictured.client.get("/search", params={"q": "deep 0", "format": "json"}).json()
    assert set(rows[0]) == {"kind", "label", "detail", "iri", "why", "is_near", "address"}


def test_a_picture_opens_large_with_its_filters(opened: Browser, pictured: Server) -> None:
    with page(opened, pictured.url) as shown:
        shown.goto(pictured.url)
        shown.locator(".gallery .tile").first.click()
        shown.locator(".pictures li:target p a").first.click()
        shown.locator(".lit").first.wait_for()
        assert shown.locator(".exemplars li").count() == 9
    assert html(pictured, "/class/n02087394/page/1").status_code == 200
    assert html(pictured, "/class/n02087394/page/9").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone(opened: Browser, server: Server, path: str) -> None:
    with page(opened, server.url, width=390) as shown:
        shown.goto(server.url + path)
        shown.wait_for_load_state("networkidle")
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_menu_is_one_line_on_a_screen(opened: Browser, kg: KG, tmp_path: Path) -> None:
    # A check adds an entry.
    with serving(checked_copy(kg, tmp_path / "kg").path) as server, page(opened, server.url, width=1100) as shown:
        shown.goto(server.url + "/labels")
        tops = shown.locator(".menu a").evaluate_all("links => links.map(link => link.getBoundingClientRect().top)")
        assert len(tops) == 11
        assert max(tops) - min(tops) < 5


def test_comparisons_are_of_the_network_that_is_chosen(opened: Browser, profile: Profile, tmp_path: Path) -> None:
    def built(name: str, first_rule: int) -> KG:
        of_network = replace(profile, metadata={**profile.metadata, "network": name, "identifier": name})
        tags = tag_filters(of_network, [Rule("k", 1)], network=name)
        provenance = Provenance.of_profile(of_network)
        return build_kg(tmp_path / name, tags, wordnet(), provenance, profile=of_network, first_rule=first_rule)

    both = add_runs(built("trained", 0), built("random", 1))
    run_id = runs_of(both)[1].run_id
    with serving(both.path) as server, page(opened, server.url) as shown:
        for asked in ("kind=layers&a=shallow&b=deep", "kind=filters&a=deep/0&b=deep/1"):
            shown.goto(f"{server.url}/compare?{asked}&rule_a={run_id}")
            link = shown.locator("main h2 a").first
            assert str(link.get_attribute("href")).startswith("/network/random/"), asked
        assert shown.locator("select[name=a]").first.locator("option").all_inner_texts() == ["shallow", "deep"]
        shown.goto(f"{server.url}/compare?kind=classes&a=tabby&b=redbone")
        assert "trained" in shown.locator("main section h2").inner_text()
        shown.locator("select[name=network]").select_option("random")
        shown.get_by_role("button", name="Compare classes").click()
        shown.wait_for_url("**network=random**")
        assert shown.get_by_text("The numbers are contrasts").count() == 1
        assert "The numbers are contrasts" in server.client.get("/pairs").text
        assert "random" in shown.locator("main section h2").inner_text()


def test_pages_work_without_scripts(opened: Browser, server: Server) -> None:
    context = opened.new_context(java_script_enabled=False)
    shown = context.new_page()
    shown.goto(f"{server.url}/search?q=dog")
    shown.get_by_role("link", name="dog", exact=True).first.click()
    shown.get_by_role("heading", level=1, name="dog", exact=True).wait_for()
    shown.goto(f"{server.url}/query?name=filters-by-concept&concept=dog")
    with shown.expect_response(re.compile("/queries/filters-by-concept")) as answering:
        shown.get_by_role("button", name="Ask").click()
    assert answering.value.ok
    context.close()


def test_pages_allow_no_script_but_the_servers_own(server: Server) -> None:
    policy = html(server, FILTER).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_the_plots_of_the_first_page_come_when_they_are_drawn(server: Server) -> None:
    def drawn() -> list[str]:
        return re.findall(r'<img src="(/files/plots/[^"]+\.svg)"', server.client.get("/").text)

    wait_until(lambda: len(drawn()) >= 4)
    answer = server.client.get(drawn()[0])
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert "<svg" in answer.text


@pytest.mark.parametrize(
    "name", ["filtag.json", "../filtag.json", "%2e%2e/filtag.json", "explorer/../explorer.py", "tags.csv", ""]
)
def test_files_are_only_those_that_pages_show(server: Server, name: str) -> None:
    assert server.client.get(f"/files/{name}").status_code == 404


def test_what_is_not_there_is_said_in_a_line(server: Server) -> None:
    for path, line in (
        ("/network/toy-0123456789ab/layer/deep/filter/99", "the graph does not know <"),
        ("/class/none", "the graph does not know <"),
        ("/concepts?page=9", "no page 9 of concepts: it has 1"),
        ("/concepts?page=x", "page=x is not a whole number: give one from 1"),
        ("/files/none.svg", "no file none.svg"),
        ("/query/text?name=none", "no query is named 'none'"),
    ):
        answer = server.client.get(path)
        assert (answer.status_code, answer.text.count("\n")) == (404 if "query" not in path else 400, 1), path
        assert answer.text.startswith(line)
        shown = html(server, path)
        assert (shown.status_code, shown.headers["Content-Type"]) == (answer.status_code, "text/html; charset=utf-8")
        assert f'<p class="error" role="alert">{escape(answer.text.strip())}</p>' in shown.text
        assert "data-search" in shown.text


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"name": "nope"}, "no query is named 'nope': choose one from the catalogue"),
        (
            {"name": "filters-by-concept", "concept": "dog", "layer": "nolayer"},
            "no layer 'nolayer' in the KG: it has shallow, deep",
        ),
        ({"name": "hub-filters", "rule": "k=7"}, "no rule 'k=7' in the KG: it has k=1, q=0.5"),
        ({"name": "hub-filters", "dog": "1"}, "query hub-filters has no parameter 'dog': use hub-filters"),
    ],
)
def test_a_shared_question_that_this_kg_cannot_be_asked(
    opened: Browser, server: Server, asked: dict[str, str], line: str
) -> None:
    answer = server.client.get("/query", params=asked)
    assert answer.status_code == 400
    assert f'<p class="error" role="alert">{escape(line)}' in answer.text
    context = opened.new_context()
    shown = context.new_page()
    fetched: list[str] = []
    shown.on("request", lambda request: fetched.append(request.url) if "/queries/" in request.url else None)
    shown.goto(str(answer.url))
    shown.wait_for_load_state("networkidle")
    assert fetched == []
    assert shown.locator("[data-rows] table").count() == 0
    context.close()


def test_rows_lead_to_the_pages_of_what_they_name(opened: Browser, server: Server) -> None:
    with page(opened, server.url) as shown:
        for name, cell, at in (
            ("filters-by-concept&concept=dog&layer=deep", 0, "/network/toy-0123456789ab/layer/deep"),
            ("filters-by-concept&concept=dog&layer=deep", 1, "/network/toy-0123456789ab/layer/deep/filter/"),
            ("tags-of-filter&layer=deep&filter=0", 0, "/class/n0"),
            ("similar-filters&layer=deep&filter=0", 1, "/network/toy-0123456789ab/layer/"),
        ):
            shown.goto(f"{server.url}/query?name={name}")
            link = shown.locator("[data-rows] tbody tr").first.locator("td").nth(cell).get_by_role("link")
            text = link.inner_text()
            assert at in str(link.get_attribute("href"))
            link.click()
            assert text in shown.locator("header").inner_text() or name.startswith("tags")
        shown.goto(f"{server.url}/query?name=layer-summary")
        shown.locator("[data-rows] tbody tr").first.wait_for()
        # A number of filters is no filter's index.
        assert shown.locator("[data-rows] tbody a").all_inner_texts() == ["shallow", "deep"]


def test_a_kg_that_is_gone_is_noted_once(kg: KG, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(kg.path, tmp_path / "kg"))
    with serving(copied) as server:
        copied.rename(tmp_path / "elsewhere")
        for _ in range(3):
            assert html(server, FILTER).status_code == 200
        said = server.stderr()
    assert said.count("no KG at") == 1
    assert "the answers stay as they were" in said


def test_names_from_the_kg_do_nothing_in_a_page(profile: Profile, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    bad = Profile(
        mean=profile.mean,
        variance=None,
        count=profile.count,
        class_ids=profile.class_ids,
        class_labels=(hostile, *profile.class_labels[1:]),
        layer_names=("a/../b", hostile),
        layer_offsets=profile.layer_offsets,
        metadata={"network": hostile, "identifier": "toy/1"},
    )
    tags = tag_filters(bad, [Rule("k", 1)], network="toy/1")
    built: KG = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(bad), profile=bad)
    with serving(built.path) as server:
        for path in (
            "/",
            "/classes",
            "/search?q=img",
            "/compare",
            "/query?name=tags-of-filter",
            "/network/toy%2F1/layer/a%2F..%2Fb",
        ):
            answer = html(server, path)
            assert answer.status_code == 200, path
            assert "<img src=x" not in answer.text
        found = server.client.get("/search", params={"q": "img", "format": "json"}).json()
        for each in found:
            assert html(server, each["address"]).status_code == 200
