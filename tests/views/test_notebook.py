"""What notebooks show: well-formed, escaped, with nothing from elsewhere."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyoxigraph as ox
import pytest

from filtag_kg import FiltagError, KnowledgeGraph, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, Visualization, build_kg, write_visualizations
from filtag_kg.query import Result
from filtag_kg.views import ClassView, ConceptView, FilterView, LayerView
from tests.pictures import pictured_copy
from tests.query.sparql_server import sparql_server
from tests.views.test_loading import PNG, write_exemplars

HOSTILE = '<script>alert("1")</script>&\'" onload=x'
ALLOWED = {"div", "span", "strong", "p", "table", "thead", "tbody", "tr", "th", "td", "a", "img"}


class Page(HTMLParser):
    """Tags that are open, those seen with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(html: str | None) -> Page:
    """Read what a notebook would show, and hold it to what all of it promises."""
    assert html is not None
    page = Page(html)
    for tag, attributes in page.seen:
        assert tag in ALLOWED
        assert attributes.keys() <= {"style", "title", "href", "src", "alt", "scope", "rel"}
        assert str(attributes.get("src", "data:image/")).startswith("data:image/")
        assert "url(" not in str(attributes.get("style"))
    return page


@pytest.fixture
def hostile(profile: Profile, tmp_path: Path) -> KnowledgeGraph:
    """A KG whose layers and classes are called what would run in a page."""
    odd = replace(
        profile,
        layer_names=("shallow", HOSTILE),
        class_labels=(HOSTILE, *profile.class_labels[1:]),
        class_ids=profile.class_ids,
    )
    tags = tag_filters(odd, [Rule("k", 1), Rule("q", 0.5)], network="toy-0123456789ab")
    kg = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(odd), profile=odd)
    row = Visualization("toy-0123456789ab", HOSTILE, 0, "feature-visualisation", 0, 9, 1.5)
    write_visualizations(kg, [row], [PNG])
    write_exemplars(kg, *[["1", HOSTILE, "0", str(n), HOSTILE, "n02087394", "0.75", "a.png"] for n in range(1, 21)])
    (kg.path / "exemplars" / "a.png").write_bytes(PNG)
    return KnowledgeGraph(kg.path)


def test_a_filter_shows_tags_what_they_have_in_common_and_pictures(hostile: KnowledgeGraph) -> None:
    found = hostile.filter(HOSTILE, 0)
    page = checked(found._repr_html_())
    assert f"{HOSTILE}/0" in page.text
    assert "Each class marks its single most active filter in every layer. k=1" in page.text
    assert "Each class marks its most active 50 % of the filters in every layer. q=0.5" in page.text
    assert "bloodhound → hound" in page.text
    pictures = [attributes for tag, attributes in page.seen if tag == "img"]
    assert len(pictures) == 9
    assert pictures[0]["title"] == "feature-visualisation"
    assert pictures[1]["alt"] == f"{HOSTILE}, 0.750"
    assert base64.b64decode(str(pictures[0]["src"]).partition("base64,")[2]) == PNG


def test_a_filter_without_pictures_or_tags_is_shown_too(kg: KG) -> None:
    page = checked(KnowledgeGraph(kg.path).filter("deep", 3)._repr_html_())
    assert "k=1 No class marks it." in page.text
    assert not any(tag == "img" for tag, _ in page.seen)
    away = replace(KnowledgeGraph(kg.path).filter("deep", 0), kg=None)
    few = r"k=1 hound: 2 of its 3 classes; too few classes to tell: at least 10 are needed \(q [\d.]+\)\."
    assert re.search(few, checked(away._repr_html_()).text)


def run_way(found: FilterView, place: int) -> str:
    run = found.runs[1]
    return " → ".join(step.label for step in run.way(run.kinds[place]))


