"""Views of a KG's things as plain data, for pages, terminals and notebooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import CommonConcept, ConceptInLayer
from filtag_kg.kg import Ablation, KgRun, Region, Visualization
from filtag_kg.views.activations import Higher
from filtag_kg.views.concept_graph import Feature, Step
from filtag_kg.views.mixed import MixedFilter
from filtag_kg.views.notebook import filter_html

if TYPE_CHECKING:
    from filtag_kg.views.filter_names import FilterName


@dataclass(frozen=True, slots=True)
class Tag:
    """A class that tags a filter.

    Parameters
    ----------
    rank : int or None
        The filter's rank among the filters of its layer for the class.
    activation, contrast : float or None
        None where the method that made the tags does not say.
    concept, concept_label : str or None
        What the class is linked to best.
    score : float, optional
        What another method says of the class on the filter; its run says what it measures.
    """

    class_id: str
    label: str
    rank: int | None
    activation: float | None
    contrast: float | None
    concept: str | None
    concept_label: str | None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class InCommon:
    """A common concept of a filter, and the paths from its tags to it.

    Parameters
    ----------
    paths : tuple of (class id, label, way up)
        For each tag that counts: the concepts from the one that it is linked to up to the common one, or up to the one
        whose things have it. Those with the shortest way first.
    """

    row: CommonConcept
    paths: tuple[tuple[str, str, tuple[Step, ...]], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A feature that several of a filter's tags share, whether or not by chance.

    Parameters
    ----------
    tags : int
        Tags that have it.
    """

    feature: Feature
    tags: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A filter with similar tags.

    Parameters
    ----------
    shared : int
        Tags that both have.
    similarity : float, in (0, 1]
        Shared tags / tags of either (Jaccard).
    kind : CommonConcept or None
        The kind that makes the neighbour coherent.
    """

    layer: str
    filter: int
    shared: int
    similarity: float
    kind: CommonConcept | None


@dataclass(frozen=True, slots=True)
class Where:
    """Where in an exemplar's thumbnail the filter responds.

    Parameters
    ----------
    crop : Region
        What to show: the most active region with its surroundings, a square of pixels inside the thumbnail.
    field : Region
        The receptive field of the most active place, cut at the thumbnail's border.
    view : Region
        The part of the thumbnail that the network saw; the map covers it.
    map : uint8 array of shape (side, side)
        255 is the filter's highest response among its exemplars.
    """

    crop: Region
    field: Region
    view: Region
    map: NDArray[np.uint8] = dataclasses.field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An image that activates a filter most.

    Parameters
    ----------
    image : str
        Its name among the images of the pass.
    activation : float, in [0, 1]
    thumbnail : str
        Path of its file in the KG's directory.
    where : Where, optional
        None where the KG was built without the network.
    """

    image: str
    class_id: str
    label: str
    activation: float
    thumbnail: str
    where: Where | None = None


@dataclass(frozen=True, slots=True)
class FilterRun:
    """What one run says of a filter.

    Parameters
    ----------
    tags : tuple of Tag
        Best first.
    kinds, features : tuple of InCommon
        Common concepts by IsA and by the other relations, the surest first.
    parts : tuple of Part
        Those that many tags and few other classes have first.
    neighbours : tuple of Neighbour
        The most similar first.
    """

    run: KgRun
    tags: tuple[Tag, ...]
    kinds: tuple[InCommon, ...]
    features: tuple[InCommon, ...]
    parts: tuple[Part, ...]
    neighbours: tuple[Neighbour, ...]

    @property
    def kind(self) -> CommonConcept | None:
        """The kind that the q-value is about; None if the tags have no kind in common."""
        return self.kinds[0].row if self.kinds else None

    def way(self, in_common: InCommon) -> tuple[Step, ...]:
        """Return the path from the best matching tag to the common concept: the one to show."""
        ways = {class_id: way for class_id, _, way in in_common.paths}
        return next((ways[tag.class_id] for tag in self.tags if tag.class_id in ways), ())


@dataclass(frozen=True, slots=True)
class FilterView:
    """A filter.

    Parameters
    ----------
    filter, n_filters : int
        Its index, and the number of filters of the layer.
    runs : tuple of FilterRun
        Of the runs about its network.
    exemplars : tuple of Exemplar
        The highest activation first; empty where the KG was built without images.
    visualizations : tuple of Visualization
        Pictures of what it looks for.
    higher : tuple of Higher
        The concepts whose images activate it more than other images; only if classes are too few to test tags.
    kg : Path or None
        The KG's directory, which has the pictures.
    mixed : MixedFilter or None
        The two unrelated things that it responds to, if it does.
    name : FilterName or None
        What it responds to, in a few words; None where nobody asked.
    """

    iri: str
    network: str
    layer_index: int
    layer: str
    filter: int
    n_filters: int
    runs: tuple[FilterRun, ...] = dataclasses.field(repr=False)
    exemplars: tuple[Exemplar, ...] = dataclasses.field(repr=False)
    visualizations: tuple[Visualization, ...] = dataclasses.field(repr=False)
    higher: tuple[Higher, ...] = dataclasses.field(repr=False)
    kg: Path | None = dataclasses.field(default=None, compare=False, repr=False)
    mixed: MixedFilter | None = None
    name: FilterName | None = dataclasses.field(default=None, compare=False, repr=False)

    def _repr_html_(self) -> str:
        return filter_html(self)


