"""Hold images of every class out, to judge by them what the others taught."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.images.image_set import ImageRef

__all__ = ["split_images"]


def split_images(
    images: Iterable[ImageRef], share: float, seed: int
) -> tuple[tuple[ImageRef, ...], tuple[ImageRef, ...]]:
    """Split the images of each class at random (paper, section 3.3: 80 % and 20 %).

    Parameters
    ----------
    images : iterable of ImageRef
    share : float, in (0, 1)
        Of each class's images, how many are kept: round(share × images), two at least where there are two.
    seed : int
        The split of a class depends on it, on the class's id and on its own images alone.

    Returns
    -------
    kept, held_out : tuple of ImageRef
        Sorted.

    Raises
    ------
    FiltagError
        If the share is out of range or the seed negative.
    """
    if not 0 < share < 1:
        raise FiltagError(f"--split {share:g} is no share of the images: give a number between 0 and 1, such as 0.8")
    if seed < 0:
        raise FiltagError(f"--seed {seed} is negative: give a whole number from 0")
    by_class: dict[str, list[ImageRef]] = defaultdict(list)
    for image in images:
        by_class[image.class_id].append(image)
    kept: list[ImageRef] = []
    for class_id, of_class in by_class.items():
        of_class.sort()
        entropy = int.from_bytes(hashlib.sha256(class_id.encode("utf-8", "surrogateescape")).digest()[:8])
        order = np.random.default_rng([seed, entropy]).permutation(len(of_class))
        n_kept = max(round(share * len(of_class)), min(2, len(of_class)))
        kept += [of_class[index] for index in order[:n_kept]]
    chosen = set(kept)
    held_out = [image for of_class in by_class.values() for image in of_class if image not in chosen]
    return tuple(sorted(kept)), tuple(sorted(held_out))
