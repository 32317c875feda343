"""Load a network by name or from a file."""

from __future__ import annotations

import difflib
import importlib.util
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from filtag_kg.class_names import classes_in_order
from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.names import nfc
from filtag_kg.network.feature_map import select_layers
from filtag_kg.network.keras import keras_names, keras_source, named_keras_source, randomise_keras, read_keras_file
from filtag_kg.network.network import Network, Source
from filtag_kg.network.onnx import ONNX_ENDINGS, onnx_source, read_onnx_file
from filtag_kg.network.other_formats import looks_like_a_path, refuse_other_format
from filtag_kg.network.outputs import output_layer
from filtag_kg.network.preparation import PreparationOptions, height_and_width
from filtag_kg.network.scaling import letters_and_digits
from filtag_kg.network.torch import (
    ARCHIVE_ENDINGS,
    PICKLE_ENDINGS,
    is_torch_name,
    named_torch_source,
    randomise_torch,
    read_archive,
    refuse_pickle,
    torch_source,
)

_LOGGER = logging.getLogger(__name__)
_FILE_ENDINGS = (".keras", ".h5", ".hdf5", *ONNX_ENDINGS, *ARCHIVE_ENDINGS, *PICKLE_ENDINGS)
_LONGEST_SEED = 10
_PRECISIONS = ("float32", "float16", "bfloat16")


def load_network(
    spec: str | Path,
    *,
    preprocess: str | None = None,
    classes: Path | str | None = None,
    class_ids: Sequence[str] | None = None,
    layers: str = "conv",
    weights: str | None = "trained",
    name: str | None = None,
    precision: str = "float32",
    input_size: int | tuple[int, int] | None = None,
    output_name: str | None = None,
    outputs: str | None = None,
    mean: Sequence[float] | float | None = None,
    std: Sequence[float] | float | None = None,
    colours: str | None = None,
    resize: str | None = None,
    crop_share: float | None = None,
    interpolation: str | None = None,
    quiet: bool = False,
) -> Network:
    """Load a trained CNN.

    Parameters
    ----------
    spec : str or Path
        ``efficientnet-lite0``; the name of a network of ``keras.applications`` (``vgg16``, ``inception-v3``;
        case and separators do not matter); ``torchvision:resnet18`` or ``timm:convnext_tiny.fb_in1k``; or the path of
        a ``.keras`` or ``.h5`` file, which is loaded in safe mode, of an ``.onnx`` file, or of a ``.pt2`` file of
        torch.export.
    classes : Path, optional
        For a file, a text file with a class id per line in the order of the outputs; a label may follow it
        after a comma or a tab.
    class_ids : sequence of str, optional
        The same without a file: the classes of the outputs, in order.
    layers : str
        ``conv``: all convolutions but depthwise ones; ``all``: those too; or names and patterns of layers, separated by
        commas (``block5_*,conv1``).
    weights : str
        ``trained``, those of its file or its maker, or random ones: ``random``, always the same, or ``random:3``, by
        another seed. Random weights show what a network's filters do before it has learnt anything. ``imagenet`` is
        another word for ``trained``, and None for ``random`` under the network's own name.
    name : str, optional
        What to call it; by default its own name, and ``-random`` after it where its weights are.
    precision : str
        What the layers compute in: ``float32``, ``float16`` or ``bfloat16``. The weights stay in float32. An ONNX
        network computes in what its file says.
    input_size : int or tuple of int, optional
        The side of the images, or (height, width), for a network that takes images of any size.
    output_name : str, optional
        For a file, the name of the output that counts, if there are several; by default the first.
    outputs : str, optional
        What the outputs are: ``softmax``, ``logits``, ``sigmoid``, ``logit``, ``sigmoids``, ``independent-logits`` or
        ``none``; by default what the network shows.
    preprocess, mean, std, colours
        For a file, the scaling of pixels that it expects, see
        :class:`~filtag_kg.network.preparation.PreparationOptions`; by default ``none``, the images as they are. Named
        networks have their own.
    resize, crop_share, interpolation
        How an image becomes one of the network's size, see
        :class:`~filtag_kg.network.preparation.PreparationOptions`; by default as the maker of a named network says,
        else ``squash`` and ``bilinear``.
    quiet : bool
        Whether to say nothing where a file is given no scaling.

    Raises
    ------
    FiltagError
        If there is no such network, file, layer, output, preparation or precision, or the file holds something else.
    """
    seed = _seed_of(weights)
    if classes is not None and class_ids is not None:
        raise ValueError("classes and class_ids say the same: give one of them")
    spec, size = os.fspath(spec), None if input_size is None else height_and_width(input_size)
    preparation = PreparationOptions(preprocess, mean, std, colours, resize, crop_share, interpolation)
    from_file = is_network_file(spec)
    if from_file:
        source = _file_source(spec, output_name, size, seed)
        if not quiet and not preparation.scales():
            what = {1: "grey", 3: "RGB"}.get(source.preparation.channels, "channels")
            _LOGGER.warning("no preprocessing given for %s: it gets %s in [0, 255]", Path(spec).name, what)
    else:
        for_files: dict[str, object] = {"preprocess": preprocess, "mean": mean, "std": std, "colours": colours}
        for_files |= {"classes": classes, "class_ids": class_ids}
        given = next((option for option, value in for_files.items() if value is not None), None)
        if given is not None:
            raise FiltagError(
                f"{spec} brings its own {given}: leave the option out, it is for networks from a file",
                options=(given,),
            )
        source = _named_source(spec, seed, output_name)
    if size is not None and source.preparation.size != size:
        own = " × ".join(map(str, source.preparation.size))
        given_size = " × ".join(map(str, size))
        raise FiltagError(f"{spec} takes images of {own} pixels, not {given_size}", options=("input_size",))
    network = network_from(
        source,
        spec if from_file else source.name,
        class_ids=class_ids if classes is None else tuple(classes_in_order(classes)),
        layers=layers,
        precision=precision,
        preparation=preparation,
        output_name=output_name,
        outputs=outputs,
        file=Path(spec) if from_file else None,
    )
    suffix = "" if seed is None or weights is None else f"-{weights.replace(':', '-')}"
    return replace(
        network,
        name=name or f"{network.name}{suffix}",
        source_name=source.name,
        weights="trained" if seed is None else weights or "random",
    )


