from __future__ import annotations

import json
from pathlib import Path

from filtag_kg.kg import KG
from tests.cli.test_concepts import filtag


def test_report_and_conformance(kg: KG, tmp_path: Path) -> None:
    done = filtag("report", kg.path, "-o", tmp_path / "report", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "report" / "semantic.md").read_text().startswith("# What the filters have in common\n")
    again = filtag("report", kg.path, "-o", tmp_path / "report", home=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert again.stderr.startswith("error: ")
    sheet = tmp_path / "sheet.csv"
    assert filtag("conformance", "draw", kg.path, "-o", sheet, "--rule", "q=0.5", home=tmp_path).returncode == 0
    sheet.write_text(sheet.read_text().replace(",\n", ",yes\n"))
    table = filtag("conformance", "rate", kg.path, sheet, home=tmp_path)
    assert table.stdout.startswith("conform, say you ")
    figures = json.loads(filtag("conformance", "rate", kg.path, sheet, "--format", "json", home=tmp_path).stdout)
    assert figures["conform"]["share"] == 1
    assert figures["rated"] == figures["drawn"] > 0
