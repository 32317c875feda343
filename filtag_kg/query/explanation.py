"""What a named query answers and takes, in words."""

from __future__ import annotations

import shlex

from filtag_kg.query.catalogue import NamedQuery
from filtag_kg.query.parameters import PARAMETERS


def explanation(query: NamedQuery) -> str:
    """Return what a query answers and takes, an example, and its SPARQL."""
    lines = [query.usage, "", f"  {query.summary}.", ""]
    for name in query.parameters:
        parameter = PARAMETERS[name]
        optional = ", optional" if name in query.optional else ""
        lines.append(f"  {name}: {parameter.kind}{optional}: {parameter.meaning}; binds ?{parameter.variable}")
    lines += ["", f"  columns: {', '.join(query.columns)}", f"  example: {example_command(query, 'demo-kg')}", ""]
    text = [line for line in query.text.split("\n") if not line.startswith("#+")]
    return "\n".join(lines + text)


def example_command(query: NamedQuery, kg: str) -> str:
    """Return the query's example as one would type it."""
    given = [shlex.quote(f"{name}={value}") for name, value in query.example.items()]
    return " ".join(["filtag query", kg, query.name, *given])
