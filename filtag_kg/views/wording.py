"""What pages, terminals and notebooks say in plain words: each sentence is written here, once.

A sentence comes without numbers that take training to read; what they are stands beside it in a function that ends in
``_figures`` or ``_text``, for a hover or a second line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from filtag_kg.concepts import CHANCE_P, COHERENT_Q
from filtag_kg.errors import FiltagError
from filtag_kg.kg import KgRun
from filtag_kg.tags import parse_rule

if TYPE_CHECKING:
    from filtag_kg.concepts import CommonConcept
    from filtag_kg.kg import CheckedLabel
    from filtag_kg.views.concept_graph import Step

_LEAST_SHOWN = 0.001
_VERY = 50
"""What is this many times less likely than the level is very unlikely."""

NO_CLEAR_THEME = "no clear theme"
VERY_UNLIKELY = "very unlikely to be chance"
UNLIKELY = "unlikely to be chance"
MAY_BE_CHANCE = "may well be chance"
TOO_FEW_TO_TELL = "too few classes to tell"


def rule_sentence(run: KgRun | str) -> str:
    """Return what a run's rule does, or the name of a rule that selects filters.

    >>> rule_sentence("k=1:contrast")
    'Each class marks its single most distinctive filter in every layer.'
    """
    name, method = (run, None) if isinstance(run, str) else (run.rule, run.method)
    if method is not None:
        return f"{method} says what each filter responds to."
    try:
        rule = parse_rule(name)
    except FiltagError:
        return f"Labels of filters, called {name}."
    most = "most active" if rule.score == "activation" else "most distinctive"
    if rule.kind == "q":
        return f"Each class marks its {most} {100 * rule.amount:g} % of the filters in every layer."
    if rule.amount == 1:
        return f"Each class marks its single {most} filter in every layer."
    return f"Each class marks its {int(rule.amount):,} {most} filters in every layer."


def sureness(probability: float, level: float = COHERENT_Q) -> str:
    """Return how sure a finding is, given its q-value or adjusted p-value.

    Parameters
    ----------
    level : float
        What has a lower probability counts as found.

    Examples
    --------
    >>> sureness(0.0006), sureness(0.03), sureness(0.4)
    ('very unlikely to be chance', 'unlikely to be chance', 'may well be chance')
    """
    if probability < level / _VERY:
        return VERY_UNLIKELY
    return UNLIKELY if probability < level else MAY_BE_CHANCE


def clear_filters(count: int, total: int) -> str:
    """Return how many filters have a clear theme.

    >>> clear_filters(183, 12048), clear_filters(1, 64), clear_filters(0, 64)
    ('183 filters clearly respond to one kind of thing', '1 filter clearly responds to one kind of thing', \
'none of the 64 filters clearly responds to one kind of thing')
    """
    if count == 0:
        return f"none of the {total:,} filters clearly responds to one kind of thing"
    if count == 1:
        return "1 filter clearly responds to one kind of thing"
    return f"{count:,} filters clearly respond to one kind of thing"


def share_sentence(count: int, total: int, noun: str, verb: str) -> str:
    """Return how many of two or more things are of a kind.

    Parameters
    ----------
    noun : str
        Whose they are, and what: "its classes", "the pictures that activate it most".
    verb : str
        In the plural.

    Examples
    --------
    >>> share_sentence(5, 6, "its classes", "are"), share_sentence(6, 6, "its classes", "are")
    ('5 of its 6 classes are', 'all of its 6 classes are')
    """
    whose, _, things = noun.partition(" ")
    return f"{'all' if count == total else f'{count:,}'} of {whose} {total:,} {things} {verb}"


def why_text(path: Sequence[Step]) -> str:
    """Return the way from a class up to a concept: "Why: convertible → car → motor vehicle"."""
    return f"Why: {' → '.join(step.label for step in path)}"


def chance_sentence(row: CommonConcept, q: float = COHERENT_Q, *, few: bool = False) -> str:
    """Return how sure it is that tags share a concept, in words.

    Parameters
    ----------
    q : float
        Filters with a q-value below this are coherent.
    few : bool
        There are too few classes to tell, so the text does not call it chance.
    """
    if few:
        return TOO_FEW_TO_TELL
    return sureness(row.p_adjusted, CHANCE_P) if row.q_value is None else sureness(row.q_value, q)


def chance_figure(row: CommonConcept) -> str:
    """Return the figure behind `chance_sentence`: the filter's q-value (first concept) or the adjusted p (others)."""
    if row.q_value is None:
        return f"adjusted p {probability_text(row.p_adjusted)}"
    return f"q {probability_text(row.q_value)}"


def chance_text(row: CommonConcept, q: float = COHERENT_Q, *, few: bool = False) -> str:
    """Return how sure it is that tags share a concept, with the figure; parameters as in `chance_sentence`."""
    return chance_figure(row) if few else f"{chance_sentence(row, q)} ({chance_figure(row)})"


def support_sentence(row: CommonConcept) -> str:
    """Return how many of a filter's classes share a concept: "5 of its 6 classes"."""
    return share_sentence(row.support, row.tags, "its classes", "").rstrip()


def probability_text(probability: float) -> str:
    """Return a probability with two digits, without a row of zeros."""
    return f"{probability:.2g}" if probability >= _LEAST_SHOWN else f"{probability:.0e}".replace("e-0", "e-")


def check_text(label: CheckedLabel) -> str:
    """Return what a check found of a label: why it is not testable, or how well it fits and better than what."""
    if label.q_value is None or label.correlation is None or label.auc is None:
        return f"Not testable on the images of the check: {label.reason}."
    others = " and ".join(
        f"{round(value, 2) + 0.0:.2f} {where}"
        for value, where in (
            (label.correlation_filters, "on the layer's other filters"),
            (label.correlation_labels, "of random labels on this filter"),
        )
        if value is not None
    )
    return (
        f"On {label.positives:,} images of it that made no label: q {probability_text(label.q_value)}, AUC "
        f"{label.auc:.2f}, correlation {round(label.correlation, 2) + 0.0:.2f} ({others})"
    )
