"""Load a network by name or from a file."""

from __future__ import annotations

import difflib
import importlib.resources
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from filtag_kg.csv_table import read_text, text_lines
from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc
from filtag_kg.network.backend import KerasModel, import_keras
from filtag_kg.network.efficientnet_lite0 import build_efficientnet_lite0, checkpoint_path, load_checkpoint
from filtag_kg.network.feature_map import select_layers
from filtag_kg.network.keras_file import read_keras_file
from filtag_kg.network.legacy_checkpoint import read_legacy_checkpoint
from filtag_kg.network.model_graph import trace
from filtag_kg.network.network import Network, weights_sha256
from filtag_kg.network.precision import check_precision, compute_in
from filtag_kg.network.preprocess import letters_and_digits, preprocessing

_LOGGER = logging.getLogger(__name__)
_LITE0 = "efficientnet-lite0"
_FILE_ENDINGS = (".keras", ".h5", ".hdf5")
_T = TypeVar("_T")


def load_network(
    spec: str,
    *,
    preprocess: str | None = None,
    classes: Path | None = None,
    layers: str = "conv",
    weights: str | None = "imagenet",
    precision: str = "float32",
) -> Network:
    """Load a trained CNN.

    Parameters
    ----------
    spec : str
        ``efficientnet-lite0``; the name of a network of ``keras.applications`` (``vgg16``, ``inception-v3``;
        case and separators do not matter); or the path of a ``.keras`` or ``.h5`` file, which is loaded in
        safe mode.
    preprocess : str, optional
        For a file, what the network expects, see :func:`~filtag_kg.network.preprocess.preprocessing`; by default
        ``none``, the images as they are. Named networks have their own.
    classes : Path, optional
        For a file, a text file with a class id per line in the order of the outputs; a label may follow it
        after a comma or a tab.
    layers : str
        ``conv``, ``all`` or names of layers, see :func:`~filtag_kg.network.feature_map.select_layers`.
    weights : str or None
        For a named network: ``imagenet``, or None for random ones, always the same.
    precision : str
        What the layers compute in: ``float32``, ``float16`` or ``bfloat16``. The weights stay in float32.

    Raises
    ------
    FiltagError
        If there is no such network, file, layer, preprocessing or precision, or the file holds something else.
    """
    if weights not in ("imagenet", None):
        raise ValueError(f"weights must be 'imagenet' or None, got {weights!r}")
    check_precision(precision)
    if is_network_file(spec):
        return _from_file(Path(spec), preprocess, classes, layers, precision)
    given = "preprocess" if preprocess is not None else "classes" if classes is not None else None
    if given is not None:
        raise FiltagError(
            f"{spec} brings its own {given}: leave the option out, it is for networks from a file", options=(given,)
        )
    key = letters_and_digits(spec)
    names = {letters_and_digits(name): name for name in network_names()}
    if key not in names:
        near = difflib.get_close_matches(key, names, n=3, cutoff=0.6)
        hint = (
            f"did you mean {' or '.join(names[x] for x in near)}?"
            if near
            else "choose from " + ", ".join(names.values())
        )
        raise FiltagError(f"no network {spec!r}: {hint} (a .keras or .h5 file is given by its path)")
    return _named(names[key], layers, weights, precision)


def network_names() -> list[str]:
    """Return the names that :func:`load_network` knows."""
    return [_LITE0, *_constructors()]


def imagenet_class_ids() -> tuple[str, ...]:
    """Return the 1,000 WordNet ids of ILSVRC 2012 in the order of the usual networks' outputs: sorted."""
    text = importlib.resources.files("filtag_kg.network").joinpath("imagenet_wnids.txt").read_text("ascii")
    return tuple(text.split())


def build_model(name: str, weights: str | None) -> KerasModel:
    """Return one of :func:`network_names` as a Keras model, with layer names as in a fresh process.

    Parameters
    ----------
    name : str
        As :func:`network_names` spells it.
    weights : str or None
        ``imagenet``, or None for Keras' random ones, which differ from process to process.

    Raises
    ------
    FiltagError
        If the weights are neither cached nor downloadable.
    """
    if name == _LITE0:
        model = build_efficientnet_lite0()
        if weights is not None:
            load_checkpoint(model, read_legacy_checkpoint(checkpoint_path()))
        return model
    constructor = _constructors()[name]
    try:
        model = _with_fresh_names(lambda: constructor(weights=weights))
        if None in model.input_shape[1:3]:
            # MobileNetV3 takes any size; it was trained with 224.
            model = _with_fresh_names(lambda: constructor(weights=weights, input_shape=(224, 224, 3)))
    except Exception as error:
        # Broad, since Keras wraps urllib's errors in a bare Exception that only its text identifies.
        if not isinstance(error, OSError) and "URL fetch failure" not in str(error):
            raise
        raise FiltagError(
            f"the weights of {name} are not in Keras' cache and could not be downloaded: connect to the "
            "network once, or give a saved .keras file"
        ) from None
    return model


