"""Every script starts after the set-up that the README names, and needs no file that a clone does not have."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(path for folder in ("benchmarks", "scripts") for path in (ROOT / folder).glob("*.py"))


def run(script: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, ROOT / script, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_what_it_does_and_needs(path: Path) -> None:
    text = path.read_text("utf-8")
    if "__main__" not in text:
        return  # Other scripts import from it.
    said = " ".join(run(str(path), "--help").split())
    assert " ".join((ast.get_docstring(ast.parse(text)) or "").split()[:8]) in said


def imported(path: Path) -> set[str]:
    """Return the packages that a file imports anywhere, those for type checkers alone left out."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in names}


def plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_every_package_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    required = (*project["dependencies"], *extras["cpu"], *extras["docs"], *extras["dev"])
    declared = {plain(re.split(r"[^\w.-]", text)[0]) for text in required}
    declared.add("tf-keras")  # Keras 2, whose files a script makes in an environment of its own.
    ours = {"filtag_kg", "tests", "scripts"} | {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    brought_by = packages_distributions()
    unknown = {}
    for path in [*SCRIPTS, *(ROOT / "tests").rglob("*.py"), *(ROOT / "filtag_kg").rglob("*.py")]:
        for package in imported(path) - ours - sys.stdlib_module_names:
            if not declared & set(map(plain, (package, *brought_by.get(package, ())))):
                unknown[package] = path.name
    assert unknown == {}


def test_no_script_names_a_file_beside_the_clone() -> None:
    assert [path.name for path in SCRIPTS if re.search(r"parents\[[2-9]\]|\"shared\"", path.read_text("utf-8"))] == []


def test_small_runs() -> None:
    assert "| indexed |" in run("benchmarks/conceptnet.py", "--lines", "2000")
    assert "| import filtag_kg |" in run("benchmarks/imports.py", "--rounds", "1")


@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    [
        "concepts.py --lines 20000 --shuffles 1 --subsets 2",
        "explain.py --rounds 1",
        "graph.py --draws 1",
        "pass.py --network efficientnet-lite0 --limit 8 --batch-size 4 --rounds 1 --published 1",
        "precision.py --limit 8 --batch-size 4",
        "report.py --share 0.01",
        "scale.py",
        "serve.py --seconds 3 --clients 2",
        "visualize.py --layer stem_conv --steps 2",
    ],
)
def test_small_runs_of_what_takes_longer(call: str) -> None:
    pytest.importorskip("keras", reason="the cpu extra is not installed")
    script, *arguments = call.split()
    assert run(f"benchmarks/{script}", *arguments)
