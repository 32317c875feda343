"""``filtag visualize``: what filters look for, as pictures beside their tags."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar
from filtag_kg.cli.explain import KGNetwork, network_of
from filtag_kg.cli.network_options import Classes, Preprocess
from filtag_kg.errors import FiltagError


def visualize(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    layer: Annotated[str, typer.Option(metavar="L", help="The layer.")],
    filters: Annotated[
        list[str],
        typer.Option("--filter", metavar="I", help="A filter, a range such as 0-15, or all. May be repeated."),
    ],
    network: KGNetwork = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="METHOD",
            help="activation-maximisation or feature-visualisation (default: both). May be repeated.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="Optimisation steps per picture.")] = 192,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the noise that pictures start from.")] = 0,
    batch_size: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Filters per batch; more are faster on GPUs.")
    ] = 1,
    preprocess: Preprocess = None,
    classes: Classes = None,
    quiet: Quiet = False,
) -> None:
    """Draw what filters look for, and keep the pictures in the KG.

    For example: filtag visualize my-kg --layer block5_conv3 --filter 437 --filter 0-7
    """
    from filtag_kg.explain import add_visualizations, find_layer, visualize
    from filtag_kg.kg import VISUALIZATION_METHODS, describe_visualizations, open_kg

    unknown = next((method for method in methods or () if method not in VISUALIZATION_METHODS), None)
    if unknown is not None:
        raise FiltagError(f"no method {unknown!r}: choose one of {', '.join(VISUALIZATION_METHODS)}")
    opened = open_kg(kg)
    loaded = network_of(opened, network, preprocess=preprocess, classes=classes)
    chosen = _filters(filters, find_layer(loaded, layer).n_filters)
    start = time.perf_counter()
    with progress_bar(quiet, "steps") as progress:
        pictures = visualize(
            loaded,
            layer,
            chosen,
            methods=[method for method in VISUALIZATION_METHODS if method in (methods or VISUALIZATION_METHODS)],
            steps=steps,
            seed=seed,
            batch_size=batch_size,
            progress=progress,
        )
        n_pictures = 0
        for picture in add_visualizations(opened, loaded, pictures):
            seconds, start = time.perf_counter() - start, time.perf_counter()
            note(f"{kg / picture.file}: mean of the feature map {picture.activation:.3g}, {seconds:.1f} s")
            n_pictures += 1
    describe_visualizations(opened)
    note(
        f"{n_pictures:,} pictures of {layer} are in {kg / 'visualizations'}; filtag report {shlex.quote(str(kg))} "
        "-o DIR shows them"
    )


def _filters(texts: list[str], n_filters: int) -> list[int]:
    """Return the filters that the options name, without duplicates, in order."""
    chosen: set[int] = set()
    for text in texts:
        if text == "all":
            chosen |= set(range(n_filters))
            continue
        first, dash, last = text.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise FiltagError(f"--filter {text!r} is not a filter: give an index, a range such as 0-15, or all")
        low, high = int(first), int(last) if dash else int(first)
        if low > high or high >= n_filters:
            raise FiltagError(f"--filter {text!r} is not in the layer: it has filters 0 to {n_filters - 1}")
        chosen |= set(range(low, high + 1))
    return sorted(chosen)
