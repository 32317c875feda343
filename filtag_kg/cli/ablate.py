"""``filtag ablate``: take a concept's filters out of the network, and measure what it loses."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar, results_console
from filtag_kg.cli.explain import KGNetwork, network_of
from filtag_kg.cli.network_options import Classes, Preprocess
from filtag_kg.cli.profile import BatchSize, Images, Workers
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from filtag_kg.kg import AblatedClass, Ablation, Change

_FORMATS = ("text", "json")
_MOST_OTHERS = 5


def ablate(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG; the result is added to it.")],
    concept: Annotated[
        str, typer.Option(metavar="CONCEPT", help="A word such as dog, a concept's IRI, or a ConceptNet term.")
    ],
    images: Images,
    network: KGNetwork = None,
    rule: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="By which rule or run the filters are chosen; by default the KG's first."),
    ] = None,
    choice: Annotated[
        str,
        typer.Option(
            "--filters",
            metavar="common|tagged",
            help="Ablate filters that stand for the concept beyond chance, or all with mostly tags at or below it.",
        ),
    ] = "common",
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", metavar="LAYER/I", help="Ablate this filter, and no other but those named so. May be repeated."
        ),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option("--layer", metavar="LAYER", help="Choose among filters of this layer. May be repeated."),
    ] = None,
    by: Annotated[
        str, typer.Option(metavar="zero|mean", help="Set feature maps to 0, or to the filter's mean over the images.")
    ] = "zero",
    random: Annotated[
        int,
        typer.Option(
            "--random",
            metavar="N",
            min=0,
            max=9999,
            help="Sets of as many random filters of the same layers to compare with; p is at least 1 / (N + 1).",
        ),
    ] = 19,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of all that is drawn at random.")] = 0,
    max_images: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="The most images of each class; by default all.")
    ] = None,
    kg_classes: Annotated[bool, typer.Option("--kg-classes", help="Predict only classes of the KG.")] = False,
    preprocess: Preprocess = None,
    classes: Classes = None,
    batch_size: BatchSize = 32,
    workers: Workers = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
    quiet: Quiet = False,
) -> None:
    """Test whether a concept's filters cause what the network knows of it.

    The network runs without them, and without as many random filters. What it loses by class is added to the KG.

    For example: filtag ablate my-kg --concept dog --images test.tar
    """
    from filtag_kg.explain import AblationOptions, add_ablation
    from filtag_kg.explain import ablate as ablate_filters
    from filtag_kg.images import open_images
    from filtag_kg.kg import open_kg
    from filtag_kg.output_paths import check_directory_output
    from filtag_kg.views import load_kg

    if format_ not in _FORMATS:
        raise FiltagError(f"no format {format_!r}: choose one of {', '.join(_FORMATS)}")
    options = AblationOptions(
        rule=rule,
        choice=choice,
        layers=layers or (),
        given=[_layer_and_filter(text) for text in given or ()],
        by=by,
        random_sets=random,
        seed=seed,
        max_images=max_images,
        kg_classes=kg_classes,
    )
    opened = open_kg(kg)
    check_directory_output(opened.path)
    loaded = load_kg(opened)
    with open_images(images) as image_set:
        cnn = network_of(opened, network, preprocess=preprocess, classes=classes)
        with progress_bar(quiet) as progress:
            ablation, notes = ablate_filters(
                loaded,
                cnn,
                image_set,
                concept,
                options,
                batch_size=batch_size,
                workers=workers,
                progress=progress,
            )
    for line in notes:
        note(line)
    if format_ == "json":
        typer.echo(_json(ablation), nl=False)
    else:
        _print(ablation)
    # Last, so what took long is not lost where the KG cannot be written.
    add_ablation(opened, ablation)
    # Without its rule, the query is about the KG's first run.
    run = loaded.runs[ablation.run_id].run.rule
    asked = ["filtag", "query", str(kg), "ablation-effects", f"concept={concept}", f"rule={run}"]
    note(f"added to {kg}: see the page of {ablation.label}, or ask {shlex.join(asked)}")


def _layer_and_filter(text: str) -> tuple[str, int]:
    layer, slash, number = text.rpartition("/")
    if not (slash and layer and number.isascii() and number.isdecimal() and len(number) < 10):
        raise FiltagError(f"--filter {text!r} names no filter: write its layer and index, such as head_conv/992")
    return layer, int(number)


def _json(ablation: Ablation) -> str:
    from dataclasses import asdict

    from filtag_kg.views import ablation_text, conclusion

    verdict = {"conclusion": conclusion(ablation), "text": ablation_text(ablation)}
    return f"{json.dumps(verdict | asdict(ablation), ensure_ascii=False, indent=2)}\n"


def _print(ablation: Ablation) -> None:
    from filtag_kg.views import ablation_text

    console = results_console()
    # Sentences may hold brackets, which are not markup.
    console.print(ablation_text(ablation), markup=False, highlight=False)
    console.print()
    console.print(_changes(ablation))
    console.print()
    console.print(_classes(ablation))


def _changes(ablation: Ablation) -> Table:
    table = _table("Change in points, with its 95 % interval")
    for name in ("", "", "before", "change", "interval", "random filters", "p"):
        table.add_column(name, justify="left" if not name else "right")
    scopes = {"concept": f"at or below {ablation.label}", "others": "other classes", "difference": "difference"}
    for change in ablation.changes:
        table.add_row(*_cells(change, scopes[change.scope]))
    return table


def _cells(change: Change, scope: str) -> Iterator[str]:
    from rich.markup import escape

    yield change.measure
    yield escape(scope)
    yield f"{100 * change.before:.1f}"
    yield f"{100 * change.change:+.1f}"
    yield f"{100 * change.low:+.1f} to {100 * change.high:+.1f}"
    yield f"{100 * min(change.random):+.1f} to {100 * max(change.random):+.1f}" if change.random else "-"
    yield f"{change.p_value:.2g}" if change.random else "-"


def _classes(ablation: Ablation) -> Table:
    from rich.markup import escape

    table = _table("By class, the most harmed first")
    table.add_column("class")
    for name in ("images", "accuracy", "confidence", "random filters"):
        table.add_column(name, justify="right")
    of_concept = [row for row in ablation.classes if row.scope == "concept"]
    others = [row for row in ablation.classes if row.scope == "others"]
    for row in (*of_concept, *others[:_MOST_OTHERS]):
        if row.scope == "others":
            table.add_row(f"other: {escape(row.label)}", *_numbers(row), style="dim")
        else:
            table.add_row(escape(row.label), *_numbers(row))
    if len(others) > _MOST_OTHERS:
        table.caption = f"the first {_MOST_OTHERS} of {len(others):,} other classes; the KG has all"
    table.caption_justify = "left"
    return table


def _numbers(row: AblatedClass) -> Iterator[str]:
    yield f"{row.images:,}"
    yield f"{row.accuracy_before:.0%} → {row.accuracy_after:.0%}"
    yield f"{row.confidence_before:.1%} → {row.confidence_after:.1%}"
    yield f"{row.confidence_random:.1%}"


def _table(title: str) -> Table:
    from rich.table import Table

    return Table(title=title, title_justify="left", title_style="bold", box=None, header_style="bold", pad_edge=False)
