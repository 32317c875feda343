"""Archives of torch.export: the same network as the module, and nothing in them is run."""

from __future__ import annotations

import io
import json
import pickle
import re
import zipfile

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import from_torch, load_network
from tests.torch_network import pixels_of, randomised


def exported(torch, module, n_images=2, size=12, **dynamic):
    shapes = None
    if dynamic:
        shapes = (dict.fromkeys(dynamic["dynamic"], torch.export.Dim.AUTO),)
    module = module.eval()
    dtype = next(module.parameters()).dtype
    return torch.export.export(module, (torch.zeros(n_images, 3, size, size, dtype=dtype),), dynamic_shapes=shapes)


@pytest.fixture(scope="module")
def module(torch):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            nn = torch.nn
            self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding="same"), nn.BatchNorm2d(6), nn.ReLU6(inplace=True))
            self.block = nn.ModuleDict({"dw": nn.Conv2d(6, 6, 3, groups=6, bias=False), "act": nn.Hardswish()})
            self.head = nn.Linear(6, 3)
            self.register_buffer("scale", torch.tensor([2.0]), persistent=False)

        def forward(self, x):
            with torch.no_grad():
                x = self.stem(x)
            left, right = self.block["act"](self.block["dw"](x)).chunk(2, dim=1)
            x = torch.cat([left, right * self.scale + torch.tensor([1.0])], 1)
            return {"logits": self.head(x.mean((2, 3)).reshape(x.shape[0], -1)), "map": x}

    return randomised(Net())


@pytest.fixture(scope="module")
def archive(torch, module, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "Net.pt2"
    torch.export.save(exported(torch, module, dynamic=(0,)), path)
    return path


def refusal(*args, **kwargs):
    with pytest.raises(FiltagError) as error:
        load_network(*map(str, args), **{"preprocess": "none", **kwargs})
    message = str(error.value)
    assert "\n" not in message
    return message


def assert_same(one, other, pixels, tolerance=1e-5):
    computed, expected = one.compute(pixels), other.compute(pixels)
    np.testing.assert_allclose(computed.activations, expected.activations, atol=tolerance)
    np.testing.assert_allclose(computed.scores, expected.scores, atol=10 * tolerance)


def test_the_same_as_the_module(module, archive):
    ours = load_network(str(archive), preprocess="0..1", layers="all", output_name="logits")
    theirs = from_torch(module, 12, preprocess="0..1", layers="all", output_name="logits", name="net")
    assert ours.layers == theirs.layers
    assert ours.identifier == theirs.identifier
    assert ours.output == theirs.output
    assert [layer.taken_after for layer in ours.layers] == [
        "Conv2D → BatchNormalization → relu6",
        "DepthwiseConv2D → hard_silu",
    ]
    for n_images in (1, 5):
        assert_same(ours, theirs, pixels_of(n_images, 12))
    assert refusal(archive, output_name="none") == f"{archive} has no output 'none': choose from logits, map"


def test_random_weights_keep_nothing_that_was_learnt(torch, module, archive, tmp_path):
    other = tmp_path / "other.pt2"
    torch.export.save(exported(torch, randomised(type(module)(), seed=5), dynamic=(0,)), other)
    one, two, three = (
        load_network(str(path), preprocess="0..1", output_name="logits", weights=weights)
        for path, weights in ((archive, "random"), (other, "random"), (other, "random:1"))
    )
    assert one.weights_sha256 == two.weights_sha256 != three.weights_sha256
    assert one.name == "net-random"
    assert np.isfinite(one.compute(pixels_of(2, 12)).scores).all()


@pytest.mark.parametrize("n_images", [1, 4])
def test_a_fixed_number_of_images(torch, module, tmp_path, n_images):
    path = tmp_path / "fixed.pt2"
    torch.export.save(exported(torch, module, n_images), path)
    network = load_network(str(path), preprocess="0..1")
    theirs = from_torch(module, 12, preprocess="0..1")
    assert_same(network, theirs, pixels_of(6, 12))


def test_core_operations(torch, module, tmp_path):
    """After run_decompositions, batch norms have three results, and activations are written as several operations."""
    path = tmp_path / "core.pt2"
    torch.export.save(exported(torch, module, dynamic=(0,)).run_decompositions(), path)
    network = load_network(str(path), preprocess="0..1", layers="all")
    theirs = from_torch(module, 12, preprocess="0..1", layers="all")
    assert [layer.taken_after for layer in network.layers] == [layer.taken_after for layer in theirs.layers]
    assert_same(network, theirs, pixels_of(3, 12))


def test_images_of_any_size(torch, module, tmp_path):
    path = tmp_path / "any.pt2"
    torch.export.save(exported(torch, module, dynamic=(0, 2, 3)), path)
    assert refusal(path) == f"{path} takes images of any size: say which size to give it"
    network = load_network(str(path), preprocess="0..1", input_size=(16, 16))
    assert_same(network, from_torch(module, 16, preprocess="0..1"), pixels_of(3, 16))


def test_half_precision_in_the_file(torch, tmp_path):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()).half()
    path = tmp_path / "half.pt2"
    torch.export.save(exported(torch, module, dynamic=(0,)), path)
    network = load_network(str(path), preprocess="0..1")
    assert_same(network, from_torch(module.float(), 12, preprocess="0..1"), pixels_of(2, 12))


