"""A torch.nn.Module as a graph, by torch.export."""

from __future__ import annotations

import inspect
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import Any

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.torch.backend import Node, Tensor, TorchModule, import_torch
from filtag_kg.network.torch.graph import EXAMPLES, NO_LIMIT, WRAPPERS, TorchGraph, graph_module


def own_module(module: TorchModule) -> TorchModule:
    """Return the module that a user wrote, without what torch.compile or parallel training wrapped around it.

    Raises
    ------
    TypeError
        If it is no module.
    """
    torch = import_torch()
    if not isinstance(module, torch.nn.Module):
        hint = (
            ": build the module and give it these weights with load_state_dict" if isinstance(module, Mapping) else ""
        )
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}{hint}")
    if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        return own_module(module.module)
    compiled = getattr(module, "_orig_mod", None)
    return module if compiled is None else own_module(compiled)


def export_module(module: TorchModule, size: tuple[int, int], channels: int, where: str) -> TorchGraph:
    """Follow images through a module in evaluation mode; the module stays as it is.

    Parameters
    ----------
    module : torch.nn.Module
    size : tuple of int
        (height, width).
    where : str
        The network as the user named it, for messages.

    Raises
    ------
    FiltagError
        If it does not take one batch of images, or torch.export cannot follow it.
    """
    torch = import_torch()
    if isinstance(module, torch.jit.ScriptModule):
        raise FiltagError(f"{where} is TorchScript, whose graph torch.export cannot follow: give the module itself")
    _refuse_inputs(module, where)
    like = next((x for x in module.parameters() if x.is_floating_point()), torch.zeros(()))
    images = torch.zeros((EXAMPLES, channels, *size), dtype=like.dtype, device=like.device)
    shapes = torch.export.ShapesCollection()
    # AUTO, not DYNAMIC: where a module works for one number of images only, that one is kept.
    shapes[images] = {0: torch.export.Dim.AUTO}
    with _evaluating(module), torch.no_grad(), _quietly():
        try:
            module(images[:1].expand(2, -1, -1, -1).contiguous())
        except Exception as error:  # The user's code may raise anything.
            raise FiltagError(
                f"{where} fails on images of shape ({channels}, {size[0]}, {size[1]}): {reason_of(error)}",
                options=("input_size",),
            ) from error
        try:
            program = torch.export.export(module, (images,), dynamic_shapes=shapes, strict=False)
        except Exception as error:  # The user's code may raise anything.
            raise FiltagError(
                f"torch.export cannot follow {where}: what it computes depends on the numbers in an image, or it "
                f"cannot be traced ({reason_of(error)}). Give a module without that, or its convolutional part"
            ) from error
    return _read(program, size, channels)


