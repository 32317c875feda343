"""Where the tags of a KG come from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.profile import Profile
from filtag_kg.tags import parse_rule


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where tags come from.

    Parameters
    ----------
    network_label : str
        The network's name as people say it.
    hashes : mapping of str
        Terms such as ``flt:weightsSha256`` to hexadecimal digests of what the tags were made from.
    layer_kinds : mapping of layer name to Keras layer type
    software : tuple of str
        Name and version of what took part in the pass, besides what takes part in every build.
    started, ended : str, optional
        Of the pass over the images, in ISO 8601.
    inputs : mapping of str to JSON values
        What the manifest records about the inputs.
    method : str, optional
        The method that made the tags, where it is another one.
    score_meaning : str, optional
        What the method's scores measure, where the tags have any.
    """

    network_label: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    layer_kinds: Mapping[str, str] = field(default_factory=dict)
    software: tuple[str, ...] = ()
    started: str | None = None
    ended: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    score_meaning: str | None = None

    def score_of(self, rule: str) -> str | None:
        """Return what a rule ranked filters by; None where another method made the tags, which does not say."""
        if "flt:profileSha256" not in self.hashes:
            return None
        try:
            return parse_rule(rule).score
        except FiltagError:
            return None

    @classmethod
    def of_profile(cls, profile: Profile) -> Provenance:
        """Return what a profile records about how it was made."""
        metadata = profile.metadata
        digest = hashlib.sha256()
        for array in (
            profile.mean,
            profile.count,
            np.array(profile.class_ids),
            np.array(profile.layer_names),
        ):
            digest.update(np.ascontiguousarray(array).tobytes())
        hashes = {
            "flt:profileSha256": digest.hexdigest(),
            "flt:weightsSha256": metadata.get("weights_sha256"),
            "flt:imagesSha256": metadata.get("images", {}).get("sha256"),
        }
        return cls(
            network_label=metadata.get("network", "network"),
            hashes={name: value for name, value in hashes.items() if value},
            layer_kinds=dict(zip(profile.layer_names, metadata.get("layer_kinds", ()), strict=False)),
            software=tuple(f"{name} {number}" for name, number in sorted(metadata.get("versions", {}).items())),
            started=metadata.get("started") or None,
            ended=metadata.get("ended") or None,
            inputs={"profile": dict(metadata)},
        )
