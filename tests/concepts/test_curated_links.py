"""Links that a person has decided on."""

from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg.concepts import CuratedLink, link_classes, read_curated_links, sssom_text, wordnet
from filtag_kg.errors import FiltagError

PWN = "http://wordnet-rdf.princeton.edu/pwn30/"
BIRD, MACHINE = PWN + "02012849-n", PWN + "03126707-n"
HEADER = "subject_id\tobject_id\tpredicate_id\tconfidence\tmapping_justification\n"


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    ids = ["crane", "n02084071", "a b/c#d", "nothing"]
    links = link_classes(ids, ["crane", "dog", "heron", "xyzzyx"], wordnet())
    path = tmp_path / "links.sssom.tsv"
    base = "https://example.org/class/{}".format
    quoted = {"a b/c#d": "a%20b%2Fc%23d"}
    text = sssom_text(links, wordnet(), class_iri=lambda c: base(quoted.get(c, c)), mapping_set_id="https://x.org/set")
    path.write_text(text, encoding="utf-8")
    read = read_curated_links(path, ids, wordnet())
    assert set(read) == {"crane", "n02084071", "a b/c#d"}
    for class_id, link in read.items():
        assert (link.concept, link.justification) == (links[class_id].concept, links[class_id].justification)
        assert link.confidence == pytest.approx(links[class_id].confidence, rel=1e-5)
    # A person corrects a row and feeds the file back.
    path.write_text(text.replace("pwn30:02012849-n\tcrane", "pwn30:03126707-n\tcrane"), encoding="utf-8")
    again = link_classes(ids, links.class_labels, wordnet(), curated=read_curated_links(path, ids, wordnet()))
    assert again["crane"].concept == MACHINE


def test_a_person_has_the_last_word() -> None:
    curated = {"a": CuratedLink(MACHINE), "b": CuratedLink(None), "n02084071": CuratedLink(BIRD, 0.5)}
    links = link_classes(["a", "b", "n02084071"], ["crane", "heron", "dog"], wordnet(), curated=curated)
    assert [(link.class_id, link.concept, link.confidence) for link in links.values()] == [
        ("a", MACHINE, 1.0),
        ("n02084071", BIRD, 0.5),
    ]
    assert links["a"].justification == "semapv:ManualMappingCuration"
    # What a person says is company for the others.
    assert link_classes(["a", "x"], ["crane", "crane"], wordnet(), curated=curated)["x"].label == "crane"


def test_rows(tmp_path: Path) -> None:
    path = tmp_path / "links.tsv"
    path.write_text(
        f"#curie_map:\n#  my: {PWN}\n"
        + HEADER
        + "my-set:a\tmy:02012849-n\tskos:broadMatch\t0.25\tsemapv:MappingReview\n"
        f"b\t{MACHINE}\t\t\t\nhttps://x.org/c\tsssom:NoTermFound\t\t\t\nunknown\tno concept\t\t\t\n",
        encoding="utf-8",
    )
    assert read_curated_links(path, ["a", "b", "c"], wordnet()) == {
        "a": CuratedLink(BIRD, 0.25, "semapv:MappingReview", "skos:broadMatch"),
        "b": CuratedLink(MACHINE),
        "c": CuratedLink(None),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read the links {} (No such file or directory): name an SSSOM/TSV file"),
        ("a,b\n", "{} is no SSSOM/TSV: it needs a line of column names with subject_id and object_id"),
        ("", "{} is no SSSOM/TSV: it needs a line of column names with subject_id and object_id"),
        ("#a: [\n" + HEADER, "{}: the lines that begin with # are not YAML: write them as SSSOM does"),
        (
            HEADER + "a\tpwn30:1-n\t\t\t\n",
            "{}, line 2: wordnet has no concept 'pwn30:1-n': look it up, or write sssom:NoTermFound",
        ),
        (
            f"{HEADER}a\t{BIRD}\t\t\t\na\t{MACHINE}\t\t\t\n",
            "{}, line 3: class 'a' has a link already: leave one",
        ),
        (f"{HEADER}a\t{BIRD}\t\t2\t\n", "{}, line 2: confidence '2' is no number above 0 and at most 1"),
        (f"{HEADER}a\t{BIRD}\t\tnan\t\n", "{}, line 2: confidence 'nan' is no number above 0 and at most 1"),
        (
            f"{HEADER}a\t{BIRD}\towl:sameAs\t\t\n",
            "{}, line 2: no predicate 'owl:sameAs' here: choose skos:exactMatch or skos:closeMatch or skos:broadMatch",
        ),
        (
            f"{HEADER}a\t{BIRD}\t\t\t> . <x> <y>\n",
            "{}, line 2: '> . <x> <y>' is no justification: write semapv:ManualMappingCuration",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "links.tsv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(FiltagError) as caught:
        read_curated_links(path, ["a"], wordnet())
    assert str(caught.value) == message.format(path)


def test_classes_of_the_same_label() -> None:
    links = link_classes(["n02012849", "a", "b", "c"], ["crane", "crane", "crane", "heron"], wordnet())
    assert links.same_label == {"crane": ("a", "b")}
