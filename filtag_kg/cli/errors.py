"""``filtag errors``: a network's misclassifications through the filters that the images activate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar, results_console
from filtag_kg.cli.explain import KGNetwork, TagRule, network_of
from filtag_kg.cli.network_options import Classes, Preprocess
from filtag_kg.cli.profile import BatchSize, ClassNames, Images, Workers, given_names

if TYPE_CHECKING:
    from filtag_kg.explain import MisclassificationAnalysis

_MOST_ROWS = 15


def errors(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    images: Images,
    network: KGNetwork = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Make this directory with errors.csv, confusions.csv and errors.html."
        ),
    ] = None,
    preprocess: Preprocess = None,
    classes: Classes = None,
    class_names: ClassNames = None,
    rule: TagRule = None,
    kg_classes: Annotated[bool, typer.Option("--kg-classes", help="Predict only classes of the KG.")] = False,
    batch_size: BatchSize = 32,
    workers: Workers = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Skip folders that are no class of the network; continue if many are unreadable.",
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Explain misclassifications: what was taken for what, and why.

    For example: filtag errors my-kg --images test.tar -o errors
    """
    from filtag_kg.explain import find_misclassifications
    from filtag_kg.images import open_images
    from filtag_kg.kg import open_kg
    from filtag_kg.output_paths import check_new_directory
    from filtag_kg.report import misclassified_thumbnails, write_misclassifications

    if output is not None:
        check_new_directory(output)
    opened = open_kg(kg)
    names = given_names(class_names, classes)
    with open_images(images) as image_set:
        loaded = network_of(opened, network, preprocess=preprocess, classes=classes)
        with progress_bar(quiet) as progress:
            analysis = find_misclassifications(
                opened,
                loaded,
                image_set,
                rule=rule,
                kg_classes=kg_classes,
                class_names=names,
                batch_size=batch_size,
                workers=workers,
                keep_going=keep_going,
                progress=progress,
            )
        thumbnails = misclassified_thumbnails(analysis, image_set) if output is not None else {}
    for line in analysis.notes:
        note(line)
    if output is None:
        _print_summary(analysis)
        return
    write_misclassifications(analysis, output, thumbnails)
    note(
        f"{output}: {len(analysis.misclassified):,} of {analysis.n_images:,} images are misclassified (accuracy "
        f"{analysis.accuracy:.1%}): errors.csv, confusions.csv and errors.html"
    )


def _print_summary(analysis: MisclassificationAnalysis) -> None:
    from rich.markup import escape
    from rich.table import Table

    from filtag_kg.explain import confusions

    console = results_console()
    console.print(
        f"accuracy [bold]{analysis.accuracy:.1%}[/bold]: {len(analysis.misclassified):,} of {analysis.n_images:,} "
        f"images are misclassified (rule {analysis.rule})."
    )
    if not analysis.misclassified:
        return
    rows = confusions(analysis.misclassified)
    same = sum(row.mistakes for row in rows if row.same)
    near = sum(row.agree for row in analysis.misclassified)
    console.print(
        f"{same / len(analysis.misclassified):.0%} of the misclassified images stay within one kind of thing, "
        f"{near / len(analysis.misclassified):.0%} are near by meaning."
    )
    judged = [row.log_ratio for row in analysis.misclassified if row.log_ratio is not None]
    if judged:
        console.print(
            f"For {sum(ratio > 0 for ratio in judged) / len(judged):.0%} of them, the filters, too, speak for the "
            "predicted class rather than the true one."
        )
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("kind of thing")
    table.add_column("taken for")
    table.add_column("misclassified", justify="right")
    table.add_column("share of its kind", justify="right")
    for row in rows[:_MOST_ROWS]:
        table.add_row(
            escape(row.true_label), escape(row.predicted_label), f"{row.mistakes:,}", f"{row.share_of_true:.0%}"
        )
    if len(rows) > _MOST_ROWS:
        table.caption = f"{_MOST_ROWS} of {len(rows):,} pairs; -o DIR writes all"
        table.caption_justify = "left"
    console.print(table)