def _refuse_inputs(module: TorchModule, where: str) -> None:
    needed = [
        parameter.name
        for parameter in inspect.signature(module.forward).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        raise FiltagError(
            f"{where} takes {len(needed)} inputs ({', '.join(needed)}): give a network that takes one image"
        )


@contextmanager
def _evaluating(module: TorchModule) -> Iterator[None]:
    """Put a module and all within it into evaluation mode for a while."""
    training = [(each, each.training) for each in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for each, mode in training:
            each.training = mode


@contextmanager
def _quietly() -> Iterator[None]:
    """Hold back what torch.export writes to stderr where it fails: the graph so far, and advice for its developers."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def _read(program: Any, size: tuple[int, int], channels: int) -> TorchGraph:  # noqa: ANN401
    torch = import_torch()
    kinds = torch.export.graph_signature.InputKind
    nodes = torch.fx.Graph()
    tensors: dict[str, Tensor] = {}
    values: dict[Node, Any] = {}
    placeholders = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    images = None
    for spec in program.graph_signature.input_specs:
        placeholder = placeholders[spec.arg.name]
        if spec.kind is kinds.USER_INPUT:
            images = values[placeholder] = nodes.placeholder("images")
        else:
            name = f"weight_{len(tensors)}"
            held = program.state_dict.get(spec.target)
            tensors[name] = program.constants[spec.target] if held is None else held
            values[placeholder] = nodes.get_attr(name)
            values[placeholder].meta["weight"] = spec.target
        values[placeholder].meta |= _tensor_meta(placeholder)
    batch = next(node for node in placeholders.values() if values[node] is images).meta["val"].shape[0]
    outputs = _copy_into(nodes, program.graph_module, values)
    flat, names = _named_outputs(outputs, program)
    nodes.output(tuple(flat))
    fewest, most = _bounds(program.range_constraints, batch)
    return TorchGraph(graph_module(nodes, tensors), names, channels, size, fewest, most)


def _bounds(constraints: Mapping[Any, Any], batch: Any) -> tuple[int, int]:  # noqa: ANN401
    """Return the fewest and the most images at a time."""
    if isinstance(batch, int) or batch.node.expr.is_Integer:
        number = int(batch if isinstance(batch, int) else batch.node.expr)
        return number, number
    bounds = constraints.get(batch.node.expr)
    # Traced for several images, a graph need not hold for one: squeeze() would take its batch away.
    fewest = 2 if bounds is None else max(2, int(bounds.lower))
    most = 0 if bounds is None or not bounds.upper.is_Integer else int(bounds.upper)
    return fewest, most if most < NO_LIMIT else 0


def _copy_into(nodes: Any, source: Any, values: dict[Node, Any]) -> Any:  # noqa: ANN401
    """Copy the nodes of a graph, and those of graphs within it; return what it outputs."""
    torch = import_torch()
    for node in source.graph.nodes:
        if node.op == "placeholder":
            continue
        if node.op == "output":
            return torch.fx.node.map_arg(node.args[0], values.__getitem__)
        if node.op == "get_attr":
            values[node] = getattr(source, node.target)
            continue
        arguments = torch.fx.node.map_arg(node.args, values.__getitem__)
        if getattr(node.target, "__name__", "") in WRAPPERS:
            inner = next(index for index, each in enumerate(arguments) if isinstance(each, torch.fx.GraphModule))
            starts = [each for each in arguments[inner].graph.nodes if each.op == "placeholder"]
            values |= dict(zip(starts, arguments[inner + 1 :], strict=True))
            values[node] = _copy_into(nodes, arguments[inner], values)
        elif isinstance(node.args[0] if node.args else None, torch.fx.Node) and isinstance(arguments[0], tuple | list):
            values[node] = arguments[0][arguments[1]]
        else:
            values[node] = nodes.node_copy(node, values.__getitem__)
            values[node].meta = _meta(node)
    raise ValueError("a graph without output")


def _meta(node: Node) -> dict[str, Any]:
    stack = node.meta.get("nn_module_stack")
    meta: dict[str, Any] = {"path": list(stack.values())[-1][0]} if stack else {}
    return meta | _tensor_meta(node)


def _tensor_meta(node: Node) -> dict[str, Any]:
    value = node.meta.get("val")
    if isinstance(value, list | tuple) and value:
        # Of an operation with several results, the first.
        value = value[0]
    if not hasattr(value, "shape"):
        return {}
    shape = tuple(side if isinstance(side, int) else side.node.hint for side in value.shape)
    return {"shape": shape, "dtype": value.dtype}


def _named_outputs(outputs: Sequence[Any], program: Any) -> tuple[list[Node], tuple[str, ...]]:  # noqa: ANN401
    """Return the tensors among the outputs, and their names: keys, fields or numbers, nested ones with dots."""
    torch = import_torch()
    tree = torch.utils._pytree
    nested = tree.tree_unflatten(list(range(len(outputs))), program.call_spec.out_spec)
    flat, names = [], []
    for path, index in tree.tree_flatten_with_path(nested)[0]:
        if isinstance(outputs[index], torch.fx.Node) and "shape" in outputs[index].meta:
            flat.append(outputs[index])
            keys = (getattr(key, "key", getattr(key, "idx", getattr(key, "name", key))) for key in path)
            names.append(".".join(map(str, keys)) or "0")
    return flat, tuple(names)
