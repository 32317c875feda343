"""Read an archive of torch.export (``.pt2``) from a stranger: its graph is JSON, its weights are plain bytes.

``torch.export.load`` would unpickle the sample inputs, evaluate symbolic shapes as Python, look operations up by any
path inside ``torch``, and load compiled libraries. None of it is used here: the archive is read entry by entry, as
torch's ``_export/serde/schema.py`` describes it. Pickled entries are left alone, or refused where they are needed.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.json_values import parse_json
from filtag_kg.network.torch.archive_graph import MALFORMED, TORCH_TYPES, read_graph
from filtag_kg.network.torch.backend import Tensor, import_torch
from filtag_kg.network.torch.graph import TorchGraph

ARCHIVE_ENDINGS = (".pt2",)
PICKLE_ENDINGS = (".pt", ".pth", ".bin", ".safetensors", ".torchscript")
# Weights hardly shrink in a zip.
_UNPACKED_RATIO = 100
_UNPACKED_ALWAYS = 256 * 2**20
_LONGEST_GRAPH = 512 * 2**20
_SCHEMA = 8
_SAVE_AGAIN = "save the network with torch.export.save of PyTorch 2.8 or later"
_WAY_OUT = "load the network in Python and give it to filtag_kg.from_torch, or save it as .pt2 with torch.export.save"


def read_archive(path: Path, input_size: tuple[int, int] | None = None) -> TorchGraph:
    """Read a ``.pt2`` file, as ``torch.export.save`` of PyTorch 2.8 or later writes it.

    Parameters
    ----------
    input_size : tuple of int, optional
        (height, width), for a network that takes images of any size.

    Raises
    ------
    FiltagError
        If it is missing, damaged or of another kind, or holds what only unpickling or running code would give.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises where a name is too long for a file
        raise FiltagError(f"no network at {path}: check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            size = path.stat().st_size
            _check_size(sum(entry.file_size for entry in archive.infolist()), size)
            entries = _entries(archive, path)
            program = _json(archive, entries, "models/model.json")
            if program["schema_version"]["major"] != _SCHEMA:
                raise FiltagError(f"{path} was saved in another version of the format: {_SAVE_AGAIN}")
            tensors = {
                **_tensors(archive, entries, "data/weights/", "model_weights_config.json", path),
                **_tensors(archive, entries, "data/constants/", "model_constants_config.json", path),
            }
            # A tensor may repeat the numbers that it is stored as.
            _check_size(sum(tensor.nbytes for tensor in tensors.values()), size)
        return read_graph(program, tensors, str(path), input_size)
    except (*MALFORMED, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        reason = reason_of(error)
        raise FiltagError(f"{path} cannot be read as an archive of torch.export ({reason}): {_SAVE_AGAIN}") from None


def refuse_pickle(path: Path) -> None:
    """Refuse a file of PyTorch's other formats, and say the way out; nothing in it is unpickled.

    Raises
    ------
    FiltagError
        If it is one; not if there is no such file.
    """
    ending = path.suffix.lower()
    # TensorFlow's checkpoints have the same ending as Lightning's, which are zips.
    if ending not in (*PICKLE_ENDINGS, ".ckpt") or not os.path.isfile(path):  # noqa: PTH113 - as above
        return
    names = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    elif ending == ".ckpt":
        return
    if any(name.endswith("/models/model.json") for name in names):
        what = f"is an archive of torch.export under another name: rename it to {path.stem}.pt2"
    elif ending == ".safetensors":
        what = f"has weights without the network that they belong to: {_WAY_OUT}"
    elif any("/code/" in name for name in names):
        what = f"is TorchScript, whose graph cannot be followed: {_WAY_OUT}"
    else:
        what = f"is pickled, and unpickling runs whatever code is in it: {_WAY_OUT}"
    raise FiltagError(f"{path} {what}")


def _check_size(unpacked: int, size: int) -> None:
    """Refuse a zip that unpacks to far too much."""
    if unpacked > max(_UNPACKED_ALWAYS, _UNPACKED_RATIO * size):
        raise ValueError(f"its {size:,} bytes unpack to {unpacked:,}")


def _entries(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the entries by their names within the one folder that they are in."""
    entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
    if "models/model.json" in entries:
        if archive.read(entries["byteorder"]) != b"little":
            raise ValueError("its numbers are big-endian")
        return entries
    if any(name.startswith("data/aotinductor/") for name in entries):
        raise FiltagError(f"{path} holds a network compiled to machine code, which is never run: {_SAVE_AGAIN}")
    if any(name.startswith("serialized_exported_program") for name in archive.namelist()):
        raise FiltagError(f"{path} was saved by an old PyTorch, partly pickled: {_SAVE_AGAIN}")
    if any(name.endswith(("data.pkl", "constants.pkl")) for name in entries):
        raise FiltagError(f"{path} is TorchScript or pickled, not an archive of torch.export: {_SAVE_AGAIN}")
    raise ValueError("it has no models/model.json")


def _json(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], name: str) -> Any:  # noqa: ANN401
    if entries[name].file_size > _LONGEST_GRAPH:
        raise ValueError(f"its {name} is too long")
    return parse_json(archive.read(entries[name]))


def _tensors(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], folder: str, config: str, path: Path
) -> dict[str, Tensor]:
    """Return the weights or constants that an archive lists in a file of its own."""
    torch = import_torch()
    if folder + config not in entries:
        if any(name.startswith(folder) for name in entries):
            raise FiltagError(
                f"{path} has pickled weights, and unpickling runs whatever code is in them: {_SAVE_AGAIN}"
            )
        return {}
    storages: dict[str, Tensor] = {}
    tensors = {}
    for name, entry in _json(archive, entries, folder + config)["config"].items():
        meta = entry["tensor_meta"]
        if entry["use_pickle"] or meta is None:
            raise FiltagError(f"{path} has {name} pickled, and unpickling runs whatever code is in it: {_SAVE_AGAIN}")
        storage = storages.get(entry["path_name"])
        if storage is None:
            data = bytearray(archive.read(entries[folder + entry["path_name"]]))
            # Bytes of no length have no buffer.
            storage = torch.frombuffer(data, dtype=torch.uint8) if data else torch.empty(0, dtype=torch.uint8)
            storages[entry["path_name"]] = storage
        sizes, strides = ([side["as_int"] for side in meta[key]] for key in ("sizes", "strides"))
        numbers = storage.view(getattr(torch, TORCH_TYPES[meta["dtype"]]))
        # PyTorch checks that all of it lies within the numbers.
        tensors[name] = torch.as_strided(numbers, sizes, strides, meta["storage_offset"]["as_int"])
    return tensors
