"""All commands under their names."""

from __future__ import annotations

import typer

from filtag_kg.cli import (
    build,
    concepts,
    demo,
    errors,
    evaluate,
    explain,
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

__all__ = ["app"]

app = typer.Typer(
    name="filtag",
    help="Explain a CNN's convolutional filters as a knowledge graph you can query.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo", cls=Command)(demo.demo)
app.command("run", cls=Command)(build.run)
app.command("profile", cls=Command)(profile.profile)
app.command("build", cls=Command)(build.build)
app.command("import", cls=Command)(build.import_)
app.command("query", cls=Command)(query.query)
app.command("export", cls=Command)(query.export)
app.command("publish", cls=Command)(publish.publish)
app.command("runs", cls=Command)(runs.runs)
app.command("compare", cls=Command)(runs.compare)
app.command("validate", cls=Command)(validate.validate)
app.command("explain", cls=Command)(explain.explain)
app.command("evaluate", cls=Command)(evaluate.evaluate)
app.command("errors", cls=Command)(errors.errors)
app.command("visualize", cls=Command)(visualize.visualize)
app.command("show", cls=Command)(show.show)
app.command("report", cls=Command)(report.report)
app.command("serve", cls=Command)(serve.serve)
app.add_typer(report.conformance, name="conformance")
app.add_typer(concepts.app, name="concepts")


@app.callback(invoke_without_command=True)
def _filtag(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"filtag {version_of('filtag-kg')}")
        raise typer.Exit
