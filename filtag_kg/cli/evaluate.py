"""``filtag evaluate``: how often the tags of the filters that an image activates name its class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.build import rules_from
from filtag_kg.cli.console import Quiet, note, progress_bar, results_console
from filtag_kg.cli.network_options import Classes, Preprocess
from filtag_kg.cli.profile import BatchSize, ClassNames, Images, Workers, given_names
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from rich.table import Table

    from filtag_kg.explain import Evaluation, EvaluationRecord, HitsRow
    from filtag_kg.profile import Profile
    from filtag_kg.tags import LayerDistribution, Rule

# The paper's Figure 4.
_N = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
_K = (1, 2, 5, 10, 25)
_Q = (0.05, 0.1, 0.25)


def evaluate(
    profile: Annotated[
        Path, typer.Argument(metavar="P.npz|KG", help="A profile that filtag profile made, or a KG with its profile.")
    ],
    images: Images,
    network: Annotated[
        str | None,
        typer.Option(
            "--network", metavar="NET", help="The network, if it is not where it was when the profile was made."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Directory to make for the CSV files and the plot."),
    ] = None,
    n: Annotated[
        list[int] | None,
        typer.Option("--n", metavar="N", help="Compute Hits@N (default: 1, 5, 10, 20, 30 … 100). May be repeated."),
    ] = None,
    k: Annotated[
        list[int] | None,
        typer.Option("--k", metavar="K", help="Use the K most active filters of a layer. May be repeated."),
    ] = None,
    q: Annotated[
        list[float] | None,
        typer.Option(
            "--q",
            metavar="Q",
            help="Use this share of a layer's filters. May be repeated. With neither --k nor --q, k is 1, 2, 5, 10, 25 "
            "and q 0.05, 0.1, 0.25.",
        ),
    ] = None,
    score: Annotated[
        str,
        typer.Option(
            "--score",
            metavar="activation|contrast|both",
            help="Rank filters by activation, as the paper does, by contrast with other classes, or report both.",
        ),
    ] = "activation",
    permutations: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=10_000,
            help="Permutations of the images' labels, for the spread of the null; 0 leaves it out.",
        ),
    ] = 20,
    resamples: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=100_000,
            help="Bootstrap resamples of the images, for the 95 % intervals of Hits@n; 0 leaves them out.",
        ),
    ] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the permutations and the resamples.")] = 0,
    preprocess: Preprocess = None,
    classes: Classes = None,
    class_names: ClassNames = None,
    batch_size: BatchSize = 32,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Compute Hits@n: how often the tags name what an image shows."""
    from filtag_kg.explain import evaluate as evaluate_images
    from filtag_kg.explain import evaluation_record, hits_rows
    from filtag_kg.images import open_images
    from filtag_kg.jobs import with_names
    from filtag_kg.output_paths import check_new_directory
    from filtag_kg.profile import recorded_network
    from filtag_kg.tags import tag_distribution, tag_filters

    rules = _rules(k, q, score)
    if output is not None:
        check_new_directory(output)
    loaded = with_names(_profile(profile), given_names(class_names, classes))
    identifier = loaded.metadata.get("identifier", "network")
    distribution = tag_distribution(tag_filters(loaded, rules, network=identifier))
    with open_images(images) as test:
        cnn = recorded_network(loaded.metadata, str(profile), network, preprocess=preprocess, classes=classes)
        with progress_bar(quiet) as progress:
            evaluation = evaluate_images(
                loaded,
                cnn,
                test,
                rules,
                n or _N,
                permutations=permutations,
                resamples=resamples,
                seed=seed,
                batch_size=batch_size,
                workers=workers,
                progress=progress,
            )
        record = evaluation_record(evaluation, cnn, test, permutations=permutations, resamples=resamples, seed=seed)
    for line in evaluation.notes:
        note(line)
    rows = list(hits_rows(evaluation))
    if output is not None:
        _write(evaluation, record, rows, distribution, output)
    _print(evaluation, rows, distribution)
    if output is not None:
        note(f"{output}: hits.csv, classes.csv, distribution.csv, evaluation.json, hits.svg, hits.pdf")


def _profile(path: Path) -> Profile:
    """Read a profile from its own file or from a KG."""
    from filtag_kg.kg import open_kg
    from filtag_kg.profile import load_profile

    if not path.is_dir():
        return load_profile(path)
    kg = open_kg(path)
    if not (kg.path / "profile.npz").exists():
        raise FiltagError(f"{path} was made without a profile, which this needs: give a profile, or a KG made from one")
    return load_profile(kg.path / "profile.npz")


def _rules(k: list[int] | None, q: list[float] | None, score: str) -> list[Rule]:
    if score not in ("activation", "contrast", "both"):
        raise FiltagError(f"no score {score!r}: choose activation, contrast or both")
    if not k and not q:
        k, q = list(_K), list(_Q)
    scores = ("activation", "contrast") if score == "both" else (score,)
    return [rule for one_score in scores for rule in rules_from(k, q, one_score)]


