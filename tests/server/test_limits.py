"""Limits that no machine has are refused, as are those below nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.server import Limits


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"timeout": math.inf}, "timeout=inf is too much: give at most 86400"),
        ({"timeout": math.nan}, "timeout=nan is too little: give more than 0"),
        ({"workers": 1_000_000}, "workers=1000000 is too much: give at most 256"),
        ({"max_rows": 10**30}, f"max_rows={10**30} is too much: give at most 1000000000"),
        ({"memory": 10**30}, f"a memory of {10**30 >> 20} MB is too much: give at most 1073741824 MB"),
        ({"cache": 10**30}, f"a cache of {10**30 >> 20} MB is too much: give at most 1073741824 MB"),
        ({"cache": -1}, "a cache of -1 MB is too little: give at least 0 MB"),
        ({"max_bytes": 0}, "a size of 0 MB is too little: give at least 1 MB"),
        ({"max_bytes": 10**30}, f"a size of {10**30 >> 20} MB is too much: give at most 2048 MB"),
        ({"memory": 1 << 20}, "a memory of 1 MB is too little: give at least 256 MB"),
    ],
)
def test_a_limit_is_one(given: dict[str, Any], what: str) -> None:
    with pytest.raises(FiltagError) as error:
        Limits(**given)
    assert str(error.value) == what
    options = {"memory": "max_memory", "max_bytes": "max_size"}
    assert error.value.options == tuple(options.get(name, name) for name in given)
