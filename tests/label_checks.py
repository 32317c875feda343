"""A check of the labels of a KG with made-up numbers: what reads checks needs no network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from filtag_kg.explain import LabelCheck, add_label_check
from filtag_kg.kg import KG, CheckedLabel, KgRun, LabelStatus, open_kg
from filtag_kg.views import LoadedKg, RunResults, load_kg


def made_up_check(kg: KG) -> LabelCheck:
    """Return a check by which a label fits the better, the lower its filter's index is; one label is not testable."""
    loaded = load_kg(kg)
    runs = {run_id: tuple(_rows(loaded, table)) for run_id, table in loaded.runs.items()}
    return LabelCheck(
        network=kg.manifest["network"],
        runs=runs,
        images=40,
        classes=8,
        images_sha256=64 * "e",
        source="test.tar",
        draws=1000,
        seed=0,
        notes=("unreadable: n02123045/0.png (no image)",),
    )


def checked_copy(kg: KG, folder: Path) -> KG:
    """Copy a KG, and add a made-up check of all its labels."""
    shutil.copytree(kg.path, folder)
    copy = open_kg(folder)
    return add_label_check(copy, made_up_check(copy))


def _rows(loaded: LoadedKg, table: RunResults) -> Iterator[CheckedLabel]:
    layers = loaded.networks[table.run.network]
    for column in range(layers.n_filters):
        layer, filter_ = layers.layer_and_filter(column)
        where = (table.run, layers.layer_names[layer], filter_)
        rows = table.rows(column)
        for class_, rank in zip(table.class_[rows].tolist(), table.rank[rows].tolist(), strict=True):
            names = (loaded.concepts.class_ids[class_], loaded.concepts.class_labels[class_])
            yield _row(*where, "tag", *names, "", "", rank, fits=0.6 - 0.2 * filter_ - 0.01 * class_)
        for common in table.common.get(column, ()):
            fits = 0.7 - 0.2 * filter_ - 0.1 * common.rank
            names = (common.concept, common.label)
            yield _row(*where, "concept", *names, common.relation, common.source, common.rank, fits=fits)


def _row(
    run: KgRun,
    layer: str,
    filter_: int,
    kind: str,
    label_id: str,
    label: str,
    relation: str,
    source: str,
    rank: int,
    *,
    fits: float,
) -> CheckedLabel:
    fits = round(fits, 3)
    about = (run.rule, layer, filter_, kind, label_id, label, relation, source, rank)
    if label == "tabby" and filter_ == 0:
        return CheckedLabel(*about, 0, 0, "not testable", "no image of it")
    scores: list[float] = [fits, 0.02, 0.0]
    for score in (0.3, fits / 2, fits / 2, fits / 3, 0.5 + fits / 2):
        scores += [round(abs(score), 3), 0.1, 0.12]
    confirmed = fits > 0.4
    status: LabelStatus = "confirmed" if confirmed else "not confirmed"
    p_values = (0.25, 0.1, 0.02, 0.001 if confirmed else 0.6)
    return CheckedLabel(*about, 1, 5, status, "", *scores, *p_values, 0.8, 0.2, 0.003)
