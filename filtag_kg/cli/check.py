"""``filtag check``: whether the labels of filters are true, on images that made none of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar, results_console
from filtag_kg.cli.explain import KGNetwork, network_of
from filtag_kg.cli.network_options import Classes, Preprocess
from filtag_kg.cli.profile import BatchSize, ClassNames, Images, Workers, given_names
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from rich.table import Table

    from filtag_kg.explain import LabelCheck
    from filtag_kg.views import LabelSummary

_FORMATS = ("text", "json")


def check(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    images: Images,
    network: KGNetwork = None,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="RULE", help="A rule or run id whose labels to check; by default all."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Also write all labels into this CSV file.")
    ] = None,
    preprocess: Preprocess = None,
    classes: Classes = None,
    class_names: ClassNames = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the random labels.")] = 0,
    batch_size: BatchSize = 32,
    workers: Workers = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
    quiet: Quiet = False,
) -> None:
    """Check which labels are true, on images that made none of them.

    Every tag and common concept is compared with the same label on other filters and with random labels. The results
    join the KG.

    For example: filtag check my-kg --images test.tar
    """
    from filtag_kg.explain import add_label_check, check_labels, label_check_csv
    from filtag_kg.files import writing
    from filtag_kg.images import open_images
    from filtag_kg.kg import open_kg
    from filtag_kg.output_paths import check_file_output

    if format_ not in _FORMATS:
        raise FiltagError(f"no format {format_!r}: choose one of {', '.join(_FORMATS)}")
    if output is not None:
        check_file_output(output)
    opened = open_kg(kg)
    names = given_names(class_names, classes)
    with open_images(images) as image_set:
        loaded = network_of(opened, network, preprocess=preprocess, classes=classes)
        with progress_bar(quiet) as progress:
            checked = check_labels(
                opened,
                loaded,
                image_set,
                rules=rule or (),
                class_names=names,
                seed=seed,
                batch_size=batch_size,
                workers=workers,
                progress=progress,
            )
    for line in checked.notes:
        note(line)
    add_label_check(opened, checked)
    if output is not None:
        with writing(output) as file:
            file.write(label_check_csv(row for rows in checked.runs.values() for row in rows).encode())
    if format_ == "json":
        typer.echo(json.dumps(_as_json(checked), ensure_ascii=False, indent=2))
    else:
        _print(checked)


def _as_json(checked: LabelCheck) -> dict[str, Any]:
    from filtag_kg.views import summarise_by_layer, summarise_labels

    about = ("network", "source", "images_sha256", "images", "classes", "draws", "seed")
    return {name: getattr(checked, name) for name in about} | {
        "notes": list(checked.notes),
        "runs": [
            {"run": run_id, "rule": rows[0].rule if rows else ""}
            | {name: value for name, value in asdict(summarise_labels(rows)).items() if name != "layer"}
            | {"layers": [asdict(summary) for summary in summarise_by_layer(rows)]}
            for run_id, rows in checked.runs.items()
        ],
    }


def _print(checked: LabelCheck) -> None:
    from rich.markup import escape

    from filtag_kg.explain import CONFIRMED_Q
    from filtag_kg.views import summarise_by_layer, summarise_labels

    console = results_console()
    console.print(
        f"{checked.images:,} images of {checked.classes:,} classes; a label is confirmed if its q-value is below "
        f"{CONFIRMED_Q}, and testable if the images show what it stands for, and other things. In brackets behind each "
        "mean: the same labels on the layer's other filters, and random labels on the same filters.\n"
    )
    for rows in checked.runs.values():
        if not rows:
            continue
        table = _table(f"rule {escape(rows[0].rule)}")
        for kind, what in (("tag", "all tags"), ("concept", "all common concepts")):
            if of_kind := [row for row in rows if row.kind == kind]:
                table.add_row(*_cells(what, summarise_labels(of_kind)))
        table.add_section()
        for summary in summarise_by_layer(rows):
            table.add_row(*_cells(escape(summary.layer), summary))
        console.print(table)
        console.print()


def _table(title: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for name in ("labels", "testable", "confirmed", "share", "95 % interval", "AUC", "correlation"):
        table.add_column(name, justify="right")
    return table


def _cells(what: str, summary: LabelSummary) -> list[str]:
    from filtag_kg.report import Proportion

    share = Proportion(summary.confirmed, summary.testable)
    return [
        what,
        f"{summary.labels:,}",
        f"{summary.testable:,}",
        f"{summary.confirmed:,}",
        "-" if share.value is None else f"{share.value:.1%}",
        "-" if share.low is None or share.high is None else f"{share.low:.1%} to {share.high:.1%}",
        _mean(summary.auc, summary.auc_filters, summary.auc_labels),
        _mean(summary.correlation, summary.correlation_filters, summary.correlation_labels),
    ]


def _mean(own: float | None, of_filters: float | None, of_labels: float | None) -> str:
    if own is None:
        return "-"
    others = ("-" if value is None else f"{round(value, 2) + 0.0:.2f}" for value in (of_filters, of_labels))
    return f"{round(own, 2) + 0.0:.2f} ({', '.join(others)})"
