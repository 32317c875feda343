"""What people mean by a word: the class or the concepts that are called so."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc
from filtag_kg.views.facts import Facts
from filtag_kg.views.tables import NetworkTable

__all__ = ["classes_named", "concepts_named", "layer_and_filter"]

_CONCEPTNET = "/c/"


def classes_named(facts: Facts, name: str) -> tuple[str, ...]:
    """Return the ids of the classes that have an id or a label, in any case; an id names one alone.

    Raises
    ------
    FiltagError
        If there is none.
    """
    graph = facts.concepts
    by_id = next((class_id for class_id in graph.class_ids if nfc(class_id) == nfc(name)), None)
    if by_id is not None:
        return (by_id,)
    wanted = _plain(name)
    of = zip(graph.class_ids, graph.class_labels, strict=True)
    found = tuple(class_id for class_id, label in of if _plain(label) == wanted)
    if not found:
        raise FiltagError(f"no class {name!r} in {facts.kg.path}{_similar(wanted, graph.class_labels, 'id')}")
    return found


def concepts_named(facts: Facts, name: str) -> tuple[str, ...]:
    """Return the IRIs of the concepts that a word names; those of which it is the preferred label first.

    A concept's IRI names it alone, a ConceptNet term (``/c/en/dog``) all concepts tied to it.

    Raises
    ------
    FiltagError
        If there is none.
    """
    graph = facts.concepts
    if name in graph.labels:
        return (name,)
    if name.startswith(_CONCEPTNET):
        # As in ConceptNet, a term finds all senses and parts of speech below it.
        wanted = f"{facts.kg.manifest['parameters']['conceptnet']}{name}"
        found = [
            iri for iri, terms in graph.terms.items() if any(f"{term}/".startswith(f"{wanted}/") for term in terms)
        ]
        if wanted in graph.labels:
            found = [wanted, *(iri for iri in found if iri != wanted)]
    else:
        wanted = _plain(name)
        found = [iri for iri, label in graph.labels.items() if _plain(label) == wanted]
        others = (iri for iri, labels in graph.alt_labels.items() if wanted in map(_plain, labels))
        found += [iri for iri in others if iri not in found]
    if not found:
        raise FiltagError(
            f"no concept {name!r} in {facts.kg.path}{_similar(_plain(name), graph.labels.values(), 'IRI')}"
        )
    return tuple(found)


def layer_and_filter(network: NetworkTable, layer: str, filter_: int | None) -> tuple[str, int | None]:
    """Return layer and filter, where both may be in one word: ``head_conv/992``."""
    before, slash, number = layer.rpartition("/")
    is_layer = nfc(layer) in map(nfc, network.layer_names)
    if filter_ is None and not is_layer and slash and number.isascii() and number.isdigit():
        return before, int(number)
    return layer, filter_


def _plain(name: str) -> str:
    return " ".join(nfc(name).replace("_", " ").casefold().split())


def _similar(wanted: str, labels: Iterable[str], identifier: str) -> str:
    known = {_plain(label): label for label in labels}
    found = [known[match] for match in get_close_matches(wanted, sorted(known), n=3)]
    return f": did you mean {', '.join(found)}?" if found else f": check the spelling, or name it by its {identifier}"
