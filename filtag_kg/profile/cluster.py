"""The pass on many machines: shards of the images spread over a Ray cluster, their profiles merged as a tree.

Each worker holds one replica of the network and passes whole shards through it, so that what comes out is what
one process would give. What a lost worker had in hand is done again by another.
"""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.images import expand_braces, open_shard
from filtag_kg.profile.collect import check_profile, collect
from filtag_kg.profile.merge import merge_profiles
from filtag_kg.profile.profile import Profile, read_profile, write_profile

if TYPE_CHECKING:
    from ray.data import Dataset

    from filtag_kg.network import Network

__all__ = ["collect_on_ray"]

_FAN_IN = 8
_Rows = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Options:
    """What a worker needs to know to pass a shard."""

    load: Callable[[], Network]
    batch_size: int
    split: float | None
    seed: int


class _Worker:
    """One replica of the network, and the shards that come to it; an actor of Ray Data."""

    def __init__(self, options: _Options) -> None:
        self._options = options
        self._network = options.load()

    def __call__(self, rows: _Rows) -> _Rows:
        """Pass shards, whose paths are in column ``shard``; their profiles are in column ``part``.

        A mistake of the user's is in column ``error``: what is raised here, Ray would wrap past recognition.
        """
        (path,) = rows["shard"]
        try:
            return {"part": [self._passed(Path(str(path)))], "error": [""]}
        except FiltagError as error:
            return {"part": [b""], "error": [str(error)]}

    def _passed(self, path: Path) -> bytes:
        options = self._options
        with open_shard(path) as images:
            part = collect(
                self._network,
                images,
                batch_size=options.batch_size,
                split=options.split,
                seed=options.seed,
                shard=True,
            )
        return _packed(part)


def collect_on_ray(
    load: Callable[[], Network],
    images: Path,
    address: str,
    *,
    batch_size: int = 32,
    split: float | None = None,
    seed: int = 0,
    keep_going: bool = False,
    replicas: int | None = None,
    quiet: bool = True,
) -> Profile:
    """Do what :func:`~filtag_kg.profile.collect` does, on a Ray cluster.

    Parameters
    ----------
    load : callable
        Returns the network; it is called on each worker, where its files must be found too.
    images : Path
        A pattern of shards, see :func:`~filtag_kg.images.open_images`, each at the same path on each machine.
    address : str
        Of the cluster: ``host:port``, ``auto`` for the one that this machine belongs to, ``local`` for one that
        is started here.
    batch_size, split, seed, keep_going
        As in :func:`~filtag_kg.profile.collect`. A split is drawn in each shard by itself.
    replicas : int, optional
        Workers; by default one for each GPU of the cluster, or for each machine if there is none.
    quiet : bool
        Whether Ray draws no progress bars.

    Returns
    -------
    Profile
        That of one process, but for rounding when profiles are merged; classes are labelled with their ids.

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
    # Ray Data restarts lost workers and repeats their tasks without being told; it is only to be told to be quiet.
    ray.data.DataContext.get_current().enable_progress_bars = not quiet
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    options = _Options(load, batch_size, split, seed)
    parts = ray.data.from_items([{"shard": shard} for shard in shards], override_num_blocks=len(shards)).map_batches(
        _Worker,
        fn_constructor_args=(options,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=replicas),
        num_gpus=1 if gpus else 0,
    )
    try:
        parts = parts.materialize()
        mistakes = sorted(row["error"] for row in parts.select_columns(["error"]).take_all() if row["error"])
        if mistakes:
            raise FiltagError(mistakes[0])
        profile = _merged_as_tree(parts.select_columns(["part"]))
    except ray.exceptions.RayError as error:
        reason = " ".join(str(error).split())[:300]
        raise FiltagError(f"the pass failed on the cluster ({reason}): see Ray's logs, then run it again") from None
    check_profile(profile, str(images), keep_going=keep_going)
    return profile


def _connect(address: str) -> None:
    import ray

    if ray.is_initialized():
        return
    try:
        if ":" in address and "//" not in address:
            # Ray itself tries for minutes before it gives up.
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=False)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FiltagError(
            f"no Ray cluster at {address} ({reason}): start one with ray start --head, or give --ray local"
        ) from None


def _merged_as_tree(parts: Dataset) -> Profile:
    """Merge profiles by eights where they lie, until one is left."""
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
