"""Select which filters a class tags: the k most active of a layer, or its q-quantile (paper, section 2.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.profile import Profile
from filtag_kg.tags.table import TagTable

__all__ = ["Rule", "Score", "contrast_over_classes", "contrast_to", "parse_rule", "tag_filters"]

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
            raise FiltagError(f"--k {str(self.amount)[:20]} is no number of filters: give a whole number from 1")
        if self.kind == "q" and not 0 < self.amount <= 1:
            raise FiltagError(f"--q {self.amount:g} is no share of the filters: give a number above 0, at most 1")

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


def parse_rule(name: str) -> Rule:
    """Read a rule's name back.

    >>> parse_rule("k=5:contrast")
    Rule(kind='k', amount=5.0, score='contrast')

    Raises
    ------
    FiltagError
        If the name is no rule's.
    """
    match = re.fullmatch(r"(?P<kind>[kq])=(?P<amount>[0-9.e-]+)(?P<contrast>:contrast)?", name)
    if match is None:
        raise FiltagError(f"{name!r} is no rule: write k=1, q=0.05 or k=5:contrast")
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
        0 for a filter that every class activates alike.
    """
    return _contrast(mean, mean)


def contrast_to(profile: Profile, activation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the contrast of other activations to the classes of a profile.

    Parameters
    ----------
    profile : Profile
    activation : float64 array of shape (n_filters,) or (n_images, n_filters)
        Of one image, say, or of several.

    Returns
    -------
    float64 array of the same shape
    """
    return _contrast(activation, profile.mean)


def _contrast(activation: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = activation - mean.mean(axis=0)
    spread = mean.std(axis=0)
    # Equal values leave a rounding error, of which a quotient would make a finding.
    alike = np.ptp(mean, axis=0) <= 1e-12 * np.abs(mean).max(axis=0, initial=0.0)
    contrast: NDArray[np.float64] = np.zeros_like(deviation)
    np.divide(deviation, spread, out=contrast, where=~alike & (spread > 0))
    return contrast


def tag_filters(profile: Profile, rules: Sequence[Rule], *, network: str) -> TagTable:
    """Tag the filters of every layer with the classes of a profile.

    Parameters
    ----------
    profile : Profile
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
    n_classes = len(profile.class_ids)
    if not n_classes:
        raise FiltagError("the profile has no class, so it tags nothing: make it anew of readable images")
    contrast = contrast_over_classes(profile.mean)
    parts: list[tuple[NDArray[np.int64], ...]] = []
    for layer, start in enumerate(profile.layer_offsets[:-1]):
        columns = slice(int(start), int(profile.layer_offsets[layer + 1]))
        n_filters = columns.stop - columns.start
        for score in sorted({rule.score for rule in rules}):
            values = (profile.mean if score == "activation" else contrast)[:, columns]
            order = np.argsort(-values, axis=1, kind="stable")
            for place, rule in enumerate(rules):
                if rule.score == score:
                    kept = rule.filters_kept(n_filters)
                    parts.append(
                        (
                            np.full(n_classes * kept, place),
                            np.full(n_classes * kept, layer),
                            order[:, :kept].ravel(),
                            np.repeat(np.arange(n_classes), kept),
                            np.tile(np.arange(1, kept + 1), n_classes),
                        )
                    )
    rule_, layer_, filter_, class_, rank = (np.concatenate(column) for column in zip(*parts, strict=True))
    column_ = profile.layer_offsets[layer_] + filter_
    return TagTable(
        network=network,
        layer_names=profile.layer_names,
        n_filters=tuple(int(n) for n in np.diff(profile.layer_offsets)),
        class_ids=profile.class_ids,
        class_labels=profile.class_labels,
        rules=names,
        rule=rule_,
        layer=layer_,
        filter=filter_,
        class_=class_,
        rank=rank,
        activation=profile.mean[class_, column_],
        contrast=contrast[class_, column_],
    )
