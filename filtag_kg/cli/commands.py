"""All commands, in the groups that ``filtag --help`` shows. A new command is a name here."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from filtag_kg.cli import (
    ablate,
    build,
    check,
    compare,
    concepts,
    demo,
    errors,
    evaluate,
    explain,
    import_labels,
    mcp,
    paper,
    profile,
    publish,
    query,
    report,
    runs,
    serve,
    show,
    validate,
    visualize,
)
from filtag_kg.cli.hints import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from click import HelpFormatter

_GROUPS: dict[str, tuple[Callable[..., None] | typer.Typer, ...]] = {
    "Make a KG": (demo.demo, build.run, profile.profile, build.build, import_labels.import_),
    "Query and share it": (query.query, query.export, publish.publish, serve.serve, mcp.mcp),
    "Look at it": (show.show, report.report, paper.paper, explain.explain, visualize.visualize),
    "Find out how far to trust it": (
        evaluate.evaluate,
        errors.errors,
        check.check,
        compare.compare,
        ablate.ablate,
        report.conformance,
        validate.validate,
    ),
    "Manage runs and concept data": (runs.runs, concepts.app),
}


def _name(command: Callable[..., None] | typer.Typer) -> str:
    return str(command.info.name) if isinstance(command, typer.Typer) else command.__name__.rstrip("_")


class _GroupedCommands(TyperGroup):
    def format_commands(self, ctx: typer.Context, formatter: HelpFormatter) -> None:  # type: ignore[override]
        """Write the commands group by group."""
        widest = max(map(len, self.list_commands(ctx)))
        limit = formatter.width - 6 - widest
        for title, commands in _GROUPS.items():
            helps = [(name, self.commands[name].get_short_help_str(limit)) for name in map(_name, commands)]
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), text) for name, text in helps])


app = typer.Typer(
    name="filtag",
    cls=_GroupedCommands,
    help="Explain a CNN's convolutional filters as a knowledge graph you can query.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in chain(*_GROUPS.values()):
    if isinstance(_command, typer.Typer):
        app.add_typer(_command)
    else:
        app.command(_name(_command), cls=Command)(_command)


@app.callback(invoke_without_command=True)
def _filtag(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"filtag {version_of('filtag-kg')}")
        raise typer.Exit
