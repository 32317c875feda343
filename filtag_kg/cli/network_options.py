"""The options that say which network to load, and how an image becomes its input."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from filtag_kg.network import Network


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isdecimal() and (width or height).isdecimal() and int(height) * int(width or height) > 0):
        raise typer.BadParameter(f"{text!r} is no size: write the height and width in pixels, such as 224x224")
    return int(height), int(width or height)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of numbers: write 0.485,0.456,0.406 or one number") from None


NetworkName = Annotated[
    str,
    typer.Option(
        "--network",
        metavar="NET",
        help="efficientnet-lite0, a network of keras.applications, torchvision:NAME, timm:NAME, or a .keras, .h5, "
        ".onnx or .pt2 file.",
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        metavar="trained|random|random:SEED",
        help="random: what the filters do before the network has learnt anything, to compare with.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="What to call the network; by default its own name, or its file's."),
]
Layers = Annotated[str, typer.Option("--layers", metavar="WHICH", help="conv, all (with depthwise), or layer names.")]
Precision = Annotated[
    str,
    typer.Option(
        metavar="float32|float16|bfloat16",
        help="What the network computes in. The last two are faster on GPUs and slower on processors.",
    ),
]
Preprocess = Annotated[
    str | None,
    typer.Option(
        "--preprocess",
        metavar="HOW",
        help="For your own network, what it expects: none, 0..1, -1..1, imagenet, or as a keras.applications module.",
    ),
]
Mean = Annotated[
    str | None,
    typer.Option(
        metavar="M[,M,M]",
        help="For your own network: subtract this from pixels in [0, 1], or after --preprocess.",
    ),
]
Std = Annotated[str | None, typer.Option(metavar="S[,S,S]", help="Then divide by this.")]
Colours = Annotated[
    str | None, typer.Option("--colours", metavar="rgb|bgr", help="For your own network: the order it expects.")
]
Resize = Annotated[
    str | None,
    typer.Option(
        "--resize",
        metavar="squash|crop|pad",
        help="How images become the network's size: whatever their aspect, only their middle, or with black around. By "
        "default as the network's maker says, else squash.",
    ),
]
CropShare = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="With crop: how much of the shorter side to keep, such as 0.875."),
]
Interpolation = Annotated[
    str | None, typer.Option(metavar="HOW", help="For resizing: bilinear, bicubic, lanczos or nearest.")
]
InputSize = Annotated[
    str | None,
    typer.Option(metavar="HEIGHTxWIDTH", help="For a network that takes images of any size: which to give it."),
]
OutputName = Annotated[
    str | None, typer.Option(metavar="NAME", help="For a network with several outputs: which of them counts.")
]
Outputs = Annotated[
    str | None,
    typer.Option(
        "--outputs",
        metavar="WHAT",
        help="What the outputs are, if the network does not show it: softmax, logits, sigmoid, logit, sigmoids, "
        "independent-logits or none.",
    ),
]
Classes = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="For your own network: class ids in the order of its outputs, one per line; a label may follow.",
    ),
]


def loader(arguments: Mapping[str, Any]) -> Callable[[], Network]:
    """Return what loads the network that the arguments of a command describe."""
    from filtag_kg.network import load_network

    names = inspect.signature(load_network).parameters.keys() & arguments.keys()
    options = {name: arguments[name] for name in sorted(names - {"quiet"})}
    for name, parse in (("mean", _numbers), ("std", _numbers), ("input_size", _size)):
        if options[name] is not None:
            options[name] = parse(options[name])
    return partial(load_network, arguments["network"], **options)