def _write(
    evaluation: Evaluation,
    record: EvaluationRecord,
    rows: list[HitsRow],
    distribution: Sequence[LayerDistribution],
    output: Path,
) -> None:
    from filtag_kg.explain import class_hits_csv, hits_csv, write_evaluation_record
    from filtag_kg.files import replacing_directory
    from filtag_kg.output_paths import check_new_directory
    from filtag_kg.report import hits_plot
    from filtag_kg.tags import distribution_csv

    with replacing_directory(output, check_new_directory) as room:
        (room / "hits.csv").write_text(hits_csv(evaluation), encoding="utf-8")
        (room / "classes.csv").write_text(class_hits_csv(evaluation), encoding="utf-8")
        (room / "distribution.csv").write_text(distribution_csv(distribution), encoding="utf-8")
        write_evaluation_record(record, room)
        plot = hits_plot(rows)
        if plot is not None:
            (room / "hits.svg").write_text(plot.svg(), encoding="utf-8")
            (room / "hits.pdf").write_bytes(plot.pdf())


def _print(evaluation: Evaluation, rows: list[HitsRow], distribution: Sequence[LayerDistribution]) -> None:
    console = results_console()
    images, classes = int(evaluation.hits.images.sum()), int((evaluation.hits.images > 0).sum())
    accuracy = "" if evaluation.top1 is None else f"; the network's top-1 accuracy is {evaluation.top1:.1%}"
    console.print(f"{images:,} images of {classes:,} classes{accuracy}\n")
    console.print(_hits_table(rows))
    if evaluation.top1 is not None:
        console.print()
        console.print(_correlation_table(rows))
    console.print()
    console.print(_distribution_table(distribution))


def _table(title: str) -> Table:
    from rich.table import Table

    return Table(title=title, title_justify="left", title_style="bold", box=None, header_style="bold", pad_edge=False)


def _by_line(rows: list[HitsRow]) -> dict[tuple[str, str], list[HitsRow]]:
    lines: dict[tuple[str, str], list[HitsRow]] = {}
    for row in rows:
        lines.setdefault((row.rule, row.layers), []).append(row)
    return lines


def _hits_table(rows: list[HitsRow]) -> Table:
    """Return a table for each rule and choice of layers: the hits, below them their interval and the null."""
    below = [
        *(["their 95 % bootstrap interval over images"] if any(row.hits_low is not None for row in rows) else []),
        *(["the null, the same with the images' labels permuted"] if any(row.null is not None for row in rows) else []),
    ]
    table = _table("; below it ".join(["Hits@n, %", " and ".join(below)] if below else ["Hits@n, %"]))
    lines = _by_line(rows)
    for name in ("rule", "layers", ""):
        table.add_column(name)
    for row in next(iter(lines.values())):
        table.add_column(f"n={row.n}", justify="right")
    for (rule, layers), line in lines.items():
        table.add_row(rule, layers, "hits", *(f"{100 * row.hits:.1f}" for row in line))
        if line[0].hits_low is not None:
            ends = (f"{100 * (row.hits_low or 0):.1f}–{100 * (row.hits_high or 0):.1f}" for row in line)
            table.add_row("", "", "95 %", *ends, style="dim")
        if line[0].null is not None:
            nulls = (f"{100 * row.null:.1f}" for row in line if row.null is not None)
            table.add_row("", "", "null", *nulls, style="dim")
    return table


def _correlation_table(rows: list[HitsRow]) -> Table:
    """Return a table for the first three n; hits.csv has the others."""
    table = _table("Spearman's ρ between a class's Hits@n and its accuracy, with its 95 % confidence interval")
    lines = _by_line(rows)
    table.add_column("rule")
    table.add_column("layers")
    for row in next(iter(lines.values()))[:3]:
        table.add_column(f"n={row.n}")
    for (rule, layers), line in lines.items():
        table.add_row(rule, layers, *(_correlation(row) for row in line[:3]))
    return table


def _correlation(row: HitsRow) -> str:
    if row.rho is None:
        return "-"
    interval = "" if row.rho_low is None else f" ({row.rho_low:.2f} to {row.rho_high:.2f})"
    return f"{row.rho:.2f}{interval}"


def _distribution_table(distribution: Sequence[LayerDistribution]) -> Table:
    from rich.markup import escape

    last = [row for row in distribution if row.layer_index == distribution[-1].layer_index]
    table = _table(f"Tags on the {last[0].filters:,} filters of the last layer, {escape(last[0].layer)}")
    table.add_column("rule")
    for name in ("tagged", "median", "most", "hubs", "their tags", "Gini", "at least"):
        table.add_column(name, justify="right")
    for row in last:
        shares = (f"{row.hub_share:.0%}", f"{row.gini:.2f}", f"{row.least_gini:.2f}")
        table.add_row(row.rule, f"{row.tagged:,}", f"{row.median:g}", str(row.max), str(row.hubs), *shares)
    return table
