"""What things are called in the graph, in words that need no other statement."""

from __future__ import annotations

from filtag_kg.errors import FiltagError
from filtag_kg.tags import parse_rule


def filter_label(layer: str, index: int) -> str:
    """Return what a filter is called: ``head_conv 992``."""
    return f"{layer} {index}"


def run_label(network: str, rule: str, method: str | None = None) -> str:
    """Return what a run is called: what its rule does, to which network.

    Parameters
    ----------
    network : str
        The network's name for people.
    method : str, optional
        The other method that made the tags.

    >>> run_label("EfficientNet-Lite0", "k=1")
    'EfficientNet-Lite0: each class tags its most active filter of every layer (k=1)'
    >>> run_label("VGG16", "q=0.05:contrast")
    'VGG16: each class tags its most distinctive 5 % of the filters of every layer (q=0.05:contrast)'
    >>> run_label("VGG16", "milan", "milan"), run_label("VGG16", "mine", "milan")
    ('VGG16: labels by milan', 'VGG16: labels by milan (mine)')
    """
    if method is not None:
        return f"{network}: labels by {method}" + (f" ({rule})" if rule != method else "")
    try:
        parsed = parse_rule(rule)
    except FiltagError:
        return f"{network}: labels {rule}"
    most = "most active" if parsed.score == "activation" else "most distinctive"
    if parsed.kind == "q":
        chosen = f"its {most} {100 * parsed.amount:g} % of the filters"
    elif parsed.amount == 1:
        chosen = f"its {most} filter"
    else:
        chosen = f"its {int(parsed.amount):,} {most} filters"
    return f"{network}: each class tags {chosen} of every layer ({rule})"


def source_title(name: str) -> str:
    """Return what people call a concept source.

    >>> source_title("wordnet"), source_title("conceptnet-dump"), source_title("my-source")
    ('WordNet', 'ConceptNet', 'my-source')
    """
    if name.startswith("conceptnet"):
        return "ConceptNet"
    return "WordNet" if name == "wordnet" else name
