"""The graph of an archive of torch.export: JSON, see torch's ``_export/serde/schema.py``.

Only operations of ATen that compute tensors are known, those of Python that compute sizes, and the wrappers under which
torch.export keeps parts of a graph. Names and symbols are never evaluated.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.json_values import parse_json
from filtag_kg.network.torch.backend import Node, Tensor, import_torch
from filtag_kg.network.torch.graph import EXAMPLES, NO_LIMIT, WRAPPERS, TorchGraph, graph_module

MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RuntimeError, ArithmeticError, MemoryError)
"""What reading raises where a graph is not as PyTorch writes it."""
# fmt: off
TORCH_TYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
    9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16",
}
_MEMORY_FORMATS = {1: "contiguous_format", 2: "channels_last", 3: "channels_last_3d", 4: "preserve_format"}
# Kinds of arguments: what JSON has, one of several kinds, and lists of another kind.
_PLAIN = ("as_int", "as_ints", "as_bool", "as_bools", "as_string")
_CHOICES = ("as_optional_tensor", "as_sym_int", "as_sym_float", "as_sym_bool")
_LISTS = {f"{kind}s": kind for kind in ("as_tensor", "as_float", *_CHOICES)}
# Arguments that are text, of operations that compute tensors. Others name files.
_TEXTS = {
    "approximate", "equation", "indexing", "interpolation", "mode", "norm", "pad_mode", "padding", "padding_side",
    "reduce", "rounding_mode", "side",
}
_ARITHMETIC = (
    "add", "eq", "floordiv", "ge", "getitem", "gt", "le", "lt", "mod", "mul", "ne", "neg", "sub", "truediv",
)
_OPERATORS: dict[str, Callable[..., Any]] = {f"_operator.{name}": getattr(operator, name) for name in _ARITHMETIC} | {
    "math.ceil": math.ceil, "math.floor": math.floor, "math.trunc": math.trunc,
}
# fmt: on
_SYMBOLIC = ("torch.sym_int", "torch.sym_float", "torch.sym_max", "torch.sym_min", "torch.sym_not")


def read_graph(
    program: Mapping[str, Any], tensors: Mapping[str, Tensor], where: str, input_size: tuple[int, int] | None
) -> TorchGraph:
    """Return the graph of an exported program.

    Parameters
    ----------
    program : mapping of str to JSON values
    tensors : mapping of str to torch.Tensor
        Weights and constants by their paths.
    where : str
        The network as the user named it, for messages.
    input_size : tuple of int, optional
        (height, width), for a network that takes images of any size.

    Raises
    ------
    FiltagError
        If it takes no images, or has operations that are not known.
    KeyError, ValueError and others of `MALFORMED`
        If it is not as PyTorch writes it.
    """
    torch = import_torch()
    reader = _Reader(where)
    described = program["graph_module"]
    graph, signature = described["graph"], described["signature"]
    attributes: dict[str, Tensor] = {}
    values: dict[str, Any] = {}
    images: list[str] = []
    for spec in signature["input_specs"]:
        ((kind, about),) = spec.items()
        if kind == "user_input":
            images.append(about["arg"]["as_tensor"]["name"])
        elif kind == "constant_input":
            values[about["name"]] = next(iter(about["value"].values())) if "as_none" not in about["value"] else None
        elif kind in ("parameter", "buffer", "tensor_constant"):
            path = about[f"{kind}_name"]
            name = f"weight_{len(attributes)}"
            attributes[name] = tensors[path]
            node = reader.nodes.get_attr(name)
            node.meta = {"weight": path, "shape": tuple(tensors[path].shape), "dtype": tensors[path].dtype}
            values[about["arg"]["name"]] = node
        else:
            raise FiltagError(f"{where} keeps objects of classes of its own ({kind}): export it without them")
    if len(images) != 1:
        raise FiltagError(f"{where} takes {len(images)} inputs: give a network that takes one image")
    values[images[0]] = reader.nodes.placeholder("images")
    batch, channels, size = _input(graph["tensor_values"][images[0]]["sizes"], where, input_size)
    reader.batch = batch
    values[images[0]].meta = reader.tensor_meta(graph["tensor_values"][images[0]])
    outputs = reader.read(graph, values)
    kinds = [next(iter(spec)) for spec in signature["output_specs"]]
    outputs = [value for kind, value in zip(kinds, outputs, strict=True) if kind == "user_output"]
    named = zip(_output_names(described, len(outputs)), outputs, strict=True)
    flat = [(name, node) for name, node in named if isinstance(node, torch.fx.Node) and "shape" in node.meta]
    reader.nodes.output(tuple(node for _, node in flat))
    fewest, most = _bounds(program["range_constraints"], batch)
    names = tuple(name for name, _ in flat)
    return TorchGraph(graph_module(reader.nodes, attributes), names, channels, size, fewest, most)


def _input(sizes: Sequence[Any], where: str, input_size: tuple[int, int] | None) -> tuple[Any, int, tuple[int, int]]:
    """Return the number of images, as it is written, that of channels, and (height, width)."""
    if len(sizes) != 4 or "as_int" not in sizes[1]:
        shape = ", ".join(str(side.get("as_int", "?")) for side in sizes)
        raise FiltagError(
            f"{where} takes input of shape ({shape}): give a network for images, (n, channels, height, width)"
        )
    own = [side.get("as_int") for side in sizes[2:]]
    if None not in own:
        return sizes[0], sizes[1]["as_int"], (own[0], own[1])
    if input_size is None:
        raise FiltagError(f"{where} takes images of any size: say which size to give it", options=("input_size",))
    return sizes[0], sizes[1]["as_int"], input_size


def _bounds(constraints: Mapping[str, Any], batch: Mapping[str, Any]) -> tuple[int, int]:
    """Return the fewest and the most images at a time."""
    if "as_int" in batch:
        return batch["as_int"], batch["as_int"]
    symbol = batch["as_expr"]["expr_str"]
    # A symbol is written as s77, or as Symbol('s77', …).
    for name, bounds in constraints.items():
        if re.search(rf"\b{re.escape(name)}\b", symbol):
            fewest, most = bounds["min_val"] or 0, bounds["max_val"] or 0
            return max(2, int(fewest)), int(most) if most < NO_LIMIT else 0
    return 2, 0


class _Reader:
    """The nodes read so far."""

    def __init__(self, where: str) -> None:
        self.nodes = import_torch().fx.Graph()
        self.where = where
        self.batch: Any = None

    def read(self, graph: Mapping[str, Any], values: dict[str, Any]) -> list[Any]:
        """Read a graph, given what its inputs are; return its outputs."""
        for node in graph["nodes"]:
            self._node(node, graph, values)
        return [self._value(output, values) for output in graph["outputs"]]

    def _node(self, node: Mapping[str, Any], graph: Mapping[str, Any], values: dict[str, Any]) -> None:
        target = node["target"]
        if target.startswith("torch.ops.higher_order."):
            self._wrapped(node, values)
            return
        if target.startswith(("torch.ops.aten._assert", "torch.ops.aten.sym_constrain")):
            return
        function = self._function(target)
        args, kwargs = self._arguments(function, node["inputs"], values)
        name = node.get("name")
        named = name if isinstance(name, str) and re.fullmatch(r"[a-z_][a-z0-9_]*", name) else None
        result = self.nodes.create_node("call_function", function, args, kwargs, named)
        result.meta = self._module_meta(node)
        for output in node["outputs"]:
            self._outputs(output, len(node["outputs"]) > 1, result, graph, values)

    def _outputs(
        self, output: Mapping[str, Any], several: bool, result: Node, graph: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        ((kind, named),) = output.items()
        if kind == "as_tensor" and not several:
            values[named["name"]] = result
            result.meta |= self.tensor_meta(graph["tensor_values"][named["name"]])
        elif kind == "as_tensor" or kind == "as_tensors":
            for each in [named] if kind == "as_tensor" else named:
                index = sum(user.target is operator.getitem for user in result.users)
                item = self.nodes.call_function(operator.getitem, (result, index))
                item.meta = {**self.tensor_meta(graph["tensor_values"][each["name"]])}
                result.meta.setdefault("shape", item.meta["shape"])
                values[each["name"]] = item
        elif "as_name" in (named if isinstance(named, dict) else {}):
            values[named["as_name"]] = result

    def _wrapped(self, node: Mapping[str, Any], values: dict[str, Any]) -> None:
        """Read a graph within the graph in its place."""
        if node["target"].rpartition(".")[2] not in WRAPPERS:
            raise FiltagError(f"{self.where} computes what depends on the numbers in an image: export it without that")
        kinds = [next(iter(each["arg"])) for each in node["inputs"]]
        at = kinds.index("as_graph")
        inner = node["inputs"][at]["arg"]["as_graph"]["graph"]
        given = [self._value(each["arg"], values) for each in node["inputs"][at + 1 :]]
        names = [next(iter(each.values()))["name"] for each in inner["inputs"]]
        outputs = self.read(inner, dict(zip(names, given, strict=True)))
        made = [each for output in node["outputs"] for each in (output.get("as_tensors") or [output["as_tensor"]])]
        values |= {each["name"]: value for each, value in zip(made, outputs, strict=True)}

    def _function(self, target: str) -> Callable[..., Any]:
        """Return the operation with a name: of those that compute tensors or sizes, and do nothing else."""
        torch = import_torch()
        if target in _OPERATORS:
            return _OPERATORS[target]
        if target in _SYMBOLIC:
            symbolic: Callable[..., Any] = getattr(torch, target.rpartition(".")[2])
            return symbolic
        named = re.fullmatch(r"torch\.ops\.aten\.([a-z_][a-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)", target)
        packet = getattr(torch.ops.aten, named[1], None) if named else None
        function = getattr(packet, named[2], None) if named else None
        if isinstance(function, torch._ops.OpOverload):
            schema = function._schema
            texts = {each.name for each in schema.arguments if "str" in str(each.type)}
            if schema.returns and texts.issubset(_TEXTS):
                overload: Callable[..., Any] = function
                return overload
        raise FiltagError(f"{self.where} has the operation {target!r}, which is not one of PyTorch's own on tensors")

    def _arguments(
        self,
        function: Callable[..., Any],
        inputs: Sequence[Mapping[str, Any]],
        values: Mapping[str, Any],
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        schema = getattr(function, "_schema", None)
        if schema is None:
            return tuple(self._value(each["arg"], values) for each in inputs), {}
        given = {each["name"]: self._value(each["arg"], values) for each in inputs}
        args = []
        for each in schema.arguments:
            if each.kwarg_only or each.name not in given:
                break
            args.append(given.pop(each.name))
        return tuple(args), given

    def _value(self, argument: Mapping[str, Any], values: Mapping[str, Any]) -> Any:  # noqa: ANN401
        torch = import_torch()
        ((kind, value),) = argument.items()
        if kind in _PLAIN:
            return value
        if kind in _CHOICES:
            return self._value(value, values)
        if kind in _LISTS:
            return [self._value({_LISTS[kind]: each}, values) for each in value]
        if kind in ("as_name", "as_tensor"):
            return values[value if kind == "as_name" else value["name"]]
        made: dict[str, Callable[[Any], Any]] = {
            "as_none": lambda _none: None,
            "as_float": float,
            "as_scalar_type": lambda number: getattr(torch, TORCH_TYPES[number]),
            "as_memory_format": lambda number: getattr(torch, _MEMORY_FORMATS[number]),
            "as_layout": lambda _layout: torch.strided,
            # All of it runs on one device, whatever it was exported on.
            "as_device": lambda _device: torch.device("cpu"),
        }
        return made[kind](value)

    def tensor_meta(self, described: Mapping[str, Any]) -> dict[str, Any]:
        """Return the shape and type of a tensor."""
        dtype = getattr(import_torch(), TORCH_TYPES[described["dtype"]])
        return {"shape": tuple(self._side(side) for side in described["sizes"]), "dtype": dtype}

    def _side(self, side: Mapping[str, Any]) -> int:
        if "as_int" in side:
            return int(side["as_int"])
        hint = side["as_expr"].get("hint") or {}
        if "as_int" in hint:
            return int(hint["as_int"])
        # The sides that nobody knows are not compared with anything else.
        return EXAMPLES if side == self.batch else -1

    def _module_meta(self, node: Mapping[str, Any]) -> dict[str, Any]:
        # "key,path,class;key,path,class", the outermost module first.
        stack = node["metadata"].get("nn_module_stack", "")
        path = stack.rpartition(";")[2].split(",")[1:2]
        return {"path": path[0]} if path and not path[0].startswith("_empty") else {}


def _output_names(described: Mapping[str, Any], n_outputs: int) -> list[str]:
    """Return the names of the outputs: keys, fields or numbers, nested ones with dots."""
    signature = described["module_call_graph"][0]["signature"]
    _, tree = parse_json(signature["out_spec"])
    fields = described.get("treespec_namedtuple_fields", {})
    names: list[str] = []

    def walk(spec: Mapping[str, Any], path: tuple[str, ...]) -> None:
        if spec["type"] is None:
            names.append(".".join(path) or "0")
            return
        children = spec["children_spec"]
        context = parse_json(spec["context"]) if isinstance(spec["context"], str) else None
        if isinstance(context, list) and len(context) == len(children):
            keys = [str(key) for key in context]
        else:
            keys = list(fields.get(str(context), {}).get("field_names", [])) or [str(i) for i in range(len(children))]
        for key, child in zip(keys, children, strict=True):
            walk(child, (*path, key))

    walk(tree, ())
    if len(names) != n_outputs:
        raise ValueError(f"{n_outputs} outputs with {len(names)} names")
    return names
