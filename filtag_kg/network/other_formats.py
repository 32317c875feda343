"""Files that hold no network that can be followed here: what they are, and what to give instead."""

from __future__ import annotations

import os
from pathlib import Path

from filtag_kg.errors import FiltagError

_KERAS = "open it where it was made and save the network with model.save('name.keras')"
_ONNX = "or make an ONNX file of it with tf2onnx"
_CHECKPOINT = (
    "is part of a TensorFlow checkpoint, which holds weights without the network: build the network in Keras, "
    "model.load_weights(…), and save it with model.save('name.keras')"
)
_FORMATS = {
    ".tflite": f"is a TensorFlow Lite file, whose layers were merged: {_KERAS}, {_ONNX}",
    ".pb": f"is a TensorFlow graph without Keras' layers: {_KERAS}, {_ONNX}",
    ".ckpt": _CHECKPOINT,
    ".index": _CHECKPOINT,
    ".data-00000-of-00001": _CHECKPOINT,
    ".meta": _CHECKPOINT,
    ".json": "describes layers without their weights: build the network of it in Keras, load the weights, and save it "
    "with model.save('name.keras')",
    ".mlmodel": f"is a Core ML file: {_KERAS}",
    ".mlpackage": f"is a Core ML package: {_KERAS}",
    ".caffemodel": "is a Caffe file: make an ONNX file of it",
    ".pkl": "is a pickle, which is code and never run: save the network itself with model.save('name.keras')",
    ".joblib": "is a pickle, which is code and never run: save the network itself with model.save('name.keras')",
}
_SAVED_MODEL = (
    "is a TensorFlow SavedModel, which holds computations without Keras' layers: open it with the Keras that saved it "
    f"(Keras 2 is the package tf-keras) and save it with model.save('name.h5'), {_ONNX}"
)
_FOLDER = "is a folder: give the file of a network, or a name"
_FORMATS |= {".yaml": _FORMATS[".json"], ".yml": _FORMATS[".json"], ".pickle": _FORMATS[".pkl"]}


def refuse_other_format(spec: str) -> None:
    """Refuse a file or folder of a format that is known to hold no network that can be followed.

    Raises
    ------
    FiltagError
        If it is one; not if there is no such file.
    """
    # The methods of Path raise where a name is too long for a file.
    if not os.path.exists(spec):  # noqa: PTH110
        return
    problem = next((what for ending, what in _FORMATS.items() if spec.lower().rstrip("/").endswith(ending)), None)
    if problem is None and os.path.isdir(spec):  # noqa: PTH112
        problem = _SAVED_MODEL if (Path(spec) / "saved_model.pb").exists() else _FOLDER
    if problem is not None:
        raise FiltagError(f"{spec} {problem}")


def looks_like_a_path(spec: str) -> bool:
    """Return whether something that is no file was meant to be one."""
    return "/" in spec or os.sep in spec or spec.lower().endswith(tuple(_FORMATS))
