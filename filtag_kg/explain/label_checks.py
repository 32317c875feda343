"""Check whether filters respond to what their labels say, on images that did not make the labels.

Every label of every run about a network is checked: tags, whatever method made them, and what the tags of a filter have
in common. `label_scores` says how well a label fits, `label_tests` whether better than chance, `concept_induction` how
many images of the label activate the filter.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import ConceptSource, concept_source, q_values
from filtag_kg.errors import FiltagError
from filtag_kg.explain.active_filters import other_network
from filtag_kg.explain.concept_induction import activating, mann_whitney_p, tie_sums
from filtag_kg.explain.evaluation import unreadable_notes
from filtag_kg.explain.label_classes import LabelClasses, link_test_classes
from filtag_kg.explain.label_scores import SCORES, label_scores
from filtag_kg.explain.label_tests import DRAWS, LEAST_SETS, class_contributions, class_sets, label_p_values
from filtag_kg.explain.unseen_images import unseen_images
from filtag_kg.graph import CheckDescription, DataIris, LabelVerdict, emit_label_check
from filtag_kg.images import ImageRef, ImageSet
from filtag_kg.kg import KG, LABEL_CHECKS, CheckedLabel, Experiment, KgRun, add_experiments, runs_of
from filtag_kg.names import nfc
from filtag_kg.network import Network
from filtag_kg.profile import load_profile, observations
from filtag_kg.views import LoadedKg, NetworkLayers, RunResults, load_kg

CONFIRMED_Q = 0.05
"""A label with a lower q-value is confirmed."""
RANDOM_LABELS = 100
"""Random labels of several classes whose scores a label is compared with; of one class, all classes are taken."""
_FEW_CLASSES = 20
_MOST_NAMED = 100
_DIGITS = 6
_PROBABILITIES = {"p_filters", "p_labels", "p_value", "q_value", "u_test_p"}


@dataclass(frozen=True, slots=True, eq=False)
class ObservedImages:
    """The activations of test images, and their classes.

    Parameters
    ----------
    activations : float32 array of shape (n_images, n_filters), in [0, 1]
        Layers side by side, in forward order.
    layers : mapping of layer name to slice
        The columns of each layer.
    class_ids : tuple of str, of length n_classes
        Sorted.
    membership : bool array of shape (n_classes, n_images)
        Which image is of which class; of several, where it has several labels.
    """

    activations: NDArray[np.float32]
    layers: Mapping[str, slice]
    class_ids: tuple[str, ...]
    membership: NDArray[np.bool_]

    def of_layer(self, layer: str) -> NDArray[np.float32]:
        """Return the activations of a layer, of shape (n_filters, n_images)."""
        return np.ascontiguousarray(self.activations[:, self.layers[layer]].T)


@dataclass(frozen=True, slots=True, eq=False)
class LabelCheck:
    """The outcome of checking the labels of a KG's runs about one network.

    Parameters
    ----------
    network : str
        Identifier of the network in the KG.
    runs : mapping of run id to tuple of CheckedLabel
        In the order of the KG.
    images, classes : int
        That the labels were checked on.
    images_sha256, source : str
        Of the images, and their file or folder name.
    notes : tuple of str
        What a reader must know.
    """

    network: str
    runs: Mapping[str, tuple[CheckedLabel, ...]]
    images: int
    classes: int
    images_sha256: str
    source: str
    draws: int
    seed: int
    notes: tuple[str, ...] = ()


def check_labels(
    kg: KG,
    network: Network,
    images: ImageSet,
    *,
    rules: Sequence[str] = (),
    class_names: Mapping[str, str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    batch_size: int = 32,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LabelCheck:
    """Check the labels of the filters of a network on images that did not make them.

    Of the images that made a profile of the KG, only those that it held out are used. The activations are kept in a
    temporary file: 4 bytes for each image and filter.

    Parameters
    ----------
    network : Network
        One that runs of the KG are about.
    images : ImageSet
        Open; their classes need not be those of the KG.
    rules : sequence of str
        Rules or ids of the runs to check; all runs about the network, if left out.
    class_names : mapping of class id to label, optional
        Labels of classes that the KG does not have: without a WordNet id, these link them to concepts.
    draws, seed
        Of the random sets of classes, see `filtag_kg.explain.label_tests`.
    workers : int, optional
        Threads that decode images; by default one for each processor.
    progress : callable, optional
        Called after each batch with the images done and the images in all.

    Raises
    ------
    FiltagError
        If no run is about the network, there is no such rule, the labels were made from these very images, or no
        image can be read.
    """
    loaded = load_kg(kg)
    layers, runs = runs_to_check(loaded, network, rules)
    images = images.counting(network.class_ids, known=loaded.concepts.class_ids)
    chosen, notes = _unseen(loaded.kg, runs, images)
    unreadable: list[tuple[ImageRef, str]] = []
    with tempfile.TemporaryDirectory(prefix="filtag-check-") as folder:
        observed = _observed(
            network, images, chosen, layers, Path(folder), unreadable, batch_size, workers=workers, progress=progress
        )
        notes += unreadable_notes(unreadable, most=_MOST_NAMED)
        n_classes = len(observed.class_ids)
        if n_classes < _FEW_CLASSES:
            notes.append(
                f"{n_classes} classes are few: a random label is right about as often as one of {n_classes} is, so a "
                "label must fit much better than others to be confirmed"
            )
        classes = link_test_classes(observed.class_ids, loaded.concepts, _source(kg), names=class_names or {})
        checked = checked_labels(loaded, layers, runs, classes, observed, draws=draws, seed=seed)
        return LabelCheck(
            network=layers.network,
            runs=checked,
            images=len(observed.activations),
            classes=n_classes,
            images_sha256=images.sha256(),
            source=images.path.resolve().name,
            draws=draws,
            seed=seed,
            notes=tuple(notes),
        )


def runs_to_check(
    loaded: LoadedKg, network: Network, rules: Sequence[str] = ()
) -> tuple[NetworkLayers, tuple[RunResults, ...]]:
    """Return the layers of a network in a KG, and the runs about it.

    Raises
    ------
    FiltagError
        If no run is about the network, it was loaded with other layers, or there is no such rule.
    """
    # What another program wrote about a network may name it without its weights.
    layers = loaded.networks.get(network.identifier) or loaded.networks.get(network.name)
    if layers is None:
        raise other_network(loaded.kg.path, ", ".join(loaded.networks), network)
    sizes = {nfc(layer.name): layer.n_filters for layer in network.layers}
    for layer, size in layers.filters_of_layers.items():
        if sizes.get(nfc(layer)) != size and (layer in _tagged_layers(loaded, layers) or nfc(layer) in sizes):
            raise FiltagError(
                f"{loaded.kg.path} is about {size} filters in a layer {layer!r} of {network.name}, which was loaded "
                f"with {sizes.get(nfc(layer), 'none')}: load it with the layers of the KG"
            )
    if not rules:
        return layers, loaded.runs_of(layers.network)
    chosen = [loaded.run_named(rule, layers.network) for rule in rules]
    return layers, tuple({table.run.run_id: table for table in chosen}.values())


def _tagged_layers(loaded: LoadedKg, layers: NetworkLayers) -> set[str]:
    columns = np.unique(np.concatenate([table.column for table in loaded.runs_of(layers.network)]))
    return {layers.layer_names[layers.layer_and_filter(int(column))[0]] for column in columns}


def _unseen(kg: KG, runs: Iterable[RunResults], images: ImageSet) -> tuple[Sequence[ImageRef], list[str]]:
    """Return the images that made none of the runs, and notes."""
    chosen, notes = list(images.images), []
    folders = dict.fromkeys(table.run.folder for table in runs)
    paths = [kg.path / folder / "profile.npz" for folder in folders]
    for path in filter(Path.exists, paths):
        unseen = unseen_images(load_profile(path, means_alone=True), images)
        if unseen is None:
            raise FiltagError(
                f"the labels were made from the images of {images.path.name}, which cannot tell whether they are true: "
                "give others, or hold images out when the profile is made",
                options=("images",),
            )
        names = {image.name for image in unseen[0]}
        chosen = [image for image in chosen if image.name in names]
        notes += [note for note in unseen[1] if note not in notes]
    if not all(path.exists() for path in paths):
        notes.append("imported labels do not say which images made them: they must be others than these")
    if not chosen:
        raise FiltagError(
            f"the profiles of {kg.path} held out no image in common: give images that made none of the labels",
            options=("images",),
        )
    return chosen, notes


def _observed(
    network: Network,
    images: ImageSet,
    chosen: Sequence[ImageRef],
    layers: NetworkLayers,
    folder: Path,
    unreadable: list[tuple[ImageRef, str]],
    batch_size: int,
    *,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> ObservedImages:
    """Pass images through a network, and keep the activations of the layers that a KG knows in a file."""
    offsets = np.cumsum([0, *(layer.n_filters for layer in network.layers)])
    first = {nfc(layer.name): int(offset) for layer, offset in zip(network.layers, offsets, strict=False)}
    present = [layer for layer in layers.layer_names if nfc(layer) in first]
    sizes = [layers.filters_of_layers[layer] for layer in present]
    starts = np.cumsum([0, *sizes]).tolist()
    columns = np.concatenate(
        [np.arange(size) + first[nfc(layer)] for layer, size in zip(present, sizes, strict=True)] or [np.zeros(0, int)]
    )
    activations = np.lib.format.open_memmap(
        folder / "activations.npy", mode="w+", dtype=np.float32, shape=(len(chosen), len(columns))
    )
    only = None if len(chosen) == len(images.images) else chosen
    seen: list[ImageRef] = []
    stream = observations(network, images, batch_size=batch_size, workers=workers, only=only, progress=progress)
    with closing(stream):
        for batch in stream:
            unreadable.extend(batch.unreadable)
            activations[len(seen) : len(seen) + len(batch.images)] = batch.activations[:, columns]
            seen.extend(batch.images)
    if not seen:
        raise FiltagError("no test image could be read: mend the images")
    class_ids = tuple(sorted({class_id for image in seen for class_id in image.class_ids}))
    row = {class_id: index for index, class_id in enumerate(class_ids)}
    membership = np.zeros((len(class_ids), len(seen)), dtype=np.bool_)
    for index, image in enumerate(seen):
        membership[[row[class_id] for class_id in image.class_ids], index] = True
    slices = {layer: slice(starts[m], starts[m + 1]) for m, layer in enumerate(present)}
    return ObservedImages(activations[: len(seen)], slices, class_ids, membership)


def _source(kg: KG) -> ConceptSource:
    return concept_source(str(kg.manifest["parameters"]["concepts"]))


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """The labels to check, before they are: their rows, their classes, and where they are.

    Parameters
    ----------
    rows : list of CheckedLabel
        Not testable, until they are checked.
    run_ids : list of str
    column : int64 array of shape (n_labels,)
        The filters, counted over all layers.
    which : int64 array of shape (n_labels,)
        The label's set of classes.
    sets : bool array of shape (n_sets, n_classes)
        The different sets.
    """

    rows: list[CheckedLabel]
    run_ids: list[str]
    column: NDArray[np.int64]
    which: NDArray[np.int64]
    sets: NDArray[np.bool_]


def checked_labels(
    loaded: LoadedKg,
    layers: NetworkLayers,
    runs: Sequence[RunResults],
    classes: LabelClasses,
    observed: ObservedImages,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    shuffle: int | None = None,
) -> dict[str, tuple[CheckedLabel, ...]]:
    """Check the labels of runs on images that were passed through the network.

    Parameters
    ----------
    shuffle : int, optional
        A seed to shuffle the filters of each layer with, so that each label is checked on another filter: what comes
        out is chance.

    Returns
    -------
    mapping of run id to tuple of CheckedLabel
        By filter, tags before common concepts, in the order of the run.
    """
    labels = _collected(loaded, layers, runs, classes)
    column = labels.column
    if shuffle is not None:
        column = _shuffled(layers, np.random.default_rng(shuffle))[column]
    rows, p = list(labels.rows), np.full(len(labels.rows), np.nan)
    n_positives = ((labels.sets.astype(np.float32) @ observed.membership.astype(np.float32)) > 0).sum(axis=1)
    reasons = [_reason(int(n), observed) for n in n_positives]
    for index, (row, which) in enumerate(zip(rows, labels.which.tolist(), strict=True)):
        n_classes, positives = int(labels.sets[which].sum()), int(n_positives[which])
        rows[index] = replace(row, classes=n_classes, positives=positives, reason=reasons[which])
    testable = np.array([not reasons[which] for which in labels.which], dtype=np.bool_)
    for m, layer in enumerate(layers.layer_names):
        start, stop = int(layers.offsets[m]), int(layers.offsets[m + 1])
        of_layer = np.flatnonzero(testable & (column >= start) & (column < stop))
        if not of_layer.size:
            continue
        columns = _layer_columns(
            observed.of_layer(layer),
            column[of_layer] - start,
            labels.which[of_layer],
            labels.sets,
            observed,
            draws,
            seed,
        )
        p[of_layer] = columns["p_value"]
        for place, index in enumerate(of_layer.tolist()):
            values = {name: _rounded(float(values[place]), name) for name, values in columns.items()}
            rows[index] = replace(rows[index], **values)  # type: ignore[arg-type] # all are numbers
    tested = np.flatnonzero(testable)
    for index, q in zip(tested.tolist(), q_values(p[tested]).tolist(), strict=True):
        rows[index] = replace(
            rows[index], q_value=_rounded(q, "q_value"), status="confirmed" if q < CONFIRMED_Q else "not confirmed"
        )
    by_run: dict[str, list[CheckedLabel]] = {table.run.run_id: [] for table in runs}
    for run_id, row in zip(labels.run_ids, rows, strict=True):
        by_run[run_id].append(row)
    return {run_id: tuple(of_run) for run_id, of_run in by_run.items()}


def _collected(loaded: LoadedKg, layers: NetworkLayers, runs: Sequence[RunResults], classes: LabelClasses) -> _Labels:
    """Return the labels of runs, by run and filter, tags before common concepts."""
    graph = loaded.concepts
    of_tag = lru_cache(maxsize=None)(classes.of_tag)
    labels = _Labels([], [], np.zeros(0, int), np.zeros(0, int), np.zeros((0, 0), bool))
    columns: list[int] = []
    which: list[int] = []
    sets: dict[bytes, tuple[int, NDArray[np.bool_]]] = {}

    def add(run_id: str, column: int, stands_for: NDArray[np.bool_], row: CheckedLabel) -> None:
        labels.run_ids.append(run_id)
        labels.rows.append(row)
        columns.append(column)
        which.append(sets.setdefault(stands_for.tobytes(), (len(sets), stands_for))[0])

    for table in runs:
        for column in range(layers.n_filters):
            layer_index, filter_ = layers.layer_and_filter(column)
            layer = layers.layer_names[layer_index]
            here = (table.run.rule, layer, filter_)
            tags = table.rows(column)
            for class_, rank in zip(table.class_[tags].tolist(), table.rank[tags].tolist(), strict=True):
                names = ("tag", graph.class_ids[class_], graph.class_labels[class_], "", "")
                add(table.run.run_id, column, of_tag(class_), _unchecked(*here, *names, rank or None))
            for common in table.common.get(column, ()):
                names = ("concept", common.concept, common.label, common.relation, common.source)
                row = _unchecked(*here, *names, common.rank)
                add(table.run.run_id, column, classes.of_common(common), row)
    stacked = np.array([stands_for for _, stands_for in sets.values()]).reshape(len(sets), len(classes.class_ids))
    return replace(
        labels, column=np.array(columns, dtype=np.int64), which=np.array(which, dtype=np.int64), sets=stacked
    )


def _unchecked(
    rule: str,
    layer: str,
    filter_: int,
    kind: str,
    label_id: str,
    label: str,
    relation: str,
    source: str,
    rank: int | None,
) -> CheckedLabel:
    return CheckedLabel(rule, layer, filter_, kind, label_id, label, relation, source, rank, 0, 0, "not testable")


def _shuffled(layers: NetworkLayers, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the filters of each layer in random order."""
    pairs = zip(layers.offsets[:-1].tolist(), layers.offsets[1:].tolist(), strict=True)
    return np.concatenate([rng.permutation(np.arange(start, stop)) for start, stop in pairs])


