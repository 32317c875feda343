"""Which filters an image activates most, and which classes tag those (paper, section 2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.kg import KG, read_tags
from filtag_kg.network import Network
from filtag_kg.profile import Profile, load_profile
from filtag_kg.tags import Rule, contrast_to, parse_rule


@dataclass(frozen=True, slots=True, eq=False)
class TaggedFilters:
    """The filters of a network with their tags by one rule of a KG.

    A filter's index counts over all layers, in forward order: it is its column in an image's activations.

    Parameters
    ----------
    run_id : str
        Of the run that made the tags.
    layer_names : tuple of str, of length n_layers
    layer_offsets : int64 array of shape (n_layers + 1,)
        The filters of layer m are ``layer_offsets[m]:layer_offsets[m + 1]``.
    class_ids, class_labels : tuple of str, of length n_classes
        The classes that the rule tags filters with; ids are unique, labels need not be.
    tagged : bool array of shape (n_filters, n_classes)
        Whether the class tags the filter.
    profile : Profile, optional
        What a contrast rule compares images with; None for an activation rule.
    other_labels : mapping of str to str
        The labels of classes that tag nothing, as far as they were given.
    """

    rule: Rule
    run_id: str
    layer_names: tuple[str, ...]
    layer_offsets: NDArray[np.int64]
    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    tagged: NDArray[np.bool_]
    profile: Profile | None
    other_labels: Mapping[str, str] = field(default_factory=dict)

    def labels(self, class_ids: Sequence[str]) -> dict[str, str]:
        """Return the labels of these classes and of those that tag filters: WordNet's where no other is known."""
        labels = dict(zip(class_ids, preferred_labels(class_ids, wordnet()), strict=True))
        labels |= {class_id: label for class_id, label in self.other_labels.items() if class_id in labels}
        return labels | dict(zip(self.class_ids, self.class_labels, strict=True))

    def active(self, activations: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return the filters that the rule selects for each image, as if the image were a class.

        Parameters
        ----------
        activations : float64 array of shape (n_images, n_filters), in [0, 1]

        Returns
        -------
        bool array of shape (n_images, n_filters)
        """
        scores = activations if self.profile is None else contrast_to(self.profile, activations)
        return self.rule.select_by_layer(scores, self.layer_offsets)

    def by_layer(self, columns: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the true entries of each layer.

        Parameters
        ----------
        columns : bool array of shape (n_filters, ...)

        Returns
        -------
        int64 array of shape (n_layers, ...)
        """
        return np.add.reduceat(columns, self.layer_offsets[:-1], axis=0, dtype=np.int64)

    def layers_and_filters(self, columns: NDArray[np.bool_]) -> list[tuple[str, int]]:
        """Return layer and index in the layer of the filters where `columns`, of shape (n_filters,), is true."""
        indices = np.flatnonzero(columns)
        layers = np.searchsorted(self.layer_offsets, indices, side="right") - 1
        names = [self.layer_names[layer] for layer in layers]
        return list(zip(names, (indices - self.layer_offsets[layers]).tolist(), strict=True))


def other_network(what: object, made_of: str, network: Network) -> FiltagError:
    """Return the error that a KG or profile was made of another network than the one loaded."""
    message = f"{what} was made of {made_of}, not of {network.identifier}: "
    name = network.identifier.rpartition("-")[0]
    if any(other.rpartition("-")[0] == name for other in made_of.split(", ")):
        message += "its weights are others, or images are prepared in another way; load it as it was loaded then"
    else:
        message += "name the right network"
    return FiltagError(message, options=("network",))


def tagged_filters(
    kg: KG, network: Network, rule: str | None = None, names: Mapping[str, str] | None = None
) -> TaggedFilters:
    """Return the tags of a KG as a table of filters and classes.

    Parameters
    ----------
    network : Network
        The one that the KG was made of.
    rule : str, optional
        The KG's first, if left out.
    names : mapping of class id to label, optional
        Labels that replace the KG's.

    Raises
    ------
    FiltagError
        If the network is another one or was loaded with other layers, or the KG has no such rule or no profile
        that the rule needs.
    """
    name = _chosen_rule(kg, rule)
    if network.identifier != kg.manifest["network"]:
        raise other_network(kg.path, kg.manifest["network"], network)
    parsed = parse_rule(name)
    tags = read_tags(kg.tags_path, network=network.identifier, rules=kg.rules).of_rule(name)
    sizes = {layer.name: layer.n_filters for layer in network.layers}
    offsets = np.cumsum([0, *sizes.values()], dtype=np.int64)
    first_of = dict(zip(sizes, offsets.tolist(), strict=False))
    _check_layers(kg, network, {tags.layer_names[layer] for layer in np.unique(tags.layer)} - sizes.keys())
    beyond = np.flatnonzero(tags.filter >= np.array([sizes.get(layer, 0) for layer in tags.layer_names])[tags.layer])
    if len(beyond):
        layer = tags.layer_names[tags.layer[beyond[0]]]
        raise FiltagError(
            f"{kg.tags_path} tags filter {tags.filter[beyond[0]]} of {layer}, which has {sizes[layer]} filters: "
            "build the KG anew"
        )
    classes, class_index = np.unique(tags.class_, return_inverse=True)
    tagged = np.zeros((network.n_filters, len(classes)), dtype=np.bool_)
    first = np.array([first_of.get(layer, 0) for layer in tags.layer_names], dtype=np.int64)
    tagged[first[tags.layer] + tags.filter, class_index] = True
    names = names or {}
    return TaggedFilters(
        rule=parsed,
        run_id=next(run["id"] for run in kg.manifest["runs"] if run["rule"] == name),
        layer_names=tuple(sizes),
        layer_offsets=offsets,
        class_ids=tuple(tags.class_ids[index] for index in classes),
        class_labels=tuple(names.get(tags.class_ids[index], tags.class_labels[index]) for index in classes),
        tagged=tagged,
        profile=_profile(kg, name) if parsed.score == "contrast" else None,
        other_labels={**kg.manifest["inputs"].get("profile", {}).get("class_names", {}), **names},
    )


def tagged_classes(kg: KG, rule: str | None = None) -> dict[str, str]:
    """Return the labels of the classes that a rule of a KG tags filters with, by id.

    Raises
    ------
    FiltagError
        If the KG has no such rule.
    """
    name = _chosen_rule(kg, rule)
    tags = read_tags(kg.tags_path, network=kg.manifest["network"], rules=kg.rules).of_rule(name)
    return {tags.class_ids[index]: tags.class_labels[index] for index in np.unique(tags.class_)}


def _chosen_rule(kg: KG, rule: str | None) -> str:
    name = rule or kg.rules[0]
    if name not in kg.rules:
        raise FiltagError(f"no rule {name!r} in the KG: it has {', '.join(kg.rules)}")
    return name


def _profile(kg: KG, rule: str) -> Profile:
    path = kg.path / "profile.npz"
    if not path.exists():
        raise FiltagError(f"{kg.path} has no profile, which rule {rule} needs: name another rule", options=("rule",))
    return load_profile(path, means_alone=True)


def _check_layers(kg: KG, network: Network, unknown: set[str]) -> None:
    counts = kg.manifest["counts"]
    # Imported tags may be about some of a network's layers; a profile is about all that were loaded.
    complete = "profile" not in kg.manifest["inputs"] or counts["filters"] == network.n_filters
    if unknown or not complete:
        option = kg.manifest["inputs"].get("profile", {}).get("layers_option", "conv")
        raise FiltagError(
            f"{kg.path} is about other layers of {network.name} than were loaded: load it with layers {option!r}"
        )
