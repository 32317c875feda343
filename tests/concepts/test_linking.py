"""Classes linked to concepts, and the files around that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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


def linked(*labels: str) -> list[str]:
    """Return the labels of the concepts that labels alone link to, and of what lies above each."""
    links = link_classes([f"class {place}" for place in range(len(labels))], labels, wordnet())
    above = (next(wordnet().edges(link.concept, "IsA")).end for link in links.values())
    return [
        f"{link.label} < {wordnet().concept(concept).label}"
        for link, concept in zip(links.values(), above, strict=True)
    ]


def test_labels_link_as_they_are_spelled() -> None:
    labels = ["dog", " French_horn ", "Cardigan", "TENCH", "n99999999"]
    links = link_classes(list("abcdf"), labels, wordnet())
    assert [links[class_id].label for class_id in links] == ["dog", "French horn", "Cardigan", "tench"]
    assert links["a"].concept == PWN + "02084071-n"
    assert links["b"].confidence == 1
    assert links["a"].justification == "semapv:LexicalMatching"
    assert links["a"].predicate == "skos:exactMatch"
    assert links.unlinked == ("f",)
    assert len(links) == 4
    assert "f" not in links
    assert list(links) == list("abcd")


def test_the_company_decides() -> None:
    assert linked("crane", "heron", "stork", "flamingo")[0] == "crane < wading bird"
    assert linked("crane", "bulldozer", "forklift", "excavator")[0] == "crane < lifting device"
    assert linked("mouse", "hamster", "squirrel")[0] == "mouse < rodent"
    assert linked("mouse", "keyboard", "modem", "joystick")[0] == "mouse < electronic device"


def test_what_else_a_label_may_mean() -> None:
    (link,) = link_classes(["a"], ["crane"], wordnet()).values()
    assert len(link.others) == 4
    chances = [link.confidence, *(chance for _, chance in link.others)]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1)


def test_the_order_of_the_classes_does_not_matter() -> None:
    labels = ["crane", "heron", "mouse", "keyboard", "bow", "violin", "kite"]
    forth = link_classes(labels, labels, wordnet())
    back = link_classes(labels[::-1], labels[::-1], wordnet())
    assert {link.class_id: link.concept for link in forth.values()} == {
        link.class_id: link.concept for link in back.values()
    }
    for name in labels:
        assert forth[name].confidence == pytest.approx(back[name].confidence, abs=1e-12)


def test_other_spellings_and_heads() -> None:
    labels = ["001.Black_footed_Albatross", "GoldenRetriever", "mice", "grey whales", "sea shore", "tench, Tinca tinca"]
    links = link_classes(list("abcdef"), labels, wordnet())
    assert [link.label for link in links.values()] == [
        "black-footed albatross",
        "golden retriever",
        "mouse",
        "grey whale",
        "seashore",
        "tench",
    ]
    assert {link.predicate for link in links.values()} == {"skos:exactMatch"}
    (puppy,) = link_classes(["a"], ["golden retriever puppies"], wordnet()).values()
    assert (puppy.label, puppy.predicate) == ("puppy", "skos:broadMatch")
    assert puppy.confidence <= 0.6


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
    concepts = [by_label[name].concept for name in plain]
    right = [concept == link.concept for concept, link in zip(concepts, exact.values(), strict=True)]
    assert sum(right) >= 960
    shared = [
        bool(parents(concept) & parents(link.concept)) for concept, link in zip(concepts, exact.values(), strict=True)
    ]
    assert sum(a or b for a, b in zip(right, shared, strict=True)) >= 964
    first = [wordnet().senses(label)[0].concept for label in names.values()]
    assert sum(sense == link.concept for sense, link in zip(first, exact.values(), strict=True)) == 791
    # A link that is sure of itself is right, and confidence is about the share that is right.
    confidence = np.array([by_label[name].confidence for name in plain])
    correct = np.array(right)
    assert correct[confidence == 1].all()
    for low in (0.3, 0.5, 0.7, 0.9):
        of_bin = (confidence >= low) & (confidence < low + 0.2) & (confidence < 1)
        assert correct[of_bin].mean() == pytest.approx(confidence[of_bin].mean(), abs=0.2)


def parents(concept: str) -> set[str]:
    return {edge.end for edge in wordnet().edges(concept, "IsA")}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n01440764, tench \n\nn01443537, goldfish\n", {"n01440764": "tench", "n01443537": "goldfish"}),
        ("n01440764\ttench, fish\r\n", {"n01440764": "tench, fish"}),
        ("\ufeffn01440764 great  white shark", {"n01440764": "great white shark"}),
        ("my dogs\tdog\na, crane\nb, crane\n", {"my dogs": "dog", "a": "crane", "b": "crane"}),
        # as spreadsheets write them, and what only looks like the end of a line
        ("n1;tench\r\nn2;crane, bird\r\n", {"n1": "tench", "n2": "crane, bird"}),
        (
            'n1,"crane, bird"\n"n2, heron"\n"n 3","a ""big"" dog"',
            {"n1": "crane, bird", "n2": "heron", "n 3": 'a "big" dog'},
        ),
        ("n1 great shark; white\n", {"n1": "great shark; white"}),
        ("n1, tench\rn2, crane\r", {"n1": "tench", "n2": "crane"}),
        ("a\u2028b, tench\nc\x85d\x0be\x1cf, crane\n", {"a\u2028b": "tench", "c\x85d\x0be\x1cf": "crane"}),
    ],
)
def test_class_names(tmp_path: Path, text: str, names: dict[str, str]) -> None:
    path = tmp_path / "names.txt"
    path.write_text(text, encoding="utf-8", newline="")
    assert class_names(path) == names
    assert list(class_names(path)) == list(names)


def test_class_names_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes("n1\ttench\r\nn2\tHündin\r\n".encode("utf-16"))
    assert class_names(tmp_path / "names.txt") == {"n1": "tench", "n2": "Hündin"}


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
