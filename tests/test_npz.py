from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filtag_kg.npz import UNPACKED_ALWAYS, UNPACKED_RATIO, NpzError, read_npz

ARRAYS: dict[str, NDArray[Any]] = {
    "mean": np.random.default_rng(0).random((7, 5)),
    "turned": np.random.default_rng(1).random((3, 4), np.float32).T,
    "count": np.arange(7),
    "names": np.array(["n02099601", "Bär", ""]),
    "empty": np.zeros((0, 3), np.int32),
    "flag": np.array(True),
    "text": np.array("{}"),
}


def packed(arrays: Mapping[str, NDArray[Any]] = ARRAYS, *, compressed: bool = True) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, allow_pickle=False, **arrays)
    return file.getvalue()


def zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def error_of(content: bytes) -> str:
    with pytest.raises(NpzError) as raised:
        read_npz(io.BytesIO(content))
    return str(raised.value)


@pytest.mark.parametrize("compressed", [True, False])
def test_arrays_come_back_as_numpy_reads_them(compressed: bool) -> None:
    read = read_npz(io.BytesIO(packed(compressed=compressed)))
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
        assert read[name].flags.f_contiguous == array.flags.f_contiguous
        assert read[name].flags.writeable


def test_only_what_is_asked_for_is_read() -> None:
    assert list(read_npz(io.BytesIO(packed()), {"count", "missing"})) == ["count"]


def test_nothing_is_unpickled() -> None:
    objects = npy(np.array([{}], dtype=object))
    fields = npy(np.zeros(2, [("a", "f8"), ("b", "i4")]))
    for content in (objects, fields, npy(np.zeros(2, complex)), b"", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8',\n"):
        assert error_of(zipped({"mean.npy": content})) == "its array 'mean' holds neither numbers nor text"


def test_what_is_no_zip_is_named() -> None:
    assert error_of(b"") == "File is not a zip file"
    assert error_of(npy(np.zeros(3))) == "File is not a zip file"


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    header = npy(np.broadcast_to(np.float64(0), (UNPACKED_ALWAYS // 8,))[:0])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("mean.npy", "w") as entry:
        entry.write(header)
        for _ in range(UNPACKED_ALWAYS // 2**20):
            entry.write(bytes(2**20))
    size = path.stat().st_size
    assert size * UNPACKED_RATIO < UNPACKED_ALWAYS
    with path.open("rb") as file, pytest.raises(NpzError) as raised:
        read_npz(file)
    assert str(raised.value) == f"its {size:,} bytes unpack to {UNPACKED_ALWAYS + len(header):,}"


@pytest.mark.parametrize("shape", ["(4,)", "(1000000000,)", "(99999999999, 99999999999)", "()"])
def test_a_header_must_agree_with_the_directory(shape: str) -> None:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    lying = b"\x93NUMPY\x01\x00" + struct.pack("<H", 117) + text.ljust(117).encode() + b"\n" + bytes(24)
    assert error_of(zipped({"mean.npy": lying})) == "its array 'mean' is not as large as it says"


def test_text_without_width_cannot_stand_for_a_trillion_words() -> None:
    text = "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }"
    lying = b"\x93NUMPY\x01\x00" + struct.pack("<H", 117) + text.ljust(117).encode() + b"\n"
    assert error_of(zipped({"class_ids.npy": lying})) == "its array 'class_ids' is not as large as it says"


def test_no_more_is_unpacked_than_the_directory_declares() -> None:
    three = npy(np.zeros(3))[:128] + bytes(1_000_000)
    content = bytearray(zipped({"mean.npy": three}))
    # The size in the directory (APPNOTE 4.3.12) becomes that of three numbers, as it is in the header.
    struct.pack_into("<L", content, content.rindex(b"PK\1\2") + 24, 128 + 24)
    assert error_of(bytes(content)) == "Bad CRC-32 for file 'mean.npy'"


def test_entries_are_few_different_and_packed_as_numpy_packs_them() -> None:
    assert error_of(zipped({f"{place}.npy": b"" for place in range(1_001)})) == "it has 1,001 arrays"
    assert error_of(zipped({f"{place:0100}.npy": b"" for place in range(9_000)})) == "it has too many entries"
    assert error_of(zipped({"a.npy": npy(np.zeros(1)), "a": b""})) == "it has two arrays of one name"
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        content = zipped({"a.npy": npy(np.zeros(1))}, method)
        assert error_of(content) == "its array 'a' is packed in a way that NumPy does not write"


@given(st.data())
def test_damage_is_an_error_or_changes_nothing(data: st.DataObject) -> None:
    content = bytearray(packed(compressed=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    try:
        read = read_npz(io.BytesIO(bytes(content)))
    except NpzError:
        return
    for name in read.keys() & ARRAYS.keys():
        np.testing.assert_array_equal(read[name], ARRAYS[name])
