from __future__ import annotations

import pytest

from filtag_kg.errors import MissingExtraError
from filtag_kg.network import import_keras


@pytest.fixture(scope="session")
def keras():
    try:
        return import_keras()
    except MissingExtraError as error:
        pytest.skip(str(error))
