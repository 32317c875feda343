"""The networks of torchvision and timm by name, with their weights, classes and preparation of images."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from filtag_kg.errors import FiltagError
from filtag_kg.network.imagenet import imagenet_class_ids
from filtag_kg.network.preparation import INTERPOLATIONS, Preparation
from filtag_kg.network.scaling import Scaling, letters_and_digits, named_scaling
from filtag_kg.network.torch.backend import TorchModule, import_torch
from filtag_kg.network.torch.export import export_module
from filtag_kg.network.torch.source import TorchSource, torch_source

LIBRARIES = ("torchvision", "timm")
# torchvision asks whether to fill their weights, since that takes long.
_SLOW_TO_FILL = ("googlenet", "inception_v3")
_DOWNLOADERS = ("httpx", "huggingface_hub", "requests", "urllib3")
_T = TypeVar("_T")


def is_torch_name(spec: str) -> bool:
    """Return whether a network is named as one of a library's: ``torchvision:resnet18``, ``timm:resnet50.a1_in1k``."""
    return spec.partition(":")[0].lower() in LIBRARIES and ":" in spec


def named_torch_source(spec: str, seed: int | None, *, output_name: str | None = None) -> TorchSource:
    """Return a network of torchvision or timm as a source.

    Parameters
    ----------
    spec : str
        The library and the name in it; case and separators do not matter.
    seed : int or None
        Of random weights, the same in every process; None for those that the library gives by default, whatever they
        were trained on.
    output_name : str, optional
        Which of several outputs counts; by default the first.

    Raises
    ------
    MissingExtraError
        If the library is not installed.
    FiltagError
        If there is no such network, or its weights are neither cached nor downloadable.
    """
    library = spec.partition(":")[0].lower()
    build = {"torchvision": _from_torchvision, "timm": _from_timm}[library]
    import_torch(library)
    name, module, preparation, class_ids = build(spec, spec.partition(":")[2], seed)
    spec = f"{library}:{name}"
    graph = export_module(module, preparation.size, preparation.channels, spec)
    return torch_source(
        graph,
        spec,
        spec,
        preparation=preparation,
        class_ids=class_ids,
        named=True,
        output_name=output_name,
        packages=(library,),
    )


_Built = tuple[str, TorchModule, Preparation, tuple[str, ...]]


def _from_torchvision(spec: str, name: str, seed: int | None) -> _Built:
    from torchvision import models

    names = [*models.list_models(module=models), *models.list_models(module=models.segmentation)]
    other = letters_and_digits(name) in {letters_and_digits(x) for x in models.list_models()} - set(
        map(letters_and_digits, names)
    )
    if other:
        raise FiltagError(
            f"{spec} finds objects, takes videos or is quantised: give a network that classifies an image"
        )
    name = _known(spec, name, names)
    declared = models.get_model_weights(name).DEFAULT
    options: dict[str, Any] = {"weights": declared if seed is None else None}
    if name in models.list_models(module=models.segmentation):
        options["weights_backbone"] = None
    if seed is not None and name in _SLOW_TO_FILL:
        options["init_weights"] = True
    with _weights_only():
        module = _loaded(spec, lambda: models.get_model(name, **options), seed)
    transforms = declared.transforms()
    size = getattr(transforms, "crop_size", transforms.resize_size)[0]
    preparation = _preparation(
        (size, size),
        transforms.mean,
        transforms.std,
        "crop",
        size / transforms.resize_size[0],
        transforms.interpolation.value,
    )
    categories = declared.meta["categories"]
    imagenet = models.get_model_weights("resnet18").DEFAULT.meta["categories"]
    class_ids = imagenet_class_ids() if categories == imagenet else tuple(categories)
    return name, module, preparation, class_ids if seed is None else ()


def _from_timm(spec: str, name: str, seed: int | None) -> _Built:
    import timm

    tagged = timm.list_models(pretrained=True)
    name = _known(spec, name, [*timm.list_models(), *tagged])
    if seed is None and name not in tagged and not timm.models.is_model_pretrained(name):
        near = [each for each in tagged if each.startswith(name.partition(".")[0])][:3]
        raise FiltagError(
            f"timm has no weights for {name}: "
            + (f"choose {' or '.join(near)}" if near else "choose a network that has some")
        )
    module = _loaded(spec, lambda: timm.create_model(name, pretrained=seed is None), seed)
    config = timm.data.resolve_model_data_config(module)
    way = {"squash": "squash", "border": "pad"}.get(config["crop_mode"], "crop")
    preparation = _preparation(
        config["input_size"][1:], config["mean"], config["std"], way, config["crop_pct"], config["interpolation"]
    )
    subset = timm.data.infer_imagenet_subset(module) if seed is None else None
    class_ids = () if subset is None else tuple(timm.data.ImageNetInfo(subset).label_names())
    return name, module, preparation, class_ids


def _known(spec: str, name: str, names: Sequence[str]) -> str:
    keys = {letters_and_digits(known): known for known in names}
    key = letters_and_digits(name)
    if name in names or key in keys:
        return name if name in names else keys[key]
    library = spec.partition(":")[0].lower()
    near = difflib.get_close_matches(key, keys, n=3, cutoff=0.6)
    hint = (
        f"did you mean {' or '.join(f'{library}:{keys[x]}' for x in near)}?"
        if near
        else f"{library}.{'models.' if library == 'torchvision' else ''}list_models() has all names"
    )
    raise FiltagError(f"no network {spec!r} in {library}: {hint}")


def _loaded(spec: str, build: Callable[[], _T], seed: int | None) -> _T:
    torch = import_torch()
    # It tells of every attempt to connect.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed or 0)
        try:
            return build()
        except Exception as error:
            # Broad, since each library that downloads has errors of its own.
            downloading = isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _DOWNLOADERS
            if seed is not None or not downloading:
                raise
            raise FiltagError(
                f"the weights of {spec} are not in the library's cache and could not be downloaded: connect to the "
                "network once, or load the network in Python and give it to filtag_kg.from_torch"
            ) from None


@contextmanager
def _weights_only() -> Iterator[None]:
    """Let torchvision read the weights that it downloaded without unpickling anything else."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


def _preparation(
    size: Sequence[int],
    mean: Sequence[float],
    std: Sequence[float],
    resize: str,
    crop_share: float,
    interpolation: str,
) -> Preparation:
    """Return a preparation, given mean and standard deviation for pixels in [0, 1]."""
    scaling = Scaling(tuple(255 * x for x in mean), tuple(255 * x for x in std), tuple(range(len(mean))))
    known = ("imagenet", "-1..1", "0..1")
    return Preparation(
        (size[0], size[1]),
        scaling,
        next((name for name in known if len(mean) == 3 and named_scaling(name) == scaling), "own"),
        resize,
        crop_share if resize == "crop" else 1.0,
        interpolation if interpolation in INTERPOLATIONS else "bilinear",
    )
