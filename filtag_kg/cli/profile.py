"""``filtag profile``: the pass over the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar
from filtag_kg.cli.network_options import (
    Classes,
    Colours,
    CropShare,
    InputSize,
    Interpolation,
    Layers,
    Mean,
    Name,
    NetworkName,
    OutputName,
    Outputs,
    Precision,
    Preprocess,
    Resize,
    Std,
    Weights,
    loader,
)
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.network import Network
    from filtag_kg.profile import PassOptions, Profile

Images = Annotated[
    Path,
    typer.Option(
        "--images",
        metavar="DIR|FILE",
        help="Labelled images: a folder per class, a tar or zip of such folders or of webdataset samples, a list (.csv "
        "with columns path and label), a Parquet or .npz file, or several files: 'train-{00..99}.tar'.",
        show_default=False,
    ),
]
ClassNames = Annotated[
    Path | None,
    typer.Option("--class-names", metavar="FILE", help="Class ids and labels, one 'id, label' per line."),
]
BatchSize = Annotated[
    int, typer.Option(metavar="N", min=1, max=4096, help="Images per batch; results do not depend on it.")
]
Workers = Annotated[int | None, typer.Option(metavar="N", min=1, max=256, help="Threads that decode images.")]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Continue if many images are unreadable or a class has too few.")
]
Split = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Take this share of each class's images; hold out the rest for evaluate."),
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the split.")]
References = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        max=100_000,
        help="Images, drawn at random, whose activations in the last layers are kept for explain to compare with.",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Spread the shards over a Ray cluster: host:port, auto, or local. Writes no checkpoint.",
    ),
]
Restart = Annotated[bool, typer.Option("--restart", help="Start over instead of resuming an interrupted pass.")]


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass, as the command line describes it."""

    load: Callable[[], Network]
    images: Path
    names: Mapping[str, str]
    options: PassOptions
    ray: str | None
    restart: bool
    quiet: bool

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Pass:
        """Return the pass that the arguments of ``filtag profile`` or ``filtag run`` describe.

        Both commands list the same options, since typer reads them off the signature. Here they are taken by name.
        """
        from filtag_kg.profile import PassOptions

        options = {field.name: arguments[field.name] for field in fields(PassOptions) if field.name in arguments}
        return cls(
            load=loader(arguments),
            images=arguments["images"],
            names=given_names(arguments["class_names"], arguments["classes"]),
            options=PassOptions(**options),
            ray=arguments["ray"],
            restart=arguments["restart"],
            quiet=arguments["quiet"],
        )


def profile(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="P.npz", help="The profile to make.")],
    profiles: Annotated[
        list[Path] | None, typer.Argument(metavar="[P.npz ...]", help="With --merge: the profiles to merge.")
    ] = None,
    network: NetworkName = "",
    images: Images = Path(),
    merge: Annotated[
        bool, typer.Option("--merge", help="Merge profiles of disjoint images instead of running a pass.")
    ] = False,
    weights: Weights = "trained",
    name: Name = None,
    layers: Layers = "conv",
    precision: Precision = "float32",
    preprocess: Preprocess = None,
    mean: Mean = None,
    std: Std = None,
    colours: Colours = None,
    resize: Resize = None,
    crop_share: CropShare = None,
    interpolation: Interpolation = None,
    input_size: InputSize = None,
    output_name: OutputName = None,
    outputs: Outputs = None,
    classes: Classes = None,
    class_names: ClassNames = None,
    batch_size: BatchSize = 32,
    workers: Workers = None,
    split: Split = None,
    seed: Seed = 0,
    keep_going: KeepGoing = False,
    references: References = 2_000,
    part: Annotated[
        bool, typer.Option("--part", help="The images are one part, for --merge: classes may have too few.")
    ] = False,
    ray: Ray = None,
    restart: Restart = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing profile.")] = False,
    quiet: Quiet = False,
) -> None:
    """Pass images through a network and save the activations."""
    arguments = locals()
    from filtag_kg.output_paths import check_file_output, is_stream

    if check_file_output(output).exists() and not is_stream(output) and not force:
        raise FiltagError(f"{output} exists: choose another output, or replace it", options=("output", "force"))
    if merge != bool(profiles) or merge == bool(network) or merge == (images != Path()):
        raise typer.BadParameter("give --network and --images for a pass, or --merge and two profiles or more")
    if merge:
        result = _merged(profiles or [], output, keep_going=keep_going)
    else:
        result = make_profile(Pass.from_arguments(arguments), output)
    n_classes, n_filters = result.mean.shape
    note(f"{output}: {n_classes:,} classes on {n_filters:,} filters of {len(result.layer_names)} layers")


