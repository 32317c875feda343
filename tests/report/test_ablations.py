"""An ablation on the pages: the sentence, the changes as bars and numbers, and each class."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filtag_kg.kg import KG, Ablation, runs_of
from filtag_kg.report import FileUrls, Pages, run_figures
from filtag_kg.report.grouping import group_run
from filtag_kg.views import LoadedKg, ablation_text, load_kg
from tests.views.test_ablations import CONCEPT, DIFFERENCE, OTHERS, ablation

DOG = "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"


@pytest.fixture(scope="module")
def with_ablation(kg: KG) -> tuple[LoadedKg, Ablation]:
    """The KG, as if an ablation of two of its filters had been added."""
    loaded = load_kg(kg)
    run = runs_of(kg)[0]
    network = loaded.networks[run.network]
    rows = ablation(CONCEPT, OTHERS, DIFFERENCE).classes
    ids = loaded.concepts.class_ids
    found = ablation(
        CONCEPT, OTHERS, replace(DIFFERENCE, random=(*([0.0] * 18), -0.1)),
        run_id=run.run_id, network=run.network, concept=DOG, filters=((network.layer_names[0], 0),),
        classes=tuple(replace(row, class_id=id_) for row, id_ in zip(rows, ids, strict=False)),
    )  # fmt: skip
    return replace(loaded, ablations=(found,)), found


def test_the_page_of_the_concept(with_ablation: tuple[LoadedKg, Ablation]) -> None:
    loaded, found = with_ablation
    page = Pages(loaded, FileUrls()).concept(DOG)
    assert "What its filters cause" in page
    assert ablation_text(found) in page
    assert "−20.0 <small>−30.0 to −10.0</small>" in page
    # The marks of random sets: 0 is the middle, −10 a sixth of the whole to its left, as −30 is the left end.
    assert '<u style="left:50.0%"></u>' in page
    assert '<u style="left:33.3%"></u>' in page
    assert page.count("50 % → 40 %") == len(found.classes)
    assert FileUrls().filter(found.network, *found.filters[0]) in page
    others = [iri for iri in loaded.concepts.labels if iri != DOG]
    assert "What its filters cause" not in Pages(loaded, FileUrls()).concept(others[0])


def test_the_first_page_and_its_figure(with_ablation: tuple[LoadedKg, Ablation], kg: KG) -> None:
    loaded, found = with_ablation
    pages = Pages(loaded, FileUrls())
    page = pages.overview()
    assert "What filters cause" in page
    assert ablation_text(found) in page
    assert "What filters cause" not in Pages(load_kg(kg), FileUrls()).overview()
    figures = [
        [figure.name for figure in run_figures(group_run(loaded, table), lambda _: None)]
        for table in loaded.runs.values()
    ]
    assert [any(name.endswith("ablations") for name in names) for names in figures] == [
        table.run.run_id == found.run_id for table in loaded.runs.values()
    ]
