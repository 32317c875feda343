"""Mixed filters as pages show them: each part with pictures of its classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from filtag_kg.report.gallery import Galleries
from filtag_kg.views import Exemplar, MixedFilter, NetworkLayers, PartOfFilter

_MOST_PICTURES = 6


@dataclass(frozen=True, slots=True)
class PartCard:
    """A part of a filter with its pictures.

    Parameters
    ----------
    exemplars : tuple of Exemplar
        Those of the filter's exemplars that show a class of the part.
    others : tuple of Exemplar
        Other images of the part's classes, where the filter has few exemplars of them; they do not say where it looks.
    """

    part: PartOfFilter
    exemplars: tuple[Exemplar, ...]
    others: tuple[Exemplar, ...]


@dataclass(frozen=True, slots=True)
class MixedCard:
    """A mixed filter with its parts."""

    network: str
    mixed: MixedFilter
    parts: tuple[PartCard, ...]


def mixed_card(galleries: Galleries, network: NetworkLayers, mixed: MixedFilter) -> MixedCard:
    """Return a mixed filter as pages show it."""
    column = network.first_columns[mixed.layer] + mixed.filter
    exemplars = galleries.exemplars(network, column)
    parts = []
    for part in mixed.parts:
        class_ids = [class_id for class_id, _ in part.classes]
        own = tuple(each for each in exemplars if each.class_id in class_ids)[:_MOST_PICTURES]
        others = _pictures_of(galleries, [each for each in class_ids if each not in {x.class_id for x in own}])
        parts.append(PartCard(part, own, tuple(others)[: _MOST_PICTURES - len(own)]))
    return MixedCard(network.network, mixed, tuple(parts))


def _pictures_of(galleries: Galleries, class_ids: list[str]) -> Iterator[Exemplar]:
    """Yield an image of each class that has one: the one that activates most filters."""
    for class_id in class_ids:
        for picture in galleries.pictures(class_id)[:1]:
            # Where another filter looks in it does not matter here.
            yield replace(picture.exemplar, where=None)
