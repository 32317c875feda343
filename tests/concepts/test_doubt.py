"""Links that are probably wrong, and names that are numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg.concepts import CuratedLink, Links, Sense, doubtful_links, link_classes, wordnet
from filtag_kg.concepts.doubt import signs_of_doubt


def linked(*labels: str, **options: object) -> Links:
    return link_classes(labels, labels, wordnet(), **options)  # type: ignore[arg-type]


def signs(links: Links) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {link.class_label: (link.label, link.signs) for link in links.doubtful}


def test_a_concept_that_is_called_otherwise() -> None:
    found = linked("crank", "glass", "ice", "speed")
    assert found["crank"].confidence > 0.9
    assert signs(found)["crank"] == ("methamphetamine", ("other name",))
    (doubtful,) = (link for link in doubtful_links(found, wordnet()) if link.label == "crank")
    assert (doubtful.meaning, doubtful.alternative) == (
        "methamphetamine (a kind of amphetamine)",
        "crank (a kind of hand tool)",
    )


def test_a_concept_that_lies_alone() -> None:
    assert signs(linked("CNV", "DME", "DRUSEN", "NORMAL")) == {
        "DRUSEN": ("drusen", ("alone",)),
        "NORMAL": ("convention", ("alone",)),
    }
    assert signs(linked("dog", "cat", "horse", "minivan", "sports car")) == {}


def test_an_abbreviation_that_the_label_is_not() -> None:
    found = linked("ok", "broken", "dog", "cat")
    assert signs(found)["ok"] == ("O.K.", ("capitals", "other name", "alone"))
    assert "capitals" in signs(linked("it", "who", "dog"))["it"][1]
    assert signs(linked("German shepherd", "Chihuahua", "french bulldog")) == {}


def test_a_sense_that_the_corpus_hardly_knows() -> None:
    senses = wordnet().senses("orange")
    names = [wordnet().concept(sense.concept).label for sense in senses]
    assert [sense.count for sense in senses] == [4, 3, 1, 0, 0]
    every = [signs_of_doubt("orange", place, senses, names[place]) for place in range(5)]
    assert every == [(), (), ("rare",), ("rare",), ("capitals", "rare")], "the tree, the pigment and the river"


def test_a_source_that_counts_nothing_knows_no_rare_senses() -> None:
    senses = [Sense(f"/c/en/dog/n/{place}", "dog", 0) for place in range(3)]
    assert signs_of_doubt("dog", 2, senses, "dog") == ()


def test_the_least_trusted_come_first_and_what_is_certain_is_in_no_doubt() -> None:
    labels = ("trash", "bow", "scale", "ok", "n02084071")
    everyone = linked(*labels)
    trust = [link.trust for link in everyone.doubtful]
    assert trust == sorted(trust)
    assert all(link.trust == link.confidence / 2 ** len(link.signs) < 0.6 for link in everyone.doubtful)
    assert "n02084071" not in signs(everyone), "its id says what it is"
    trash = wordnet().senses("trash")[0].concept
    decided = linked(*labels, curated={"trash": [CuratedLink(trash, confidence=0.1)], "ok": [CuratedLink(None)]})
    assert signs(decided).keys().isdisjoint({"trash", "ok"})


@pytest.mark.parametrize(
    "label",
    [
        "2",
        "007",
        "3.5",
        "10th",
        "II",
        "XVI",
        "iv",
        "1,000",
        "-1",
        "7.",
        "1990s",
        "½2",
        "20%",
        "class_7",
        "label-3",
        "type_2",
        "class_12",
        "cluster_00",
        "Group_II",
    ],
)
def test_a_number_is_no_word(label: str) -> None:
    assert linked(label, "dog").unlinked == (label,)


@pytest.mark.parametrize(
    ("label", "concept"),
    [
        ("three", "three"),
        ("001.dog", "dog"),
        ("7up bottle", "bottle"),
        ("4 wheeler", "wheeler"),
        ("CD", "compact disk"),
    ],
)
def test_words_beside_numbers_and_words_like_numbers_are_linked(label: str, concept: str) -> None:
    assert linked(label)[label].label == concept


def test_few_right_links_are_doubtful_and_many_wrong_ones(shared_data: Path) -> None:
    found = {}
    for path in sorted((shared_data / "gold-senses").glob("*.csv")):
        rows = [line.split(",") for line in path.read_text().split("\n")[1:] if line]
        labels = [label for label, _ in rows]
        meant = []
        for _, synset in rows:
            lemma, _, number = synset.rsplit(".", 2)
            senses = wordnet().senses(lemma.replace("_", " "))
            meant.append(senses[int(number) - 1].concept if int(number) <= len(senses) else None)
        links = linked(*labels)
        judged = [(links[label].doubtful, links[label].concept == concept) for label, concept in
                  zip(labels, meant, strict=True) if label in links and concept is not None]  # fmt: skip
        wrong, right = ([doubtful for doubtful, is_right in judged if is_right is kind] for kind in (False, True))
        found[path.stem] = (sum(wrong), len(wrong), sum(right), len(right))
    assert found == {"coco": (2, 9, 5, 70), "igibson": (20, 38, 42, 355), "lvis-half": (27, 51, 50, 550)}
