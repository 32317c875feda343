"""Check labels on images that were passed through the network: collect them, score them, test them, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import q_values
from filtag_kg.explain.concept_induction import activating, mann_whitney_p, tie_sums
from filtag_kg.explain.label_classes import LabelClasses
from filtag_kg.explain.label_scores import SCORES, label_scores
from filtag_kg.explain.label_tests import DRAWS, LEAST_SETS, class_contributions, class_sets, label_p_values
from filtag_kg.explain.observed_images import ObservedImages
from filtag_kg.kg import CheckedLabel
from filtag_kg.views import LoadedKg, NetworkLayers, RunResults

CONFIRMED_Q = 0.05
"""A label with a lower q-value is confirmed."""
RANDOM_LABELS = 100
"""Random labels of several classes whose scores a label is compared with; of one class, all classes are taken."""
_DIGITS = 6
_PROBABILITIES = {"p_filters", "p_labels", "p_value", "q_value", "u_test_p"}


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
