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

__all__ = ["app"]

app = typer.Typer(
    name="filtag",
    help="Explain a CNN's convolutional filters as a knowledge graph you can query.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("run")(build.run)
app.command("profile")(profile.profile)
app.command("build")(build.build)
app.command("import")(build.import_)
app.command("query")(query.query)
app.command("export")(query.export)
app.command("publish")(publish.publish)
app.command("runs")(runs.runs)
app.command("compare")(runs.compare)
app.command("validate")(validate.validate)
app.command("explain")(explain.explain)
app.command("evaluate")(evaluate.evaluate)
app.command("errors")(errors.errors)
app.command("visualize")(visualize.visualize)
app.command("show")(show.show)
app.command("report")(report.report)
app.command("serve")(serve.serve)
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
