"""What a release says of itself agrees in every place, and the files that other programs read are what they expect."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import rdflib
import yaml

import filtag_kg

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(set((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"})


def test_every_place_says_the_same_version() -> None:
    version = PROJECT["version"]
    assert filtag_kg.__version__ == version
    assert CITATION["version"] == version
    ontology = rdflib.Graph().parse(ROOT / "ontology" / "filtag.ttl")
    assert [str(value) for value in ontology.objects(None, rdflib.OWL.versionInfo)] == [version]
    assert [str(value) for value in ontology.objects(None, rdflib.OWL.versionIRI)] == [
        f"{PROJECT['urls']['Vocabulary']}/{version}"
    ]


def test_the_changelog_begins_with_what_is_unreleased_and_then_this_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[:2] == ["[Unreleased]", f"[{PROJECT['version']}] - {CITATION['date-released']}"]


def test_the_citation_agrees_with_the_package() -> None:
    assert [author["name"] for author in CITATION["authors"]] == [author["name"] for author in PROJECT["authors"]]
    assert (CITATION["license"], CITATION["keywords"]) == (PROJECT["license"], PROJECT["keywords"])
    assert CITATION["url"] == PROJECT["urls"]["Homepage"]
    (paper,) = CITATION["references"]
    assert paper["url"] == PROJECT["urls"]["Paper"]


def test_pages_name_the_paper_s_authors_as_the_citation_does() -> None:
    (paper,) = CITATION["references"]
    names = [(author["given-names"], author["family-names"]) for author in paper["authors"]]
    correct = {
        ", ".join(f"{given} {family}" for given, family in names),
        ", ".join(f"{given[0]}. {family}" for given, family in names),
    }
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for said in re.findall(r"\S+ Nguyen, \S+ Hagenmayer, \S+ Weller(?:,| and) \S+ Färber", page.read_text("utf-8")):
            assert said.replace(" and ", ", ") in correct, page


def test_the_types_are_shipped() -> None:
    assert (ROOT / "filtag_kg" / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_workflows_try_the_pythons_that_are_promised() -> None:
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    tests = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    assert tests["jobs"]["wheel"]["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_only_the_upload_may_ask_for_an_identity() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        for name, job in workflow["jobs"].items():
            assert job.get("permissions") == ({"id-token": "write"} if name == "publish" else None)
            assert "timeout-minutes" in job


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("citation-file-format", [ROOT / "CITATION.cff"]),
        ("github-workflows", WORKFLOWS),
        ("github-issue-forms", FORMS),
        ("github-issue-config", [ROOT / ".github/ISSUE_TEMPLATE/config.yml"]),
        ("dependabot", [ROOT / ".github/dependabot.yml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_follow_their_schemas(schema: str, paths: list[Path]) -> None:
    check("check_jsonschema", "--builtin-schema", f"vendor.{schema}", "--default-filetype", "yaml", *map(str, paths))


def test_the_hooks_can_be_read() -> None:
    check("pre_commit", "validate-config", str(ROOT / ".pre-commit-config.yaml"))


def check(module: str, *arguments: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module.replace('_', '-')} is not installed")
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
