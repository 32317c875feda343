from __future__ import annotations

import pytest

from filtag_kg.errors import MissingExtraError
from filtag_kg.network.torch.backend import import_torch


@pytest.fixture(scope="session")
def torch():
    try:
        for package in ("torchvision", "timm"):
            import_torch(package)
        return import_torch()
    except MissingExtraError as error:
        pytest.skip(str(error))
