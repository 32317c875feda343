"""Arrays in files have their room on the disk before they are filled."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.array_file import new_array


def test_what_is_filled_in_is_in_the_file(tmp_path: Path) -> None:
    array = new_array(tmp_path / "a.npy", np.uint8, (3, 2, 2))
    array[1] = 7
    array.flush()
    assert np.load(tmp_path / "a.npy").tolist() == [[[0, 0], [0, 0]], [[7, 7], [7, 7]], [[0, 0], [0, 0]]]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_its_file_has_no_holes(tmp_path: Path) -> None:
    new_array(tmp_path / "a.npy", np.float32, (2**20, 3))
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= 2**20 * 3 * 4