def _named(name: str, layers: str, weights: str | None, precision: str) -> Network:
    model = build_model(name, weights)
    if weights is None:
        _randomise(model)
    preprocess = name if name == _LITE0 else _constructors()[name].__module__.rpartition(".")[2]
    class_ids = imagenet_class_ids() if weights and model.output_shape[-1] == 1000 else ()
    return _network(name, model, preprocess, class_ids, layers, precision)


def _from_file(path: Path, preprocess: str | None, classes: Path | None, layers: str, precision: str) -> Network:
    model = read_keras_file(path)
    if preprocess is None:
        _LOGGER.warning("no preprocessing given for %s: it gets RGB in [0, 255]", path.name)
    class_ids = () if classes is None else _read_classes(classes)
    name = path.stem.lower().encode("utf-8", "backslashreplace").decode()
    return _network(name, model, preprocess or "none", class_ids, layers, precision, path)


def _network(
    name: str,
    model: KerasModel,
    preprocess: str,
    class_ids: tuple[str, ...],
    layers: str,
    precision: str,
    file: Path | None = None,
) -> Network:
    where = name if file is None else str(file)
    chosen_preprocess = preprocessing(preprocess)
    digest = weights_sha256(model.get_weights())
    graph = trace(model, where)
    shape = graph.model.inputs[0].shape
    if len(shape) != 4 or shape[3] != 3 or None in shape[1:3]:
        raise FiltagError(
            f"{where} takes input of shape {tuple(shape[1:])}: give a network for colour images of a fixed size, "
            "(height, width, 3)"
        )
    outputs = graph.model.outputs[0].shape[-1]
    if class_ids and len(class_ids) != outputs:
        raise FiltagError(
            f"{where} has {outputs} outputs, and {len(class_ids)} classes are given: they must be as many"
        )
    chosen = select_layers(graph, layers, where)
    compute_in(graph, precision)
    return Network(
        name=name,
        input_size=(shape[1], shape[2]),
        model=graph.model,
        layers=chosen,
        preprocess=chosen_preprocess,
        class_ids=class_ids,
        weights_sha256=digest,
        layers_option=layers,
        precision=precision,
        preprocess_name=preprocess,
        file=file,
    )


def _read_classes(path: Path) -> tuple[str, ...]:
    try:
        lines = text_lines(read_text(path))
    except OSError as error:
        raise FiltagError(f"cannot read the classes in {path} ({error.strerror}): check the path") from None
    except UnicodeDecodeError:
        raise FiltagError(f"{path} is not text in UTF-8: give a class id a line") from None
    class_ids = tuple(nfc(line).replace("\t", ",").partition(",")[0].strip() for line in lines if line.strip())
    repeated = next((x for x, times in Counter(class_ids).items() if times > 1), None)
    if repeated is not None or not class_ids or "" in class_ids:
        what = f"names {repeated!r} twice" if repeated else "names no class, or an empty one"
        raise FiltagError(f"{path} {what}: give one class id a line, in the order of the network's outputs")
    return class_ids


def _constructors() -> Mapping[str, Callable[..., KerasModel]]:
    applications = import_keras().applications
    return {
        letters_and_digits(name): getattr(applications, name)
        for name in dir(applications)
        if name[0].isupper() and callable(getattr(applications, name))
    }


def _with_fresh_names(build: Callable[[], _T]) -> _T:
    """Call `build` in a thread in which Keras has named no layer yet.

    Keras numbers unnamed layers (InceptionV3's ``conv2d_93``) per thread. In a new thread a network gets the same names
    every time, and the caller's numbering is left alone.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(build).result()


def _randomise(model: KerasModel) -> None:
    """Fill kernels with N(0, 2 / fan-in) (He et al., 2015, equation 10), the same in every process."""
    layers = import_keras().layers
    # A depthwise kernel is (height, width, channels, multiplier), and sees one channel at a time.
    variances: dict[int, float] = {}
    for layer in model._flatten_layers():
        if isinstance(layer, layers.DepthwiseConv2D):
            variances[id(layer.kernel)] = 2 / np.prod(layer.kernel_size)
        elif isinstance(layer, layers.SeparableConv2D):
            # The 2 in 2 / fan-in compensates for a rectifier; there is none between the two kernels.
            variances[id(layer.depthwise_kernel)] = 1 / np.prod(layer.kernel_size)
    random = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) >= 2:
            variance = variances.get(id(weight), 2 / max(1, int(np.prod(weight.shape[:-1]))))
            weight.assign(random.standard_normal(weight.shape, np.float32) * np.float32(np.sqrt(variance)))


def is_network_file(spec: str) -> bool:
    """Return whether a network is given by its file rather than by its name."""
    # Path.is_file() raises where a name is too long for a file.
    return spec.lower().endswith(_FILE_ENDINGS) or os.path.isfile(spec)  # noqa: PTH113
