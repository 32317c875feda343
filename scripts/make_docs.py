"""Write what is made from code: command line, glossary and named queries as pages, and the queries as RDF.

With ``--check``, write nothing and exit with code 1 if a page is stale.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filtag_kg.query import LocalEndpoint, NamedQuery

ROOT = Path(__file__).resolve().parent.parent

_MAY_BE_EMPTY = ("unexplained-filters", "untagged-filters")
"""The demo has no such filter, or its profile, which keeps means alone, does not say."""


ANSWERED_AFTER = {"ablation-effects": "ablate"}
"""Queries about experiments, which a KG holds only after these commands."""


def main() -> int:
    """Write the pages, or with --check compare them."""
    check = checking()
    stale = []
    pages = {
        "docs/reference/command-line.md": command_line(),
        "docs/glossary.md": glossary(),
        "docs/reference/queries.md": queries(),
        "queries/queries.ttl": queries_ttl(),
    }
    for name, text in pages.items():
        path = ROOT / name
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"stale: {', '.join(stale)}: run python scripts/make_docs.py", file=sys.stderr)
    return bool(stale)


def checking() -> bool:
    """Return whether --check is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    return bool(parser.parse_args().check)


def command_line() -> str:
    """Return the help of every command."""
    from typer.main import get_command
    from typer.testing import CliRunner

    from filtag_kg.cli import app

    runner = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"})
    parts = [
        "# The command line\n",
        "Results go to stdout, notes and progress to stderr. A user's mistake ends with exit code 1 and one line",
        "`error: what, where, what to do`; wrong usage with 2. `scripts/make_docs.py` makes this page.\n",
    ]
    for command in ("", *command_names(get_command(app))):
        answer = runner.invoke(app, [*command.split(), "--help"], prog_name="filtag", catch_exceptions=False)
        lines = [line.rstrip() for line in answer.stdout.strip().splitlines()]
        parts.append("\n".join([f"## filtag {command}".rstrip() + "\n", "```text", *lines, "```\n"]))
    return "\n".join(parts)


def glossary() -> str:
    """Return the words that people meet, explained."""
    from filtag_kg.views import glossary_markdown

    return glossary_markdown()


def command_names(group: object, prefix: str = "") -> Iterator[str]:
    """Yield the names of all commands, nested ones as ``concepts import``."""
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            yield from command_names(command, f"{prefix}{name} ")
        else:
            yield prefix + name


def queries() -> str:
    """Return the catalogue of named queries, each with its answer on the demo's KG."""
    from filtag_kg.query import PARAMETERS, catalogue

    parts = [
        "# Named queries\n",
        "`filtag query KG NAME param=value …`. Parameters in brackets are optional; `rule` is the KG's first rule by",
        "default. A concept is a word (a preferred or other label), a concept's IRI or a ConceptNet term such as",
        "`/c/en/dog`; a class is an id or a label. `filtag query --explain NAME` shows a query's SPARQL. The answers",
        "below are the first rows on the KG of `filtag demo`. `scripts/make_docs.py` makes this page.\n",
        "| query | answers | columns |",
        "|---|---|---|",
    ]
    parts += [row(query) for query in catalogue()]
    parts += ["\n## Parameters\n", "| parameter | kind | what |", "|---|---|---|"]
    parts += [f"| `{x.name}` | {x.kind} | {x.meaning} |" for x in PARAMETERS.values()]
    with tempfile.TemporaryDirectory() as folder:
        endpoint = demo_endpoint(Path(folder) / "demo-kg")
        parts += [section(query, endpoint) for query in catalogue()]
    return "\n".join(parts) + "\n"


def row(query: NamedQuery) -> str:
    """Return a query's line of the overview."""
    return f"| [`{query.usage}`](#{query.name}) | {query.summary} | {', '.join(query.columns)} |"


def demo_endpoint(folder: Path) -> LocalEndpoint:
    """Build the demo's KG."""
    from filtag_kg import Provenance, tag_filters, wordnet
    from filtag_kg.demo import DEMO_RULES, demo_profile
    from filtag_kg.kg import build_kg
    from filtag_kg.query import LocalEndpoint

    profile = demo_profile()
    tags = tag_filters(profile, list(DEMO_RULES), network=profile.metadata["identifier"])
    return LocalEndpoint(build_kg(folder, tags, wordnet(), Provenance.of_profile(profile), profile=profile))


def section(query: NamedQuery, endpoint: LocalEndpoint) -> str:
    """Return a query's section: its example with the answer."""
    from rich.console import Console

    from filtag_kg.query import Result, example_command, named_query, table_of

    if "flt:checkQValue" in query.text:
        shown = "[checks of labels](../explanation/label-checks.md) shows answers"
        what = f"The demo brings no images to check labels on; {shown}."
        return f"\n## {query.name}\n\n{query.summary}.\n\n```text\n$ {example_command(query, 'my-kg')}\n```\n\n{what}"
    answer = named_query(endpoint, query, query.example)
    if not answer.rows and query.name not in {*_MAY_BE_EMPTY, *ANSWERED_AFTER}:
        raise AssertionError(f"the example of {query.name} finds nothing")
    shown = table_of(Result(answer.columns, answer.rows[:4]))
    text = io.StringIO()
    Console(file=text, width=110, no_color=True).print(shown)
    rows = [line.rstrip() for line in text.getvalue().rstrip().splitlines()]
    left = [f"… {len(answer.rows) - 4:,} more"] if len(answer.rows) > 4 else []
    command = example_command(query, "demo-kg")
    parts = [f"\n## {query.name}\n", f"{query.summary}.\n", "```text", f"$ {command}", *rows, *left, "```"]
    if query.name in ANSWERED_AFTER:
        parts.append(f"\nA new KG has no answer: `filtag {ANSWERED_AFTER[query.name]}` adds what this asks for.")
    return "\n".join(parts)


def queries_ttl() -> str:
    """Return the catalogue as SHACL executables, in the form of SIB's example queries."""
    from filtag_kg.query import catalogue, catalogue_turtle

    return catalogue_turtle(catalogue())


if __name__ == "__main__":
    sys.exit(main())
