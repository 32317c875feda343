"""``filtag profile``: the pass over the images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.network import Network
    from filtag_kg.profile import Profile

__all__ = [
    "BatchSize",
    "Classes",
    "Images",
    "KeepGoing",
    "Layers",
    "NetworkName",
    "Pass",
    "Precision",
    "Preprocess",
    "Ray",
    "Restart",
    "Seed",
    "Split",
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
        help="Labelled images: a folder per class, an archive of such folders, or shards: 'train-{00..99}.tar'.",
        show_default=False,
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
Precision = Annotated[
    str,
    typer.Option(
        metavar="float32|float16|bfloat16",
        help="What the network computes in. The lower two are faster on GPUs, slower on processors.",
    ),
]
BatchSize = Annotated[
    int, typer.Option(metavar="N", min=1, max=4096, help="Images at once; results do not depend on it.")
]
Workers = Annotated[int | None, typer.Option(metavar="N", min=1, max=256, help="Threads that decode images.")]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Go on where many images are unreadable or a class has too few.")
]
Split = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Take this share of each class's images; hold the others out for evaluate."),
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of the split.")]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Spread the shards over a Ray cluster: host:port, auto, or local. No checkpoint is kept.",
    ),
]
Restart = Annotated[bool, typer.Option("--restart", help="Start anew where a pass was interrupted.")]


@dataclass(frozen=True, slots=True)
class Pass:
    """What the options say about a pass over images."""

    network: str
    images: Path
    preprocess: str | None
    classes: Path | None
    layers: str
    precision: str
    batch_size: int
    workers: int | None
    keep_going: bool
    split: float | None
    seed: int
    ray: str | None
    restart: bool
    quiet: bool


def profile(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="P.npz", help="The profile to make.")],
    profiles: Annotated[
        list[Path] | None, typer.Argument(metavar="[P.npz ...]", help="With --merge: the profiles to merge.")
    ] = None,
    network: NetworkName = "",
    images: Images = Path(),
    merge: Annotated[
        bool, typer.Option("--merge", help="Merge the profiles of disjoint images, instead of a pass.")
    ] = False,
    preprocess: Preprocess = None,
    classes: Classes = None,
    layers: Layers = "conv",
    precision: Precision = "float32",
    batch_size: BatchSize = 32,
    workers: Workers = None,
    split: Split = None,
    seed: Seed = 0,
    keep_going: KeepGoing = False,
    part: Annotated[
        bool, typer.Option("--part", help="The images are a part: fewer will do, the profile is for --merge.")
    ] = False,
    ray: Ray = None,
    restart: Restart = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the profile that is there.")] = False,
    quiet: Quiet = False,
) -> None:
    """Pass images of every class through a network and keep what each filter makes of each class."""
    from filtag_kg.output_paths import check_file_output, is_stream

    if check_file_output(output).exists() and not is_stream(output) and not force:
        raise FiltagError(f"{output} exists: choose another -o, or replace it with --force")
    if merge != bool(profiles) or merge == bool(network) or merge == (images != Path()):
        raise typer.BadParameter("give --network and --images for a pass, or --merge and two profiles or more")
    if merge:
        made = _merged(profiles or [], output, keep_going=keep_going)
    else:
        made = make_profile(
            Pass(
                network=network,
                images=images,
                preprocess=preprocess,
                classes=classes,
                layers=layers,
                precision=precision,
                batch_size=batch_size,
                workers=workers,
                keep_going=keep_going,
                split=split,
                seed=seed,
                ray=ray,
                restart=restart,
                quiet=quiet,
            ),
            output,
            part=part,
        )
    note(
        f"{output}: {len(made.class_ids):,} classes on {made.mean.shape[1]:,} filters of {len(made.layer_names)} layers"
    )


def make_profile(options: Pass, output: Path, *, part: bool = False) -> Profile:
    """Load the network, pass the images through it, and save the profile.

    A pass that was interrupted is gone on with.
    """
    from filtag_kg.profile import save_profile

    if options.ray is not None:
        given = "--part" if part else "--restart" if options.restart else "--workers" if options.workers else None
        if given is not None:
            raise FiltagError(f"{given} has no effect with --ray: leave one of them out")
        made = _pass_on_ray(options)
        save_profile(made, output)
    else:
        made = _pass_here(options, output, part=part)
    for line in made.metadata["notes"]:
        note(line)
    return made


def _pass_here(options: Pass, output: Path, *, part: bool) -> Profile:
    from filtag_kg.images import open_images
    from filtag_kg.profile import checkpointing, collect, save_profile

    with open_images(options.images) as images, checkpointing(output, restart=options.restart) as checkpoint:
        network = _loaded(options)
        class_ids = tuple(dict.fromkeys((*images.classes, *network.class_ids)))
        with progress_bar(options.quiet) as progress:
            made = collect(
                network,
                images,
                labels=_labels(class_ids),
                batch_size=options.batch_size,
                workers=options.workers,
                keep_going=options.keep_going,
                split=options.split,
                seed=options.seed,
                checkpoint=checkpoint,
                shard=part,
                progress=progress,
            )
        # The checkpoint goes when the profile is there.
        save_profile(made, output)
    return made


def _pass_on_ray(options: Pass) -> Profile:
    from filtag_kg.profile import collect_on_ray

    assert options.ray is not None
    made = collect_on_ray(
        partial(_loaded, options),
        options.images,
        options.ray,
        batch_size=options.batch_size,
        split=options.split,
        seed=options.seed,
        keep_going=options.keep_going,
        quiet=options.quiet,
    )
    labels = _labels(made.class_ids)
    return replace(made, class_labels=tuple(labels[class_id] for class_id in made.class_ids))


def _loaded(options: Pass) -> Network:
    from filtag_kg.network import load_network

    return load_network(
        options.network,
        preprocess=options.preprocess,
        classes=options.classes,
        layers=options.layers,
        precision=options.precision,
    )


def _labels(class_ids: tuple[str, ...]) -> dict[str, str]:
    from filtag_kg.concepts import preferred_labels, wordnet

    return dict(zip(class_ids, preferred_labels(class_ids, wordnet()), strict=True))


def _merged(paths: list[Path], output: Path, *, keep_going: bool) -> Profile:
    from filtag_kg.profile import check_profile, load_profile, merge_profiles, save_profile

    made = merge_profiles([load_profile(path) for path in paths])
    check_profile(made, "the profiles", keep_going=keep_going)
    save_profile(made, output)
    return made
