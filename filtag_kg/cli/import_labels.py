"""``filtag import``: from labels of another method to a KG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.build import BASE, Into, OutputOrInto, told
from filtag_kg.cli.console import Base, Creators, Force, Licence, Links, Quiet, Title, note
from filtag_kg.cli.profile import ClassNames, given_names


def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Labels of one method: those of several layers, say.")
    ],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="filtag, netdissect, clip-dissect, milan, invert, falcon, summit or csv. By default, the file tells.",
        ),
    ] = None,
    output: OutputOrInto = None,
    into: Into = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The run's name, for rule=NAME.  [default: the method's]")
    ] = None,
    class_names: ClassNames = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="The layer, if the file does not name it. May be repeated, once a file."),
    ] = None,
    network: Annotated[
        str | None, typer.Option(metavar="NAME", help="The network's name; with --into, which of the KG's it is.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a file with a row that cannot be read, instead of leaving it out.")
    ] = False,
    concepts: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE[,SOURCE]",
            help="Where concepts come from.  [default: wordnet,conceptnet; with --into, those of the KG]",
        ),
    ] = None,
    links: Links = None,
    base: Base = BASE,
    title: Title = None,
    creators: Creators = None,
    licence: Licence = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Make a KG of another method's labels, or add them to a KG."""
    from filtag_kg.jobs import import_labels
    from filtag_kg.kg import BuildParameters, open_kg, runs_of

    if (into is None) == (output is None):
        raise typer.BadParameter("give either -o, for a KG of its own, or --into, to add to one")
    import_labels(
        files,
        output,
        into=into,
        format=format_,
        name=name,
        layer=layer or (),
        network=network,
        class_names=given_names(class_names) or None,
        strict=strict,
        concepts=concepts,
        links=links,
        parameters=BuildParameters(base=base, title=title, creators=tuple(creators or ()), licence=licence),
        force=force,
    )
    if output is not None:
        told(open_kg(output))
    elif into is not None:
        opened = open_kg(into)
        labels = opened.manifest["added"][-1]["counts"]["tags"]
        note(f"labels added: {labels:,}; ask for them with rule={runs_of(opened)[-1].rule}")
        told(opened, review=False)