@dataclass(frozen=True, slots=True)
class FilterLine:
    """A filter in a list.

    Parameters
    ----------
    first : tuple of (class id, label)
        Its first few tags.
    kind : CommonConcept or None
        The kind that its q-value is about.
    """

    layer: str
    filter: int
    tags: int
    first: tuple[tuple[str, str], ...]
    kind: CommonConcept | None


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer in a list, by one run.

    Parameters
    ----------
    filters, tagged, several, coherent : int
        All filters, those with a tag, those with several tags, and those that are coherent.
    """

    index: int
    layer: str
    kind: str
    filters: int
    tagged: int
    several: int
    coherent: int
    tags: int


@dataclass(frozen=True, slots=True)
class LayerRun:
    """What one run says of a layer.

    Parameters
    ----------
    filters : tuple of FilterLine
        All of them, by index.
    concepts : tuple of (IRI, label, filters)
        The kinds of its coherent filters, most filters first.
    classes : tuple of (class id, label, filters)
        The classes that tag its filters, most filters first.
    """

    run: KgRun
    line: LayerLine
    filters: tuple[FilterLine, ...]
    concepts: tuple[tuple[str, str, int], ...]
    classes: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer of a network.

    Parameters
    ----------
    higher : tuple of (IRI, name, filters)
        Where classes are too few for tags: the concepts whose images activate filters most beyond the others.
    """

    iri: str
    network: str
    index: int
    layer: str
    kind: str
    n_filters: int
    higher: tuple[tuple[str, str, int], ...] = dataclasses.field(repr=False)
    runs: tuple[LayerRun, ...] = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class NetworkView:
    """A network.

    Parameters
    ----------
    layers : mapping of run id to tuple of LayerLine
        In forward order.
    """

    iri: str
    network: str
    label: str
    layers: Mapping[str, tuple[LayerLine, ...]] = dataclasses.field(repr=False)
    runs: tuple[KgRun, ...] = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class TaggedFilter:
    """A filter that a class tags."""

    run: KgRun
    line: FilterLine
    rank: int | None
    activation: float | None
    contrast: float | None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class LinkedConcept:
    """A concept that a class is linked to, and how sure that is, in (0, 1]."""

    concept: str
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ClassView:
    """A class.

    Parameters
    ----------
    concept, concept_label : str or None
        What it is linked to best.
    confidence : float or None
        Of the link, in [0, 1].
    above : tuple of Step
        The concepts above it, the nearest first.
    others : tuple of LinkedConcept
        What else its label mentions, where that is a description or a formula; the best first.
    excluded : tuple of Step
        What its label excludes: *dog AND NOT poodle*.
    filters : mapping of run id to tuple of TaggedFilter
        By layer in forward order, then by rank.
    layers : mapping of run id to tuple of ConceptInLayer
        Where the nearest kind of thing appears that layers can tell from others, in forward order: a rule gives every
        class as many filters in every layer, so these say nothing of it. Nothing without a profile.
    """

    iri: str
    class_id: str
    label: str
    concept: str | None
    concept_label: str | None
    confidence: float | None
    above: tuple[Step, ...] = dataclasses.field(repr=False)
    others: tuple[LinkedConcept, ...] = dataclasses.field(repr=False)
    excluded: tuple[Step, ...] = dataclasses.field(repr=False)
    filters: Mapping[str, tuple[TaggedFilter, ...]] = dataclasses.field(repr=False)
    layers: Mapping[str, tuple[ConceptInLayer, ...]] = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class Related:
    """A concept beside another.

    Parameters
    ----------
    classes : int
        Classes of the KG at or below it.
    """

    concept: str
    label: str
    classes: int


@dataclass(frozen=True, slots=True)
class ConceptView:
    """A concept.

    Parameters
    ----------
    alt_labels, terms : tuple of str
        Other names, and IRIs of ConceptNet terms.
    features : tuple of Feature
        Its own features, not those of concepts above.
    classes : tuple of (class id, label)
        At or below it.
    filters : mapping of run id to tuple of (FilterLine, CommonConcept)
        The filters that have it in common, by adjusted p-value and coverage.
    layers : mapping of run id to tuple of ConceptInLayer
        By layer in forward order; empty if fewer than two classes are at or below it.
    tagged : mapping of run id to tuple of (FilterLine, int)
        The filters with tags at or below it and how many such tags each has; those with most first, then those with
        the greatest share of them.
    n_filters, n_tagged : mapping of run id to int
        How many there are in all, as `filters` and `tagged` may be cut.
    ablations : tuple of Ablation
        What the network loses without its filters, as far as that was tested.
    """

    iri: str
    label: str
    alt_labels: tuple[str, ...]
    terms: tuple[str, ...]
    broader: tuple[Related, ...]
    narrower: tuple[Related, ...]
    features: tuple[Feature, ...] = dataclasses.field(repr=False)
    classes: tuple[tuple[str, str], ...] = dataclasses.field(repr=False)
    filters: Mapping[str, tuple[tuple[FilterLine, CommonConcept], ...]] = dataclasses.field(repr=False)
    layers: Mapping[str, tuple[ConceptInLayer, ...]] = dataclasses.field(repr=False)
    tagged: Mapping[str, tuple[tuple[FilterLine, int], ...]] = dataclasses.field(repr=False)
    n_filters: Mapping[str, int] = dataclasses.field(repr=False)
    n_tagged: Mapping[str, int] = dataclasses.field(repr=False)
    ablations: tuple[Ablation, ...] = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class FilterPair:
    """Two filters compared, each by one run.

    Parameters
    ----------
    both, only_a, only_b : tuple of (class id, label)
        Tags, by label.
    kinds : tuple of (IRI, label)
        Kinds that both have beyond chance.
    similarity : float, in [0, 1]
        Shared tags / tags of either (Jaccard); 0 if neither has any.
    """

    a: FilterView
    b: FilterView
    run_a: FilterRun
    run_b: FilterRun
    both: tuple[tuple[str, str], ...]
    only_a: tuple[tuple[str, str], ...]
    only_b: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    similarity: float
