from __future__ import annotations

from pathlib import Path

from filtag_kg.kg import KG
from tests.cli.test_concepts import filtag


def test_paper_of_imported_labels_with_odd_names(tmp_path: Path) -> None:
    labels = tmp_path / "labels_50%.csv"
    labels.write_text(
        "layer,filter,label\n"
        + "".join(f"conv_{{1}},{unit},{label}\n" for unit, label in enumerate(["dog", "cat & co", "100 % $x$", "蜂"]))
    )
    made = filtag("import", labels, "-o", tmp_path / "kg", home=tmp_path)
    assert made.returncode == 0, made.stderr
    done = filtag("paper", tmp_path / "kg", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    folder = tmp_path / "kg-paper"
    tex = (folder / "methods.tex").read_text(encoding="utf-8")
    assert r"labels\_50\%.csv" in tex
    again = filtag("import", labels, "-o", tmp_path / "kg2", "--network", "b", home=tmp_path)
    assert again.returncode == 0, again.stderr
    both = filtag("paper", tmp_path / "kg", tmp_path / "kg2", "-o", tmp_path / "both", home=tmp_path)
    for kg in (tmp_path / "kg", tmp_path / "kg2"):
        (line,) = [line for line in both.stderr.splitlines() if line.endswith(f": of {kg}")]
        assert (Path(line.removeprefix("note: ").removesuffix(f": of {kg}")) / "methods.tex").exists()
    assert r"conv\_\{1\}" in "".join(path.read_text("utf-8") for path in (folder / "tables").glob("*.tex"))


def test_mistakes_have_one_line(kg: KG, tmp_path: Path) -> None:
    def refused(*arguments: object) -> str:
        done = filtag("paper", *arguments, home=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        return done.stderr

    folder = tmp_path / "paper"
    assert refused(tmp_path / "nowhere", "-o", folder).startswith(f"error: no KG at {tmp_path / 'nowhere'}: check the")
    assert "k=7" in refused(kg.path, "--rule", "k=7", "-o", folder)
    assert "is no level for q-values" in refused(kg.path, "--q", "2", "-o", folder)
    assert "about one KG" in refused(kg.path, kg.path, "--hits", tmp_path, "-o", folder)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    assert refused(kg.path, "-o", folder, "--force").endswith("so it is not replaced: choose another output (-o)\n")
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt"]
