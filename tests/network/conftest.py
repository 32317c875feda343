from __future__ import annotations

import pytest

from filtag_kg.errors import MissingExtraError
from filtag_kg.network import import_keras

# It needs Keras 2, and is run by hand.
collect_ignore = ["keras2/make_files.py"]


@pytest.fixture(scope="session")
def keras():
    try:
        return import_keras()
    except MissingExtraError as error:
        pytest.skip(str(error))
