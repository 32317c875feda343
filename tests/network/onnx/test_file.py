"""Files from strangers: nothing in them runs, and what is wrong with them is said in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.network import load_network
from tests.network.onnx.graphs import Graph, random_pixels


@pytest.fixture
def saved(tmp_path):
    g = Graph()
    x = g.op("Clip", g.batch_norm(g.conv("image", 3, 8, name="a"), 8), 0.0, 6.0)
    return g.save(tmp_path / "toy.onnx", g.head(g.op("Relu", g.conv(x, 8, 8, name="b")), 8))


def refusal(path) -> str:
    with pytest.raises(FiltagError) as error:
        load_network(str(path), quiet=True)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_other_files(tmp_path):
    missing = tmp_path / "none.onnx"
    assert refusal(missing) == f"no network at {missing}: check the path"
    path = tmp_path / "toy.onnx"
    for content in (b"", b"\x89HDF\r\n\x1a\n" + bytes(100), b"PK\x03\x04" + bytes(50), b"<html>not found</html>"):
        path.write_bytes(content)
        assert refusal(path) == (
            f"{path} is not an ONNX network, or damaged: export it again, for example with torch.onnx.export"
        )
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
    assert refusal(path) == f"{path} is only a pointer to the network: fetch it with git lfs pull"
    path = tmp_path / "toy.ort"
    path.write_bytes(b"ORTM")
    assert refusal(path) == f"{path} is in onnxruntime's own format: give the .onnx file that it was made from"


def test_operators_that_are_code_are_refused(saved):
    model = onnx.load(saved)
    model.graph.node[-1].domain = "my.library"
    model.opset_import.append(onnx.helper.make_opsetid("my.library", 1))
    onnx.save(model, saved)
    assert refusal(saved) == (
        f"{saved} needs operators that are code and not in the file (my.library.Softmax): export the network with "
        "ONNX's own operators"
    )


def test_code_in_a_branch_is_refused_too(saved):
    model = onnx.load(saved)
    helper = onnx.helper
    inner = helper.make_node("Steal", [], ["stolen"], domain="evil")
    branch = helper.make_graph([inner], "branch", [], [helper.make_tensor_value_info("stolen", 1, None)])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "condition"))
    model.graph.node.append(helper.make_node("If", ["condition"], ["x"], then_branch=branch, else_branch=branch))
    model.opset_import.append(helper.make_opsetid("evil", 1))
    onnx.save(model, saved)
    assert "needs operators that are code and not in the file (evil.Steal)" in refusal(saved)


def test_functions_of_the_file_s_own_are_opened_up(saved):
    model = onnx.load(saved)
    helper = onnx.helper
    nodes = [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Mul", ["x", "s"], ["y"])]
    model.functions.append(helper.make_function("own", "Swish", ["x"], ["y"], nodes, [helper.make_opsetid("", 17)]))
    model.opset_import.append(helper.make_opsetid("own", 1))
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    relu.op_type, relu.domain = "Swish", "own"
    model.ir_version = 8
    onnx.save(model, saved)
    network = load_network(saved, quiet=True)
    assert [layer.taken_after for layer in network.layers] == ["Conv2D → BatchNormalization → relu6", "Conv2D → silu"]
    assert network.compute(random_pixels(1)).scores.shape == (1, 3)


def test_functions_that_double_one_another_thirty_times_are_refused(saved):
    model, helper = onnx.load(saved), onnx.helper
    model.opset_import.append(helper.make_opsetid("own", 1))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for i in range(30):
        calls = [helper.make_node(f"F{i + 1}", [x], [y], domain="own") for x, y in ("ab", "bc")]
        nodes = calls if i < 29 else [helper.make_node("Relu", ["a"], ["c"])]
        model.functions.append(helper.make_function("own", f"F{i}", ["a"], ["c"], nodes, opsets))
    model.graph.node.append(helper.make_node("F0", [model.graph.node[0].output[0]], ["unused"], domain="own"))
    onnx.save(model, saved)
    assert "its functions make 1,610,612,7" in refusal(saved)


def test_weights_that_are_not_finite(saved):
    model = onnx.load(saved)
    tensor = model.graph.initializer[0]
    array = onnx.numpy_helper.to_array(tensor).copy()
    array[0, 0, 0, 0] = np.nan
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    onnx.save(model, saved)
    assert refusal(saved) == f"{saved} has weights that are not finite numbers: save the trained network again"


def test_an_opset_that_is_too_old(saved):
    model = onnx.load(saved)
    model.opset_import[0].version = 6
    onnx.save(model, saved)
    assert "onnx" in refusal(saved)


def external(path, location: str, **entries) -> None:
    """Say that the first initialiser lies in another file."""
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    Path(path).write_bytes(model.SerializeToString())


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "sub/../../weights.bin", "", "..\\weights.bin"])
def test_weights_outside_the_folder(saved, tmp_path, location):
    external(saved, location)
    assert refusal(saved) == (
        f"{saved} has weights outside its folder, at {location!r}: put the network's files into one folder"
    )


def test_a_link_to_weights_outside_the_folder(saved, tmp_path, tmp_path_factory):
    target = tmp_path_factory.mktemp("elsewhere") / "weights.bin"
    target.write_bytes(bytes(10_000))
    (tmp_path / "weights.bin").symlink_to(target)
    external(saved, "weights.bin")
    assert "has weights outside its folder, at 'weights.bin'" in refusal(saved)


def test_weights_that_are_missing_or_too_short(saved, tmp_path):
    external(saved, "weights.bin")
    assert refusal(saved) == (
        f"{saved} has its weights in weights.bin, which is not beside it: put both into one folder"
    )
    (tmp_path / "weights.bin").write_bytes(bytes(10))
    assert refusal(saved) == (
        f"{saved} has weights that are not in weights.bin, which is too short: copy both files again"
    )


def test_damaged_files_end_in_one_line_or_load(saved):
    """In a process of its own: onnxruntime is native code."""
    done = subprocess.run(
        [sys.executable, "-c", _DAMAGE, saved], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refused" in done.stdout


_DAMAGE = """
import sys
import numpy as np
from pathlib import Path
from filtag_kg.errors import FiltagError
from filtag_kg.network import load_network

path = Path(sys.argv[1])
whole = path.read_bytes()
random = np.random.default_rng(0)
refused = 0
for i in range(90):
    damaged = bytearray(whole)
    if i % 3 == 0:
        del damaged[random.integers(len(damaged)):]
    else:
        # Few bytes of the file are its structure.
        for place in random.integers(len(damaged), size=i % 7 + 1):
            damaged[place] = random.integers(256)
    path.write_bytes(damaged)
    try:
        network = load_network(str(path), quiet=True)
        network.compute(np.zeros((2, *network.input_size, network.preparation.channels), np.uint8))
    except FiltagError as error:
        refused += 1
        assert "\\n" not in str(error) and len(str(error)) < 500, error
print(refused, "refused")
"""


def test_without_onnx(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"onnxruntime.*pip install 'filtag-kg\[onnx\]'"):
        load_network(saved, quiet=True).compute(random_pixels(1))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"onnx, .*pip install 'filtag-kg\[onnx\]'"):
        load_network(saved, quiet=True)


def test_importing_the_package_imports_neither():
    code = "import sys, filtag_kg.network; assert not {'onnx', 'onnxruntime'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
