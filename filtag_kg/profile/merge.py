"""Merge the profiles of disjoint sets of images into the profile of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.images import combined_sha256, contradiction
from filtag_kg.profile.exemplars import merge_exemplars
from filtag_kg.profile.metadata import MOST_NAMED, notes_from, same_scaling
from filtag_kg.profile.moments import Moments
from filtag_kg.profile.profile import Profile
from filtag_kg.profile.references import REFERENCES, References, merge_references

_MUST_AGREE = ("identifier", "layers_option", "input_size", "precision", "resizing", "outputs")


def merge_profiles(profiles: Sequence[Profile]) -> Profile:
    """Return the profile that one pass over all the images would give.

    Means and variances are merged in float64. The result differs from that of one pass by rounding: by 1e-15 of a
    value, and by what the network itself rounds differently in other batches.

    Parameters
    ----------
    profiles : sequence of Profile
        Of the same network, and of different images: shards of one data set.

    Raises
    ------
    FiltagError
        If there are none, networks or layers differ, two profiles are of the same images, or one has no
        variance.
    """
    if not profiles:
        raise FiltagError("no profiles to merge: name two or more")
    first = profiles[0]
    _check(profiles)
    class_ids = sorted({class_id for profile in profiles for class_id in profile.class_ids})
    row = {class_id: index for index, class_id in enumerate(class_ids)}
    moments = Moments.empty(len(class_ids), first.mean.shape[1])
    labels: dict[str, str] = {}
    rows = [np.array([row[class_id] for class_id in profile.class_ids], np.int64) for profile in profiles]
    for profile, of_profile in zip(profiles, rows, strict=True):
        assert profile.variance is not None
        part = Moments(profile.count, profile.mean, profile.variance * profile.count[:, None])
        moments.merge(part, of_profile)
        labels |= dict(zip(profile.class_ids, profile.class_labels, strict=True))
    exemplars = [profile.exemplars for profile in profiles if profile.exemplars is not None]
    return Profile(
        mean=moments.mean,
        variance=moments.variance(),
        count=moments.count,
        class_ids=tuple(class_ids),
        class_labels=tuple(labels[class_id] for class_id in class_ids),
        layer_names=first.layer_names,
        layer_offsets=first.layer_offsets,
        metadata=_metadata(profiles, dict(zip(class_ids, moments.count.tolist(), strict=True))),
        held_out=tuple(sorted({name for profile in profiles for name in profile.held_out})),
        exemplars=merge_exemplars(exemplars) if len(exemplars) == len(profiles) else None,
        references=_references(profiles, rows, len(class_ids)),
    )


def _references(profiles: Sequence[Profile], rows: Sequence[NDArray[np.int64]], n_classes: int) -> References | None:
    parts = [profile.references for profile in profiles if profile.references is not None]
    if len(parts) < len(profiles):
        return None
    return merge_references(parts, rows, n_classes, _most_references(profiles))


def _most_references(profiles: Sequence[Profile]) -> int:
    """Return how many images the sample may have: where the parts differ, the fewest are a sample of the whole."""
    return min(int(profile.metadata.get("references", REFERENCES)) for profile in profiles)


def _check(profiles: Sequence[Profile]) -> None:
    first = profiles[0]
    for profile in profiles[1:]:
        for name in ("preprocess", *_MUST_AGREE):
            one, other = first.metadata.get(name), profile.metadata.get(name)
            if one != other and not (name == "preprocess" and same_scaling(first.metadata, profile.metadata)):
                raise FiltagError(
                    f"profiles of different {name} cannot be merged, {_shown(one)} and {_shown(other)}: merge "
                    "profiles of one network, made in the same way"
                )
        if profile.layer_names != first.layer_names or profile.mean.shape[1] != first.mean.shape[1]:
            raise FiltagError("profiles of different layers cannot be merged: merge profiles of one network")
    if any(profile.variance is None for profile in profiles):
        raise FiltagError("a profile without variances cannot be merged: make it anew", commands=("profile",))
    digests = Counter(shard["sha256"] for profile in profiles for shard in _shards(profile))
    twice = next((digest for digest, times in digests.items() if times > 1), None)
    if twice is not None:
        sources = [_source(shard) for profile in profiles for shard in _shards(profile) if shard["sha256"] == twice]
        raise FiltagError(f"the images of {sources[0]} are in two of the profiles: merge each image's once")
    _check_folders(profiles)


def _check_folders(profiles: Sequence[Profile]) -> None:
    """Refuse two folders ``indoor`` that are one class only because no profile saw both."""
    folders = [(profile, profile.metadata.get("images", {}).get("folders")) for profile in profiles]
    different = contradiction(
        [
            {class_id: paths.get(class_id, class_id) for class_id in profile.class_ids}
            for profile, paths in folders
            if paths is not None
        ]
    )
    if different is not None:
        raise FiltagError(
            f"the profiles call folders otherwise, {different[0]} and {different[1]}: make one profile of all images "
            "together, or give their classes in lists"
        )


def _shown(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return "one that is not known"
    if not isinstance(value, list):
        return str(value)
    return ", ".join(map(str, value[:3])) + (f" … ({len(value)})" if len(value) > 3 else "") or "none"


def _shards(profile: Profile) -> list[dict[str, Any]]:
    images = profile.metadata.get("images", {})
    shards: list[dict[str, Any]] = images.get("shards") or ([images] if "sha256" in images else [])
    return shards


def _source(shard: Mapping[str, Any]) -> str:
    return str(shard.get("source", "one source"))


def _metadata(profiles: Sequence[Profile], count: dict[str, int]) -> dict[str, Any]:
    """Return what all profiles record alike, and what they record of images and software taken together."""
    every = [profile.metadata for profile in profiles]
    shards = sorted((shard for profile in profiles for shard in _shards(profile)), key=_source)
    constant: Counter[str] = Counter()
    few: Counter[str] = Counter()
    for metadata in every:
        constant.update(metadata.get("constant", {}))
        few.update(dict.fromkeys(metadata.get("few", {}), 0))
    images: dict[str, Any] = {
        "source": ", ".join(_source(shard) for shard in shards[:3])
        + (f" and {len(shards) - 3} more" if len(shards) > 3 else ""),
        "sha256": combined_sha256(shard["sha256"] for shard in shards),
        "read": sum(metadata.get("images", {}).get("read", 0) for metadata in every),
        "unreadable": sum(metadata.get("images", {}).get("unreadable", 0) for metadata in every),
        "shards": shards,
    }
    if all("folders" in metadata.get("images", {}) for metadata in every):
        images["folders"] = {
            class_id: folder for metadata in every for class_id, folder in metadata["images"]["folders"].items()
        }
    unreadable = sorted(item for metadata in every for item in metadata.get("unreadable", ()))[:MOST_NAMED]
    merged = {
        **{
            name: value
            for name, value in every[0].items()
            if name == "network" or all(metadata.get(name) == value for metadata in every)
        },
        "versions": _versions(every),
        "images": images,
        "unreadable": unreadable,
        "constant": {name: constant[name] for name in profiles[0].layer_names if constant[name]},
        "few": {class_id: count.get(class_id, 0) for class_id in sorted({*few, *count}) if count.get(class_id, 0) < 2},
    }
    if all(metadata.get("started") and metadata.get("ended") for metadata in every):
        merged |= {
            "started": min(metadata["started"] for metadata in every),
            "ended": max(metadata["ended"] for metadata in every),
        }
    if all("references" in metadata for metadata in every):
        merged["references"] = _most_references(profiles)
    return merged | {"notes": notes_from(merged)}


def _versions(every: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the versions of the software that took part; several of one program are joined by commas."""
    versions: dict[str, set[str]] = {}
    for metadata in every:
        for name, number in metadata.get("versions", {}).items():
            # A merged profile may name several.
            versions.setdefault(name, set()).update(str(number).split(", "))
    return {name: ", ".join(sorted(numbers)) for name, numbers in sorted(versions.items())}
