"""The pass: every image through the network once, every filter's activation into the profile.

Keras is imported when the pass begins, not with this module.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.images import Batch, ImageRef, ImageSet, batches
from filtag_kg.network import Network, import_keras
from filtag_kg.profile.compiled import CompiledPass, compile_pass
from filtag_kg.profile.moments import Moments
from filtag_kg.profile.profile import Profile

__all__ = ["collect"]

_MOST_UNREADABLE = 0.01
_MOST_NAMED = 100


@dataclass(slots=True)
class _Seen:
    """What the pass has to tell besides the numbers."""

    unreadable: list[tuple[ImageRef, str]] = field(default_factory=list)
    constant: Counter[str] = field(default_factory=Counter)


def collect(
    network: Network,
    images: ImageSet,
    *,
    labels: Mapping[str, str] | None = None,
    batch_size: int = 32,
    workers: int | None = None,
    keep_going: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Profile:
    """Run all images through the network and take mean and variance of each filter's activation per class.

    Parameters
    ----------
    network : Network
    images : ImageSet
        Open; every image is read once.
    labels : mapping of str to str, optional
        Labels of class ids; a class that is not in it is labelled with its id.
    batch_size : int
        Images at a time; what comes out does not depend on it by more than rounding in the network.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    keep_going : bool
        Go on however many images are unreadable, keep classes with one image, whose variance is 0, and leave
        out those with none.
    progress : callable, optional
        Called after each batch with the images done and the images in all.

    Raises
    ------
    FiltagError
        If there are fewer than two classes, a class has fewer than two readable images, more than 1 % of the
        images are unreadable, or the network puts out what is not a finite number.
    """
    started = datetime.now(UTC)
    _check_classes(images, keep_going=keep_going)
    run = compile_pass(network, batch_size)
    moments = Moments(len(images.classes), network.n_filters)
    row = {class_id: index for index, class_id in enumerate(images.classes)}
    seen = _Seen()
    done = 0
    # A large archive takes minutes to hash: beside the pass they cost nothing.
    with (
        ThreadPoolExecutor(1, thread_name_prefix="sha256") as thread,
        closing(batches(images, network.input_size, batch_size, workers=workers)) as stream,
    ):
        digest = thread.submit(images.sha256)
        for batch in stream:
            seen.unreadable += batch.unreadable
            if not keep_going:
                _check_unreadable(seen.unreadable, images)
            for image, activations in zip(batch.images, _activations(run, batch, network, seen), strict=True):
                moments.add(row[image.class_id], activations)
            done += len(batch.images) + len(batch.unreadable)
            if progress is not None:
                progress(done, len(images.images))
        sha256 = digest.result()
    notes = _notes(seen)
    kept = _kept_classes(images, moments, notes, keep_going=keep_going)
    class_ids = tuple(images.classes[index] for index in kept)
    metadata = {
        **_facts(network),
        "batch_size": batch_size,
        "images": {
            "source": images.path.resolve().name,
            "sha256": sha256,
            "read": int(moments.count.sum()),
            "unreadable": len(seen.unreadable),
        },
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "notes": notes,
    }
    return Profile(
        mean=moments.mean[kept],
        variance=moments.variance()[kept],
        count=moments.count[kept],
        class_ids=class_ids,
        class_labels=tuple((labels or {}).get(class_id, class_id) for class_id in class_ids),
        layer_names=tuple(layer.name for layer in network.layers),
        layer_offsets=_offsets(network),
        metadata=metadata,
    )


def _activations(run: CompiledPass, batch: Batch, network: Network, seen: _Seen) -> NDArray[np.float32]:
    """Return float32 of shape (n_images, n_filters), in [0, 1]."""
    if not batch.images:
        return np.empty((0, network.n_filters), np.float32)
    outputs = run(batch.pixels)
    activations = outputs.activations
    finite = np.isfinite(activations)
    if not finite.all():
        image, filter_ = np.argwhere(~finite)[0]
        layer = network.layers[int(np.searchsorted(_offsets(network), filter_, side="right")) - 1]
        raise FiltagError(
            f"layer {layer.name} of {network.name} is not a finite number for {batch.images[image].name}: "
            "check the network's weights and its preprocessing"
        )
    for index in np.nonzero(outputs.constant)[1]:
        seen.constant[network.layers[index].name] += 1
    # Rounding may take a mean a hair beyond the range that it lies in.
    return np.clip(activations, 0, 1)


def _check_classes(images: ImageSet, *, keep_going: bool) -> None:
    if len(images.classes) < 2:
        raise FiltagError(
            f"{images.path} has one class only, {images.classes[0]}: what a filter prefers shows between classes, "
            "give two or more"
        )
    if not keep_going:
        sizes = Counter(image.class_id for image in images.images)
        _refuse_small([class_id for class_id in images.classes if sizes[class_id] < 2], images, "image")


def _refuse_small(class_ids: list[str], images: ImageSet, what: str) -> None:
    if class_ids:
        raise FiltagError(
            f"class {_list(class_ids)} in {images.path} has fewer than two {what}s, too few for a variance: "
            "add images, remove the class, or go on regardless with --keep-going"
        )


def _check_unreadable(unreadable: list[tuple[ImageRef, str]], images: ImageSet) -> None:
    if len(unreadable) > _MOST_UNREADABLE * len(images.images):
        image, reason = unreadable[0]
        raise FiltagError(
            f"more than 1 % of the images in {images.path} are unreadable, first {image.name} ({reason}): "
            "mend or remove them, or skip them with --keep-going"
        )


def _kept_classes(images: ImageSet, moments: Moments, notes: list[str], *, keep_going: bool) -> list[int]:
    few = [images.classes[index] for index in np.flatnonzero(moments.count < 2)]
    if not keep_going:
        _refuse_small(few, images, "readable image")
    kept = np.flatnonzero(moments.count).tolist()
    if len(kept) < 2:
        raise FiltagError(f"fewer than two classes in {images.path} have a readable image: mend the images")
    notes += [
        f"class {class_id}: " + ("one image, variance 0" if index in kept else "no readable image, left out")
        for index, class_id in enumerate(images.classes)
        if class_id in few
    ]
    return [int(index) for index in kept]


def _notes(seen: _Seen) -> list[str]:
    unreadable = sorted(seen.unreadable)
    notes = [f"unreadable: {image.name} ({reason})" for image, reason in unreadable[:_MOST_NAMED]]
    if len(unreadable) > _MOST_NAMED:
        notes.append(f"unreadable: {len(unreadable) - _MOST_NAMED} more")
    notes += [
        f"layer {name}: all outputs equal for {count} images, scaled to 0" for name, count in seen.constant.items()
    ]
    return notes


def _facts(network: Network) -> dict[str, Any]:
    return {
        "network": network.name,
        "identifier": network.identifier,
        "weights_sha256": network.weights_sha256,
        "input_size": list(network.input_size),
        "layers_option": network.layers_option,
        "layer_kinds": [layer.kind for layer in network.layers],
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    keras = import_keras()
    backend = keras.backend.backend()
    found = {"python": platform.python_version(), "backend": backend}
    for name in ("filtag-kg", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy", "pillow"):
        is_backend = name in ("tensorflow", "tensorflow-cpu", "jax", "torch")
        if is_backend and not name.startswith(backend):
            continue
        try:
            found["backend_version" if is_backend else name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            # A checkout that was not installed, or the other of TensorFlow's two distributions.
            continue
    return found


def _offsets(network: Network) -> NDArray[np.int64]:
    return np.cumsum([0, *(layer.n_filters for layer in network.layers)], dtype=np.int64)


def _list(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
