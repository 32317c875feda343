"""Links that a person has decided on."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    for class_id, (link,) in read.items():
        assert (link.concept, link.justification) == (links[class_id].concept, links[class_id].justification)
        assert link.confidence == pytest.approx(links[class_id].confidence, rel=1e-5)
    # A person corrects a row and feeds the file back.
    path.write_text(text.replace("pwn30:02012849-n\tcrane", "pwn30:03126707-n\tcrane"), encoding="utf-8")
    again = link_classes(ids, links.class_labels, wordnet(), curated=read_curated_links(path, ids, wordnet()))
    assert again["crane"].concept == MACHINE


def test_a_person_has_the_last_word() -> None:
    curated = {"a": [CuratedLink(MACHINE)], "b": [CuratedLink(None)], "n02084071": [CuratedLink(BIRD, 0.5)]}
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
        "a": (CuratedLink(BIRD, 0.25, "semapv:MappingReview", "skos:broadMatch"),),
        "b": (CuratedLink(MACHINE),),
        "c": (CuratedLink(None),),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read the links {} (No such file or directory): name an SSSOM/TSV file"),
        ("a,b\n", "{} is not SSSOM/TSV: it needs a line of column names with subject_id and object_id"),
        ("", "{} is not SSSOM/TSV: it needs a line of column names with subject_id and object_id"),
        ("#a: [\n" + HEADER, "{}: the lines that begin with # are not YAML: write them as SSSOM does"),
        (
            HEADER + "a\tpwn30:1-n\t\t\t\n",
            "{}, line 2: wordnet has no concept 'pwn30:1-n': look it up, or write sssom:NoTermFound",
        ),
        (
            f"{HEADER}a\t{BIRD}\t\t\t\na\t{BIRD}\t\t\t\n",
            "{}, line 3: class 'a' has this link already: leave one",
        ),
        (
            f"{HEADER}a\t{BIRD}\t\t\t\na\tsssom:NoTermFound\t\t\t\n",
            "{}, line 3: class 'a' cannot have a link and sssom:NoTermFound: leave one",
        ),
        (f"{HEADER}a\t{BIRD}\t\t2\t\n", "{}, line 2: confidence '2' is not a number above 0 and at most 1"),
        (f"{HEADER}a\t{BIRD}\t\tnan\t\n", "{}, line 2: confidence 'nan' is not a number above 0 and at most 1"),
        (
            f"{HEADER}a\t{BIRD}\towl:sameAs\t\t\n",
            "{}, line 2: no predicate 'owl:sameAs' here: choose skos:exactMatch or skos:closeMatch or "
            "skos:broadMatch or skos:relatedMatch",
        ),
        (
            f"{HEADER}a\t{BIRD}\t\t\t> . <x> <y>\n",
            "{}, line 2: '> . <x> <y>' is not a justification: write semapv:ManualMappingCuration",
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


def exported(text: str, delimiter: str, *, end: str = "\r\n", width: int = 0) -> str:
    """Write a table as a spreadsheet does: every line as wide as the widest, cells quoted where that must be."""
    rows = [line.split("\t") for line in text.split("\n")[:-1]]
    width = width or max(map(len, rows))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(row + [""] * (width - len(row)) for row in rows)
    return out.getvalue()


def moved(text: str, order: Callable[[list[str]], list[str]]) -> str:
    """Put the columns of a table into another order; the comments stay in the first."""
    lines = text.split("\n")[:-1]
    return "".join(f"{line}\n" if line.startswith("#") else "\t".join(order(line.split("\t"))) + "\n" for line in lines)


def comma_decimals(text: str) -> str:
    return "".join(
        line if line.startswith("#") else "\t".join(
            cell.replace(".", ",") if cell.replace(".", "").isdigit() else cell for cell in line.split("\t")
        )
        for line in text.splitlines(keepends=True)
    )  # fmt: skip


SPREADSHEETS = {
    "as it is": lambda text: text.encode(),
    "tabs at the ends": lambda text: exported(text, "\t", end="\n").encode(),
    "quoted, CRLF": lambda text: exported(text, "\t").encode(),
    "old Macs' lines": lambda text: text.replace("\n", "\r").encode(),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "Unicode text": lambda text: exported(text, "\t").encode("utf-16"),
    "Unicode text, big end first": lambda text: b"\xfe\xff" + exported(text, "\t").encode("utf-16-be"),
    "commas": lambda text: exported(text, ",").encode("utf-8-sig"),
    "semicolons and decimal commas": lambda text: exported(comma_decimals(text), ";").encode(),
    "columns reversed": lambda text: exported(moved(text, lambda row: row[::-1]), "\t").encode(),
    "a column before": lambda text: exported(moved(text, lambda row: ["", *row]), ",").encode(),
    "comments moved, too": lambda text: exported(
        "".join(f"\t{line}\n" for line in text.split("\n")[:-1]), ","
    ).encode(),
    "empty lines and columns": lambda text: exported(text.replace("\n", "\n\n"), "\t", width=16).encode(),
    "spaces": lambda text: text.replace("\t", " \t ").replace("\n", "  \n").encode(),
    "sorted": lambda text: "\n".join([*text.split("\n")[:5], *sorted(text.split("\n")[5:])]).encode(),
    "sep line": lambda text: b"sep=;\r\n" + exported(text, ";").encode(),
    "every cell quoted": lambda text: "\n".join(
        line if line.startswith("#") else "\t".join(f'"{cell}"' for cell in line.split("\t"))
        for line in text.split("\n")[:-1]
    ).encode(),
    "shares in per cent": lambda text: text.replace("\t1\t", "\t100 %\t").encode(),
}


@pytest.mark.parametrize("name", SPREADSHEETS)
def test_links_come_back_from_every_spreadsheet(name: str, tmp_path: Path) -> None:
    ids = ["crane", "n02084071", "a b/c#d", 'wing, "left"; tip']
    links = link_classes(ids, ["crane", "dog", "heron", "wing"], wordnet())
    text = sssom_text(
        links,
        wordnet(),
        class_iri=lambda class_id: f"https://x.org/class/{quote(class_id, safe='')}",
        mapping_set_id="https://x.org/set",
    )
    path = tmp_path / "links.sssom.tsv"
    path.write_text(text, encoding="utf-8")
    expected = read_curated_links(path, ids, wordnet())
    assert {class_id: link.concept for class_id, (link,) in expected.items()} == {
        class_id: link.concept for class_id, link in links.items()
    }
    path.write_bytes(SPREADSHEETS[name](text))
    assert read_curated_links(path, ids, wordnet()) == expected


# What str.splitlines() takes for the end of a line, and what a table must quote.
ODD = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\r\n\t\"',;#:/%?\ufeff\u00a0"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.sampled_from(ODD + "ab"), min_size=1, max_size=8), min_size=1, max_size=4, unique=True))
@example(["a\u2028b", "a\x85b", "a\x0bb", "a\x0cb", "a\x1cb", "a\rb"])
def test_a_name_never_breaks_our_own_file(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    labels = [f"dog{name}" if place % 2 else "dog" for place, name in enumerate(names)]
    links = link_classes(names, labels, wordnet(), curated={name: [CuratedLink(BIRD, 0.5)] for name in names})
    text = sssom_text(
        links,
        wordnet(),
        class_iri=lambda class_id: f"https://x.org/class/{quote(class_id, safe='')}",
        mapping_set_id="https://x.org/set",
    )
    path = tmp_path_factory.mktemp("links") / "links.sssom.tsv"
    path.write_text(text, encoding="utf-8", newline="\n")
    assert read_curated_links(path, names, wordnet()) == {name: (CuratedLink(BIRD, 0.5),) for name in names}


@pytest.mark.parametrize("name", ["trailing_tabs.tsv", "spreadsheet.tsv", "line-separators.tsv"])
def test_files_that_were_edited_are_read(shared_data: Path, name: str) -> None:
    path = shared_data.parent / "cases" / "links" / name
    ids = ["car", "cat", "dog", "black cat"]
    found = read_curated_links(path, ids, wordnet())
    assert len(found) == (2 if name == "line-separators.tsv" else 3)
    assert all(link.concept for (link,) in found.values())
