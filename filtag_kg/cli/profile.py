"""``filtag profile``: the pass over the images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.profile import Profile

__all__ = [
    "BatchSize",
    "Classes",
    "Images",
    "KeepGoing",
    "Layers",
    "NetworkName",
    "Preprocess",
    "Workers",
    "make_profile",
    "profile",
]

NetworkName = Annotated[
    str,
    typer.Option(
        "--network",
        metavar="NET",
        help="efficientnet-lite0, a network of keras.applications, or a .keras or .h5 file.",
    ),
]
Images = Annotated[
    Path,
    typer.Option(
        "--images",
        metavar="DIR|TAR|ZIP",
        help="Labelled images: a folder per class, or an archive of such folders.",
    ),
]
Preprocess = Annotated[
    str | None,
    typer.Option(
        "--preprocess",
        metavar="HOW",
        help="For a network from a file, what it expects: none, 0..1, -1..1, or as a keras.applications module.",
    ),
]
Classes = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="For a network from a file: class ids in the order of its outputs, one a line.",
    ),
]
Layers = Annotated[str, typer.Option("--layers", metavar="WHICH", help="conv, all (with depthwise), or layer names.")]
BatchSize = Annotated[
    int, typer.Option(metavar="N", min=1, max=4096, help="Images at once; results do not depend on it.")
]
Workers = Annotated[int | None, typer.Option(metavar="N", min=1, max=256, help="Threads that decode images.")]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Go on where many images are unreadable or a class has too few.")
]


def profile(
    network: NetworkName,
    images: Images,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="P.npz", help="The profile to make.")],
    preprocess: Preprocess = None,
    classes: Classes = None,
    layers: Layers = "conv",
    batch_size: BatchSize = 32,
    workers: Workers = None,
    keep_going: KeepGoing = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the profile that is there.")] = False,
    quiet: Quiet = False,
) -> None:
    """Pass images of every class through a network and keep what each filter makes of each class."""
    from filtag_kg.profile import save_profile

    if output.exists() and not force:
        raise FiltagError(f"{output} exists: choose another -o, or replace it with --force")
    made = make_profile(
        network,
        images,
        preprocess=preprocess,
        classes=classes,
        layers=layers,
        batch_size=batch_size,
        workers=workers,
        keep_going=keep_going,
        quiet=quiet,
    )
    save_profile(made, output)
    note(
        f"{output}: {len(made.class_ids):,} classes on {made.mean.shape[1]:,} filters of {len(made.layer_names)} layers"
    )


def make_profile(
    network: str,
    images: Path,
    *,
    preprocess: str | None,
    classes: Path | None,
    layers: str,
    batch_size: int,
    workers: int | None,
    keep_going: bool,
    quiet: bool,
) -> Profile:
    """Load the network, open the images, and pass them through it."""
    from filtag_kg.concepts import preferred_labels, wordnet
    from filtag_kg.images import open_images
    from filtag_kg.network import load_network
    from filtag_kg.profile import collect

    with open_images(images) as image_set:
        labels = dict(zip(image_set.classes, preferred_labels(image_set.classes, wordnet()), strict=True))
        loaded = load_network(network, preprocess=preprocess, classes=classes, layers=layers)
        with progress_bar(quiet) as progress:
            made = collect(
                loaded,
                image_set,
                labels=labels,
                batch_size=batch_size,
                workers=workers,
                keep_going=keep_going,
                progress=progress,
            )
    for line in made.metadata["notes"]:
        note(line)
    return made
