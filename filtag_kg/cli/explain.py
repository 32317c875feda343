"""``filtag explain``: one classification through the tags of the filters that the image activates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, results_console
from filtag_kg.cli.profile import Classes, Preprocess
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.explain import Explanation

__all__ = ["explain", "print_explanation"]


def explain(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The image to explain.")],
    network: Annotated[
        str | None,
        typer.Option("--network", metavar="NET", help="The network; the one the KG was made of, if left out."),
    ] = None,
    preprocess: Preprocess = None,
    classes: Classes = None,
    rule: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="The rule whose tags to use; the KG's first, if left out."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Explain how a network classifies one image, through the tags of the filters that it activates."""
    from filtag_kg.explain import explain_image
    from filtag_kg.graph import open_kg
    from filtag_kg.network import load_network

    opened = open_kg(kg)
    made_of = opened.manifest["inputs"].get("profile", {})
    name = network or made_of.get("network")
    if name is None:
        raise FiltagError(f"{kg} does not say which network it was made of: name it with --network")
    layers = made_of.get("layers_option", "conv")
    loaded = load_network(name, preprocess=preprocess, classes=classes, layers=layers)
    print_explanation(explain_image(opened, loaded, image, rule=rule))


def print_explanation(found: Explanation) -> None:
    """Print an explanation to read."""
    from rich.markup import escape
    from rich.table import Table

    console = results_console()
    best = ", ".join(f"{escape(label)} {confidence:.1%}" for label, confidence in found.predictions)
    console.print(f"predicted: [bold]{best}[/bold]")
    console.print(
        f"{found.n_tagged} of the {found.n_active} filters that {escape(found.image)} activates most have tags "
        f"(rule {found.rule})."
    )
    for title, rows in (("their tags", found.labels), ("their common concepts", found.concepts)):
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column(title)
        table.add_column("filters", justify="right")
        table.add_column("layers")
        for row in rows:
            table.add_row(escape(row.label), str(row.filters), escape(", ".join(row.layers)))
        console.print(table)
