"""Evaluate tags on test images: Hits@n by every rule, and whether classes with more hits are classified better."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.explain.hits import Hits, hits_at_n
from filtag_kg.images import ImageRef, ImageSet, with_similar_names
from filtag_kg.network import Network
from filtag_kg.profile import Profile, observations
from filtag_kg.tags import Rule

__all__ = ["Correlation", "Evaluation", "evaluate", "rank_correlation"]

_MOST_NAMED = 100
_NORMAL_975 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a profile's tags say about test images, beside what the network says.

    Parameters
    ----------
    class_ids, class_labels : tuple of str, of length n_classes
        The profile's.
    hits : Hits
    accuracy : float64 array of shape (n_classes,), in [0, 1]
        The share of a class's images whose best output of all is the class; NaN for a class without images, or
        without an output.
    notes : tuple of str
        What a reader must know: unreadable images, classes without an output, images that made the tags.
    """

    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    hits: Hits
    accuracy: NDArray[np.float64]
    notes: tuple[str, ...]

    @property
    def top1(self) -> float | None:
        """Accuracy over all images of the classes that have an output; None if there are none."""
        known = ~np.isnan(self.accuracy)
        images = self.hits.images[known]
        return float(self.accuracy[known] @ images / images.sum()) if known.any() else None


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's ρ with its 95 % confidence interval.

    Parameters
    ----------
    rho : float or None
        None where one of the two does not vary, or fewer than two values were given.
    low, high : float or None
        None where there is no ρ, of three values or fewer, and for ρ = ±1, whose transform is infinite.
    n_classes : int
        Pairs of values.
    """

    rho: float | None
    low: float | None
    high: float | None
    n_classes: int


@dataclass(slots=True)
class _Seen:
    """What the pass has to tell besides the hits."""

    correct: NDArray[np.int64]
    unreadable: list[tuple[ImageRef, str]] = field(default_factory=list)


def evaluate(
    profile: Profile,
    network: Network,
    images: ImageSet,
    rules: Sequence[Rule],
    n: Sequence[int],
    *,
    permutations: int = 20,
    seed: int = 0,
    batch_size: int = 32,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Pass test images through the network once, and compare their classes with the tags of their filters.

    Of the images that the profile was made of, only those that it held out are looked at.

    Parameters
    ----------
    profile : Profile
        What the filters are tagged by.
    network : Network
        The one that the profile was made of.
    images : ImageSet
        Open.
    rules, n, permutations, seed
        As for :func:`hits_at_n`.
    batch_size : int
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
    chosen, notes = _test_images(profile, images)
    row = {class_id: place for place, class_id in enumerate(profile.class_ids)}
    unknown = sorted({image.class_id for image in chosen} - row.keys())
    if unknown:
        called = dict(zip(profile.class_ids, profile.class_labels, strict=True))
        called |= dict(zip(unknown, preferred_labels(unknown, wordnet()), strict=True))
        named = with_similar_names(unknown, profile.class_ids, called)
        raise FiltagError(
            f"class {named} in {images.path} is not in the profile, so nothing is tagged with it: "
            "remove its images, or make a profile with it"
        )
    place = {class_id: index for index, class_id in enumerate(network.class_ids)}
    output = np.array([place.get(class_id, -1) for class_id in profile.class_ids])
    seen = _Seen(np.zeros(len(profile.class_ids), dtype=np.int64))

    def observed() -> Generator[tuple[NDArray[np.float64], NDArray[np.int64]], None, None]:
        stream = observations(network, images, batch_size=batch_size, workers=workers, only=chosen, progress=progress)
        with closing(stream):
            for batch in stream:
                seen.unreadable += batch.unreadable
                classes = np.array([row[image.class_id] for image in batch.images], dtype=np.int64)
                if len(classes):
                    best = batch.confidences.argmax(axis=1)
                    np.add.at(seen.correct, classes[best == output[classes]], 1)
                    yield batch.activations, classes

    labels = np.array([row[image.class_id] for image in chosen], dtype=np.int64)
    hits = hits_at_n(profile, rules, n, observed(), labels=labels, permutations=permutations, seed=seed)
    counted = (hits.images > 0) & (output >= 0)
    accuracy = np.where(counted, seen.correct / np.maximum(hits.images, 1), np.nan)
    notes += _unreadable(seen.unreadable)
    missing = [profile.class_ids[index] for index in np.flatnonzero((hits.images > 0) & (output < 0))]
    if not network.class_ids:
        notes.append(f"{network.name} does not say what its outputs stand for: no accuracy; name them with --classes")
    elif missing:
        notes.append(f"{network.name} has no output for class {_list(missing)}: no accuracy there")
    return Evaluation(profile.class_ids, profile.class_labels, hits, accuracy, tuple(notes))


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
        raise FiltagError(f"the profile was made of {made_of}, not of {network.identifier}: name the right --network")
    layers = tuple((layer.name, layer.n_filters) for layer in network.layers)
    if layers != tuple(zip(profile.layer_names, np.diff(profile.layer_offsets).tolist(), strict=True)):
        raise FiltagError(
            f"the profile has other layers of {network.name} than were chosen now: load it with the profile's layers"
        )


def _test_images(profile: Profile, images: ImageSet) -> tuple[Sequence[ImageRef], list[str]]:
    """Return the images to look at, and what is to be said about them."""
    made_of = profile.metadata.get("images", {})
    if made_of.get("sha256") != images.sha256():
        if not profile.held_out:
            return images.images, []
        source = made_of.get("source", "other images")
        return images.images, [f"the profile held images of {source} out, not of {images.path.name}: all are looked at"]
    if not profile.held_out:
        return images.images, [
            "the tags were made of these very images, so the hits are better than they would be on others"
        ]
    held_out = set(profile.held_out)
    chosen = [image for image in images.images if image.name in held_out]
    if not chosen:
        raise FiltagError(f"none of the images that the profile held out is in {images.path}: name the right --images")
    return chosen, [f"the {len(chosen):,} images that the profile held out of {images.path.name} are looked at"]


def _unreadable(unreadable: list[tuple[ImageRef, str]]) -> list[str]:
    notes = [f"unreadable: {image.name} ({reason})" for image, reason in sorted(unreadable)[:_MOST_NAMED]]
    more = len(unreadable) - _MOST_NAMED
    return notes + ([f"unreadable: {more} more"] if more > 0 else [])


def _list(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
