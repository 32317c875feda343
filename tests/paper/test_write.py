from __future__ import annotations

import csv
import errno
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from filtag_kg import FiltagError
from filtag_kg.explain import EvaluationRecord, write_evaluation_record
from filtag_kg.kg import KG
from filtag_kg.paper import check_paper_folder
from filtag_kg.paper.references import ENTRIES
from tests.paper.conftest import written_paper

HITS = """rule,layers,n,images,hits,hits_low,hits_high,null,null_sd,rho,rho_low,rho_high,classes
k=1,all,1,50,0.5,0.4,0.6,0.1,0.01,0.3,0.1,0.5,5
k=1,all,5,50,0.75,0.7,0.8,0.5,0.01,0.3,0.1,0.5,5
k=1,last,1,50,0.25,0.2,0.3,0.1,0.01,,,,5
k=1:contrast,all,1,50,0.5,0.4,0.6,0.1,0.01,0.3,0.1,0.5,5
"""


_TABULAR = re.compile(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}(.*?)\\end\{tabular\}", re.DOTALL)


def evaluation(folder: Path, network: str | None, hits: str = HITS) -> Path:
    folder.mkdir()
    (folder / "hits.csv").write_text(hits, encoding="utf-8")
    if network is not None:
        record = EvaluationRecord(network, "test.tar", "ab" * 32, 50, 5, 0.5, 20, 1000, 7, (), {})
        write_evaluation_record(record, folder)
    return folder


def network_of(kg: KG) -> str:
    return str(kg.manifest["network"])


def test_the_folder(paper: Path) -> None:
    names = {path.name for path in paper.iterdir()}
    assert names == {
        *("figures", "tables", "methods.md", "methods.tex", "references.bib", "paper.tex", "filtag-paper.json")
    }
    figures = sorted(path.name for path in (paper / "figures").iterdir())
    stems = {name.partition(".")[0] for name in figures}
    assert figures == sorted(f"{stem}.{ending}" for stem in stems for ending in ("pdf", "svg"))
    assert {stem for stem in stems if not stem.endswith("-wide")} == {
        stem.removesuffix("-wide") for stem in stems if stem.endswith("-wide")
    }
    for path in (paper / "figures").glob("*.svg"):
        assert "var(" not in path.read_text(encoding="utf-8")
    document = (paper / "paper.tex").read_text(encoding="utf-8")
    for name in re.findall(r"\\includegraphics\{(.*?)\}", document):
        assert (paper / name).exists(), name
    for name in re.findall(r"\\input\{(.*?)\}", document):
        assert (paper / f"{name}.tex").exists(), name


def test_the_same_kg_gives_the_same_bytes(kg: KG, paper: Path, tmp_path: Path) -> None:
    again = written_paper([kg], tmp_path / "again")
    for path in sorted(paper.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(paper)).read_bytes(), path.name


def test_tables_are_parsed(kg: KG, paper: Path) -> None:
    with (paper / "tables" / "rules.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rule"] for row in rows] == list(kg.rules)
    assert sum(int(row["tags"]) for row in rows) == kg.manifest["counts"]["tags"]
    assert {row["filters"] for row in rows} == {str(kg.manifest["counts"]["filters"])}
    for path in (paper / "tables").glob("*.tex"):
        text = path.read_text(encoding="utf-8")
        for columns, body in _TABULAR.findall(text):
            lines = [line for line in body.splitlines() if line.endswith(r"\\")]
            assert lines
            assert {len(re.split(r"(?<!\\)&", line)) for line in lines} == {len(columns)}, path.name


def test_only_what_is_cited_is_in_the_bibliography(paper: Path) -> None:
    bibliography = (paper / "references.bib").read_text(encoding="utf-8")
    there = set(re.findall(r"^@\w+\{(\w+),", bibliography, re.MULTILINE))
    markdown = (paper / "methods.md").read_text(encoding="utf-8")
    tex = (paper / "methods.tex").read_text(encoding="utf-8")
    assert set(re.findall(r"(?<!\\)@(\w+)", markdown)) == there
    assert {key for keys in re.findall(r"\\cite\{(.*?)\}", tex) for key in keys.split(",")} == there
    assert {"nguyen2022filtag", "filtagkg", "miller1995wordnet"} <= there
    # Too few classes for a test, so no test is described.
    assert "no filter could have a clear theme" in markdown
    assert "benjamini1995controlling" not in there
    # No evaluation, no word of it.
    assert "Hits" not in markdown
    assert "mcsherry2008computing" not in there
    for entry in ENTRIES.values():
        assert entry.count("{") == entry.count("}")


