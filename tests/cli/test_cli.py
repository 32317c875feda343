"""The command line as people meet it: exit codes and what is printed."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from filtag_kg import Profile, save_profile
from filtag_kg.cli import app
from filtag_kg.kg import KG
from tests.cli.terminal import answer, filtag, process, refusal

COMMANDS = ["demo", "run", "profile", "build", "import", "query", "export", "explain", "evaluate", "errors"]


@pytest.fixture
def saved(profile: Profile, tmp_path: Path) -> Path:
    save_profile(profile, tmp_path / "p.npz")
    return tmp_path / "p.npz"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    assert "Usage:" in process(command, "--help").stdout


def test_help_lists_every_command_in_a_group() -> None:
    text = answer("--help")
    assert all(re.search(rf"^\s+{command}\s+[A-Z]", text, re.MULTILINE) for command in COMMANDS), text
    groups = {part.partition(":")[0]: re.findall(r"^  (\w+) ", part, re.MULTILINE) for part in text.split("\n\n")[3:]}
    assert groups["Make a KG"] == ["demo", "run", "profile", "build", "import"]
    assert "show" in groups["Look at it"]
    assert sorted(command for group in groups.values() for command in group) == sorted(get_command(app).commands)


def test_version() -> None:
    assert re.fullmatch(r"filtag \d+\.\d+\.\d+\n", process("--version").stdout)


@pytest.mark.parametrize("arguments", [["nonsense"], ["build"], ["query"], ["build", "p.npz", "-o", "kg", "--k", "x"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    done = process(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_build_query_export(saved: Path, tmp_path: Path) -> None:
    kg = tmp_path / "kg"
    done = process("build", saved, "-o", kg, "--k", 1, "--k", 2, "--q", 0.5)
    assert done.returncode == 0, done.stderr
    counts, *few = done.stderr.splitlines()
    assert re.fullmatch(rf"note: {kg}: 72 tags of 8 classes on 6 filters of 2 layers, .* quads", counts)
    # Eight classes: no filter could be coherent, which is said of every rule.
    assert all(re.match(r"note: rule \S+: too few classes to tell: at least \d+ are needed ", line) for line in few)
    assert few
    assert sorted(path.name for path in kg.iterdir()) == [
        "common.csv",
        "concepts.csv",
        "filtag.json",
        "graph.nq.gz",
        "links.sssom.tsv",
        "mixed.csv",
        "profile.npz",
        "store",
        "tags.csv",
    ]
    assert [run["rule"] for run in json.loads((kg / "filtag.json").read_text())["runs"]] == ["k=1", "k=2", "q=0.5"]
    assert answer("query", kg, "filters-by-concept", "concept=dog", "layer=deep", "--format", "csv") == (
        'layer,filter,matching,tags,share,labels\ndeep,0,3,3,1,"Rhodesian ridgeback, bloodhound, redbone"\n'
    )
    assert "bloodhound" in answer("query", kg, "tags-of-filter", "layer=deep", "filter=0")
    assert answer("export", kg).startswith("@prefix dcat:")
    filtag("export", kg, "--format", "nquads", "-o", tmp_path / "graph.nq")
    assert (tmp_path / "graph.nq").read_bytes() == gzip.decompress((kg / "graph.nq.gz").read_bytes())


def test_quiet_says_nothing(saved: Path, tmp_path: Path) -> None:
    done = process("build", saved, "-o", tmp_path / "kg", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_contrast_score(saved: Path, tmp_path: Path) -> None:
    filtag("build", saved, "-o", tmp_path / "kg", "--score", "contrast")
    assert "k=1:contrast" in (tmp_path / "kg" / "tags.csv").read_text()


def test_corrected_links_are_fed_back(saved: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    filtag("build", saved, "-o", first)
    links = tmp_path / "corrected.tsv"
    text = (first / "links.sssom.tsv").read_text()
    row = next(line for line in text.splitlines() if "\tbloodhound\t" in line)
    fields = row.split("\t")
    corrected = "\t".join(
        [*fields[:2], "skos:broadMatch", "pwn30:02121620-n", "cat", "semapv:MappingReview", "", "", "0.75"]
    )
    links.write_text(text.replace(row, corrected))
    assert filtag("build", saved, "-o", second, "--links", links).returncode == 0
    told = (second / "links.sssom.tsv").read_text()
    assert "bloodhound\tskos:broadMatch\tpwn30:02121620-n\tcat\tsemapv:MappingReview" in told
    ask = "SELECT ?label { ?c skos:broadMatch/skos:prefLabel ?label }"
    assert answer("query", second, "--sparql", "-", "--format", "csv", stdin=ask) == "label\ncat\n"
    ids = [json.loads((kg / "filtag.json").read_text())["runs"][0]["id"] for kg in (first, second)]
    assert ids[0] != ids[1]
    links.write_text("no links")
    assert refusal("build", saved, "-o", tmp_path / "third", "--links", links) == (
        f"{links} is not SSSOM/TSV: it needs a line of column names with subject_id and object_id"
    )
    assert not (tmp_path / "third").exists()


def test_sparql_from_a_file_and_from_stdin(kg: KG, tmp_path: Path) -> None:
    text = "SELECT (COUNT(?f) AS ?n) WHERE { ?f a flt:Filter }"
    (tmp_path / "q.rq").write_text(text)
    assert answer("query", kg.path, "--sparql", tmp_path / "q.rq", "--format", "tsv") == "?n\n6\n"
    assert answer("query", kg.path, "--sparql", "-", "--format", "csv", stdin=text) == "n\n6\n"
    graph = answer("query", kg.path, "--sparql", "-", "--format", "turtle", stdin="CONSTRUCT WHERE { ?f a flt:Filter }")
    assert graph.count("a flt:Filter") == 6


def test_the_list_of_queries() -> None:
    assert "filters-by-concept concept=… [layer=…] [rule=…]\n    Filters tagged" in answer("query", "--list")


def test_a_reader_that_leaves_early_is_no_error(kg: KG) -> None:
    code = f"from filtag_kg.cli import main; import sys; sys.argv = ['filtag', 'export', {str(kg.path)!r}]; main()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""


def test_mistakes_with_a_profile(saved: Path, tmp_path: Path) -> None:
    kg = tmp_path / "kg"
    assert refusal("build", tmp_path / "none.npz", "-o", kg).startswith(f"no profile at {tmp_path / 'none.npz'}: check")
    for name, content in (("empty", b""), ("text", b"hello"), ("half", saved.read_bytes()[:300])):
        (tmp_path / name).write_bytes(content)
        assert "is not a readable profile" in refusal("build", tmp_path / name, "-o", kg)
    np.savez(tmp_path / "other.npz", x=np.zeros(1))
    assert "it has no array 'mean'" in refusal("build", tmp_path / "other.npz", "-o", kg)
    assert "k=0 is not a number of filters: give a whole number from 1 (--k)" in refusal(
        "build", saved, "-o", kg, "--k", 0
    )
    assert refusal("build", saved, "-o", kg, "--score", "x") == "no score 'x': choose activation or contrast"
    assert (
        refusal("build", saved, "-o", kg, "--concepts", "x")
        == "no concept source 'x': choose wordnet, conceptnet, conceptnet-dump[:INDEX] or conceptnet-api[:URL] "
        "(--concepts)"
    )
    assert "is not a base for IRIs" in refusal("build", saved, "-o", kg, "--base", "x")
    assert not kg.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing half-made stays"


def test_pickled_arrays_are_not_loaded(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "p.npz",
        **{
            name: np.array([{}])
            for name in ("mean", "count", "class_ids", "class_labels", "layer_names", "layer_offsets", "metadata")
        },
    )
    assert "is not a readable profile (its array 'mean' holds neither numbers nor text)" in refusal(
        "build", tmp_path / "p.npz", "-o", tmp_path / "kg"
    )


def test_an_existing_output_is_refused(saved: Path, kg: KG, tmp_path: Path) -> None:
    assert refusal("build", saved, "-o", kg.path).endswith(
        "already holds a KG: choose another output, or replace it (-o, --force)"
    )
    assert "exists and is no KG" in refusal("build", saved, "-o", tmp_path)
    assert "cannot write" in refusal("build", saved, "-o", saved / "kg")


def test_mistakes_with_a_kg(kg: KG, tmp_path: Path) -> None:
    assert refusal("query", tmp_path, "hub-filters").startswith(f"no KG at {tmp_path}: check the path")
    assert refusal("export", tmp_path / "none").startswith("no KG at")
    assert "did you mean hub-filters?" in refusal("query", kg.path, "hub-filter")
    assert refusal("query", kg.path, "hub-filters", "min_tags") == "parameter 'min_tags' is not of the form name=value"
    assert "is given twice" in refusal("query", kg.path, "hub-filters", "min_tags=1", "min_tags=2")
    assert "malformed in line 1, column 6: " in refusal("query", kg.path, "--sparql", "-", stdin="SELEC")
    assert (
        refusal("query", kg.path, "--sparql", "none.rq")
        == "cannot read none.rq (No such file or directory): check the path"
    )
    question = "SELECT ?filter WHERE { ?filter flt:tagCount 0 }" + " #" * 200
    for arguments in (["--sparql", question], [question]):
        assert refusal("query", kg.path, *arguments) == (
            "this is a query, neither a name nor a file: write it into a file, or pipe it and give - (--sparql)"
        )
    assert refusal("query", kg.path, "hub-filters", "--format", "yaml").startswith("no result format 'yaml'")
    assert refusal("export", kg.path, "--format", "xml").startswith("no export format 'xml'")


def test_a_damaged_store_is_one_line(saved: Path, tmp_path: Path) -> None:
    filtag("build", saved, "-o", tmp_path / "kg")
    for path in (tmp_path / "kg" / "store").iterdir():
        path.unlink()
    assert "build the KG anew" in refusal("query", tmp_path / "kg", "hub-filters")


def test_import_of_the_published_tags(shared_data: Path, tmp_path: Path) -> None:
    folder, kg = shared_data / "filtag-vgg16", tmp_path / "vgg"
    names = ("--class-names", folder / "wnid-names.txt")
    done = filtag("import", folder / "tags-conv5_3-k1.txt", "--format", "filtag", *names, "-o", kg)
    assert done.returncode == 0, done.stderr
    rows = [row.split(",") for row in answer("query", kg, "common-concepts", "-q", "--format", "csv").splitlines()[1:]]
    best: dict[str, str] = {}
    for row in rows:
        best.setdefault(row[1], row[3])
    wanted = {"437": "dog", "9": "footwear", "1": "brass", "41": "aquatic bird", "60": "spider", "462": "boa"}
    assert {filter_: best[filter_] for filter_ in wanted} == wanted


def test_mistakes_with_imports(tmp_path: Path) -> None:
    kg = tmp_path / "kg"
    assert refusal("import", tmp_path / "none", "--format", "filtag", "-o", kg).startswith("no label file at")
    refused = refusal("import", tmp_path / "none", "--format", "x", "-o", kg)
    assert refused.startswith("no label format 'x': choose one of filtag, netdissect")
    assert not kg.exists()


@pytest.mark.slow  # .ci/run builds the demo from the wheel, and asks it.
def test_the_demo_builds_asks_exports_and_says_what_next(tmp_path: Path) -> None:
    done = process("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for said in ("Which filters respond to dogs?", "Which filters have a clear theme?", "filtag query --list"):
        assert said in done.stdout
    assert re.search(r"^\s*head_conv .*(dog|terrier|hound|retriever)", done.stdout, re.MULTILINE), done.stdout
    assert (tmp_path / "demo-kg" / "filtag.json").is_file()
    assert (tmp_path / "demo-kg.ttl").read_text().startswith("@prefix")
    rows = answer("query", tmp_path / "demo-kg", "filters-by-concept", "concept=dog", "--format", "csv", "-q")
    assert len(rows.splitlines()) > 10
    assert "demo-kg already holds a KG" in refusal("demo", cwd=tmp_path)
