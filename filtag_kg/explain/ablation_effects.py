r"""How much harm an ablation does, and to which classes.

The change of a measure in a group of classes is the mean over its classes c of the mean over their images d,

    change(G) = 1/|G| Σ_{c ∈ G} 1/n_c Σ_{d ∈ c} (after(d) − before(d)),

so a class counts the same however many images it has. The specific effect is change(concept) − change(others).

Its interval is from a two-stage bootstrap (Davison & Hinkley 1997, *Bootstrap Methods and their Application*, section
3.8): classes are drawn anew with replacement within each group, then images within each drawn class, since both are
samples of what the network may meet. Where a concept has a single class, only its images vary.

Its p-value is from sets of as many random filters of the same layers: the share of sets, the concept's among them,
that do as much harm (Phipson & Smyth 2010, "Permutation p-values should never be zero").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.kg import Change, Measure, Scope

_DRAWS = 2000
_DECIMALS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a network answered, for each image and each class that it is labelled with: a pair.

    Parameters
    ----------
    class_ : int64 array of shape (n_pairs,)
        The class of each pair.
    values : float64 array of shape (n_sets + 2, n_pairs), in [0, 1]
        Of the network as it is, without the filters in question, and without each random set of filters: its
        confidence in the class; or 1 where it is right, else 0.
    """

    class_: NDArray[np.int64]
    values: NDArray[np.float64]

    def class_means(self, n_classes: int) -> NDArray[np.float64]:
        """Return the mean of each class: float64 array of shape (n_sets + 2, n_classes)."""
        counts = np.bincount(self.class_, minlength=n_classes)
        sums = np.stack([np.bincount(self.class_, weights=row, minlength=n_classes) for row in self.values])
        return np.asarray(sums / counts)


def changes(measure: Measure, answers: Answers, of_concept: NDArray[np.bool_], *, seed: int = 0) -> list[Change]:
    """Return the change of a measure in the classes of a concept, in the others, and the difference.

    Parameters
    ----------
    answers : Answers
        There is at least one image of each class.
    of_concept : bool array of shape (n_classes,)
        True for some, not for all.
    seed : int
        Of the bootstrap.
    """
    means = answers.class_means(len(of_concept))
    random = np.random.default_rng(seed)
    before: dict[Scope, float] = {}
    observed: dict[Scope, NDArray[np.float64]] = {}
    drawn: dict[Scope, NDArray[np.float64]] = {}
    scopes: tuple[tuple[Scope, NDArray[np.bool_]], ...] = (("concept", of_concept), ("others", ~of_concept))
    for scope, group in scopes:
        before[scope] = float(means[0, group].mean())
        observed[scope] = (means[1:, group] - means[0, group]).mean(axis=1)
        drawn[scope] = _bootstrap(answers.values[1] - answers.values[0], answers.class_, np.flatnonzero(group), random)
    before["difference"] = before["concept"] - before["others"]
    observed["difference"] = observed["concept"] - observed["others"]
    drawn["difference"] = drawn["concept"] - drawn["others"]
    return [
        _change(scope, measure, before[scope], observed[scope], drawn[scope])
        for scope in ("concept", "others", "difference")
    ]


def _change(
    scope: Scope, measure: Measure, before: float, observed: NDArray[np.float64], drawn: NDArray[np.float64]
) -> Change:
    observed = observed.round(_DECIMALS) + 0.0
    change, random = float(observed[0]), observed[1:]
    low, high = (float(end) for end in np.quantile(drawn, (0.025, 0.975)).round(_DECIMALS) + 0.0)
    return Change(
        scope=scope,
        measure=measure,
        before=round(before, _DECIMALS),
        change=change,
        low=low,
        high=high,
        random=tuple(random.tolist()),
        p_value=round(float((1 + (random <= change).sum()) / (1 + len(random))), _DECIMALS),
    )


def _bootstrap(
    differences: NDArray[np.float64],
    class_: NDArray[np.int64],
    group: NDArray[np.int64],
    random: np.random.Generator,
    draws: int = _DRAWS,
) -> NDArray[np.float64]:
    """Return the group's change in each draw of its classes and of the images in them: shape (draws,)."""
    order = np.argsort(class_, kind="stable")
    starts = np.searchsorted(class_[order], group)
    counts = np.searchsorted(class_[order], group, side="right") - starts
    values = differences[order]
    found = np.empty(draws)
    for draw in range(draws):
        chosen = random.integers(len(group), size=len(group))
        sizes = counts[chosen]
        firsts = np.cumsum(sizes) - sizes
        within = (random.random(int(sizes.sum())) * np.repeat(sizes, sizes)).astype(np.int64)
        sums = np.add.reduceat(values[np.repeat(starts[chosen], sizes) + within], firsts)
        found[draw] = (sums / sizes).mean()
    return found
