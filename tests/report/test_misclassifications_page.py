from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.explain import Group, Misclassification, MisclassificationAnalysis
from filtag_kg.report import misclassifications_page, write_misclassifications
from filtag_kg.report.misclassifications_page import (
    FilterEvidence,
    MisclassifiedKind,
    misclassified_kinds,
    response_evidence,
    tag_evidence,
)

DOG, CAT = Group("c:dog", "dog"), Group("c:cat", "cat")
SAME_KIND = Misclassification(
    image="n1/0.png",
    true_id="n1",
    true_label="beagle",
    predicted_id="n2",
    predicted_label="basset",
    confidence=0.75,
    true_confidence=0.25,
    active=10,
    true_filters=4,
    true_share=0.4,
    predicted_filters=6,
    predicted_share=0.6,
    shared=2,
    shared_filters=(("last", 3), ("last", 7)),
    shared_concepts=("dog",),
    concept="c:hound",
    concept_label="hound",
    ic=2.0,
    agree=True,
    true_group=DOG,
    predicted_group=DOG,
)
NEAR = replace(SAME_KIND, predicted_group=CAT, true_filters=6)
FAR = replace(NEAR, agree=False, predicted_filters=None, predicted_share=None, shared=None, shared_filters=())
FOUND = MisclassificationAnalysis(
    "lite-0123456789ab", "k=1", "test.tar", 10, 5, (SAME_KIND, NEAR, FAR, FAR), ("one note",)
)


class Tags(HTMLParser):
    """Checks that elements are nested, and keeps what they are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    page = misclassifications_page(FOUND)
    tags = parsed(page)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags.seen}
    assert not [
        name for _, attributes in tags.seen for name in attributes if name in ("src", "href") or name[:2] == "on"
    ]
    assert "url(" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert "prefers-color-scheme: dark" in page


def test_figures_are_those_of_the_misclassifications() -> None:
    page = misclassifications_page(FOUND)
    assert "<b>60.0 %</b>" in page
    assert "4 of 10 images are misclassified" in page
    assert misclassified_kinds(FOUND.misclassified) == [MisclassifiedKind(DOG, 4, 0.25, 0.25, 0.5)]
    assert tag_evidence(FOUND.misclassified) == FilterEvidence(true=0, predicted=1, equal=1, unknown=2)
    assert "not in the KG" in page
    assert "one note" in page


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", page).split())


def test_what_the_filters_say_is_shown_in_words() -> None:
    too = replace(SAME_KIND, true_rank=4.0, predicted_rank=1.0, true_p=0.01, predicted_p=0.002, log_ratio=12.5)
    rather = replace(too, true_rank=1.0, predicted_rank=2.5, log_ratio=-3.0)
    one = replace(too, predicted_rank=None, predicted_p=None, log_ratio=None)
    rows = (too, too, too, rather, one, FAR)
    assert response_evidence(rows) == FilterEvidence(true=1, predicted=3, equal=0, unknown=2)
    page = misclassifications_page(replace(FOUND, misclassified=rows))
    text = words(page)
    assert text.count("The filters say basset, too: basset ranks 1 and beagle ranks 4.") == 3
    assert "The filters rather say beagle: basset ranks 2.5 and beagle ranks 1." in text
    assert "The filters: beagle ranks 4." in text
    assert "<b>25 %</b>" in page
    assert "of the 4 misclassifications between classes of the KG are the network's alone" in text
    parsed(page)


def test_a_kg_without_such_evidence_says_nothing_of_it() -> None:
    text = words(misclassifications_page(FOUND))
    assert "ranks" not in text
    assert "the network's alone" not in text


def test_names_are_escaped() -> None:
    evil = "<script>alert(1)</script>"
    odd = replace(SAME_KIND, image=evil, true_label=evil, concept_label=evil, true_group=Group(evil, evil))
    page = misclassifications_page(
        replace(FOUND, misclassified=(odd,), source=evil, network=f"{evil}-x", notes=(evil,))
    )
    assert evil not in page
    parsed(page)


def test_many_misclassifications_are_cut_with_a_sign_and_stay_small() -> None:
    many = tuple(
        replace(
            SAME_KIND,
            image=f"n{i}/{'x' * 60}.png",
            true_id=f"n{i}",
            true_label=f"class {i}",
            true_group=Group(f"c:{i}", f"kind {i}"),
        )
        for i in range(3000)
    )
    page = misclassifications_page(replace(FOUND, n_images=4000, misclassified=many))
    assert len(page) < 200_000
    for sign in (
        "24 of 3,000 kinds",
        "40 of 3,000 pairs, ",
        "40 of 3,000 pairs of classes",
        "60 of 3,000 misclassifications",
    ):
        assert sign in page


def test_no_misclassifications() -> None:
    page = misclassifications_page(replace(FOUND, misclassified=()))
    assert "There is no misclassification to show." in page
    assert "<b>100.0 %</b>" in page


def test_a_directory_that_is_there_is_left_alone(tmp_path: Path) -> None:
    write_misclassifications(FOUND, tmp_path / "new")
    assert (tmp_path / "new" / "errors.html").read_text(encoding="utf-8") == misclassifications_page(FOUND)
    with pytest.raises(FiltagError, match="new exists and is not replaced: choose another output"):
        write_misclassifications(FOUND, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]
