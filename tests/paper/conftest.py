from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg.kg import KG
from filtag_kg.paper import PaperSource, write_paper
from filtag_kg.report import semantic_report
from filtag_kg.views import load_kg


def written_paper(kgs: list[KG], folder: Path, **options: object) -> Path:
    """Write the paper of KGs; `hits` and `errors` go to the sources, the rest to `write_paper`."""
    given = {name: options.pop(name) for name in ("hits", "errors") if name in options}
    loaded = [load_kg(kg) for kg in kgs]
    report = semantic_report(loaded)
    write_paper([PaperSource(each, report.of_kg(each.kg), **given) for each in loaded], folder, **options)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="session")
def two_papers(kg: KG, vgg: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_paper([kg, vgg], tmp_path_factory.mktemp("papers") / "papers")


@pytest.fixture(scope="session")
def paper(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_paper([kg], tmp_path_factory.mktemp("paper") / "paper")
