"""The static report: whole, linked, small, harmless, and the same facts as the KG's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg import FiltagError, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, build_kg
from filtag_kg.report import FileUrls, Site, semantic_report, write_report
from filtag_kg.views import load_kg
from tests.browser import browser, page
from tests.label_checks import checked_copy, made_up_check
from tests.pictures import pictured_copy

HOSTILE = "<script>alert('x')</script> & \"co\""


class Links(HTMLParser):
    """What a page asks for or leads to, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[tuple[str, str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.urls += [(tag, value) for name, value in attrs if name in ("href", "src", "srcset") and value]


def written_report(kgs: list[KG], folder: Path, **options: Path) -> Path:
    loaded = [load_kg(kg) for kg in kgs]
    report = semantic_report(loaded)
    sites = [Site(each, report.of_kg(each.kg), **options) for each in loaded]
    write_report(report, folder, sites=sites)
    return folder


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*.html")):
        yield path, path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> KG:
    """A KG whose names try to leave the page, the folder and the file system."""
    layers = ("../../up", HOSTILE, "long" * 80)
    ids = ("n02087394", "../n02123045", HOSTILE, "n02814533")
    random = np.random.default_rng(0)
    profile = Profile(
        mean=random.random((4, 6)),
        variance=None,
        count=np.ones(4, dtype=np.int64),
        class_ids=ids,
        class_labels=("ridgeback", "tabby", HOSTILE, "beach wagon"),
        layer_names=layers,
        layer_offsets=np.array([0, 2, 4, 6]),
        metadata={"network": HOSTILE, "identifier": "..", "layer_kinds": ["Conv2D"] * 3},
    )
    tags = tag_filters(profile, [Rule("k", 1)], network="..")
    folder = tmp_path_factory.mktemp("strange") / "kg"
    return build_kg(folder, tags, wordnet(), Provenance.of_profile(profile), profile=profile)


@pytest.fixture(scope="module")
def folder(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_report([kg], tmp_path_factory.mktemp("report") / "report")


@pytest.fixture(scope="module")
def strange_folder(strange: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_report([strange], tmp_path_factory.mktemp("report") / "report")


@pytest.fixture(scope="module")
def pictured_folder(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictured")
    return written_report([pictured_copy(kg, folder / "kg")], folder / "report")


@pytest.mark.parametrize("which", ["folder", "strange_folder", "pictured_folder"])
def test_every_link_leads_to_a_file_of_the_folder(which: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(which).resolve()
    texts = dict(pages(root))
    resolve = cache(Path.resolve)
    for path, text in texts.items():
        links = Links()
        links.feed(text)
        assert "script" not in links.tags
        for tag, link in links.urls:
            if urlsplit(link).scheme in ("http", "https", "data"):
                assert tag == "a" or link == "data:,", f"{path} asks {link} for something"
                continue
            parts = urlsplit(link)
            target = resolve(path.parent / unquote(parts.path)) if parts.path else path
            assert target.is_file(), f"{path.relative_to(root)} leads to {link}"
            assert target.is_relative_to(root)
            if parts.fragment:
                assert f'id="{parts.fragment}"' in texts[target], f"{path} leads to {link}"


def test_there_is_a_page_for_each_thing(folder: Path, kg: KG) -> None:
    loaded, urls = load_kg(kg), FileUrls()
    expected = {unquote(urls.class_(class_id)) for class_id in loaded.concepts.class_ids}
    expected |= {unquote(urls.concept(iri)) for iri in loaded.concepts.labels}
    for network in loaded.networks.values():
        for index, layer in enumerate(network.layer_names):
            expected.add(unquote(urls.layer(network.network, layer)))
            expected |= {unquote(urls.filter(network.network, layer, i)) for i in range(network.size(index))}
    expected |= {"index.html", "classes.html", "concepts.html", "groups.html", "groups-2.html"}
    expected |= {"unusual.html", "pairs.html", "mixed.html", "glossary.html"}
    assert {path.relative_to(folder).as_posix() for path, _ in pages(folder)} == expected


def test_without_variances_no_filter_is_said_to_be_explained(strange_folder: Path) -> None:
    text = (strange_folder / "unusual.html").read_text(encoding="utf-8")
    named = text.partition("Filters that respond to what no class names</h2>")[2].partition("<h2>")[0]
    assert "The profile does not tell" in named
    assert "There is none" not in named


def test_the_page_of_a_filter_says_what_the_graph_says(folder: Path) -> None:
    text = (folder / "network/toy-0123456789ab/layer/deep/filter/0.html").read_text(encoding="utf-8")
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    for label in ("Rhodesian ridgeback", "bloodhound", "redbone"):
        assert label in words
    assert "0.9" in words
    assert "toy-0123456789ab" in words
    # How a tag comes to what the tags have in common.
    assert re.search(r"redbone → , then (coon)?hound", words)


def test_what_a_label_says_is_shown_and_does_nothing(strange_folder: Path) -> None:
    text = (strange_folder / "index.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text
    assert "<script>" not in text


def test_the_same_kg_gives_the_same_bytes(folder: Path, kg: KG, tmp_path: Path) -> None:
    again = written_report([kg], tmp_path / "again")
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((folder / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_no_page_is_large(vgg: KG, tmp_path: Path) -> None:
    root = written_report([vgg], tmp_path / "report")
    sizes = {path.relative_to(root).as_posix(): path.stat().st_size for path, _ in pages(root)}
    assert len(sizes) > 2500
    assert max(sizes.values()) < 500_000


def test_several_kgs_have_a_folder_each_and_a_page_that_compares_them(kg: KG, strange: KG, tmp_path: Path) -> None:
    root = written_report([kg, strange], tmp_path / "report")
    for each in (kg, strange):
        assert (root / each.manifest["id"] / "index.html").is_file()
    text = (root / "index.html").read_text(encoding="utf-8")
    assert f'href="{kg.manifest["id"]}/index.html"' in text
    assert "k=1" in text


def test_a_missing_evaluation_leaves_nothing(kg: KG, tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=r"hits\.csv"):
        written_report([kg], tmp_path / "report", hits=tmp_path)
    assert list(tmp_path.iterdir()) == []


@given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 10**6))
def test_urls_stay_in_the_folder_and_differ(one: str, other: str, filter_: int) -> None:
    urls = FileUrls()
    try:
        one.encode()
        other.encode()
    except UnicodeEncodeError:
        return
    for address in (urls.filter(one, other, filter_), urls.class_(one), urls.layer(one, other)):
        path = unquote(address)
        assert ".." not in Path(path).parts
        assert "." not in Path(path).parts
        assert not path.startswith("/")
        assert max(map(len, Path(path).parts)) < 255
    if one != other:
        assert urls.class_(one) != urls.class_(other)
        assert urls.filter(one, "x", 0) != urls.filter(other, "x", 0)


def test_urls_are_stable() -> None:
    urls = FileUrls()
    assert urls.filter("vgg16-1", "block5/conv3", 7) == "network/vgg16-1/layer/block5%252Fconv3/filter/7.html"
    assert urls.layer("vgg16-1", "conv") == "network/vgg16-1/layer/conv/index.html"
    assert urls.layer("vgg16-1", "conv", 2) == "network/vgg16-1/layer/conv/page-2.html"
    assert urls.class_("n02099601") == "class/n02099601.html"
    assert urls.concept("http://wordnet-rdf.princeton.edu/pwn30/02084071-n") == "concept/02084071-n.html"
    assert urls.concept("http://api.conceptnet.io/c/en/dog") == "concept/c-en-dog-449852ce.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_opens_it_from_the_disk(folder: Path, scheme: str) -> None:
    home = folder.as_uri()
    with browser() as opened, page(opened, home, scheme=scheme) as shown:
        shown.goto(f"{home}/index.html")
        shown.get_by_role("link", name="deep", exact=True).first.click()
        shown.get_by_role("link", name="0", exact=True).first.click()
        assert shown.locator(".kicker").inner_text() == "toy · deep · filter 0"
        shown.locator("summary").first.click()
        assert shown.locator("details[open] .paths li").first.inner_text().endswith("hound")
        shown.get_by_role("link", name="Concepts").click()
        shown.get_by_role("link", name="dog", exact=True).first.click()
        assert shown.get_by_role("heading", level=1).inner_text() == "dog"


def test_nothing_is_wider_than_a_telephone(strange_folder: Path, folder: Path) -> None:
    with browser() as opened:
        for root in (folder, strange_folder):
            with page(opened, root.as_uri(), width=390) as shown:
                for path, _ in pages(root):
                    if path.parent.name == "concept" and path.name[-6] != "0":
                        continue
                    shown.goto(path.as_uri())
                    assert shown.evaluate("document.documentElement.scrollWidth") <= 390, path


@pytest.fixture(scope="module")
def checked_folder(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checked")
    return written_report([checked_copy(kg, folder / "kg")], folder / "report")


def test_pages_say_which_labels_are_true(checked_folder: Path, folder: Path) -> None:
    every_page = dict(pages(checked_folder))
    by_end = {"/".join(path.parts[-3:]): text for path, text in every_page.items()}
    of_filter, layer_page = by_end["deep/filter/0.html"], by_end["layer/deep/index.html"]
    assert 'confirmed" title="On 5 images of it that made no label: q 0.001, AUC 0.80, correlation 0.60 (' in of_filter
    assert 'not-testable" title="Not testable on the images of the check: no image of it.">not testable</' in of_filter
    assert 'class="verdict confirmed"' in layer_page
    assert 'class="verdict not-confirmed"' in layer_page
    labels = (checked_folder / "labels.html").read_text()
    assert "Are the labels true?" in labels
    assert labels.index("The labels that fit best") < labels.index("The most doubtful labels")
    assert "on 40 images of 8 classes in test.tar" in labels
    assert "Unreadable: n02123045/0.png (no image)" in labels
    assert 'href="labels.html">other pictures</a>' in (checked_folder / "index.html").read_text()
    assert all('labels.html">Labels</a>' in text for text in every_page.values())
    assert not (folder / "labels.html").exists()
    assert not any("verdict" in text for _, text in pages(folder))


def test_the_page_of_labels_counts_as_the_table_does(checked_folder: Path, kg: KG) -> None:
    labels = (checked_folder / "labels.html").read_text()
    for rows in made_up_check(kg).runs.values():
        testable = [row for row in rows if row.status != "not testable"]
        confirmed = sum(row.status == "confirmed" for row in rows)
        assert f"<b>{confirmed}</b> of {len(testable)} labels are confirmed" in labels
