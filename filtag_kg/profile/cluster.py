"""The pass on many machines: shards of the images spread over a Ray cluster, their profiles merged as a tree.

Each worker holds one replica of the network and passes whole shards through it, so the result is that of one process.
When a worker is lost, another does its shard again.
"""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.images import expand_braces, open_shard
from filtag_kg.profile.collect import collect
from filtag_kg.profile.image_checks import check_profile
from filtag_kg.profile.merge import merge_profiles
from filtag_kg.profile.options import DEFAULT_OPTIONS, PassOptions
from filtag_kg.profile.profile import Profile, read_profile, write_profile

if TYPE_CHECKING:
    from ray.data import Dataset

    from filtag_kg.network import Network

_FAN_IN = 8
_Rows = dict[str, Any]


class _Worker:
    """One replica of the network, and the shards that come to it; an actor of Ray Data."""

    def __init__(self, load: Callable[[], Network], options: PassOptions) -> None:
        self._network = load()
        self._options = options

    def __call__(self, rows: _Rows) -> _Rows:
        """Pass the shard whose path is in column ``shard``; its profile goes into column ``part``.

        A FiltagError goes into columns ``error`` and ``options``: Ray wraps what is raised here past recognition.
        """
        (path,) = rows["shard"]
        try:
            with open_shard(Path(str(path))) as images:
                part = collect(self._network, images, self._options)
            return {"part": [_packed(part)], "error": [""], "options": [""]}
        except FiltagError as error:
            return {"part": [b""], "error": [str(error)], "options": [" ".join(error.options)]}


def collect_on_ray(
    load: Callable[[], Network],
    images: Path,
    address: str,
    options: PassOptions = DEFAULT_OPTIONS,
    *,
    replicas: int | None = None,
    quiet: bool = True,
) -> Profile:
    """Do what :func:`~filtag_kg.profile.collect` does, on a Ray cluster.

    Parameters
    ----------
    load : callable
        Returns the network. It is called on each worker, which must have the network's files too.
    images : Path
        A pattern of shards, see :func:`~filtag_kg.images.open_images`, each at the same path on each machine.
    address : str
        Of the cluster: ``host:port``, ``auto`` for the one that this machine belongs to, ``local`` to start one here.
    options : PassOptions
        A split is drawn in each shard separately; `workers` and `part` are ignored.
    replicas : int, optional
        Workers; by default one for each GPU of the cluster, or for each machine if there is none.
    quiet : bool
        Whether Ray draws no progress bars.

    Returns
    -------
    Profile
        The same as from one process, apart from rounding in the merge; classes are labelled with their ids.

    Raises
    ------
    FiltagError
        As :func:`~filtag_kg.profile.collect`; also if the cluster does not answer, or a shard cannot be passed.
    MissingExtraError
        If Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise MissingExtraError("ray", "ray") from None
    shards = expand_braces(str(images))
    _connect(address)
    gpus = int(ray.cluster_resources().get("GPU", 0))
    replicas = min(len(shards), replicas or gpus or len([node for node in ray.nodes() if node["Alive"]]))
    # Ray Data restarts lost workers and repeats their tasks by itself; it only has to be told to be quiet.
    ray.data.DataContext.get_current().enable_progress_bars = not quiet
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    parts = ray.data.from_items([{"shard": shard} for shard in shards], override_num_blocks=len(shards)).map_batches(
        _Worker,
        fn_constructor_args=(load, replace(options, workers=None, part=True)),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=replicas),
        num_gpus=1 if gpus else 0,
    )
    try:
        parts = parts.materialize()
        rows = parts.select_columns(["error", "options"]).take_all()
        errors = sorted((row["error"], row["options"]) for row in rows if row["error"])
        if errors:
            message, names = errors[0]
            raise FiltagError(message, options=tuple(names.split()))
        profile = _merged_as_tree(parts.select_columns(["part"]))
    except ray.exceptions.RayError as error:
        reason = " ".join(str(error).split())[:300]
        raise FiltagError(f"the pass failed on the cluster ({reason}): see Ray's logs, then run it again") from None
    check_profile(profile, str(images), keep_going=options.keep_going)
    return profile


def _connect(address: str) -> None:
    import ray

    if ray.is_initialized():
        return
    try:
        if ":" in address and "//" not in address:
            # Ray itself would try for minutes.
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=False)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FiltagError(
            f"no Ray cluster at {address} ({reason}): start one with ray start --head, or use the address local",
            options=("ray",),
        ) from None


def _merged_as_tree(parts: Dataset) -> Profile:
    """Merge profiles eight at a time, on the machines that hold them, until one is left."""
    while parts.count() > 1:
        parts = parts.map_batches(_merge, batch_size=_FAN_IN).materialize()
    (row,) = parts.take_all()
    return _unpacked(row["part"])


def _merge(rows: _Rows) -> _Rows:
    return {"part": [_packed(merge_profiles([_unpacked(part) for part in rows["part"]]))]}


def _packed(profile: Profile) -> bytes:
    file = io.BytesIO()
    write_profile(profile, file)
    return file.getvalue()


def _unpacked(content: bytes) -> Profile:
    return read_profile(io.BytesIO(content), "a part of the profile")
