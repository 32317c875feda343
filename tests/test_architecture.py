"""The house of the design: who may import whom, and what must not be paid for at the door."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "filtag_kg"
FLOORS = [
    "network",
    "images",
    "profile",
    "tags",
    "concepts",
    "graph",
    "kg",
    "export",
    "query",
    "views",
    "explain",
    "report",
    "demo",
    "server",
    "cli",
]
ANYWHERE = {
    "csv_table",
    "errors",
    "files",
    "json_values",
    "names",
    "notebook_html",
    "npz",
    "output_paths",
    "redirects",
    "system_calls",
}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imported_from(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in names if name.startswith("filtag_kg.")}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_folder_imports_only_from_folders_above_it(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    for name in imported_from(path):
        folder = name.split(".")[1]
        if folder not in ANYWHERE | {own}:
            assert FLOORS.index(folder) < FLOORS.index(own), f"{path.name} reaches back to {folder}"
            assert name.count(".") == 1, f"{name}: other folders import from the folder, not from a file inside it"


def packages_after(code: str) -> set[str]:
    script = f"{code}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


@pytest.mark.parametrize("code", ["from filtag_kg import *", "import filtag_kg.cli"])
def test_heavy_packages_are_not_imported_at_the_door(code: str) -> None:
    heavy = {
        "tensorflow",
        "keras",
        "matplotlib",
        "skimage",
        "PIL",
        "scipy",
        "rdflib",
        "requests",
        "jinja2",
    }
    assert heavy & packages_after(code) == set()


def test_importing_the_package_costs_next_to_nothing() -> None:
    assert {"numpy", "pyoxigraph", "rich", "typer"} & packages_after("import filtag_kg") == set()


def test_what_is_exported_is_there() -> None:
    import filtag_kg

    assert dir(filtag_kg) == sorted(filtag_kg.__all__)
    assert [name for name in filtag_kg.__all__ if getattr(filtag_kg, name) is None] == []
    with pytest.raises(AttributeError, match="module 'filtag_kg' has no attribute 'nonsense'"):
        filtag_kg.nonsense  # noqa: B018