def make_profile(pass_: Pass, output: Path) -> Profile:
    """Do the pass, or the rest of one that was interrupted, and save the profile."""
    from filtag_kg.profile import save_profile

    if pass_.ray is None:
        profile = _pass_here(pass_, output)
    else:
        profile = _pass_on_ray(pass_, pass_.ray)
        save_profile(profile, output)
    for line in profile.metadata["notes"]:
        note(line)
    return profile


def _pass_here(pass_: Pass, output: Path) -> Profile:
    from filtag_kg.images import expand_braces, open_images, open_shard
    from filtag_kg.jobs import labels_of, with_names
    from filtag_kg.profile import checkpointing, collect, save_profile

    # The images of a part keep their names when all parts are opened together, for thumbnails.
    alone = pass_.options.part and len(expand_braces(str(pass_.images))) == 1
    with (
        open_shard(pass_.images, log=True) if alone else open_images(pass_.images) as images,
        checkpointing(output, restart=pass_.restart) as checkpoint,
    ):
        network = pass_.load()
        class_ids = tuple(dict.fromkeys((*images.classes, *network.class_ids)))
        labels = labels_of(class_ids, pass_.names, str(images.path), of_images=images.labels)
        with progress_bar(pass_.quiet) as progress:
            profile = collect(network, images, pass_.options, labels=labels, checkpoint=checkpoint, progress=progress)
        profile = with_names(profile, pass_.names)
        # The checkpoint is removed only once the profile is there.
        save_profile(profile, output)
    return profile


def _pass_on_ray(pass_: Pass, address: str) -> Profile:
    from filtag_kg.jobs import labels_of, with_names
    from filtag_kg.profile import collect_on_ray

    options = pass_.options
    ignored = "--part" if options.part else "--restart" if pass_.restart else "--workers" if options.workers else None
    if ignored is not None:
        raise FiltagError(f"{ignored} has no effect with --ray: leave one of them out")
    profile = collect_on_ray(pass_.load, pass_.images, address, options, quiet=pass_.quiet)
    said = zip(profile.class_ids, profile.class_labels, strict=True)
    of_images = {class_id: label for class_id, label in said if label != class_id}
    labels = labels_of(profile.class_ids, {}, str(pass_.images), of_images=of_images)
    profile = replace(profile, class_labels=tuple(labels[class_id] for class_id in profile.class_ids))
    return with_names(profile, pass_.names)


def given_names(class_names: Path | None, classes: Path | None = None) -> dict[str, str]:
    """Return the labels that a file of class names gives, or else one of a network's classes."""
    from filtag_kg.class_names import class_names as read_class_names
    from filtag_kg.class_names import classes_in_order

    labels = {} if classes is None else {id_: label for id_, label in classes_in_order(classes).items() if label}
    return labels | ({} if class_names is None else read_class_names(class_names))


def _merged(paths: list[Path], output: Path, *, keep_going: bool) -> Profile:
    from filtag_kg.profile import check_profile, load_profile, merge_profiles, save_profile

    profile = merge_profiles([load_profile(path) for path in paths])
    check_profile(profile, "the profiles", keep_going=keep_going)
    save_profile(profile, output)
    return profile
