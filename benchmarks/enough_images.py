"""Say how many images of each class are enough: how many tags would be the same if other images had been taken.

From a profile's means and variances it draws, twice, the means that n images of each class would give, and compares
the two sets of tags layer by layer by their Jaccard index. Differences between class means are first shrunk to what
chance leaves of them: a part of them comes from the profile's own finite number of images.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filtag_kg import Profile, Rule, load_profile
from filtag_kg.tags import contrast_over_classes

RULES = tuple(
    Rule(kind, amount, score) for score in ("activation", "contrast") for kind, amount in (("k", 1), ("q", 0.05))
)
N_IMAGES = (5, 10, 20, 40, 80, 160, 320, 1300)


def main() -> None:
    """Print a row for each number of images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", type=Path, help="of filtag profile")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    profile = load_profile(options.profile)
    random = np.random.default_rng(options.seed)
    expected = without_chance(profile)
    print(f"{len(profile.class_ids)} classes, {int(np.median(profile.count))} images of each in the profile\n")
    print("| images of each class |", " | ".join(f"`{rule}`" for rule in RULES), "|")
    print("|--:" * (len(RULES) + 1) + "|")
    for n_images in N_IMAGES:
        first, second = (drawn(profile, expected, n_images, random) for _ in range(2))
        print(
            f"| {n_images:,} |",
            " | ".join(f"{in_common(first, second, rule, profile.layer_offsets):.0%}" for rule in RULES),
            "|",
        )


def without_chance(profile: Profile) -> NDArray[np.float64]:
    """Return class means of shape (n_classes, n_filters) without the spread that chance alone would give."""
    middle = profile.mean.mean(axis=0)
    observed = profile.mean.var(axis=0, ddof=1)
    by_chance = (profile.variance / profile.count[:, None]).mean(axis=0)
    share = np.divide(np.maximum(observed - by_chance, 0), observed, out=np.zeros_like(observed), where=observed > 0)
    return middle + np.sqrt(share) * (profile.mean - middle)


def drawn(
    profile: Profile, expected: NDArray[np.float64], n_images: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the class means that n images of each class might give."""
    error = random.standard_normal(expected.shape) * np.sqrt(profile.variance / n_images)
    return np.clip(expected + error, 0, 1)


def in_common(first: NDArray[np.float64], second: NDArray[np.float64], rule: Rule, offsets: NDArray[np.int64]) -> float:
    """Return the tags that two profiles have in common, of all that either has: the mean over layers."""
    one, other = (
        rule.select_by_layer(contrast_over_classes(mean) if rule.score == "contrast" else mean, offsets)
        for mean in (first, second)
    )
    starts = offsets[:-1]
    shared = np.add.reduceat((one & other).sum(axis=0), starts)
    return float((shared / np.add.reduceat((one | other).sum(axis=0), starts)).mean())


if __name__ == "__main__":
    main()