def network_from(
    source: Source,
    where: str,
    *,
    class_ids: Sequence[str] | None = None,
    layers: str = "conv",
    precision: str = "float32",
    preparation: PreparationOptions = PreparationOptions(),  # noqa: B008 - frozen
    output_name: str | None = None,
    outputs: str | None = None,
    file: Path | None = None,
) -> Network:
    """Return a network of any framework, with layers chosen and everything about it decided.

    Parameters
    ----------
    where : str
        The network as the user named it, for messages.
    class_ids : sequence of str, optional
        The classes of the outputs, in order; by default those that its maker names.
    others
        See :func:`load_network`.

    Raises
    ------
    FiltagError
        If there is no such layer, precision or preparation, or another number of classes is named.
    """
    if precision not in _PRECISIONS:
        raise FiltagError(f"no precision {precision!r}: choose {', '.join(_PRECISIONS[:-1])} or {_PRECISIONS[-1]}")
    class_ids = source.class_ids if class_ids is None else tuple(nfc(str(class_id)) for class_id in class_ids)
    repeated = next((class_id for class_id, times in Counter(class_ids).items() if times > 1), None)
    if repeated is not None:
        raise FiltagError(f"{repeated!r} names two classes of {where}: give each output a class id of its own")
    output_is = output_layer(
        source.output_size,
        source.last,
        is_map=source.output_is_map,
        n_class_ids=len(class_ids),
        chosen=outputs,
        where=where,
    )
    return Network(
        name=source.name,
        layers=select_layers(source.steps, layers, where),
        preparation=preparation.applied(source.preparation),
        output=output_is,
        class_ids=class_ids,
        weights_sha256=source.weights_sha256,
        engine=source.engine(source.computes_in(precision)),
        layers_option=layers,
        output_name=output_name,
        precision=source.computes_in(precision),
        file=file,
        own_preparation=source.preparation if source.named else None,
    )


