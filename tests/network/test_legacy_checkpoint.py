"""Checkpoints are written here as PyTorch 1.5 wrote them, with stand-ins pickled under PyTorch's names."""

from __future__ import annotations

import collections
import io
import pickle
import struct

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.legacy_checkpoint import read_legacy_checkpoint


class Storage:
    def __init__(self, key, values):
        self.key, self.values = key, values


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.parts = (storage, offset, shape, strides, False, collections.OrderedDict())


class Pickler(pickle._Pickler):
    """Writes a class by any name, which the C pickler checks."""

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ("storage", Named("torch", "FloatStorage"), obj.key, "cpu", len(obj.values), None)
        return None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.save(obj.parts)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


class Named:
    def __init__(self, module, name):
        self.module, self.name = module, name


def checkpoint(obj, storages=(), *, magic=0x1950A86A20F9469CFC6C) -> bytes:
    file = io.BytesIO()
    for part in (magic, 1001, {"little_endian": True}, obj, [storage.key for storage in storages]):
        Pickler(file, protocol=2).dump(part)
    for storage in storages:
        file.write(struct.pack("<q", len(storage.values)) + np.asarray(storage.values, "<f4").tobytes())
    return file.getvalue()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pth"


def test_tensors_share_storages_and_have_strides(path):
    storage = Storage("7", range(6))
    tensors = {"rows": Tensor(storage, 0, (2, 3), (3, 1)), "columns": Tensor(storage, 0, (3, 2), (1, 3))}
    tensors["tail"] = Tensor(storage, 4, (2,), (1,))
    path.write_bytes(checkpoint(collections.OrderedDict(tensors), [storage]))
    read = read_legacy_checkpoint(path)
    np.testing.assert_array_equal(read["rows"], np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(read["columns"], np.arange(6).reshape(2, 3).T)
    np.testing.assert_array_equal(read["tail"], [4, 5])


def refusal(path, content) -> str:
    path.write_bytes(content)
    with pytest.raises(FiltagError) as error:
        read_legacy_checkpoint(path)
    return str(error.value)


def test_code_is_not_run(path):
    message = refusal(path, checkpoint({"x": Named("os", "system")}))
    assert message == "weights.pth is not a checkpoint of tensors (it names os.system): install it again"


@pytest.mark.parametrize("shape", [(7,), (2, 4), (0,)])
def test_a_tensor_beyond_its_storage(path, shape):
    storage = Storage("1", range(6))
    strides = tuple(np.cumprod((1, *shape[:0:-1]))[::-1].tolist())
    message = refusal(path, checkpoint({"x": Tensor(storage, 0, shape, strides)}, [storage]))
    assert "a tensor reaches beyond its storage" in message


def test_negative_strides(path):
    storage = Storage("1", range(6))
    assert "beyond its storage" in refusal(path, checkpoint({"x": Tensor(storage, 0, (3,), (-1,))}, [storage]))


def test_other_files(path):
    assert "its magic number is missing" in refusal(path, checkpoint({}, magic=1))
    assert refusal(path, b"nonsense") == "weights.pth is no legacy torch.save file, or is cut off: install it again"
    assert refusal(path, b"").startswith("weights.pth is no legacy torch.save file")
    assert "more than named tensors" in refusal(path, checkpoint({"x": 1}))
    with pytest.raises(FiltagError, match=r"^no checkpoint at "):
        read_legacy_checkpoint(path.with_name("none.pth"))


def test_a_file_that_is_cut_off_or_goes_on(path):
    storage = Storage("1", range(6))
    whole = checkpoint({"x": Tensor(storage, 0, (6,), (1,))}, [storage])
    assert "cut off" in refusal(path, whole[:-4])
    assert "cut off" in refusal(path, whole[: len(whole) // 2])
    assert "goes on after its last storage" in refusal(path, whole + b"x")


@pytest.mark.parametrize(
    "content",
    [
        # A place beyond any memory, a length beyond any file, a number that is none.
        b"\x80\x02r\xff\xff\xff\x7f.",
        b"\x80\x04\x8e\x00\x00\x00\x00\x00\x01\x00\x00.",
        b"\x80\x02B\xff\xff\xff\x7f.",
        b"I9" + b"9" * 5000 + b"\n.",
    ],
)
def test_what_asks_for_much_memory_is_refused(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(FiltagError, match=r"^w\.pth is [^\n]*: install it again$"):
        read_legacy_checkpoint(tmp_path / "w.pth")