def test_only_the_first_concept_shows_the_filters_q_value(kg: KG) -> None:
    found = KnowledgeGraph(kg.path).filter("deep", 0)
    page = checked(found._repr_html_())
    first, other = (each.row for each in found.runs[1].kinds)
    assert f"{first.label}2 of 6q 1{run_way(found, 0)}" in page.text
    assert f"{other.label}2 of 6adjusted p {other.p_adjusted:.2g}{run_way(found, 1)}" in page.text
    assert "too few classes to tell: at least 12 are needed (q 1)." in page.text
    assert "pictures that activate it more than others do" in page.text


def test_a_picture_that_is_gone_or_no_picture_is_left_out(hostile: KnowledgeGraph) -> None:
    place = Path(hostile.location)
    (place / "exemplars" / "a.png").unlink()
    page = checked(hostile.filter(HOSTILE, 0)._repr_html_())
    assert len([tag for tag, _ in page.seen if tag == "img"]) == 1
    (place / "exemplars" / "a.png").write_bytes(bytes(200_001))
    assert hostile.filter(HOSTILE, 0)._repr_html_().count("<img") == 1


def test_a_kg_is_shown_from_its_manifest(kg: KG) -> None:
    page = checked(kg._repr_html_())
    for text in ("toy-0123456789ab", "k=1, q=0.5", str(kg.path), f"{kg.manifest['counts']['tags']:,}"):
        assert text in page.text
    assert [attributes["href"] for tag, attributes in page.seen if tag == "a"] == list(kg.manifest["licences"].values())
    assert KnowledgeGraph(kg.path)._repr_html_() == kg._repr_html_()
    odd = KG(Path(HOSTILE), {**kg.manifest, "network": HOSTILE, "licences": {"g": "javascript:alert(1)"}})
    page = checked(odd._repr_html_())
    assert not any(tag == "a" for tag, _ in page.seen)
    assert page.text.count(HOSTILE) == 2


def test_a_result_is_a_table_with_figures_to_the_right(kg: KG) -> None:
    answer = KnowledgeGraph(kg.path).query("tags-of-filter", layer="deep", filter=0)
    html = answer._repr_html_()
    page = checked(html)
    assert page.text.endswith(f"{len(answer.rows)} rows")
    heads = re.findall(r'<th scope="col" style="[^"]*text-align:(\w+);[^"]*">(\w+)</th>', html)
    assert ("right", "contrast") in heads
    assert re.search(r'text-align:left[^"]*">label', html)
    assert re.search(r'text-align:right[^"]*">rank', html)
    link = next(attributes for tag, attributes in page.seen if tag == "a")
    assert link["href"] == answer.records()[0]["concept"]
    assert "pwn30:02087394-n" in page.text


def test_a_long_result_is_cut_and_says_so() -> None:
    rows = tuple((ox.Literal(n), ox.Literal(0.123456), None) for n in range(1234))
    page = checked(Result(("n", "x", "y"), rows)._repr_html_())
    assert page.text.endswith("50 of 1,234 rows")
    assert len([tag for tag, _ in page.seen if tag == "tr"]) == 51
    assert page.text.startswith("nxy00.12310.123")


def test_the_head_of_a_result_is_a_result() -> None:
    rows = tuple((ox.Literal(n),) for n in range(9))
    assert Result(("n",), rows).head(2) == Result(("n",), rows[:2])
    assert len(Result(("n",), rows).head().rows) == 5
    assert Result(("n",), rows[:1]).head(7).rows == rows[:1]


def test_a_hostile_result_is_text() -> None:
    terms = (ox.Literal(HOSTILE), ox.NamedNode("javascript:alert(1)"), ox.BlankNode("b"), ox.NamedNode("urn:x"))
    page = checked(Result((HOSTILE, "a", "b", "c"), (terms,))._repr_html_())
    assert page.text == f"{HOSTILE}abc{HOSTILE}javascript:alert(1)_:burn:x1 row"
    assert checked(Result(("a",), ())._repr_html_()).text == "a0 rows"


