from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.concepts.conceptnet.conftest import SAID, line


def filtag(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.argv[0] = 'filtag'; from filtag_kg.cli import main; main()"
    environment = {**os.environ, "XDG_DATA_HOME": str(home), "XDG_CACHE_HOME": str(home), "HOME": str(home)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "conceptnet-assertions-5.7.0.csv"
    path.write_text("".join(line(*said) for said in SAID), encoding="utf-8")
    return path


def test_import_then_show(dump: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = filtag("concepts", "import", dump, home=home)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("conceptnet.sqlite: 13 edges between 17 terms, of 16 lines\n")
    shown = filtag("concepts", "show", "dog", "--concepts", "conceptnet-dump", "--format", "csv", home=home)
    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert ",".join(rows[0]) == ("concept,label,relation,direction,other,other_label,weight,source,dataset,licence")
    assert ("IsA", "in", "puppy") in {(row["relation"], row["direction"], row["other_label"]) for row in rows}
    table = filtag("concepts", "show", "dog", "--concepts", "conceptnet-dump", home=home)
    assert "loyal friend" in table.stdout
    assert "/d/verbosity" in table.stdout
    (first, *_) = json.loads(
        filtag("concepts", "show", "/c/en/puppy", "--concepts", "conceptnet-dump", "--format", "json", home=home).stdout
    )
    assert (first["label"], first["other_label"]) == ("puppy", "dog")


def test_import_says_what_it_skipped(dump: Path, tmp_path: Path) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write(line("IsA", "en/back\\slash", "en/dog", *SAID[0][3:]) + line("IsA", "en/dog", "en/", *SAID[0][3:]))
    done = filtag("concepts", "import", dump, "-o", tmp_path / "index", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith(
        "index: 14 edges between 18 terms, of 18 lines\nnote: 1 line skipped: an end is not a term such as /c/en/dog\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "asdfgh"), "error: no concept of wordnet,conceptnet is called 'asdfgh': try another spelling"),
        (("show", "dog", "--concepts", "conceptnet-dump"), "error: no index of ConceptNet at "),
        (("show", "dog", "--format", "xml"), "error: no format 'xml': choose table, csv, tsv or json"),
        (("import", "nothing.csv.gz"), "error: cannot read nothing.csv.gz (No such file or directory)"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = filtag("concepts", *arguments, home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(message)
