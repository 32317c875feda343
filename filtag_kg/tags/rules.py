"""Rules that select the filters a class tags: the k most active of a layer, or its q-quantile (paper, section 2.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.profile import Profile
from filtag_kg.tags.table import TagTable

Score = Literal["activation", "contrast"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How many filters of each layer a class tags, and by which score they are ranked.

    Parameters
    ----------
    kind : {"k", "q"}
        The k best filters, or the share q of the layer's filters.
    amount : float
        A whole number of at least 1 for k; a share in (0, 1] for q.
    score : {"activation", "contrast"}
        ``activation`` is the paper's; ``contrast`` ranks by how much more the class activates a filter than
        the other classes do, so that filters which are always active do not collect every class.

    Raises
    ------
    FiltagError
        If the amount is out of range.
    """

    kind: Literal["k", "q"]
    amount: float
    score: Score = "activation"

    def __post_init__(self) -> None:
        # A float64 holds whole numbers up to 2^53.
        if self.kind == "k" and not (1 <= self.amount <= 2**53 and float(self.amount).is_integer()):
            raise FiltagError(
                f"k={str(self.amount)[:20]} is not a number of filters: give a whole number from 1", options=("k",)
            )
        if self.kind == "q" and not 0 < self.amount <= 1:
            raise FiltagError(
                f"q={self.amount:g} is not a share of the filters: give a number above 0, at most 1", options=("q",)
            )

    def __str__(self) -> str:
        """``k=1``, ``q=0.05``, ``k=5:contrast``: the rule's name in tables, graphs and queries."""
        suffix = "" if self.score == "activation" else f":{self.score}"
        return f"{self.kind}={int(self.amount) if self.kind == 'k' else float(self.amount)!r}{suffix}"

    def filters_kept(self, n_filters: int) -> int:
        """Return how many of a layer's filters each class tags: k, or round(q × filters) and at least one.

        >>> Rule("q", 0.05).filters_kept(512), Rule("q", 0.001).filters_kept(64), Rule("k", 3).filters_kept(2)
        (26, 1, 2)
        """
        wanted = int(self.amount) if self.kind == "k" else max(1, round(self.amount * n_filters))
        return min(wanted, n_filters)

    def select(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which filters of a layer the rule selects for each class or image.

        Parameters
        ----------
        scores : float64 array of shape (n_rows, n_filters)
            A row for each class or image, without NaN.

        Returns
        -------
        bool array of the same shape
            True for the filters of highest score in each row; of equal scores the lower filter index is selected.

        Examples
        --------
        >>> Rule("k", 2).select(np.array([[0.5, 0.1, 0.5, 0.5]]))
        array([[ True, False,  True, False]])
        """
        n_kept = self.filters_kept(scores.shape[1])
        # A partition is many times faster than a sort.
        cutoff = np.partition(scores, -n_kept, axis=1)[:, -n_kept, None]
        selected = scores >= cutoff
        n_selected = np.count_nonzero(selected, axis=1)
        if n_selected.max(initial=0) > n_kept:
            # Several scores equal the cutoff: drop those of the highest filter index.
            tied = scores == cutoff
            n_tied_kept = n_kept - n_selected + np.count_nonzero(tied, axis=1)
            selected &= ~tied | (np.cumsum(tied, axis=1) <= n_tied_kept[:, None])
        return selected

    def select_by_layer(self, scores: NDArray[np.float64], layer_offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which filters of a network the rule selects: those of each layer, as `select` does.

        Parameters
        ----------
        scores : float64 array of shape (n_rows, n_filters)
            The filters of all layers side by side.
        layer_offsets : int64 array of shape (n_layers + 1,)
            Layer m has the columns ``layer_offsets[m]:layer_offsets[m + 1]``.

        Returns
        -------
        bool array of shape (n_rows, n_filters)
        """
        selected = np.empty(scores.shape, dtype=np.bool_)
        for start, stop in pairwise(layer_offsets.tolist()):
            selected[:, start:stop] = self.select(scores[:, start:stop])
        return selected


def parse_rule(name: str) -> Rule:
    """Read a rule's name back.

    >>> parse_rule("k=5:contrast")
    Rule(kind='k', amount=5.0, score='contrast')

    Raises
    ------
    FiltagError
        If no rule has that name.
    """
    match = re.fullmatch(r"(?P<kind>[kq])=(?P<amount>[0-9.e-]+)(?P<contrast>:contrast)?", name)
    if match is None:
        raise FiltagError(f"{name!r} is not a rule: write k=1, q=0.05 or k=5:contrast")
    kind: Literal["k", "q"] = "k" if match["kind"] == "k" else "q"
    try:
        amount = float(match["amount"])
    except ValueError:
        amount = math.nan
    return Rule(kind, amount, "contrast" if match["contrast"] else "activation")


def contrast_over_classes(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (z_c − mean over classes) / standard deviation over classes, per filter.

    Parameters
    ----------
    mean : float64 array of shape (n_classes, n_filters)

    Returns
    -------
    float64 array of shape (n_classes, n_filters)
        0 for a filter that all classes activate alike.
    """
    return _contrast(mean, mean)


def contrast_to(profile: Profile, activation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the contrast of other activations to the classes of a profile.

    Parameters
    ----------
    activation : float64 array of shape (n_filters,) or (n_images, n_filters)

    Returns
    -------
    float64 array of the same shape
    """
    return _contrast(activation, profile.mean)


def _contrast(activation: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = activation - mean.mean(axis=0)
    spread = mean.std(axis=0)
    # Rounding leaves a tiny spread where all classes are alike; dividing by it would make a finding of noise.
    alike = np.ptp(mean, axis=0) <= 1e-12 * np.abs(mean).max(axis=0, initial=0.0)
    contrast: NDArray[np.float64] = np.zeros_like(deviation)
    np.divide(deviation, spread, out=contrast, where=~alike & (spread > 0))
    return contrast


def tag_filters(profile: Profile, rules: Sequence[Rule], *, network: str) -> TagTable:
    """Tag the filters of every layer with the classes of a profile.

    Parameters
    ----------
    rules : sequence of Rule
        Each makes its own tags.
    network : str
        Name of the network in identifiers.

    Returns
    -------
    TagTable
        Equal scores rank the lower filter index first.

    Raises
    ------
    FiltagError
        If no rule is given, or one twice, or the profile has no class.
    """
    names = tuple(str(rule) for rule in rules)
    if not names or len(set(names)) != len(names):
        raise FiltagError(f"rules {', '.join(names) or '(none)'}: give at least one rule, and each once")
    if not profile.class_ids:
        raise FiltagError("the profile has no class, so it tags nothing: make it anew from readable images")
    offsets = profile.layer_offsets
    scores = {"activation": profile.mean, "contrast": contrast_over_classes(profile.mean)}
    ranks = {score: _ranks(scores[score], offsets) for score in {rule.score for rule in rules}}
    selected = [np.nonzero(rule.select_by_layer(scores[rule.score], offsets)) for rule in rules]
    classes, columns = (np.concatenate(part) for part in zip(*selected, strict=True))
    rank = [ranks[rule.score][rows] for rule, rows in zip(rules, selected, strict=True)]
    layers = np.searchsorted(offsets, columns, side="right") - 1
    return TagTable(
        network=network,
        layer_names=profile.layer_names,
        n_filters=tuple(int(n) for n in np.diff(offsets)),
        class_ids=profile.class_ids,
        class_labels=profile.class_labels,
        rules=names,
        rule=np.repeat(np.arange(len(rules)), [len(rows) for rows, _ in selected]),
        layer=layers,
        filter=columns - offsets[layers],
        class_=classes,
        rank=np.concatenate(rank),
        activation=profile.mean[classes, columns],
        contrast=scores["contrast"][classes, columns],
    )


def _ranks(scores: NDArray[np.float64], layer_offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rank of each filter in its layer, from 1; of equal scores the lower index first."""
    ranks = np.empty(scores.shape, dtype=np.int64)
    for start, stop in pairwise(layer_offsets.tolist()):
        best_first = np.argsort(-scores[:, start:stop], axis=1, kind="stable")
        np.put_along_axis(ranks[:, start:stop], best_first, np.arange(1, stop - start + 1)[None], axis=1)
    return ranks
