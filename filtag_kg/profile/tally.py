"""The running totals of a pass, which a checkpoint saves and restores."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.images import Batch, ImageRef, ImageSet
from filtag_kg.json_values import mismatch, whole_number
from filtag_kg.network import Computed
from filtag_kg.profile.exemplars import TopImages
from filtag_kg.profile.metadata import timestamp
from filtag_kg.profile.moments import Moments
from filtag_kg.profile.options import PassOptions
from filtag_kg.profile.references import ReferenceSample, kept_filters

_STATE = {
    "done": whole_number(),
    "started": timestamp,
    "unreadable": [(str, str, str)],
    "constant": [(whole_number(), whole_number())],
}


@dataclass(slots=True)
class Tally:
    """What a pass has seen so far.

    Parameters
    ----------
    started : str
        When, in ISO 8601.
    done : int
        Images of the reading order that were taken, readable or not.
    unreadable : list of (ImageRef, str)
        The images that could not be read, and why.
    constant : Counter of int
        For each layer's index, the images for which all its outputs are equal.
    """

    moments: Moments
    top: TopImages
    sample: ReferenceSample
    started: str
    done: int = 0
    unreadable: list[tuple[ImageRef, str]] = field(default_factory=list)
    constant: Counter[int] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        """Images that were taken and readable."""
        return self.done - len(self.unreadable)

    @classmethod
    def empty(cls, n_classes: int, layer_sizes: Sequence[int], options: PassOptions) -> Tally:
        """Return the tally of a pass that starts now."""
        return cls(
            moments=Moments.empty(n_classes, sum(layer_sizes)),
            top=TopImages(sum(layer_sizes), options.exemplars),
            sample=ReferenceSample(kept_filters(layer_sizes), options.references),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def add(self, batch: Batch, outputs: Computed | None, images: ImageSet) -> None:
        """Add the next batch of `images`, with finite outputs; None where none of its images is readable."""
        n_images = len(batch.images) + len(batch.unreadable)
        if outputs is not None:
            # Rounding may take a mean a hair beyond the range that it lies in.
            activations = np.clip(outputs.activations, 0, 1)
            unreadable = {image for image, _ in batch.unreadable}
            in_order = images.reading_order[self.done : self.done + n_images]
            positions = np.array([self.done + i for i, image in enumerate(in_order) if image not in unreadable])
            for image, activation in zip(batch.images, activations, strict=True):
                for class_id in image.class_ids:
                    self.moments.add(bisect_left(images.classes, class_id), activation)
            self.top.add(positions, activations)
            self.sample.add(positions, [image.name for image in batch.images], activations)
            self.constant.update(np.nonzero(outputs.constant)[1].tolist())
        self.unreadable += batch.unreadable
        self.done += n_images

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return everything, as JSON values and arrays."""
        reference_image, reference_activation = self.sample.by_key()
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
                "reference_image": reference_image,
                "reference_activation": reference_activation,
            },
        )

    def restored(
        self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, images: ImageSet, n_layers: int
    ) -> Tally:
        """Return the tally that :meth:`state` described, of the same network and images as this one, which is empty.

        Raises
        ------
        ValueError
            If no pass over these images and so many layers has such a state.
        """
        if (problem := mismatch(state, _STATE)) is not None:
            raise ValueError(problem)
        for name, empty in self.state()[1].items():
            array = arrays.get(name)
            # How many references there are grows with the pass.
            grows = name.startswith("reference_")
            if array is None or array.dtype != empty.dtype or (array.shape != empty.shape and not grows):
                raise ValueError(f"it has no array {name} of {empty.dtype} and shape {empty.shape}")
        moments = Moments(arrays["count"], arrays["mean"], arrays["squares"])
        image, activation = arrays["exemplar_image"], arrays["exemplar_activation"]
        # Each comparison is written so that it fails for NaN, too; means and activations are never below 0.
        if not (
            (moments.count >= 0).all()
            and ((moments.mean >= 0) & (moments.mean <= 1)).all()
            and ((moments.squares >= 0) & np.isfinite(moments.squares)).all()
            and ((image >= -1) & (image < state["done"])).all()
            and ((activation >= 0) & (activation <= 1)).all()
            and np.array_equal(moments.count, _counts(images, state))
        ):
            raise ValueError("its numbers are not those of a pass")
        constant = Counter(dict(state["constant"]))
        if state["done"] > len(images.images) or any(layer >= n_layers for layer in constant):
            raise ValueError("it is of more images or layers than there are")
        top = TopImages(0)
        top.image, top.activation = image, activation
        unreadable = [(ImageRef(class_id, name), reason) for class_id, name, reason in state["unreadable"]]
        sample = self.sample.restored(
            arrays["reference_image"],
            arrays["reference_activation"],
            [image.name for image in images.reading_order[: state["done"]]],
        )
        return Tally(moments, top, sample, state["started"], state["done"], unreadable, constant)


def _counts(images: ImageSet, state: Mapping[str, Any]) -> list[int]:
    """Return how many of the readable images that are done each class has."""
    unreadable = {name for _, name, _ in state["unreadable"]}
    done = (image for image in images.reading_order[: state["done"]] if image.name not in unreadable)
    counts = Counter(class_id for image in done for class_id in image.class_ids)
    return [counts[class_id] for class_id in images.classes]
