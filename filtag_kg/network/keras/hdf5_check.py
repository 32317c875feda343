"""Read an untrusted HDF5 file once from end to end, in a process of its own.

The HDF5 library loops or crashes on some damaged files, and nothing within a process can stop it.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

_SECONDS = 20.0
_SECONDS_PER_MB = 0.2
_WEIGHTS = "model.weights.h5"


def check_hdf5(path: Path) -> None:
    """Make sure that the HDF5 in a ``.keras`` or ``.h5`` file can be read.

    Raises
    ------
    ValueError
        If it cannot.
    """
    seconds = _SECONDS + _SECONDS_PER_MB * path.stat().st_size / 1e6
    command = [sys.executable, "-P", "-m", "filtag_kg.network.keras.hdf5_check", os.fspath(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - our own module
    except subprocess.TimeoutExpired:
        raise ValueError(f"its HDF5 could not be read in {seconds:.0f} s, so it is damaged") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1][:150] if lines else f"signal {-done.returncode}"
        raise ValueError(f"its HDF5 is damaged: {reason}")


def _read(path: Path) -> None:
    import h5py

    source: Path | io.BytesIO = path
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            source = io.BytesIO(archive.read(_WEIGHTS))

    def visit(_name: str, item: h5py.HLObject) -> None:
        list(item.attrs.items())
        if isinstance(item, h5py.Dataset):
            item[()]

    with h5py.File(source) as file:
        list(file.attrs.items())
        file.visititems(visit)


if __name__ == "__main__":
    _read(Path(sys.argv[1]))
