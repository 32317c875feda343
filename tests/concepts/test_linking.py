"""Classes linked to concepts, and the files around that."""

from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg.concepts import Link, Links, class_names, link_classes, preferred_labels, wordnet
from filtag_kg.errors import FiltagError

NAMES = Path(__file__).parents[3] / "shared" / "data" / "filtag-vgg16" / "wnid-names.txt"
PWN = "http://wordnet-rdf.princeton.edu/pwn30/"


def test_a_wordnet_id_links_exactly_whatever_its_label() -> None:
    links = link_classes(["n02012849", "n03126707"], ["crane", "crane"], wordnet())
    assert [link.concept for link in links.values()] == [PWN + "02012849-n", PWN + "03126707-n"]
    assert {link.confidence for link in links.values()} == {1.0}
    assert {link.justification for link in links.values()} == {"semapv:BackgroundKnowledgeBasedMatching"}
    assert links["n03126707"].predicate == "skos:exactMatch"


def test_labels_link_to_the_most_frequent_sense() -> None:
    labels = ["dog", " French_horn ", "Cardigan", "cardigan", "TENCH", "n99999999"]
    links = link_classes(list("abcdef"), labels, wordnet())
    assert [links[class_id].label for class_id in links] == [
        "dog",
        "French horn",
        "Cardigan",
        "cardigan",
        "tench",
    ]
    assert links["a"].concept == PWN + "02084071-n"
    # "dog" was counted 42 times in its first sense and never in its six others
    assert links["a"].confidence == 43 / 49
    assert links["b"].confidence == 1
    assert links["a"].justification == "semapv:LexicalMatching"
    assert links.unlinked == ("f",)
    assert len(links) == 5
    assert "f" not in links
    assert list(links) == list("abcde")


def test_links_check_themselves() -> None:
    link = Link("a", "dog", PWN + "02084071-n", "dog", 0.5, "semapv:LexicalMatching")
    assert Links(("b", "a"), ("cat", "dog"), (link,)).unlinked == ("b",)
    with pytest.raises(ValueError, match="one class of the run"):
        Links(("b",), ("cat",), (link,))
    with pytest.raises(ValueError, match="one link at most"):
        Links(("a",), ("dog",), (link, link))
    with pytest.raises(ValueError, match="needs a label"):
        Links(("a",), (), (link,))
    for confidence in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"in \(0, 1\]"):
            Link("a", "dog", "x", "dog", confidence, "semapv:LexicalMatching")
    with pytest.raises(ValueError, match="'a' occurs twice"):
        link_classes(["a", "a"], ["dog", "cat"], wordnet())
    assert len(link_classes([], [], wordnet())) == 0


def test_preferred_labels() -> None:
    assert preferred_labels(["n02099601", "n00000000", "dog"], wordnet()) == (
        "golden retriever",
        "n00000000",
        "dog",
    )


def test_imagenets_labels() -> None:
    if not NAMES.exists():
        pytest.skip("needs the ImageNet class names in ../shared")
    names = class_names(NAMES)
    assert len(names) == 1000
    exact = link_classes(list(names), list(names.values()), wordnet())
    assert len(exact) == 1000
    # The same labels under ids that say nothing.
    plain = [f"class {number}" for number in range(1000)]
    by_label = link_classes(plain, list(names.values()), wordnet())
    pairs = list(zip(plain, exact.values(), strict=True))
    right = [by_label[name].concept == link.concept for name, link in pairs if name in by_label]
    assert sum(right) == 807
    first = [wordnet().senses(label)[0].concept for label in names.values()]
    assert sum(sense == link.concept for sense, link in zip(first, exact.values(), strict=True)) == 791
    # A link that is sure of itself is right.
    sure = [by_label[name].concept == link.concept for name, link in pairs if by_label[name].confidence == 1]
    assert len(sure) > 600
    assert all(sure)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n01440764, tench \n\nn01443537, goldfish\n", {"n01440764": "tench", "n01443537": "goldfish"}),
        ("n01440764\ttench, fish\r\n", {"n01440764": "tench, fish"}),
        ("\ufeffn01440764 great  white shark", {"n01440764": "great white shark"}),
        ("my dogs\tdog\na, crane\nb, crane\n", {"my dogs": "dog", "a": "crane", "b": "crane"}),
    ],
)
def test_class_names(tmp_path: Path, text: str, names: dict[str, str]) -> None:
    path = tmp_path / "names.txt"
    path.write_text(text, encoding="utf-8", newline="")
    assert class_names(path) == names
    assert list(class_names(path)) == list(names)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a, dog\nn01440764\n",
            "{}, line 2: 'n01440764' is not a class: write its id, a comma and its label",
        ),
        (b", dog\n", "{}, line 1: ', dog' is not a class: write its id, a comma and its label"),
        (b"a, dog\na, cat", "{}, line 2: class id 'a' occurs twice: give each class one line"),
        (b"\n \n", "{} names no class: write one 'id, label' a line"),
        (b"\xff\xfe\x00", "cannot read the class names {}: save the file as UTF-8 text"),
        (
            None,
            "cannot read the class names {} (No such file or directory): name a file of lines 'id, label'",
        ),
    ],
)
def test_class_names_says_what_is_wrong(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FiltagError) as caught:
        class_names(path)
    assert str(caught.value) == message.format(path)
