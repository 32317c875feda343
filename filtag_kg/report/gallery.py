"""Galleries: the filters and images that pages open with, the surest first."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import PurePosixPath

from filtag_kg.kg import Visualization
from filtag_kg.views import Exemplar, FilterName, LoadedKg, NetworkLayers, RunResults, filter_name, surest_first

PICTURES_A_PAGE = 240
"""Images on one page of a class, so that it stays below 500 kB."""
_MOST_CARDS = 12
_MOST_EXEMPLARS = 9
_FEW_EXEMPLARS = 3
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
        Those that it activates most; first those that clearly respond to something.
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
        _ = self._places

    def card(self, network: NetworkLayers, column: int) -> FilterCard:
        """Return a filter as galleries show it."""
        index, filter_ = network.layer_and_filter(column)
        layer = network.layer_names[index]
        return FilterCard(
            network=network.network,
            layer=layer,
            filter=filter_,
            name=filter_name(self.loaded, network, column),
            exemplars=self.exemplars(network, column),
            visualizations=self.loaded.visualizations.get((network.network, layer, filter_), ()),
        )

    def exemplars(self, network: NetworkLayers, column: int) -> tuple[Exemplar, ...]:
        """Return the exemplars of a filter that pages show, the highest activation first."""
        most = _MOST_EXEMPLARS
        if self.own_page is not None:
            index, filter_ = network.layer_and_filter(column)
            own = filter_ in self.own_page[network.network, network.layer_names[index]]
            most = _MOST_EXEMPLARS if own else _FEW_EXEMPLARS
        return self.loaded.exemplars.get((network.network, column), ())[:most]

    def of_filter(self, network: str, layer: str, filter_: int) -> FilterCard:
        """Return a filter as galleries show it, by the identifier of its network."""
        layers = self.loaded.networks[network]
        return self.card(layers, self.loaded.column(layers, layer, filter_))

    def of_network(self, network: str) -> list[FilterCard]:
        """Return the surest filters of a network, one for each kind of thing."""
        layers = self.loaded.networks[network]
        return self._best(layers, range(layers.n_filters), kinds=True)

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
        """Return the surest filters that a class tags."""
        class_ = self.loaded.concepts.class_ids.index(class_id)
        return self._best_of_networks(lambda table: table.column[table.rows_of_class(class_)].tolist())

    def of_concept(self, iri: str) -> list[FilterCard]:
        """Return the surest filters that stand for a concept or something below it, or have it in common."""
        above = self.loaded.concepts.above

        def standing(table: RunResults) -> Iterator[int]:
            columns = range(self.loaded.networks[table.run.network].n_filters)
            yield from (
                column for column, kind in table.concepts_of_layer(columns) if iri in above.get(kind.concept, ())
            )
            yield from (column for column, row in table.with_concept(iri) if row.beyond_chance(self.loaded.q))

        return self._best_of_networks(standing)

    def pictures(self, class_id: str) -> Sequence[Picture]:
        """Return the images of a class that activate some filter most: those that activate most filters first."""
        return self._pictures.get(class_id, ())

    def all_pictures(self) -> Iterator[Picture]:
        """Yield the images of all classes."""
        yield from chain.from_iterable(self._pictures.values())

    def place(self, exemplar: Exemplar) -> tuple[int, str]:
        """Return the page of an image among those of its class, from 1, and its anchor there."""
        return self._places[exemplar.class_id, exemplar.thumbnail]

    def _best_of_networks(self, columns_of: Callable[[RunResults], Iterable[int]]) -> list[FilterCard]:
        cards: list[FilterCard] = []
        for network in self.loaded.networks.values():
            columns = {column for table in self.loaded.runs_of(network.network) for column in columns_of(table)}
            cards += self._best(network, sorted(columns))
        return cards[:_MOST_CARDS]

    def _best(self, network: NetworkLayers, columns: Sequence[int], *, kinds: bool = False) -> list[FilterCard]:
        """Return the filters to open a page with: the surest, those with pictures first.

        With `kinds`, only one for each kind of thing. Filters with neither pictures nor a clear name are left out.
        """
        chosen: dict[str, int] = {}
        surest = surest_first(self.loaded, network, columns)
        for column in sorted(surest, key=lambda column: not self._is_clear_and_pictured(network, column)):
            name = filter_name(self.loaded, network, column)
            if len(chosen) < _MOST_CARDS and (name.clear or self._has_pictures(network, column)):
                chosen.setdefault(name.text.partition(":")[0] if kinds else str(column), column)
        return [self.card(network, column) for column in chosen.values()]

    def _is_clear_and_pictured(self, network: NetworkLayers, column: int) -> bool:
        return filter_name(self.loaded, network, column).clear and self._has_pictures(network, column)

    def _has_pictures(self, network: NetworkLayers, column: int) -> bool:
        if (network.network, column) in self.loaded.exemplars:
            return True
        index, filter_ = network.layer_and_filter(column)
        return (network.network, network.layer_names[index], filter_) in self.loaded.visualizations

    @cached_property
    def _pictures(self) -> Mapping[str, Sequence[Picture]]:
        filters_of: dict[tuple[str, str], list[tuple[bool, float, str, int]]] = {}
        exemplar_of: dict[tuple[str, str], Exemplar] = {}
        for network, column in self.loaded.exemplars:
            layers = self.loaded.networks[network]
            for exemplar in self.exemplars(layers, column):
                key = exemplar.class_id, exemplar.thumbnail
                order = not filter_name(self.loaded, layers, column).clear, -exemplar.activation, network, column
                filters_of.setdefault(key, []).append(order)
                exemplar_of.setdefault(key, exemplar)
        pictures: dict[str, list[Picture]] = {}
        for key in sorted(filters_of, key=lambda key: (key[0], -len(filters_of[key]), key[1])):
            most = sorted(filters_of[key])[:_MOST_FILTERS]
            filters = tuple(self._filter(network, column) for *_, network, column in most)
            pictures.setdefault(key[0], []).append(Picture(exemplar_of[key], _anchor(key[1]), filters))
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
        return network, layer, filter_, name.text if name.clear else f"{layer} · {filter_}"


def _anchor(thumbnail: str) -> str:
    """Return the anchor of a picture: ``image-0000012``; those of a build that was added say of which."""
    path = PurePosixPath(thumbnail)
    folders = [part for part in path.parts[:-1] if part != "exemplars"]
    return "-".join(["image", *folders, path.stem])