def test_an_evaluation(kg: KG, tmp_path: Path) -> None:
    hits = evaluation(tmp_path / "hits", network_of(kg))
    paper = written_paper([kg], tmp_path / "paper", hits=hits)
    assert (paper / "tables" / "hits.csv").read_text(encoding="utf-8") == HITS
    table = (paper / "tables" / "hits-activation.tex").read_text(encoding="utf-8")
    assert r"k=1 & all layers & hits & 50.0 & 75.0 \\" in table
    assert r" &  & 95 \% & 40.0--60.0 & 70.0--80.0 \\" in table
    assert r" &  & null & 10.0 & 50.0 \\" in table
    figures = {path.stem for path in (paper / "figures").iterdir() if path.name.startswith("hits")}
    assert figures == {"hits-activation", "hits-activation-wide", "hits-contrast", "hits-contrast-wide"}
    methods = (paper / "methods.md").read_text(encoding="utf-8")
    assert "50 images of 5 classes (test.tar, SHA-256 abababababab…; the network's top-1 accuracy is 50.0 %)" in methods
    assert "1,000 resamples, seed 7" in methods


def test_imported_labels_say_nothing_of_a_pass(vgg: KG, two_papers: Path) -> None:
    methods = (two_papers / vgg.manifest["id"] / "methods.md").read_text(encoding="utf-8")
    assert "were not computed but imported" in methods
    assert "A filter with a q-value below 0.05 is said to have a clear theme" in methods
    for word in ("resized", "We analysed", "activate it most", "Hits"):
        assert word not in methods


def test_several_kgs_have_a_folder_each(kg: KG, vgg: KG, paper: Path, two_papers: Path) -> None:
    assert {path.name for path in two_papers.iterdir() if path.is_dir()} == {kg.manifest["id"], vgg.manifest["id"]}
    of_kg = two_papers / kg.manifest["id"]
    names = {path.relative_to(of_kg) for path in of_kg.rglob("*")}
    assert names == {path.relative_to(paper) for path in paper.rglob("*")} - {Path("filtag-paper.json")}


def test_what_is_there_is_kept(kg: KG, paper: Path, tmp_path: Path) -> None:
    copy = tmp_path / "paper"
    shutil.copytree(paper, copy)
    with pytest.raises(FiltagError, match=r"already holds a paper's figures and tables: choose another output"):
        check_paper_folder(copy)
    check_paper_folder(copy, force=True)
    for name in ("paper.aux", "paper.pdf"):
        (copy / name).touch()
    check_paper_folder(copy, force=True)  # LaTeX has made a paper of it
    for name in ("mine.tex", "tables/mine.tex"):
        (copy / name).write_text("my paper")
        with pytest.raises(FiltagError) as error:
            written_paper([kg], copy, force=True)
        assert str(error.value) == (
            f"{copy} also holds {name}, which was not written with the rest, so it is not replaced: move {name} away, "
            "or choose another output"
        )
        assert (copy / name).read_text() == "my paper"
        (copy / name).unlink()


def test_mistakes_leave_nothing(kg: KG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = evaluation(tmp_path / "other", "vgg16-0123456789ab")
    with pytest.raises(FiltagError, match=r"has the evaluation of vgg16-0123456789ab, and the KG is about"):
        written_paper([kg], tmp_path / "paper", hits=other)
    with pytest.raises(FiltagError, match=r"hits\.csv cannot be read \(No such file or directory\): evaluate anew$"):
        written_paper([kg], tmp_path / "paper", hits=tmp_path / "nowhere")
    with pytest.raises(FiltagError, match=r"hits\.csv is a file: give the folder that it is in$"):
        written_paper([kg], tmp_path / "paper", hits=other / "hits.csv")

    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FiltagError, match=r"No space left on device"):
        written_paper([kg], tmp_path / "paper")
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["other"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.slow
def test_latex_takes_all_of_it(kg: KG, tmp_path: Path) -> None:
    paper = written_paper([kg], tmp_path / "paper", hits=evaluation(tmp_path / "hits", network_of(kg)))
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"], cwd=paper, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-2000:].decode("utf-8", "replace")
