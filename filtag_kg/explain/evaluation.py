"""Evaluate tags on test images: Hits@n by every rule, and whether classes with more hits are classified better."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import other_network
from filtag_kg.explain.bootstrap import RESAMPLES, bootstrap_intervals
from filtag_kg.explain.hits import Hits, hits_at_n
from filtag_kg.explain.unseen_images import unseen_images
from filtag_kg.images import ImageRef, ImageSet, with_similar_names
from filtag_kg.network import Network
from filtag_kg.profile import Profile, observations
from filtag_kg.tags import Rule

_MOST_NAMED = 100
_NORMAL_975 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well a profile's tags and the network itself name the classes of test images.

    Parameters
    ----------
    class_ids, class_labels : tuple of str, of length n_classes
        The profile's.
    accuracy : float64 array of shape (n_classes,), in [0, 1]
        The share of a class's images that the network's best output gets right: it is one of the image's labels, among
        which the class is. NaN for a class without images or without an output.
    notes : tuple of str
        What a reader must know: unreadable images, classes without an output, images that made the tags.
    intervals : float64 array of shape (2, n_rules, n_scopes, n_n), in [0, 1], optional
        The ends of the 95 % bootstrap interval of each Hits@n over images; None without resamples.
    """

    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    hits: Hits
    accuracy: NDArray[np.float64]
    notes: tuple[str, ...]
    intervals: NDArray[np.float64] | None = None

    @property
    def top1(self) -> float | None:
        """Accuracy over all images of the classes that have an output; None if there are none.

        An image with several labels counts for each of them.
        """
        known = ~np.isnan(self.accuracy)
        images = self.hits.images[known]
        return float(self.accuracy[known] @ images / images.sum()) if known.any() else None


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's ρ with its 95 % confidence interval.

    Parameters
    ----------
    rho : float or None
        None if one of the two does not vary, or for fewer than two pairs.
    low, high : float or None
        None without ρ, for at most three pairs, and for ρ = ±1, whose transform is infinite.
    n_classes : int
        Pairs of values.
    """

    rho: float | None
    low: float | None
    high: float | None
    n_classes: int


def evaluate(
    profile: Profile,
    network: Network,
    images: ImageSet,
    rules: Sequence[Rule],
    n: Sequence[int],
    *,
    permutations: int = 20,
    resamples: int = RESAMPLES,
    seed: int = 0,
    batch_size: int = 32,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Pass test images through the network once, and compare their classes with the tags of their filters.

    Of the images that made the profile, only those that it held out are used. An image with several labels is passed
    once and counts for each of its classes.

    Parameters
    ----------
    profile : Profile
        The filters are tagged by it.
    network : Network
        the one that the profile was made from.
    images : ImageSet
        Open.
    rules, n, permutations
        As for :func:`hits_at_n`.
    resamples : int
        Of the images, for the intervals of Hits@n; 0 for no intervals.
    seed : int
        Of the permutations and resamples.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    progress : callable, optional
        Called after each batch with the images done and the images in all.

    Raises
    ------
    FiltagError
        If the network is another one, an image's class is not in the profile, or no image can be read.
    """
    _check_network(profile, network)
    images = images.counting(network.class_ids, known=profile.class_ids)
    test_images, notes = _test_images(profile, images)
    class_indices = {class_id: index for index, class_id in enumerate(profile.class_ids)}
    _check_classes(test_images, profile, images)
    output_of = {class_id: index for index, class_id in enumerate(network.class_ids)}
    outputs = np.array([output_of.get(class_id, -1) for class_id in profile.class_ids])
    correct = np.zeros(len(profile.class_ids), dtype=np.int64)
    unreadable: list[tuple[ImageRef, str]] = []
    read: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = []

    def observed() -> Generator[tuple[NDArray[np.float64], NDArray[np.int64]], None, None]:
        stream = observations(
            network, images, batch_size=batch_size, workers=workers, only=test_images, progress=progress
        )
        with closing(stream):
            for batch in stream:
                unreadable.extend(batch.unreadable)
                rows, classes = _pairs(batch.images, class_indices)
                read.append((len(batch.images), rows, classes))
                if len(classes):
                    if network.output.n_classes:
                        best = batch.confidences.argmax(axis=1)
                        right = np.zeros(len(batch.images), dtype=bool)
                        right[rows[best[rows] == outputs[classes]]] = True
                        np.add.at(correct, classes[right[rows]], 1)
                    # Copied only where an image has several labels.
                    several = len(rows) > len(batch.images)
                    yield batch.activations[rows] if several else batch.activations, classes

    _, labels = _pairs(test_images, class_indices)
    hits = hits_at_n(profile, rules, n, observed(), labels=labels, permutations=permutations, seed=seed)
    intervals = _intervals(hits, read, resamples, seed) if resamples else None
    tested, has_output = hits.images > 0, outputs >= 0
    accuracy = np.where(tested & has_output, correct / np.maximum(hits.images, 1), np.nan)
    notes += unreadable_notes(unreadable, most=_MOST_NAMED)
    if (several := sum(bool(image.other_ids) for image in test_images)) > 0:
        notes.append(f"{several:,} of {len(test_images):,} images have several labels: each counts for every one")
    missing = [profile.class_ids[index] for index in np.flatnonzero(tested & ~has_output)]
    if not network.output.n_classes:
        notes.append(f"{network.name} tells no classes apart: no accuracy")
    elif not network.class_ids:
        notes.append(f"{network.name} does not say what its outputs stand for: no accuracy; name its classes")
    elif missing:
        notes.append(f"{network.name} has no output for class {_list(missing)}: no accuracy there")
    return Evaluation(profile.class_ids, profile.class_labels, hits, accuracy, tuple(notes), intervals)