def _reason(positives: int, observed: ObservedImages) -> str:
    """Return why labels that stand for some images cannot be tested; empty if they can."""
    n_classes, n_images = observed.membership.shape
    if not positives:
        return "no image of it"
    if positives == n_images:
        return "every image is of it"
    if n_classes < LEAST_SETS:
        return f"{n_classes} classes are too few"
    return ""


def _layer_columns(
    activations: NDArray[np.float32],
    filters: NDArray[np.int64],
    which: NDArray[np.int64],
    sets: NDArray[np.bool_],
    observed: ObservedImages,
    draws: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the numbers about the testable labels of a layer, as columns of a check's table.

    Parameters
    ----------
    activations : float32 array of shape (n_filters, n_images)
    filters, which : int64 array of shape (n_labels,)
        Filter in the layer, and set of classes, of each label.
    """
    membership = observed.membership
    n_filters, n_images = activations.shape
    used, which = np.unique(which, return_inverse=True)
    sets = sets[used]
    positives = np.stack([membership[classes].any(axis=0) for classes in sets])
    scores = label_scores(activations, positives)
    of_random = _scores_of_random_labels(activations, filters, sets.sum(axis=1)[which], membership, seed)
    columns: dict[str, NDArray[np.float64]] = {}
    for name in SCORES:
        values = getattr(scores, name)
        own = columns[name] = values[filters, which]
        columns[f"{name}_filters"] = (
            (values.sum(axis=0)[which] - own) / (n_filters - 1) if n_filters > 1 else np.full(len(own), np.nan)
        )
        columns[f"{name}_labels"] = of_random[name]
    tests = label_p_values(
        class_contributions(activations, membership), membership, filters, sets[which], draws=draws, seed=seed
    )
    columns |= {"p_filters": tests.p_filters, "p_labels": tests.p_labels, "p_value": tests.p_value}
    active = activating(activations).astype(np.float32)
    hits = active @ positives.T.astype(np.float32)
    n_positives = positives.sum(axis=1)
    columns["target_share"] = (hits / n_positives)[filters, which].astype(np.float64)
    others = (active.sum(axis=1, keepdims=True) - hits) / (n_images - n_positives)
    columns["other_share"] = others[filters, which].astype(np.float64)
    columns["u_test_p"] = mann_whitney_p(columns["auc"], n_positives[which], n_images, tie_sums(activations)[filters])
    return columns


def _scores_of_random_labels(
    activations: NDArray[np.float32],
    filters: NDArray[np.int64],
    sizes: NDArray[np.int64],
    membership: NDArray[np.bool_],
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return what random labels of as many classes score in the mean on the filter of each label."""
    means = {name: np.empty(len(filters)) for name in SCORES}
    for size in np.unique(sizes).tolist():
        of_size = np.flatnonzero(sizes == size)
        needed, row = np.unique(filters[of_size], return_inverse=True)
        draws = len(membership) if size == 1 else RANDOM_LABELS
        random = class_sets(len(membership), size, draws=draws, seed=seed).sets
        positives = np.stack([membership[classes].any(axis=0) for classes in random])
        counts = positives.sum(axis=1)
        positives = positives[(counts > 0) & (counts < positives.shape[1])]
        scores = label_scores(activations[needed], positives)
        for name in SCORES:
            means[name][of_size] = getattr(scores, name).mean(axis=1)[row]
    return means


def _rounded(value: float, name: str) -> float | None:
    """Return a number with few enough digits to hide the rounding in the network, which differs by batch size."""
    if np.isnan(value):
        return None
    # The first digits of a probability count, however small it is; of a score, the first decimals.
    return float(f"{value:.{_DIGITS}g}") if name in _PROBABILITIES else round(value, _DIGITS) + 0.0


def add_label_check(kg: KG, check: LabelCheck) -> KG:
    """Add a check to a KG: a table and a named graph for each run, in the place of an earlier check of the run.

    Raises
    ------
    FiltagError
        If the KG lost one of the runs, or another process is changing it.
    """
    runs = {run.run_id: run for run in runs_of(kg)}
    iris = DataIris(kg.manifest["parameters"]["base"])
    gone = next((run_id for run_id in check.runs if run_id not in runs), None)
    if gone is not None:
        raise FiltagError(f"{kg.path} has no run {gone} any more: nothing was added")
    return add_experiments(
        kg, [_experiment(runs[run_id], labels, check, iris) for run_id, labels in check.runs.items()]
    )


def label_check_csv(labels: Iterable[CheckedLabel]) -> str:
    """Return checked labels as the text of a CSV file."""
    return LABEL_CHECKS.text(labels)


def _experiment(run: KgRun, labels: Sequence[CheckedLabel], check: LabelCheck, iris: DataIris) -> Experiment:
    # One check of a run is enough: the last one counts.
    check_id = hashlib.sha256(f"check {run.run_id}".encode()).hexdigest()[:16]
    counts = Counter(row.status for row in labels)
    description = CheckDescription(
        check_id=check_id,
        run_id=run.run_id,
        network=check.network,
        images_sha256=check.images_sha256,
        images=check.images,
        classes=check.classes,
        labels=len(labels),
        testable=len(labels) - counts["not testable"],
        confirmed=counts["confirmed"],
        level=CONFIRMED_Q,
        draws=check.draws,
        seed=check.seed,
        software=tuple(f"{name} {version(name)}" for name in ("filtag-kg", "numpy", "scipy")),
    )
    about: dict[str, Any] = asdict(description) | {"source": check.source, "notes": list(check.notes)}
    about["software"] = list(description.software)
    verdicts = (_verdict(row, run, iris) for row in labels)
    triples = emit_label_check(description, verdicts, iris)
    return Experiment("check", check_id, run.run_id, label_check_csv(labels), triples, about)


def _verdict(row: CheckedLabel, run: KgRun, iris: DataIris) -> LabelVerdict:
    if row.kind == "tag":
        node = iris.assignment(run.run_id, row.layer, row.filter, row.label_id)
    elif (row.relation, row.source) == ("IsA", run.kinds_of):
        node = iris.common(run.run_id, row.layer, row.filter, row.rank or 0)
    else:
        node = iris.feature(run.run_id, row.layer, row.filter, row.relation, row.source, row.rank or 0)
    confirmed = None if row.status == "not testable" else row.status == "confirmed"
    return LabelVerdict(node, confirmed, row.q_value, row.correlation, row.auc, row.auprc)
