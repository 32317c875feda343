"""What every command does with its output: it follows what stands there, and no other process writes it meanwhile."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from filtag_kg import Profile, load_profile, save_profile
from filtag_kg.cli import app
from filtag_kg.files import only_writer
from filtag_kg.kg import KG, open_kg, runs_of

TAGS = "Class-Id:n02099601,0.9,1\n"


def filtag(*words: object) -> str:
    """Run a command; return what it prints, or its one line of error."""
    done = CliRunner().invoke(app, [*map(str, words)])
    if done.exit_code == 0:
        return done.stdout
    assert type(done.exception).__name__ == "FiltagError", done.exception
    said = str(done.exception)
    assert "\n" not in said
    return f"error: {said}"


@pytest.fixture
def saved(profile: Profile, tmp_path: Path) -> Path:
    save_profile(profile, tmp_path / "p.npz")
    return tmp_path / "p.npz"


def test_files_go_through_a_pipe(kg: KG, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    commands = [
        ("export", kg.path, "-o", fifo, "--format", format_)
        for format_ in ("turtle", "trig", "nquads", "jsonld", "rdfxml", "sssom", "csv", "graphml", "parquet")
    ]
    commands.append(("conformance", "draw", kg.path, "-o", fifo, "--rule", "q=0.5"))
    for words in commands:
        content: list[bytes] = []
        reader = threading.Thread(target=lambda content=content: content.append(fifo.read_bytes()), daemon=True)
        reader.start()
        said = filtag(*words)
        reader.join(20)
        direct = tmp_path / "direct"
        assert filtag(*(direct if word == fifo else word for word in words)) == said, words
        assert content == [direct.read_bytes()], words
        direct.unlink()
        assert stat.S_ISFIFO(fifo.lstat().st_mode)


def test_a_linked_kg_is_changed_where_it_lies(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    kg, link = tmp_path / "disk" / "kg", tmp_path / "kg"
    link.symlink_to("disk/kg")
    filtag("build", saved, "-o", link, "--k", 1)
    filtag("build", saved, "--into", link, "--q", 0.5)
    assert [run.rule for run in runs_of(open_kg(kg))] == ["k=1", "q=0.5"]
    filtag("runs", link, "--remove", "q=0.5")
    assert [run.rule for run in runs_of(open_kg(kg))] == ["k=1"]
    filtag("build", saved, "-o", link, "--k", 2, "--force")
    assert [run.rule for run in runs_of(open_kg(kg))] == ["k=2"]
    assert link.is_symlink()
    filtag("report", link)
    (tmp_path / "kg-report").rename(tmp_path / "disk" / "pages")
    (tmp_path / "kg-report").symlink_to("disk/pages")
    assert filtag("report", link, "--force") == ""
    assert (tmp_path / "kg-report").is_symlink()
    assert sorted(path.name for path in tmp_path.rglob(".*")) == []


def test_each_writer_of_a_kg_finds_it_locked(saved: Path, tmp_path: Path) -> None:
    kg, link, labels = tmp_path / "kg", tmp_path / "link", tmp_path / "tags.txt"
    link.symlink_to("kg")
    labels.write_text(TAGS)
    filtag("build", saved, "-o", kg, "--k", 1)
    filtag("build", saved, "--into", kg, "--q", 0.5)
    before = {path: path.read_bytes() for path in kg.rglob("*") if path.is_file()}
    with only_writer(kg), ThreadPoolExecutor(1) as other:
        for words, place in (
            (("build", saved, "-o", kg, "--force"), kg),
            (("build", saved, "-o", link, "--force"), link),
            (("build", saved, "--into", link, "--k", 2), link),
            (("import", labels, "--format", "filtag", "-o", kg, "--force"), kg),
            (("demo", "-o", link, "--force"), link),
            (("run", "--network", "none", "--images", tmp_path, "-o", kg, "--force"), kg),
            (("runs", link, "--remove", "q=0.5"), link),
        ):
            said = other.submit(filtag, *words).result()
            assert said == f"error: another process is changing {place}: try again when it is done", words
    assert before == {path: path.read_bytes() for path in kg.rglob("*") if path.is_file()}


def test_outputs_that_cannot_be_are_told_at_once(kg: KG, saved: Path, tmp_path: Path) -> None:
    long, taken = tmp_path / ("n" * 256), tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.tex").touch()
    mended = "(File name too long): choose another output or mend its permissions"
    for words in (
        ("build", saved, "-o", long),
        ("build", saved, "-o", long, "--force"),
        ("import", saved, "--format", "filtag", "-o", long),
        ("demo", "-o", long),
        ("run", "--network", "none", "--images", tmp_path, "-o", long),
        ("report", kg.path, "-o", long),
        ("export", kg.path, "-o", long),
        ("evaluate", saved, "--network", "none", "--images", tmp_path, "-o", long),
        ("errors", kg.path, "--network", "none", "--images", tmp_path, "-o", long),
        ("conformance", "draw", kg.path, "-o", long),
        ("profile", "--network", "none", "--images", tmp_path, "-o", long),
        ("concepts", "import", saved, "-o", long),
    ):
        assert filtag(*words) == f"error: cannot write {long} {mended}", words
    for words in (
        ("export", kg.path, "-o", taken),
        ("conformance", "draw", kg.path, "-o", taken),
        ("profile", "--network", "none", "--images", tmp_path, "-o", taken, "--force"),
        ("concepts", "import", saved, "-o", taken),
    ):
        assert filtag(*words) == f"error: {taken} is a directory: give the name of a file", words
    # The name would do; what is put beside it has a longer one.
    almost = tmp_path / ("n" * 250)
    for words, name in (
        (("demo", "-o", almost), f"{almost}-report"),
        (("run", "--network", "none", "--images", tmp_path, "-o", almost, "--no-report"), f"{almost}.profile.npz"),
    ):
        assert filtag(*words) == f"error: cannot write {name} {mended}", words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.npz", "taken"]


def test_a_kg_with_the_longest_name(saved: Path, tmp_path: Path) -> None:
    kg = tmp_path / ("ü" * 127)
    filtag("build", saved, "-o", kg, "--k", 1)
    filtag("build", saved, "--into", kg, "--q", 0.5)
    filtag("build", saved, "-o", kg, "--k", 2, "--force")
    assert [run.rule for run in runs_of(open_kg(kg))] == ["k=2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.npz", kg.name]


def test_the_current_directory(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kg = tmp_path / "kg"
    filtag("build", saved, "-o", kg)
    monkeypatch.chdir(kg)
    refused = "is the current directory or holds it, so it is not replaced: choose another"
    for words in (("build", saved), ("demo",), ("run", "--network", "none", "--images", tmp_path)):
        for place in (".", "..", "/"):
            assert filtag(*words, "-o", place, "--force") == f"error: {place} {refused}", (words, place)
    assert filtag("report", ".") == ""
    assert (tmp_path / "kg-report" / "index.html").exists()
    assert load_profile(saved).class_ids