def _intervals(
    hits: Hits, read: Sequence[tuple[int, NDArray[np.int64], NDArray[np.int64]]], resamples: int, seed: int
) -> NDArray[np.float64]:
    """Return the bootstrap intervals of Hits@n, from the number of images of each batch and their labels.

    What is resampled is images: the labels of one stay together, in the class of its first.
    """
    starts = np.cumsum([0, *(n_images for n_images, _, _ in read)])
    image = np.concatenate([start + rows for start, (_, rows, _) in zip(starts, read, strict=False)])
    classes = np.concatenate([of_batch for _, _, of_batch in read])
    _, first, unit = np.unique(image, return_index=True, return_inverse=True)
    values = np.zeros((len(first), hits.by_image[0].size))
    np.add.at(values, unit, hits.by_image.reshape(len(image), -1))
    ends = bootstrap_intervals(
        values,
        classes[first],
        weights=np.bincount(unit).astype(np.float64),
        resamples=resamples,
        # Resamples must not be drawn with the random numbers of the permutations.
        seed=seed + 1,
    )
    return ends.reshape(2, *hits.by_image.shape[1:])


def _pairs(images: Sequence[ImageRef], class_indices: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the images' numbers and their classes, a pair for each label of an image."""
    pairs = [(row, class_indices[class_id]) for row, image in enumerate(images) for class_id in image.class_ids]
    rows, classes = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return rows, classes


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> Correlation:
    """Return Spearman's ρ of two arrays of shape (n_classes,), over the classes where neither is NaN.

    The interval is tanh(artanh ρ ± 1.96 √((1 + ρ²/2) / (n − 3))), after Bonett & Wright (2000), "Sample size
    requirements for estimating Pearson, Kendall and Spearman correlations", Psychometrika 65, 23–28.
    """
    from scipy.stats import spearmanr

    both = ~(np.isnan(x) | np.isnan(y))
    x, y, n = x[both], y[both], int(both.sum())
    if n < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(None, None, None, n)
    rho = float(spearmanr(x, y).statistic)
    if n <= 3 or abs(rho) >= 1:
        return Correlation(rho, None, None, n)
    middle, margin = math.atanh(rho), _NORMAL_975 * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return Correlation(rho, math.tanh(middle - margin), math.tanh(middle + margin), n)


def _check_network(profile: Profile, network: Network) -> None:
    made_of = profile.metadata.get("identifier", "a network that it does not name")
    if made_of != network.identifier:
        raise other_network("the profile", made_of, network)
    layers = tuple((layer.name, layer.n_filters) for layer in network.layers)
    if layers != tuple(zip(profile.layer_names, np.diff(profile.layer_offsets).tolist(), strict=True)):
        raise FiltagError(
            f"the profile has other layers of {network.name} than were chosen now: load it with the profile's layers"
        )


def _check_classes(test_images: Sequence[ImageRef], profile: Profile, images: ImageSet) -> None:
    unknown = sorted({class_id for image in test_images for class_id in image.class_ids} - set(profile.class_ids))
    if unknown:
        labels = dict(zip(profile.class_ids, profile.class_labels, strict=True))
        labels |= dict(zip(unknown, preferred_labels(unknown, wordnet()), strict=True))
        named = with_similar_names(unknown, profile.class_ids, labels)
        raise FiltagError(
            f"class {named} in {images.path} is not in the profile, so nothing is tagged with it: "
            "remove its images, or make a profile with it"
        )


def _test_images(profile: Profile, images: ImageSet) -> tuple[Sequence[ImageRef], list[str]]:
    """Return the images to use, and notes about them."""
    same = "the tags were made from these very images, so the hits are better than they would be on others"
    return unseen_images(profile, images) or (images.images, [same])


def unreadable_notes(unreadable: Sequence[tuple[ImageRef, str]], *, most: int) -> list[str]:
    """Return a note for each of the first unreadable images, and one with the number of the others."""
    notes = [f"unreadable: {image.name} ({reason})" for image, reason in sorted(unreadable)[:most]]
    if len(unreadable) > most:
        notes.append(f"unreadable: {len(unreadable) - most} more")
    return notes


def _list(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
