from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
from pathlib import Path

import pytest

from filtag_kg.concepts import RELATIONS
from filtag_kg.concepts.conceptnet import Assertion, ConceptNetIndex, DumpSummary, dump, import_dump
from filtag_kg.errors import FiltagError

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "conceptnet" / "assertions-reference.csv"
EDGES = """SELECT relation, a.path, b.path, weight, d.path, licence FROM edge JOIN node a ON a.id = start
JOIN node b ON b.id = end JOIN dataset d ON d.id = dataset"""


def edges(index: Path) -> set[Assertion]:
    return {Assertion(*row) for row in sqlite3.connect(index).execute(EDGES)}


def expected(text: str, languages: tuple[str, ...]) -> set[Assertion]:
    """The slow obvious loop; of the same said twice in a data set, the greater weight."""
    best: dict[tuple[str, ...], float] = {}
    for _, relation, start, end, more in csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        said = json.loads(more)
        if relation[3:] in RELATIONS and {start.split("/")[2], end.split("/")[2]} <= set(languages):
            name, _, number = said["license"].removeprefix("cc:").partition("/")
            licence = f"https://creativecommons.org/licenses/{name}/{number}/"
            key = (relation[3:], start, end, said["dataset"], licence)
            best[key] = max(best.get(key, 0), said["weight"])
    return {Assertion(*key[:3], weight, *key[3:]) for key, weight in best.items()}


@pytest.mark.parametrize("languages", [("en",), ("de",), ("en", "de", "fr")])
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_asked_for_is_kept(dump_text: str, tmp_path: Path, languages: tuple[str, ...], packed: bool) -> None:
    path = tmp_path / "dump.csv"
    path.write_bytes(gzip.compress(dump_text.encode()) if packed else dump_text.encode())
    found = import_dump(path, tmp_path / "index", languages=languages)
    assert edges(tmp_path / "index") == expected(dump_text, languages)
    assert found.lines == dump_text.count("\n")
    assert found.edges == len(expected(dump_text, languages))


def test_the_reference_data(tmp_path: Path) -> None:
    if not REFERENCE.exists():
        pytest.skip("needs ../shared/data/conceptnet")
    text = REFERENCE.read_text(encoding="utf-8")
    languages = tuple(sorted({language for language in re.findall(r"\t/c/([a-z]+)/", text) if len(language) < 4}))
    for chosen in (("en",), languages):
        import_dump(REFERENCE, tmp_path / "index", languages=chosen)
        assert edges(tmp_path / "index") == expected_terms(text, chosen)
    assert import_dump(REFERENCE, tmp_path / "index").lines == 764


def expected_terms(text: str, languages: tuple[str, ...]) -> set[Assertion]:
    terms = "\n".join(row for row in text.splitlines() if re.search(r"\t/c/[^\t]+\t/c/", row))
    return expected(terms, languages)


def test_blocks_of_any_size_give_the_same(dump_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dump.csv"
    path.write_text(dump_text.rstrip("\n"), encoding="utf-8")
    for size in (100, 257, 1000):
        monkeypatch.setattr(dump, "_BLOCK", size)
        found = import_dump(path, tmp_path / "index")
        assert edges(tmp_path / "index") == expected(dump_text, ("en",))
        assert found.lines == dump_text.count("\n")


def test_members_of_a_packed_file_are_read_on(dump_text: str, tmp_path: Path) -> None:
    path, half = tmp_path / "dump.csv.gz", len(dump_text) // 2
    path.write_bytes(gzip.compress(dump_text[:half].encode()) + gzip.compress(dump_text[half:].encode()))
    import_dump(path, tmp_path / "index")
    assert edges(tmp_path / "index") == expected(dump_text, ("en",))


def test_progress_ends_with_the_whole_file(dump_text: str, tmp_path: Path) -> None:
    path, seen = tmp_path / "dump.csv.gz", []
    path.write_bytes(gzip.compress(dump_text.encode()))
    import_dump(path, tmp_path / "index", progress=lambda *now: seen.append(now))
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


def test_the_same_dump_gives_the_same_index(dump_text: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.csv"
    path.write_text(dump_text, encoding="utf-8")
    for name in ("one", "two"):
        assert import_dump(path, tmp_path / name) == DumpSummary(16, 13, 17)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0 lines and none of IsA"),
        (b"id,label\n1,dog\n", "has 2 lines and none of IsA"),
        (b"/a/x\t/r/IsA\t/c/en/dog\n", "line 2 of .* is not an assertion \\(3 fields between tabs where"),
        (
            b"/a/x\t/r/IsA\t/c/en/dog\t/c/en/pet\t{}\n",
            "line 2 .*the fifth field is not a JSON object with weight, dataset",
        ),
        (b"/a/x\t/r/IsA\t/c/en/d\xffg\t/c/en/pet\t{}\n", "line 2 .*\\(not UTF-8\\): download the file again"),
    ],
)
def test_what_is_no_dump_leaves_nothing(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.csv"
    path.write_bytes(b"/a/y\t/r/Synonym\t/c/en/a\t/c/en/b\t{}\n" + content if b"\t" in content else content)
    with pytest.raises(FiltagError, match=message):
        import_dump(path, tmp_path / "index")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_dump_that_is_cut_off_leaves_the_old_index(dump_text: str, tmp_path: Path, keep: float) -> None:
    path, index = tmp_path / "dump.csv.gz", tmp_path / "index"
    packed = gzip.compress(dump_text.encode())
    path.write_bytes(packed)
    import_dump(path, index)
    before = index.read_bytes()
    path.write_bytes(packed[: int(len(packed) * keep)])
    with pytest.raises(FiltagError, match="cut off or damaged: download it again"):
        import_dump(path, index)
    assert index.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"languages": ["English"]}, "'English' is not a language code: give two or three small letters"),
        ({"relations": ["isa"]}, "no relation 'isa': choose of IsA, PartOf,"),
    ],
)
def test_wrong_choices_are_named(tmp_path: Path, options: dict[str, list[str]], message: str) -> None:
    with pytest.raises(FiltagError, match=message):
        import_dump(tmp_path / "dump", tmp_path / "index", **options)


def test_a_dump_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=r"cannot read .*nothing \(No such file or directory\)"):
        import_dump(tmp_path / "nothing", tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_what_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(
        FiltagError, match=r"no index of ConceptNet at .*: index its dump, or choose another concept source"
    ):
        ConceptNetIndex(tmp_path / "nothing")
    (tmp_path / "text").write_text("dog")
    with pytest.raises(FiltagError, match="is not an index of ConceptNet that this version reads"):
        ConceptNetIndex(tmp_path / "text")
