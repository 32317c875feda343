"""``filtag import`` as people type it, and what they then see."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from filtag_kg.kg import KG
from tests.cli.terminal import answer, filtag, refusal

TALLY = "unit,category,label,score\n1,object,tabby,0.25\n1,object,dog,0.125\nx,object,dog,0.125\n"


def test_labels_are_shown_with_their_score_and_its_meaning(kg: KG, tmp_path: Path) -> None:
    mine = shutil.copytree(kg.path, tmp_path / "kg")
    (tmp_path / "tally.csv").write_text(TALLY)
    done = filtag("import", "tally.csv", "--into", "kg", "--layer", "deep", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tally.csv: left out 1 row that cannot be read: line 4: unit 'x' is not a whole number from 1" in done.stderr
    assert re.search(r"kg: \d+ tags of \d+ classes on 6 filters of 2 layers", done.stderr)
    assert "note: labels added: 2; ask for them with rule=netdissect" in done.stderr
    told = answer("show", mine, "deep/0", "--rule", "netdissect")
    assert re.search(r"tag +class +score", told)
    assert re.search(r"tabby +n02123045 .*0\.250\n *dog +dog .*0\.125", told)
    assert "score of netdissect: intersection over union of the regions" in told
    of_class = answer("show", mine, "--class", "tabby", "--rule", "netdissect")
    assert "score of netdissect: intersection over union" in of_class
    assert re.search(r"filter +score +its theme", of_class)
    rows = json.loads(answer("show", mine, "deep/0", "--rule", "netdissect", "--format", "json"))
    assert [tag["score"] for run in rows["runs"] for tag in run["tags"]] == [0.25, 0.125]
    answer("report", mine, "-o", tmp_path / "report", "-q")
    page = next((tmp_path / "report").glob("network/*/layer/deep/filter/0.html")).read_text(encoding="utf-8")
    assert '<th class="wide" scope="col">score</th>' in page
    assert "Score of netdissect: intersection over union of the regions" in page
    first = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "netdissect says what each filter responds to" in first
    assert "Its score: intersection over union" in first
    told = answer("query", mine, "run-provenance", "rule=netdissect", "--format", "csv")
    assert "method,netdissect" in told


def test_what_is_refused_is_said_with_the_option_to_use(kg: KG, tmp_path: Path) -> None:
    (tmp_path / "tally.csv").write_text(TALLY)
    assert filtag("import", "tally.csv", cwd=tmp_path).returncode == 2
    assert filtag("import", "tally.csv", "-o", "a", "--into", "b", cwd=tmp_path).returncode == 2
    refused = refusal("import", "tally.csv", "-o", "new", "--strict", cwd=tmp_path)
    assert refused == "tally.csv, line 4: unit 'x' is not a whole number from 1 below 100,001"
    assert not (tmp_path / "new").exists()
    refused = refusal("import", "tally.csv", "--into", kg.path, cwd=tmp_path)
    assert refused.endswith("name one of the layers of " + f"{kg.path}, shallow, deep (--layer)")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert refusal("import", "other.csv", "-o", "new", cwd=tmp_path).endswith("; name its format (--format)")
