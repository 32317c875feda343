"""The pass: every image through the network once, every filter's activation into the profile.

Keras is imported when the pass begins, not with this module.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.images import Batch, ImageRef, ImageSet, batches, readable_name, split_images
from filtag_kg.network import Computed, Network
from filtag_kg.profile.checkpoint import Checkpoint
from filtag_kg.profile.image_checks import check_images, check_profile, check_unreadable
from filtag_kg.profile.metadata import MOST_NAMED, network_file, network_metadata, notes_from
from filtag_kg.profile.options import DEFAULT_OPTIONS, PassOptions
from filtag_kg.profile.profile import Profile
from filtag_kg.profile.tally import Tally


def collect(
    network: Network,
    images: ImageSet,
    options: PassOptions = DEFAULT_OPTIONS,
    *,
    labels: Mapping[str, str] | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Profile:
    """Run all images through the network; take mean and variance of each filter's activation per class.

    Parameters
    ----------
    images : ImageSet
        Open; every image is read once. Labels that are numbers count the network's classes, unless `labels` names them.
    labels : mapping of str to str, optional
        Labels of class ids, the images' and the network's; a class without one is labelled as the images say, or else
        with its id.
    checkpoint : Checkpoint, optional
        Where to resume, and where to save progress while the pass runs.
    progress : callable, optional
        Called after each batch with the number of images done and of all images.

    Returns
    -------
    Profile
        The same, to the last bit, whether the pass was interrupted or not.

    Raises
    ------
    FiltagError
        If there are fewer than two classes, the network was told its classes and lacks one of the images', a class
        has fewer than two readable images, more than 1 % of the images are unreadable, or the network has outputs that
        are not finite.
    """
    named = [class_id for class_id, label in (labels or {}).items() if label != class_id]
    images = images.counting(network.class_ids, known=named)
    metadata = {**network_metadata(network), "batch_size": options.batch_size, "references": options.references}
    held_out: tuple[ImageRef, ...] = ()
    if options.split is not None:
        chosen, held_out = split_images(images.images, options.split, options.seed)
        images = images.only(chosen)
        metadata |= {"split": options.split, "seed": options.seed}
    labels = {**images.labels, **(labels or {})}
    check_images(network, images, labels, options)
    inputs = {**metadata, "images": images.listing_sha256(), "exemplars": options.exemplars}
    with ThreadPoolExecutor(1, thread_name_prefix="sha256") as thread:
        # A large archive takes minutes to hash: beside the pass they cost nothing.
        digest = thread.submit(images.sha256)
        tally = _pass(network, images, inputs, options, checkpoint, progress or (lambda _done, _total: None))
        sha256 = digest.result()
    profile = _profile(network, images, tally, metadata, sha256, labels, held_out)
    if not options.part:
        check_profile(profile, str(images.path), keep_going=options.keep_going)
    return profile


def _pass(
    network: Network,
    images: ImageSet,
    inputs: Mapping[str, Any],
    options: PassOptions,
    checkpoint: Checkpoint | None,
    progress: Callable[[int, int], None],
) -> Tally:
    """Do the pass, or the rest of one that was interrupted."""
    n_images = len(images.images)
    tally = Tally.empty(len(images.classes), [layer.n_filters for layer in network.layers], options)
    if checkpoint is not None:
        restore = partial(tally.restored, images=images, n_layers=len(network.layers))
        tally = checkpoint.load(inputs, restore) or tally
        if tally.done:
            progress(tally.done, n_images)
    for batch, outputs in _outputs(network, images, tally.done, options):
        if outputs is not None:
            _check_finite(outputs.activations, batch, network)
        tally.add(batch, outputs, images)
        if not (options.keep_going or options.part):
            check_unreadable(tally.unreadable, images)
        if checkpoint is not None and (checkpoint.due() or tally.done == n_images):
            checkpoint.save(inputs, *tally.state())
        progress(tally.done, n_images)
    return tally


def _outputs(
    network: Network, images: ImageSet, done: int, options: PassOptions
) -> Generator[tuple[Batch, Computed | None], None, None]:
    """Yield each batch with the network's outputs for it, while the next one is in the network already."""
    run = network.compile(options.batch_size)
    rest = images.reading_order[done:]
    stream = batches(images, network.preparation, options.batch_size, workers=options.workers, only=rest)
    with ThreadPoolExecutor(1, thread_name_prefix="network") as thread, closing(stream):
        previous: tuple[Batch, Future[Computed] | None] | None = None
        for batch in stream:
            running = thread.submit(run, batch.pixels) if batch.images else None
            if previous is not None:
                yield previous[0], previous[1].result() if previous[1] else None
            previous = batch, running
        if previous is not None:
            yield previous[0], previous[1].result() if previous[1] else None


def _check_finite(activations: NDArray[np.float32], batch: Batch, network: Network) -> None:
    finite = np.isfinite(activations)
    if finite.all():
        return
    image, filter_ = np.argwhere(~finite)[0]
    layer = network.layers[int(np.searchsorted(_offsets(network), filter_, side="right")) - 1]
    lower = f", or compute in float32 instead of {network.precision}" if network.precision != "float32" else ""
    raise FiltagError(
        f"layer {layer.name} of {network.name} has outputs that are not finite for {batch.images[image].name}: "
        f"check the network's weights and its preprocessing{lower}"
    )


def _profile(
    network: Network,
    images: ImageSet,
    tally: Tally,
    metadata: Mapping[str, Any],
    sha256: str,
    labels: Mapping[str, str],
    held_out: tuple[ImageRef, ...],
) -> Profile:
    moments = tally.moments
    rows = np.flatnonzero(moments.count)
    class_ids = tuple(images.classes[row] for row in rows)
    unreadable = sorted(tally.unreadable)[:MOST_NAMED]
    metadata = {
        **metadata,
        **network_file(network),
        "images": {
            "source": readable_name(images.path.resolve().name),
            "sha256": sha256,
            "read": tally.read,
            "unreadable": len(tally.unreadable),
            **({} if images.folders is None else {"folders": dict(images.folders)}),
        },
        "unreadable": [[image.name, reason] for image, reason in unreadable],
        "constant": {network.layers[index].name: n_images for index, n_images in sorted(tally.constant.items())},
        "few": {
            class_id: n_images
            for class_id, n_images in zip(images.classes, moments.count.tolist(), strict=True)
            if n_images < 2
        },
        "started": tally.started,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Profile(
        mean=moments.mean[rows],
        variance=moments.variance()[rows],
        count=moments.count[rows],
        class_ids=class_ids,
        class_labels=tuple(labels.get(class_id, class_id) for class_id in class_ids),
        layer_names=tuple(layer.name for layer in network.layers),
        layer_offsets=_offsets(network),
        metadata=metadata | {"notes": notes_from(metadata)},
        held_out=tuple(sorted(image.name for image in held_out)),
        exemplars=tally.top.named([image.name for image in images.reading_order]) if len(tally.top.image) else None,
        references=tally.sample.named(images.reading_order, class_ids) if tally.sample.most else None,
    )


def _offsets(network: Network) -> NDArray[np.int64]:
    return np.cumsum([0, *(layer.n_filters for layer in network.layers)], dtype=np.int64)
