from __future__ import annotations

from collections.abc import Iterator

import pytest

from filtag_kg.kg import KG
from tests.server.servers import Server, serving


@pytest.fixture(scope="package")
def server(kg: KG) -> Iterator[Server]:
    """The small KG, served once for all tests that only ask."""
    with serving(kg.path) as running:
        yield running