def test_a_knowledge_graph_says_what_it_knows_of_one_thing(kg: KG) -> None:
    graph = KnowledgeGraph(kg.path)
    assert "loaded" not in vars(graph), "nothing is read before it is asked for"
    assert isinstance(graph.filter("deep", 0, network="toy"), FilterView)
    assert isinstance(graph.layer("deep"), LayerView)
    assert isinstance(graph.class_("Tabby"), ClassView)
    assert isinstance(graph.concept("domestic_dog"), ConceptView)
    assert graph.concept("dog") == graph.concept("/c/en/dog") == graph.concept(graph.concept("dog").iri)
    assert graph.search("tabby")[0].label == "tabby"
    assert graph.loaded is graph.loaded


def test_what_a_word_does_not_name_alone_is_refused(profile: Profile, tmp_path: Path) -> None:
    cranes = replace(
        profile,
        class_ids=("n02012849", "n03126707", *profile.class_ids[2:]),
        class_labels=("crane", "crane", *profile.class_labels[2:]),
    )
    tags = tag_filters(cranes, [Rule("k", 1)], network="toy")
    kg = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(cranes), profile=cranes)
    graph = KnowledgeGraph(kg.path)

    def refusal(call: str, name: str) -> str:
        with pytest.raises(FiltagError) as caught:
            getattr(graph, call)(name)
        return str(caught.value)

    wordnet_iri = "http://wordnet-rdf.princeton.edu/pwn30/"
    assert refusal("class_", "crane") == "2 classes are called 'crane': name one by its id, n02012849 or n03126707"
    assert refusal("concept", "crane") == (
        f"'crane' has 2 senses here: name one by its IRI, {wordnet_iri}02012849-n, {wordnet_iri}03126707-n"
    )
    assert refusal("class_", "tabbi") == "no class 'tabbi' in the KG: did you mean tabby?"
    assert refusal("concept", "xyzzy") == "no concept 'xyzzy' in the KG: check the spelling, or name it by its IRI"


def test_an_endpoint_has_no_tables(kg: KG) -> None:
    with sparql_server(kg.store()) as url:
        graph = KnowledgeGraph(url)
        assert checked(graph._repr_html_()).text == f"KG {url}"
        for ask in (lambda: graph.filter("deep", 0), lambda: graph.search("dog"), lambda: graph.concept("dog")):
            with pytest.raises(FiltagError) as caught:
                ask()
            assert str(caught.value) == (
                f"{url} is an endpoint, which has no tables: use query(), or open a KG's directory"
            )


def test_exemplars_are_shown_as_they_are_and_lit_where_the_filter_responds(kg: KG, tmp_path: Path) -> None:
    pictured = pictured_copy(kg, tmp_path / "kg")
    html = KnowledgeGraph(pictured.path).filter("deep", 0)._repr_html_()
    assert html.count("data:image/jpeg") == 18
    assert html.count('lit where the filter responds" title') == 9
    assert "lit where" not in KnowledgeGraph(kg.path).filter("deep", 0)._repr_html_()


def test_as_plain_text_a_result_is_a_table_and_a_view_is_short(kg: KG) -> None:
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    opened = KnowledgeGraph(kg.path)
    answer = opened.query("tags-of-filter", layer="deep", filter=0)
    assert pretty(answer) == str(answer)
    assert str(answer).splitlines()[-1] == f"{len(answer.rows)} rows"
    assert repr(answer) == f"<Result: {', '.join(answer.columns)}; {len(answer.rows)} rows>"
    views = (opened.layer("deep"), opened.filter("deep", 0), opened.class_("tabby"), opened.concept("dog"))
    for view in views:
        assert len(repr(view)) < 700


def test_the_text_of_a_result_shows_nothing_by_itself_in_jupyter(kg: KG, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *parts: shown.append(parts))
    assert str(KnowledgeGraph(kg.path).query("tags-of-filter", layer="deep", filter=0)).startswith("class_id")
    assert shown == []