def _seed_of(weights: str | None) -> int | None:
    """Return the seed of random weights; None for trained ones."""
    if weights is None:
        return 0
    kind, colon, seed = weights.partition(":")
    if kind == "random" and (not colon or (seed.isascii() and seed.isdecimal() and len(seed) < _LONGEST_SEED)):
        return int(seed or 0)
    if weights not in ("trained", "imagenet"):
        raise FiltagError(
            f"no weights {weights!r}: choose trained, random, or random:3 for another seed", options=("weights",)
        )
    return None


def network_names() -> list[str]:
    """Return the names that :func:`load_network` knows, but for those of torchvision and timm."""
    return keras_names()


def is_network_name(spec: str) -> bool:
    """Return whether a network is named, and by a name that may be known."""
    return is_torch_name(spec) or spec in network_names()


def is_network_file(spec: str) -> bool:
    """Return whether a network is given by its file rather than by its name."""
    # Path.is_file() raises where a name is too long for a file.
    return spec.lower().endswith(_FILE_ENDINGS) or os.path.isfile(spec)  # noqa: PTH113


def missing_extra(spec: str) -> MissingExtraError | None:
    """Return what must be installed before a network can be loaded; None if it is there. Nothing is imported."""
    if spec.lower().endswith(ONNX_ENDINGS):
        package, distribution, extra = "onnxruntime", "onnxruntime", "onnx"
    elif is_torch_name(spec) or spec.lower().endswith(ARCHIVE_ENDINGS):
        package, distribution, extra = "torch", "PyTorch", "torch"
    else:
        package, distribution, extra = "keras", "TensorFlow", "cpu"
    return MissingExtraError(distribution, extra) if importlib.util.find_spec(package) is None else None


def _file_source(spec: str, output_name: str | None, input_size: tuple[int, int] | None, seed: int | None) -> Source:
    path = Path(spec)
    refuse_pickle(path)
    refuse_other_format(spec)
    name = path.stem.lower().encode("utf-8", "backslashreplace").decode()
    ending = spec.lower()
    if ending.endswith(ONNX_ENDINGS):
        if seed is not None:
            raise FiltagError(
                f"{spec} is an ONNX file, whose weights are part of its graph: for random ones, give the network as a "
                "Keras or PyTorch file, or by name",
                options=("weights",),
            )
        return onnx_source(read_onnx_file(path), name, spec, output_name=output_name, input_size=input_size)
    if ending.endswith(ARCHIVE_ENDINGS):
        graph = read_archive(path, input_size)
        if seed is not None:
            randomise_torch(graph, seed)
        return torch_source(graph, name, spec, output_name=output_name)
    model = read_keras_file(path)
    if seed is not None:
        randomise_keras(model, seed)
    return keras_source(model, name, spec, output_name=output_name, input_size=input_size)


def _named_source(spec: str, seed: int | None, output_name: str | None) -> Source:
    if is_torch_name(spec):
        return named_torch_source(spec, seed, output_name=output_name)
    if output_name is not None:
        raise FiltagError(f"{spec} has one output only: name none", options=("output_name",))
    return named_keras_source(_known_name(spec), seed)


def _known_name(spec: str) -> str:
    key = letters_and_digits(spec)
    names = {letters_and_digits(name): name for name in network_names()}
    if key in names:
        return names[key]
    refuse_other_format(spec)
    if looks_like_a_path(spec):
        raise FiltagError(f"no network at {spec}: check the path")
    near = difflib.get_close_matches(key, names, n=3, cutoff=0.6)
    hint = (
        f"did you mean {' or '.join(names[x] for x in near)}?" if near else "choose from " + ", ".join(names.values())
    )
    raise FiltagError(f"no network {spec!r}: {hint} (a .keras, .h5, .onnx or .pt2 file is given by its path)")
