"""The pass: every image through the network once, every filter's activation into the profile.

Keras is imported when the pass begins, not with this module.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.images import Batch, ImageRef, ImageSet, batches, readable_name, split_images, with_similar_names
from filtag_kg.json_values import mismatch, whole_number
from filtag_kg.network import Network
from filtag_kg.profile.checkpoint import Checkpoint
from filtag_kg.profile.compiled_pass import CompiledPass, Outputs, compile_pass
from filtag_kg.profile.exemplars import EXEMPLARS, TopImages
from filtag_kg.profile.metadata import MOST_NAMED, network_file, network_metadata, notes_from, timestamp
from filtag_kg.profile.moments import Moments
from filtag_kg.profile.profile import Profile

__all__ = ["check_profile", "collect"]

_LOGGER = logging.getLogger(__name__)
_MOST_UNREADABLE = 0.01


@dataclass(slots=True)
class _Tally:
    """What the pass has found so far.

    Parameters
    ----------
    done : int
        Images of the reading order that were taken, readable or not.
    constant : Counter of int
        For each layer's place the images for which all its outputs are equal.
    """

    moments: Moments
    top: TopImages
    started: str
    done: int = 0
    unreadable: list[tuple[ImageRef, str]] = field(default_factory=list)
    constant: Counter[int] = field(default_factory=Counter)

    @classmethod
    def empty(cls, n_classes: int, n_filters: int, exemplars: int) -> _Tally:
        moments = Moments.empty(n_classes, n_filters)
        return cls(moments, TopImages(n_filters, exemplars), datetime.now(UTC).isoformat(timespec="seconds"))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return everything, as JSON values and arrays."""
        return (
            {
                "done": self.done,
                "started": self.started,
                "unreadable": [[image.class_id, image.name, reason] for image, reason in self.unreadable],
                "constant": list(self.constant.items()),
            },
            {
                "count": self.moments.count,
                "mean": self.moments.mean,
                "squares": self.moments.squares,
                "exemplar_image": self.top.image,
                "exemplar_activation": self.top.activation,
            },
        )

    def restored(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> _Tally:
        """Return what :meth:`state` described, of the same network and images as this, which is empty.

        Raises
        ------
        ValueError
            If it cannot have been that.
        """
        if (problem := mismatch(state, _STATE)) is not None:
            raise ValueError(problem)
        for name, empty in self.state()[1].items():
            array = arrays.get(name)
            if array is None or array.shape != empty.shape or array.dtype != empty.dtype:
                raise ValueError(f"it has no array {name} of {empty.dtype} and shape {empty.shape}")
        moments = Moments(arrays["count"], arrays["mean"], arrays["squares"])
        image, activation = arrays["exemplar_image"], arrays["exemplar_activation"]
        # All written so that NaN fails, too; means and activations are 0 at the least.
        if not (
            (moments.count >= 0).all()
            and ((moments.mean >= 0) & (moments.mean <= 1)).all()
            and ((moments.squares >= 0) & np.isfinite(moments.squares)).all()
            and ((image >= -1) & (image < state["done"])).all()
            and ((activation >= 0) & (activation <= 1)).all()
            and moments.count.sum() + len(state["unreadable"]) == state["done"]
        ):
            raise ValueError("its numbers are not those of a pass")
        top = TopImages(0)
        top.image, top.activation = image, activation
        unreadable = [(ImageRef(class_id, name), reason) for class_id, name, reason in state["unreadable"]]
        return _Tally(moments, top, state["started"], state["done"], unreadable, Counter(dict(state["constant"])))


_STATE = {
    "done": whole_number(),
    "started": timestamp,
    "unreadable": [(str, str, str)],
    "constant": [(whole_number(), whole_number())],
}


def collect(
    network: Network,
    images: ImageSet,
    *,
    labels: Mapping[str, str] | None = None,
    batch_size: int = 32,
    workers: int | None = None,
    keep_going: bool = False,
    split: float | None = None,
    seed: int = 0,
    exemplars: int = EXEMPLARS,
    checkpoint: Checkpoint | None = None,
    shard: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Profile:
    """Run all images through the network and take mean and variance of each filter's activation per class.

    Parameters
    ----------
    network : Network
    images : ImageSet
        Open; every image is read once.
    labels : mapping of str to str, optional
        Labels of class ids, the images' and the network's; a class that is not in it is labelled with its id.
    batch_size : int
        Images at a time; what comes out does not depend on it by more than rounding in the network.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    keep_going : bool
        Go on however many images are unreadable, keep classes with one image, whose variance is 0, and leave
        out those with none.
    split : float, in (0, 1), optional
        Share of each class's images to take; the others are held out, and named in the profile.
    seed : int
        Of the split.
    exemplars : int
        Images to keep for each filter, those that activate it most.
    checkpoint : Checkpoint, optional
        Where to go on from, and what to write while the pass runs.
    shard : bool
        Whether the images are a part of those that the profile is for: what is too little for a whole is then
        enough, and :func:`check_profile` is for when the parts are merged.
    progress : callable, optional
        Called after each batch with the images done and the images in all.

    Returns
    -------
    Profile
        The same, to the last bit, whether the pass was interrupted or not.

    Raises
    ------
    FiltagError
        If there are fewer than two classes, the network was told its classes and lacks one of the images', a class
        has fewer than two readable images, more than 1 % of the images are unreadable, or the network puts out what is
        not a finite number.
    """
    facts = {**network_metadata(network), "batch_size": batch_size}
    _check_text(images)
    held_out: tuple[ImageRef, ...] = ()
    if split is not None:
        kept, held_out = split_images(images.images, split, seed)
        images = images.only(kept)
        facts |= {"split": split, "seed": seed}
    _check_folders(network, images, labels or {}, keep_going=keep_going, shard=shard)
    if not shard:
        _check_classes(images, keep_going=keep_going)
    inputs = {**facts, "images": images.listing_sha256(), "exemplars": exemplars}
    strict = not (keep_going or shard)
    tally, sha256 = _pass(network, images, inputs, workers=workers, strict=strict, left=checkpoint, progress=progress)
    profile = _profile(network, images, tally, facts, sha256, labels or {}, held_out)
    if not shard:
        check_profile(profile, str(images.path), keep_going=keep_going)
    return profile


def check_profile(profile: Profile, where: str, *, keep_going: bool = False) -> None:
    """Make sure that a profile has seen enough images to be used.

    Parameters
    ----------
    profile : Profile
    where : str
        What its images lie in, for messages.
    keep_going : bool
        Let pass whatever can be worked with.

    Raises
    ------
    FiltagError
        If fewer than two classes are left; without `keep_going`, if one of them has fewer than two readable
        images, or more than 1 % of all images are unreadable.
    """
    if not keep_going:
        facts = profile.metadata["images"]
        if facts["unreadable"] > _MOST_UNREADABLE * (facts["unreadable"] + facts["read"]):
            raise _too_many_unreadable(where, *profile.metadata["unreadable"][0])
        few = [class_id for class_id, count in profile.metadata["few"].items() if count < 2]
        _refuse_small(few, where, "readable image")
    if len(profile.class_ids) < 2:
        raise FiltagError(f"fewer than two classes in {where} have a readable image: mend the images")


def _pass(
    network: Network,
    images: ImageSet,
    inputs: Mapping[str, Any],
    *,
    workers: int | None,
    strict: bool,
    left: Checkpoint | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[_Tally, str]:
    """Go on from where a pass was left; return what it found, and the hash of the images."""
    with ThreadPoolExecutor(1, thread_name_prefix="sha256") as thread:
        # A large archive takes minutes to hash: beside the pass they cost nothing.
        digest = thread.submit(images.sha256)
        empty = _Tally.empty(len(images.classes), network.n_filters, inputs["exemplars"])
        left_tally = left.load(inputs, partial(_restored, empty, network, images)) if left is not None else None
        tally = left_tally or empty
        if progress is not None and left_tally:
            progress(tally.done, len(images.images))
        for batch, outputs in _outputs(network, images, tally.done, inputs["batch_size"], workers):
            _add(tally, batch, outputs, network, images)
            if strict:
                _check_unreadable(tally.unreadable, images)
            if left is not None and (left.due() or tally.done == len(images.images)):
                left.save(inputs, *tally.state())
            if progress is not None:
                progress(tally.done, len(images.images))
        return tally, digest.result()


def _restored(
    empty: _Tally, network: Network, images: ImageSet, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> _Tally:
    tally = empty.restored(state, arrays)
    if tally.done > len(images.images) or any(layer >= len(network.layers) for layer in tally.constant):
        raise ValueError("it is of more images or layers than there are")
    return tally


def _outputs(
    network: Network, images: ImageSet, done: int, batch_size: int, workers: int | None
) -> Generator[tuple[Batch, Outputs | None], None, None]:
    """Yield each batch with what the network makes of it, while the next one is in the network already."""
    run: CompiledPass = compile_pass(network, batch_size)
    stream = batches(images, network.input_size, batch_size, workers=workers, only=images.reading_order[done:])
    with ThreadPoolExecutor(1, thread_name_prefix="network") as thread, closing(stream):
        before: tuple[Batch, Future[Outputs] | None] | None = None
        for batch in stream:
            running = thread.submit(run, batch.pixels) if batch.images else None
            if before is not None:
                yield before[0], before[1].result() if before[1] else None
            before = batch, running
        if before is not None:
            yield before[0], before[1].result() if before[1] else None


def _add(tally: _Tally, batch: Batch, outputs: Outputs | None, network: Network, images: ImageSet) -> None:
    """Add a batch; `outputs` is None where none of its images is readable."""
    tally.unreadable += batch.unreadable
    if outputs is not None:
        activations = _finite(outputs.activations, batch, network)
        unread = {image for image, _ in batch.unreadable}
        taken = images.reading_order[tally.done : tally.done + len(batch.images) + len(unread)]
        places = np.array([tally.done + place for place, image in enumerate(taken) if image not in unread])
        rows = np.searchsorted(images.classes, [image.class_id for image in batch.images])
        for row, activation in zip(rows, activations, strict=True):
            tally.moments.add(int(row), activation)
        tally.top.add(places, activations)
        tally.constant.update(np.nonzero(outputs.constant)[1].tolist())
    tally.done += len(batch.images) + len(batch.unreadable)


def _finite(activations: NDArray[np.float32], batch: Batch, network: Network) -> NDArray[np.float32]:
    finite = np.isfinite(activations)
    if not finite.all():
        image, filter_ = np.argwhere(~finite)[0]
        layer = network.layers[int(np.searchsorted(_offsets(network), filter_, side="right")) - 1]
        raise FiltagError(
            f"layer {layer.name} of {network.name} is not a finite number for {batch.images[image].name}: "
            "check the network's weights and its preprocessing"
            + (f", or compute in float32 instead of {network.precision}" * (network.precision != "float32"))
        )
    # Rounding may take a mean a hair beyond the range that it lies in.
    return np.clip(activations, 0, 1)


def _profile(
    network: Network,
    images: ImageSet,
    tally: _Tally,
    facts: Mapping[str, Any],
    sha256: str,
    labels: Mapping[str, str],
    held_out: tuple[ImageRef, ...],
) -> Profile:
    moments = tally.moments
    kept = np.flatnonzero(moments.count)
    class_ids = tuple(images.classes[index] for index in kept)
    count = dict(zip(images.classes, moments.count.tolist(), strict=True))
    named = sorted(tally.unreadable)[:MOST_NAMED]
    metadata = {
        **facts,
        **network_file(network),
        "images": {
            "source": readable_name(images.path.resolve().name),
            "sha256": sha256,
            "read": int(moments.count.sum()),
            "unreadable": len(tally.unreadable),
        },
        "unreadable": [[image.name, reason] for image, reason in named],
        "constant": {network.layers[index].name: images for index, images in sorted(tally.constant.items())},
        "few": {class_id: images for class_id, images in count.items() if images < 2},
        "started": tally.started,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Profile(
        mean=moments.mean[kept],
        variance=moments.variance()[kept],
        count=moments.count[kept],
        class_ids=class_ids,
        class_labels=tuple(labels.get(class_id, class_id) for class_id in class_ids),
        layer_names=tuple(layer.name for layer in network.layers),
        layer_offsets=_offsets(network),
        metadata=metadata | {"notes": notes_from(metadata)},
        held_out=tuple(sorted(image.name for image in held_out)),
        exemplars=tally.top.named([image.name for image in images.reading_order]) if len(tally.top.image) else None,
    )


def _check_text(images: ImageSet) -> None:
    for class_id in images.classes:
        try:
            class_id.encode()
        except UnicodeEncodeError:
            shown = class_id.encode("utf-8", "backslashreplace").decode()
            raise FiltagError(f"class {shown} in {images.path} is not named in UTF-8: rename its folder") from None


def _check_folders(
    network: Network, images: ImageSet, labels: Mapping[str, str], *, keep_going: bool, shard: bool
) -> None:
    """Refuse images of what the network has no class for, where it was told its classes: they are misspelt, mostly.

    A network that goes by its name may be shown whatever its user likes: it has ImageNet's classes whether they are
    meant or not.
    """
    if network.file is None or not network.class_ids:
        return
    unknown = sorted(set(images.classes) - set(network.class_ids))
    without = sorted(set(network.class_ids) - set(images.classes))
    if without and not unknown and not shard:
        _LOGGER.warning("no image of %s, which %s has outputs for", _list(without), network.name)
    if unknown and not keep_going:
        named = with_similar_names(unknown, network.class_ids, labels)
        raise FiltagError(
            f"{network.name} has no class {named}, the name of a folder in {images.path}: name folders and --classes "
            "alike, or go on regardless with --keep-going"
        )


def _check_classes(images: ImageSet, *, keep_going: bool) -> None:
    if len(images.classes) < 2:
        raise FiltagError(
            f"{images.path} has one class only, {images.classes[0]}: what a filter prefers shows between classes, "
            "give two or more"
        )
    if not keep_going:
        sizes = Counter(image.class_id for image in images.images)
        _refuse_small([class_id for class_id in images.classes if sizes[class_id] < 2], str(images.path), "image")


def _refuse_small(class_ids: list[str], where: str, what: str) -> None:
    if class_ids:
        raise FiltagError(
            f"class {_list(class_ids)} in {where} has fewer than two {what}s, too few for a variance: "
            "add images, remove the class, or go on regardless with --keep-going"
        )


def _check_unreadable(unreadable: list[tuple[ImageRef, str]], images: ImageSet) -> None:
    if len(unreadable) > _MOST_UNREADABLE * len(images.images):
        image, reason = unreadable[0]
        raise _too_many_unreadable(str(images.path), image.name, reason)


def _too_many_unreadable(where: str, name: str, reason: str) -> FiltagError:
    return FiltagError(
        f"more than 1 % of the images in {where} are unreadable, first {name} ({reason}): "
        "mend or remove them, or skip them with --keep-going"
    )


def _offsets(network: Network) -> NDArray[np.int64]:
    return np.cumsum([0, *(layer.n_filters for layer in network.layers)], dtype=np.int64)


def _list(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
