"""The floors of docs/architecture.md: who may import whom, and what `import filtag_kg` must not load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from scripts.make_architecture_picture import GROUND_MODULES, TARGET, floors, picture

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "filtag_kg"
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
    "paper",
    "jobs",
    "demo",
    "server",
    "cli",
]
GROUND = {
    "array_file",
    "class_names",
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


def in_folders() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imports(path: Path) -> set[str]:
    """Every module that a file imports anywhere."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return names | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}


def own_imports(path: Path) -> set[str]:
    return {name for name in imports(path) if name.startswith("filtag_kg.")}


@pytest.mark.parametrize("path", in_folders(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_folder_imports_only_from_floors_below_it(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    for name in own_imports(path):
        folder = name.split(".")[1]
        if folder not in GROUND | {own}:
            assert FLOORS.index(folder) < FLOORS.index(own), f"{path.name} imports from {folder}, a floor above it"
            assert name.count(".") == 1, f"{name}: other folders import from the folder, not from a file inside it"


@pytest.mark.parametrize("name", sorted(GROUND))
def test_the_ground_floor_imports_from_no_folder(name: str) -> None:
    assert {imported.split(".")[1] for imported in own_imports(PACKAGE / f"{name}.py")} <= GROUND


def test_the_graph_knows_no_kg_directory() -> None:
    """It gets what it describes as values; the ontology and the shapes are files of the package."""
    files = {"filtag_kg.files", "filtag_kg.output_paths", "os", "pathlib"}
    assert {
        path.name for path in (PACKAGE / "graph").glob("*.py") if path.name != "resources.py" and files & imports(path)
    } == set()


def test_the_docs_have_the_same_floors() -> None:
    assert [folder for folder, _, _ in floors()] == FLOORS
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == set(FLOORS)
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} == GROUND
    assert set(" · ".join(GROUND_MODULES).split(" · ")) == GROUND
    assert picture() == TARGET.read_text("utf-8"), "run python scripts/make_architecture_picture.py"


def test_the_files_that_the_guides_name_are_there() -> None:
    text = "".join((ROOT / page).read_text("utf-8") for page in ("docs/architecture.md", "CONTRIBUTING.md"))
    named = set(re.findall(rf"`(?:filtag_kg/)?((?:{'|'.join(FLOORS)})/[\w/]+\.py)`", text))
    assert {name for name in named if not (PACKAGE / name).exists()} == set()
    assert {name for name in GROUND if f"`{name}`" not in text} == set()


def test_the_functions_that_the_guide_names_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = re.findall(rf"`({'|'.join(FLOORS)}|files)\.(?!csv|npz)(\w+)`", text)
    assert len(named) > 5
    assert [name for folder, name in named if not hasattr(import_module(f"filtag_kg.{folder}"), name)] == []


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
