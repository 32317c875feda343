"""From a name that people type to the class, concepts, or filter that it means."""

from __future__ import annotations

from collections.abc import Sequence

from filtag_kg.concepts import preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.images import plain_name, similar_names
from filtag_kg.names import nfc
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.results import NetworkLayers
from filtag_kg.views.word_meanings import WordMeanings

_CONCEPTNET = "/c/"
_MOST_SUGGESTED = 3


def classes_named(name: str, class_ids: Sequence[str], class_labels: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the classes that a name means: the class with that id, or those with that label in any case.

    >>> classes_named("Tabby", ["n02123045"], ["tabby"])
    ('n02123045',)

    Raises
    ------
    FiltagError
        If there is none.
    """
    by_id = next((class_id for class_id in class_ids if nfc(class_id) == nfc(name)), None)
    if by_id is not None:
        return (by_id,)
    wanted = plain_name(name)
    labels = dict(zip(class_ids, class_labels, strict=True))
    matches = tuple(class_id for class_id, label in labels.items() if wanted in map(plain_name, (class_id, label)))
    if not matches:
        (meant,) = preferred_labels([name], wordnet())
        similar = [labels[class_id] for class_id in similar_names(name, class_ids, {**labels, name: meant})]
        raise FiltagError(f"no class {name!r} in the KG{_suggestion(similar, 'id')}")
    return matches


def class_named(name: str, class_ids: Sequence[str], class_labels: Sequence[str]) -> str:
    """Return the id of the one class that a name means.

    Raises
    ------
    FiltagError
        If there is none, or several have the label.
    """
    matches = classes_named(name, class_ids, class_labels)
    if len(matches) > 1:
        raise FiltagError(
            f"{len(matches)} classes are called {name!r}: name one by its id, {' or '.join(sorted(matches))}"
        )
    return matches[0]


def concepts_named(loaded: LoadedKg, name: str) -> tuple[str, ...]:
    """Return the IRIs of the concepts that a word means.

    Those at or above a class come first; of these and of the others, those with the word as preferred label.

    An IRI means that concept alone, a ConceptNet term (``/c/en/dog``) every concept tied to it.

    Raises
    ------
    FiltagError
        If there is none.
    """
    graph = loaded.concepts
    if name in graph.labels:
        return (name,)
    if name.startswith(_CONCEPTNET):
        # As in ConceptNet, a term finds all senses and parts of speech below it.
        wanted = f"{loaded.kg.manifest['parameters']['conceptnet']}{name}"
        iris = [iri for iri, terms in graph.terms.items() if any(f"{term}/".startswith(f"{wanted}/") for term in terms)]
        if wanted in graph.labels:
            iris = [wanted, *(iri for iri in iris if iri != wanted)]
    else:
        wanted = plain_name(name)
        iris = [iri for iri, label in graph.labels.items() if plain_name(label) == wanted]
        others = (iri for iri, labels in graph.alt_labels.items() if wanted in map(plain_name, labels))
        iris += [iri for iri in others if iri not in iris]
    if not iris:
        meant = [graph.label(meaning.concept) for meaning in WordMeanings(graph).of(name) if not meaning.is_near]
        similar = list(dict.fromkeys(meant))[:_MOST_SUGGESTED] or similar_names(name, graph.labels.values())
        raise FiltagError(f"no concept {name!r} in the KG{_suggestion(similar, 'IRI')}")
    # A word that only ends statements (what birds do: fly) comes after what classes are.
    return tuple(sorted(iris, key=lambda iri: iri not in graph.classes_below))


def layer_and_filter(network: NetworkLayers, layer: str, filter_: int | None) -> tuple[str, int | None]:
    """Return layer and filter, which may be written as one word: ``head_conv/992``."""
    before, slash, number = layer.rpartition("/")
    is_layer = nfc(layer) in map(nfc, network.layer_names)
    if filter_ is None and not is_layer and slash and number.isascii() and number.isdigit():
        return before, int(number)
    return layer, filter_


def _suggestion(similar: Sequence[str], identifier: str) -> str:
    if similar:
        return f": did you mean {' or '.join(similar)}?"
    return f": check the spelling, or name it by its {identifier}"
