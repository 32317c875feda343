"""Galleries: the filters and images that pages open with, the surest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, islice, zip_longest
from pathlib import PurePosixPath

from filtag_kg.kg import Visualization
from filtag_kg.views import (
    Exemplar,
    FilterName,
    LoadedKg,
    NetworkLayers,
    RunResults,
    count_clear,
    exemplar_themes,
    filter_name,
    surest_first,
)

PICTURES_A_PAGE = 240
"""Images on one page of a class, so that it stays below 500 kB."""
_MOST_CARDS = 12
_MOST_OF_THING = 8
_MOST_EXEMPLARS = 9
_FEW_EXEMPLARS = 3
_MOST_KEPT = 2048
_MOST_FILTERS = 3


@dataclass(frozen=True, slots=True)
class FilterCard:
    """A filter in a gallery.

    Parameters
    ----------
    exemplars : tuple of Exemplar
        At most nine, the highest activation first.
    visualizations : tuple of Visualization
        Pictures of what it looks for.
    """

    network: str
    layer: str
    filter: int
    name: FilterName
    exemplars: tuple[Exemplar, ...]
    visualizations: tuple[Visualization, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image on the page of its class.

    Parameters
    ----------
    exemplar : Exemplar
        The image as one of the filters has it.
    anchor : str
        Its place on the page.
    filters : tuple of (network, layer, filter, name)
        Those that it activates most; first those that clearly respond to something, which alone have a name here.
    """

    exemplar: Exemplar
    anchor: str
    filters: tuple[tuple[str, str, int, str], ...]


