"""Hold out some images of every class for evaluation."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.images.image_set import ImageRef


def split_images(
    images: Iterable[ImageRef], share: float, seed: int
) -> tuple[tuple[ImageRef, ...], tuple[ImageRef, ...]]:
    """Split the images of each class at random (paper, section 3.3: 80 % and 20 %).

    An image with several labels is split as one of its rarest class, so it is on one side only, and rare classes are on
    both. A frequent class may then have a somewhat different share.

    Parameters
    ----------
    share : float, in (0, 1)
        How many of each class's images are kept: round(share × images), but at least two if there are two.
    seed : int
        The split of a class depends on this, the class's id and the images that are split as of that class alone.

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
        message = f"split={share:g} is no share of the images: give a number between 0 and 1, such as 0.8"
        raise FiltagError(message, options=("split",))
    if seed < 0:
        raise FiltagError(f"seed={seed} is negative: give a whole number from 0", options=("seed",))
    images = tuple(images)
    sizes = Counter(class_id for image in images for class_id in image.class_ids)
    by_class: dict[str, list[ImageRef]] = defaultdict(list)
    for image in images:
        by_class[min(image.class_ids, key=lambda class_id: (sizes[class_id], class_id))].append(image)
    kept: list[ImageRef] = []
    held_out: list[ImageRef] = []
    for class_id, class_images in by_class.items():
        class_images.sort()
        entropy = int.from_bytes(hashlib.sha256(class_id.encode("utf-8", "surrogateescape")).digest()[:8])
        order = np.random.default_rng([seed, entropy]).permutation(len(class_images))
        n_kept = max(round(share * len(class_images)), min(2, len(class_images)))
        kept += [class_images[index] for index in order[:n_kept]]
        held_out += [class_images[index] for index in order[n_kept:]]
    return tuple(sorted(kept)), tuple(sorted(held_out))