def test_exported_for_training(torch, tmp_path):
    path = tmp_path / "train.pt2"
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout(0.3)).train()
    torch.export.save(torch.export.export(module, (torch.zeros(2, 3, 12, 12),)), path)
    assert refusal(path) == (
        f"{path} normalises over the images of a batch (1), so its numbers depend on which images come together: "
        "export it after eval(), with running statistics"
    )


class Booby:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def rewritten(archive, path, change):
    """Copy an archive with its entries changed: `change` gets their names within the folder; None leaves one out."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = change(entry.filename.partition("/")[2], old.read(entry))
            if content is not None:
                new.writestr(entry.filename, content)
    return path


def with_graph(archive, path, edit):
    def change(name, content):
        if name != "models/model.json":
            return content
        program = json.loads(content)
        edit(program)
        return json.dumps(program).encode()

    return rewritten(archive, path, change)


def test_pickled_sample_inputs_are_never_read(archive, tmp_path):
    trap = tmp_path / "trap"
    payload = pickle.dumps(Booby(trap))
    path = rewritten(
        archive, tmp_path / "a.pt2", lambda name, old: payload if name.startswith("data/sample_inputs") else old
    )
    load_network(str(path), preprocess="none")
    assert not trap.exists()


def test_pickled_weights_are_refused(archive, tmp_path):
    trap = tmp_path / "trap"
    with zipfile.ZipFile(archive) as opened:
        config = json.loads(opened.read("Net/data/weights/model_weights_config.json"))
    entry = "data/weights/" + config["config"]["head.weight"]["path_name"]

    def change(name, content):
        if name.endswith("model_weights_config.json"):
            config = json.loads(content)
            config["config"]["head.weight"]["use_pickle"] = True
            return json.dumps(config).encode()
        return pickle.dumps(Booby(trap)) if name == entry else content

    path = rewritten(archive, tmp_path / "a.pt2", change)
    assert refusal(path).startswith(
        f"{path} has head.weight pickled, and unpickling runs whatever code is in it: save "
    )
    assert not trap.exists()


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.save.default",
        "torch.ops.aten.from_file.default",
        "torch.hub.load",
        "torch.serialization.os.system",
        "torch.ops.aten.relu.__class__",
        "torch.ops.load_library",
        "torch.ops.inductor.accumulate_grad_.default",
        "_operator.attrgetter",
        "_operator.pow",
        "builtins.eval",
        "os.system",
    ],
)
def test_operations_that_do_not_compute_are_refused(archive, tmp_path, target):
    def edit(program):
        program["graph_module"]["graph"]["nodes"][-1]["target"] = target

    path = with_graph(archive, tmp_path / "a.pt2", edit)
    assert refusal(path) == f"{path} has the operation {target!r}, which is not one of PyTorch's own on tensors"


def test_a_tensor_that_repeats_its_numbers_for_terabytes_is_refused(archive, tmp_path):
    def change(name, content):
        if not name.endswith("model_weights_config.json"):
            return content
        config = json.loads(content)
        for entry in config["config"].values():
            meta = entry["tensor_meta"]
            meta["sizes"] = [{"as_int": 10**3} for _ in meta["sizes"]]
            meta["strides"] = [{"as_int": 0} for _ in meta["sizes"]]
        return json.dumps(config).encode()

    path = rewritten(archive, tmp_path / "a.pt2", change)
    assert re.search(r"\(its [0-9,]+ bytes unpack to [0-9,]+\)", refusal(path))


@pytest.mark.parametrize("bounds", [(10**9, 10**18), (5000, 10**18), (8, 4), (5, -3)])
def test_numbers_of_images_that_nobody_has_are_refused(archive, tmp_path, bounds):
    def edit(program):
        program["range_constraints"] = {
            name: {"min_val": bounds[0], "max_val": bounds[1]} for name in program["range_constraints"]
        }

    assert "at a time, which nobody has" in refusal(with_graph(archive, tmp_path / "a.pt2", edit))


def test_a_graph_that_cannot_run_says_so_in_one_line(archive, tmp_path):
    def edit(program):
        for node in program["graph_module"]["graph"]["nodes"]:
            for each in node["inputs"]:
                if each["name"] == "dim" and "as_ints" in each["arg"]:
                    each["arg"]["as_ints"] = [7, "x"]

    network = load_network(str(with_graph(archive, tmp_path / "a.pt2", edit)), preprocess="none")
    with pytest.raises(FiltagError, match="PyTorch cannot run the network on ") as error:
        network.compute(pixels_of(2, 12))
    assert "\n" not in str(error.value)


def test_expressions_are_never_evaluated(archive, tmp_path):
    trap = tmp_path / "trap"
    code = f"__import__('pathlib').Path({str(trap)!r}).touch()"

    def edit(program):
        def walk(value):
            if isinstance(value, dict):
                if "expr_str" in value:
                    value["expr_str"] = code
                for each in value.values():
                    walk(each)
            elif isinstance(value, list):
                for each in value:
                    walk(each)

        walk(program)
        program["guards_code"] = [code]
        program["range_constraints"] = {code: {"min_val": 2, "max_val": 9}}
        program["graph_module"]["graph"]["nodes"][0]["name"] = "x\n    import os"

    load_network(str(with_graph(archive, tmp_path / "a.pt2", edit)), preprocess="none").compute(pixels_of(2, 12))
    assert not trap.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda name, old: None if name == "models/model.json" else old,
        lambda name, old: None if name == "data/weights/weight_0" else old,
        lambda name, old: old[:5] if name == "data/weights/weight_0" else old,
        lambda name, old: b"[]" if name == "models/model.json" else old,
        lambda name, old: old[:-50] if name == "models/model.json" else old,
        lambda name, old: old.replace(b'"as_tensor"', b'"as_nothing"') if name == "models/model.json" else old,
        lambda name, old: old.replace(b'"stem.0.weight"', b'"stem.0"') if name == "models/model.json" else old,
        lambda name, old: b"big" if name == "byteorder" else old,
    ],
)
def test_damage_ends_in_one_line(archive, tmp_path, change):
    path = rewritten(archive, tmp_path / "a.pt2", change)
    assert refusal(path).startswith(f"{path} cannot be read as an archive of torch.export (")


def test_other_files_of_pytorch(torch, archive, tmp_path):
    trap = tmp_path / "trap"
    way_out = (
        "load the network in Python and give it to filtag_kg.from_torch, or save it as .pt2 with torch.export.save"
    )

    def saved(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    buffer = io.BytesIO()
    torch.save(Booby(trap), buffer)
    for name in ("net.pt", "net.pth", "NET.PTH", "net.bin", "net.ckpt"):
        path = saved(name, buffer.getvalue())
        assert refusal(path) == f"{path} is pickled, and unpickling runs whatever code is in it: {way_out}"
    old = saved("old.pt", pickle.dumps(Booby(trap)))
    assert refusal(old) == f"{old} is pickled, and unpickling runs whatever code is in it: {way_out}"
    script = tmp_path / "script.pt"
    torch.jit.script(torch.nn.Conv2d(3, 4, 3)).save(script)
    assert refusal(script) == f"{script} is TorchScript, whose graph cannot be followed: {way_out}"
    weights = saved("w.safetensors", b"\x02\0\0\0\0\0\0\0{}")
    assert refusal(weights) == f"{weights} has weights without the network that they belong to: {way_out}"
    renamed = saved("net2.pt", archive.read_bytes())
    assert refusal(renamed).startswith(
        f"{renamed} is an archive of torch.export under another name: rename it to net2.pt2"
    )
    for other in (script, path):
        disguised = saved("other.pt2", other.read_bytes())
        assert refusal(disguised).startswith(f"{disguised} is TorchScript or pickled, not an archive of torch.export: ")
    text = saved("text.pt2", b"no zip")
    assert refusal(text).startswith(f"{text} cannot be read as an archive of torch.export (File is not a zip file): ")
    for name in ("none.pt2", "none.pth"):
        assert refusal(tmp_path / name) == f"no network at {tmp_path / name}: check the path"
    assert not trap.exists()