@dataclass(frozen=True, eq=False)
class Galleries:
    """The galleries of a KG's pages.

    Parameters
    ----------
    own_page : mapping of (network, layer) to container of int, optional
        The filters that have a page. The others show few of their exemplars, so that a report has fewer pictures.
    """

    loaded: LoadedKg
    own_page: Mapping[tuple[str, str], Container[int]] | None = None

    def prepare(self) -> None:
        """Name every filter and place every image now, so that processes forked later share that."""
        for network in self.loaded.networks.values():
            surest_first(self.loaded, network)
        _ = self._places, self._showing, self._images_of_class

    def card(self, network: NetworkLayers, column: int) -> FilterCard:
        """Return a filter as galleries show it."""
        return self._card(network, column)

    @cached_property
    def _card(self) -> Callable[[NetworkLayers, int], FilterCard]:
        # The surest filters are on the pages of many classes and concepts.
        return lru_cache(maxsize=_MOST_KEPT)(self._new_card)

    def _new_card(self, network: NetworkLayers, column: int) -> FilterCard:
        index, filter_ = network.layer_and_filter(column)
        layer = network.layer_names[index]
        return FilterCard(
            network=network.network,
            layer=layer,
            filter=filter_,
            name=filter_name(self.loaded, network, column),
            exemplars=self.exemplars(network, column)[:_MOST_EXEMPLARS],
            visualizations=self.loaded.visualizations.get((network.network, layer, filter_), ()),
        )

    def exemplars(self, network: NetworkLayers, column: int) -> tuple[Exemplar, ...]:
        """Return the exemplars of a filter that pages show, the highest activation first."""
        exemplars = self.loaded.exemplars.get((network.network, column), ())
        if self.own_page is None:
            return exemplars
        index, filter_ = network.layer_and_filter(column)
        own = filter_ in self.own_page[network.network, network.layer_names[index]]
        return exemplars if own else exemplars[:_FEW_EXEMPLARS]

    def of_filter(self, network: str, layer: str, filter_: int) -> FilterCard:
        """Return a filter as galleries show it, by the identifier of its network."""
        layers = self.loaded.networks[network]
        return self.card(layers, self.loaded.column(layers, layer, filter_))

    def of_network(self, network: str) -> list[FilterCard]:
        """Return the surest filters of a network, one for each kind of thing."""
        layers = self.loaded.networks[network]
        return self._best(layers, range(layers.n_filters), kinds=True)

    def count_clear(self, network: str) -> int:
        """Return how many filters of a network clearly respond to one kind of thing."""
        return count_clear(self.loaded, self.loaded.networks[network])

    def of_run(self, run_id: str) -> list[FilterCard]:
        """Return the surest of the filters that a run finds coherent, one for each kind of thing."""
        table = self.loaded.runs[run_id]
        layers = self.loaded.networks[table.run.network]
        coherent = table.concepts_of_layer(range(layers.n_filters))
        return self._best(layers, [column for column, _ in coherent], kinds=True)

    def of_layer(self, network: str, layer: str) -> list[FilterCard]:
        """Return the surest filters of a layer."""
        layers = self.loaded.networks[network]
        index = self.loaded.layer_index(layers, layer)
        return self._best(layers, range(int(layers.offsets[index]), int(layers.offsets[index + 1])))

    def of_class(self, class_id: str) -> list[FilterCard]:
        """Return the surest filters whose images mostly show a class, then those with several, then those it tags."""
        class_ = self.loaded.concepts.class_ids.index(class_id)

        def tagged(table: RunResults) -> Iterator[int]:
            yield from table.column[table.rows_of_class(class_)].tolist()

        def several(table: RunResults) -> Iterator[int]:
            counts = self._images_of_class.get((table.run.network, class_id), {})
            yield from (column for column, images in counts.items() if images > 1)

        return self._about(class_id, several, tagged)

    def of_concept(self, iri: str) -> list[FilterCard]:
        """Return the surest filters whose images mostly show a concept, then those that stand for it or share it."""
        above = self.loaded.concepts.above

        def standing(table: RunResults) -> Iterator[int]:
            columns = range(self.loaded.networks[table.run.network].n_filters)
            kinds = table.concepts_of_layer(columns)
            yield from (column for column, kind in kinds if iri in above.get(kind.concept, ()))

        def sharing(table: RunResults) -> Iterator[int]:
            yield from (column for column, row in table.with_concept(iri) if row.beyond_chance(self.loaded.q))

        return self._about(iri, standing, sharing)

    def pictures(self, class_id: str) -> Sequence[Picture]:
        """Return the images of a class that activate some filter most: those that activate most filters first."""
        return self._pictures.get(class_id, ())

    def pictures_of(self, thing: str, most: int) -> list[Picture]:
        """Return images of a class, given its id, or of the classes at or below a concept: one of each in turn."""
        graph = self.loaded.concepts
        if thing in graph.class_ids:
            return list(self.pictures(thing)[:most])
        below = [self.pictures(graph.class_ids[class_]) for class_ in graph.classes_below.get(thing, ())]
        in_turn = chain.from_iterable(zip_longest(*(pictures[:most] for pictures in below)))
        return list(islice(filter(None, in_turn), most))

    def all_pictures(self) -> Iterator[Picture]:
        """Yield the images of all classes."""
        yield from chain.from_iterable(self._pictures.values())

    def place(self, exemplar: Exemplar) -> tuple[int, str]:
        """Return the page of an image among those of its class, from 1, and its anchor there."""
        return self._places[exemplar.class_id, exemplar.thumbnail]

    def _about(self, thing: str, *columns_of: Callable[[RunResults], Iterable[int]]) -> list[FilterCard]:
        """Return the surest filters whose images show a thing, then those that each function gives."""
        cards: list[FilterCard] = []
        for network in self.loaded.networks.values():
            runs = self.loaded.runs_of(network.network)
            shown = set(self._showing.get((network.network, thing), ()))
            # Of a concept, the filters for all its kinds come before those for one kind.
            groups = [{column for column in shown if filter_name(self.loaded, network, column).about == thing}, shown]
            groups += [{column for table in runs for column in of_run(table)} for of_run in columns_of]
            seen: set[int] = set()
            for group in groups:
                cards += self._best(network, sorted(group - seen), _MOST_OF_THING)
                seen |= group
        return cards[:_MOST_OF_THING]

    @cached_property
    def _images_of_class(self) -> Mapping[tuple[str, str], Mapping[int, int]]:
        """How many of a filter's exemplars show a class, by network, class id and column."""
        counts: dict[tuple[str, str], Counter[int]] = {}
        for (class_id, _), (_, filters) in self._images.items():
            for *_, network, column in filters:
                counts.setdefault((network, class_id), Counter())[column] += 1
        return counts

    @cached_property
    def _showing(self) -> Mapping[tuple[str, str], Sequence[int]]:
        """The filters whose exemplars show a class or concept beyond chance, by network and class id or IRI."""
        graph = self.loaded.concepts
        showing: dict[tuple[str, str], list[int]] = {}
        for network in self.loaded.networks.values():
            for column, theme in exemplar_themes(self.loaded, network).items():
                if theme.q_value >= self.loaded.q:
                    continue
                concept = theme.concept
                if theme.class_id is not None:
                    showing.setdefault((network.network, theme.class_id), []).append(column)
                    concept = next(iter(graph.class_concepts[graph.class_ids.index(theme.class_id)]), None)
                for above in graph.above.get(concept, ()) if concept is not None else ():
                    showing.setdefault((network.network, above), []).append(column)
        return showing

    def _best(
        self, network: NetworkLayers, columns: Sequence[int], most: int = _MOST_CARDS, *, kinds: bool = False
    ) -> list[FilterCard]:
        """Return the filters to open a page with: the surest, those with pictures first.

        With `kinds`, only one for each kind of thing. Filters with neither pictures nor a clear name are left out.
        """
        chosen: dict[str, int] = {}
        surest = surest_first(self.loaded, network, columns)
        for column in sorted(surest, key=lambda column: not self._is_clear_and_pictured(network, column)):
            name = filter_name(self.loaded, network, column)
            if len(chosen) < most and (name.clear or self._has_pictures(network, column)):
                chosen.setdefault(name.text.partition(":")[0] if kinds else str(column), column)
        return [self.card(network, column) for column in chosen.values()]

    def _is_clear_and_pictured(self, network: NetworkLayers, column: int) -> bool:
        return filter_name(self.loaded, network, column).clear and self._has_pictures(network, column)

    def _has_pictures(self, network: NetworkLayers, column: int) -> bool:
        return (network.network, column) in self._pictured

    @cached_property
    def _pictured(self) -> frozenset[tuple[str, int]]:
        """Network and column of the filters that have pictures."""
        loaded = self.loaded
        first = {name: network.first_columns for name, network in loaded.networks.items()}
        visualized = {(name, first[name][layer] + i) for name, layer, i in loaded.visualizations if name in first}
        return frozenset(visualized.union(loaded.exemplars))

    @cached_property
    def _images(self) -> Mapping[tuple[str, str], tuple[Exemplar, list[tuple[bool, float, str, int]]]]:
        """Each image, by class id and thumbnail, with its filters in an order: clear ones, then by activation."""
        images: dict[tuple[str, str], tuple[Exemplar, list[tuple[bool, float, str, int]]]] = {}
        for network, column in self.loaded.exemplars:
            layers = self.loaded.networks[network]
            clear = filter_name(self.loaded, layers, column).clear
            for exemplar in self.exemplars(layers, column):
                _, filters = images.setdefault((exemplar.class_id, exemplar.thumbnail), (exemplar, []))
                filters.append((not clear, -exemplar.activation, network, column))
        return images

    @cached_property
    def _pictures(self) -> Mapping[str, Sequence[Picture]]:
        pictures: dict[str, list[Picture]] = {}
        images = self._images
        for key in sorted(images, key=lambda key: (key[0], -len(images[key][1]), key[1])):
            exemplar, filters = images[key]
            most = tuple(self._filter(network, column) for *_, network, column in sorted(filters)[:_MOST_FILTERS])
            pictures.setdefault(key[0], []).append(Picture(exemplar, _anchor(key[1]), most))
        return pictures

    @cached_property
    def _places(self) -> Mapping[tuple[str, str], tuple[int, str]]:
        return {
            (class_id, picture.exemplar.thumbnail): (1 + number // PICTURES_A_PAGE, picture.anchor)
            for class_id, pictures in self._pictures.items()
            for number, picture in enumerate(pictures)
        }

    def _filter(self, network: str, column: int) -> tuple[str, str, int, str]:
        layers = self.loaded.networks[network]
        index, filter_ = layers.layer_and_filter(column)
        layer, name = layers.layer_names[index], filter_name(self.loaded, layers, column)
        return network, layer, filter_, name.text if name.clear else ""


def _anchor(thumbnail: str) -> str:
    """Return the anchor of a picture: ``image-0000012``; those of a build that was added say of which."""
    path = PurePosixPath(thumbnail)
    folders = [part for part in path.parts[:-1] if part != "exemplars"]
    return "-".join(["image", *folders, path.stem])
