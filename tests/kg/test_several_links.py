"""Classes with several links: descriptions and formulas, from the label to the graph, the pages and back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from filtag_kg.concepts import DEFAULT_CONCEPTS, concept_source, link_classes, read_curated_links
from filtag_kg.kg import KG, Provenance, build_kg, validate_kg
from filtag_kg.tags import read_filtag_labels
from filtag_kg.views import load_kg

LABELS = (
    "dogs and birds",
    "dog AND NOT poodle",
    "NOT cat",
    "spots of the color red",
    "cab OR taxi",
    "beagle",
    "xyzzyx",
)
PWN = "http://wordnet-rdf.princeton.edu/pwn30/"
DOG, POODLE, BIRD = f"{PWN}02084071-n", f"{PWN}02113335-n", f"{PWN}01503061-n"


def built(path: Path, **options: object) -> KG:
    labels = path.parent / "tags.txt"
    labels.write_text(
        "filter tags k=1\n" + "".join(f"{row}:{[f' {label} ' for label in LABELS]}\n" for row in range(3))
    )
    source = concept_source(DEFAULT_CONCEPTS)
    provenance = Provenance("net", hashes={"flt:tagsSha256": 64 * "0"})
    return build_kg(path, read_filtag_labels(labels), source, provenance, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> KG:
    return built(tmp_path_factory.mktemp("several") / "kg")


def ask(kg: KG, text: str) -> set[tuple[str, ...]]:
    prefixes = (
        "PREFIX flt: <https://w3id.org/filtag/ns#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
        "PREFIX sssom: <https://w3id.org/sssom/> "
    )
    rows = kg.store().query(prefixes + text, use_default_graph_as_union=True)
    return {tuple(cell.value for cell in row) for row in rows}


def test_the_graph_has_every_link_and_counts_classes(kg: KG) -> None:
    texts = "?link a flt:ConceptLink ; sssom:subject_id/skos:notation ?id ; sssom:match_string ?text"
    assert ask(kg, f"SELECT ?id ?text {{ {texts} }}") == {
        ("dogs and birds", "dog"),
        ("dogs and birds", "bird"),
        ("dog AND NOT poodle", "dog"),
        ("dog AND NOT poodle", "poodle"),
        ("NOT cat", "cat"),
        ("spots of the color red", "spot"),
        ("spots of the color red", "red"),
        ("cab OR taxi", "cab"),
        ("cab OR taxi", "taxi"),
    }  # fmt: skip
    assert kg.manifest["counts"]["linked_classes"] == 6
    assert kg.manifest["unlinked_classes"] == ["xyzzyx"]
    assert not validate_kg(kg).findings


def test_what_a_label_excludes_is_only_in_its_link(kg: KG) -> None:
    of_class = 'SELECT ?concept { ?class skos:notation "dog AND NOT poodle" ; %s ?concept }'
    assert ask(kg, of_class % "flt:concept") == {(DOG,)}
    assert (POODLE,) not in ask(kg, of_class % "flt:atOrBelow")
    assert ask(kg, 'SELECT ?o { ?l sssom:predicate_modifier "Not" ; sssom:object_id/skos:prefLabel ?o }') == {
        ("poodle",),
        ("cat",),
    }
    assert ask(kg, 'SELECT ?concept { ?class skos:notation "NOT cat" ; flt:concept ?concept }') == set()


def test_a_class_lies_below_all_of_its_concepts(kg: KG) -> None:
    rows = ask(kg, f"SELECT ?id {{ ?class flt:atOrBelow <{DOG}> ; skos:notation ?id }}")
    assert rows == {("dogs and birds",), ("dog AND NOT poodle",), ("beagle",)}


def test_views_list_all_concepts(kg: KG) -> None:
    loaded = load_kg(kg)
    view = loaded.class_("dogs and birds")
    assert (view.concept, [link.concept for link in view.others], view.excluded) == (DOG, [BIRD], ())
    assert [step.label for step in loaded.class_("dog AND NOT poodle").excluded] == ["poodle"]
    assert (loaded.class_("NOT cat").concept, loaded.class_("NOT cat").others) == (None, ())
    assert loaded.concept(POODLE).label == "poodle"


def test_links_come_back_and_a_person_may_take_one_away(kg: KG, tmp_path: Path) -> None:
    source = concept_source(DEFAULT_CONCEPTS)
    table = kg.path / "links.sssom.tsv"
    made = link_classes(LABELS, LABELS, source)
    read = link_classes(LABELS, LABELS, source, curated=read_curated_links(table, LABELS, source))
    assert [(link.class_id, link.concept, link.text, link.negated, link.predicate) for link in read.links] == [
        (link.class_id, link.concept, link.text, link.negated, link.predicate) for link in made.links
    ]
    edited = tmp_path / "links.tsv"
    rows = table.read_text().splitlines(keepends=True)
    edited.write_text("".join(row for row in rows if "bird\t" not in row.replace("dogs and birds", "")))
    curated = read_curated_links(edited, LABELS, source)
    assert [link.concept for link in link_classes(LABELS, LABELS, source, curated=curated).of("dogs and birds")] == [
        DOG
    ]
    again = built(tmp_path / "again", curated=curated)
    assert not validate_kg(again).findings
    shutil.rmtree(again.path)
