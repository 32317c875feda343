"""The commands that the documentation shows are ones that the program takes, and scripts that there are."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from filtag_kg.cli import app
from filtag_kg.query import find_query

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NOTEBOOKS = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))
BLOCK = re.compile(r"^```(sh|bash|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
JOINTS = "|&;<>\n"


def shown(path: Path) -> Iterator[str]:
    """Yield the shell of a page or notebook, without what a console answers."""
    text = path.read_text("utf-8")
    cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"]] if path.suffix == ".ipynb" else [text]
    for cell in cells:
        for kind, block in BLOCK.findall(cell):
            answered = re.findall(r"^\$ (.*(?:\\\n.*)*)$", block, re.MULTILINE) if kind == "console" else [block]
            yield from answered
        if path.suffix == ".ipynb":
            yield from re.findall(r"^!(.*(?:\\\n.*)*)$", cell, re.MULTILINE)


def commands(path: Path) -> Iterator[list[str]]:
    """Yield the words of each command."""
    for shell in shown(path):
        without_comments = re.sub(r"(^|\s)#.*$", "", shell.replace("\\\n", " "), flags=re.MULTILINE)
        words = shlex.shlex(without_comments, posix=True, punctuation_chars=JOINTS)
        words.whitespace, words.whitespace_split, words.commenters = " \t", True, ""
        command: list[str] = []
        for word in [*words, ";"]:
            if set(word) <= set(JOINTS):
                yield command
                command = []
            else:
                command.append(word)


def filtag_commands(path: Path) -> list[tuple[str, ...]]:
    found = [tuple(command[1:]) for command in commands(path) if command and command[0].rpartition("/")[2] == "filtag"]
    return [*dict.fromkeys(found)]


SHOWN = [(path.relative_to(ROOT).as_posix(), words) for path in [*PAGES, *NOTEBOOKS] for words in filtag_commands(path)]


def test_the_documentation_shows_commands() -> None:
    assert {page for page, _ in SHOWN} >= {"README.md", "docs/how-to/overview.md", "docs/tutorials/keras-network.ipynb"}


@pytest.mark.parametrize(("page", "words"), SHOWN, ids=[f"{page}: filtag {' '.join(words)}" for page, words in SHOWN])
def test_the_program_takes_it(page: str, words: tuple[str, ...]) -> None:
    command, arguments = get_command(app), list(words)
    context = command.make_context("filtag", [], resilient_parsing=True)
    while hasattr(command, "resolve_command") and arguments and not arguments[0].startswith("-"):
        name, command, arguments = command.resolve_command(context, arguments)
        assert command is not None
        context = command.make_context(name, [], parent=context, resilient_parsing=True)
        context.resilient_parsing = False
    options, _, _ = command.make_parser(context).parse_args([*arguments])
    missing = {param.name for param in command.get_params(context) if param.required and not options.get(param.name)}
    assert not missing
    if words[0] == "query" and options.get("name"):
        query = find_query(options["name"])
        given = {each.partition("=")[0] for each in options["parameters"] or ()}
        assert given <= {*query.required, *query.optional}
        assert set(query.required) <= given


def test_a_command_that_it_does_not_take_is_found() -> None:
    with pytest.raises(Exception, match="No such option: --netwrk"):
        test_the_program_takes_it("", ("run", "--netwrk", "vgg16"))
    with pytest.raises(AssertionError):
        test_the_program_takes_it("", ("run", "--network", "vgg16"))
    with pytest.raises(AssertionError):
        test_the_program_takes_it("", ("query", "my-kg", "hub-filters", "concept=dog"))


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_the_scripts_that_it_names_are_there(path: Path) -> None:
    for script in re.findall(r"(?<![\w/])(?:benchmarks|scripts)/\w+\.py", path.read_text("utf-8")):
        assert (ROOT / script).is_file(), script
