"""What users say of their own data in a KG: each build of it has an attribution of its own, kept in the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from filtag_kg.graph import DEFAULT_GRAPH, Attribution, DataIris

Record = Mapping[str, Any]
"""A JSON object of a manifest."""


def attributions_of(manifest: Record, builds: Iterable[Record] | None = None) -> dict[str, Attribution]:
    """Return what was said of each build, by its folder; that of the first build is empty.

    Parameters
    ----------
    builds : iterable of JSON objects, optional
        The added builds, where they are to be other ones than those that the manifest records.
    """
    added = manifest.get("added", ()) if builds is None else builds
    records = {"": manifest, **{build["folder"]: build for build in added}}
    return {folder: Attribution.of_record(record.get("attribution", {})) for folder, record in records.items()}


def attribution_of(manifest: Record, builds: Iterable[Record] | None = None) -> Attribution:
    """Return what is said of a KG as a whole: the last title that was given, and all creators.

    A licence is that of a build, so there is none here.
    """
    attributions = attributions_of(manifest, builds).values()
    titles = [each.title for each in attributions if each.title is not None]
    creators = dict.fromkeys(creator for each in attributions for creator in each.creators)
    return Attribution(titles[-1] if titles else None, tuple(creators))


def licences_of_own_data(manifest: Record) -> list[str]:
    """Return the licences that users gave to their own data, that of the first build first."""
    given = (each.licence for each in attributions_of(manifest).values())
    return list(dict.fromkeys(licence for licence in given if licence is not None))


def own_licences(
    manifest: Record, runs: Sequence[Record], builds: Iterable[Record], experiments: Iterable[Record], iris: DataIris
) -> dict[str, list[str]]:
    """Return the licences that users gave to the graphs of their own data, by the graph's name.

    Parameters
    ----------
    manifest : JSON object
        It has the network, the inputs and the attribution of the first build.
    runs, builds, experiments : JSON objects
        As a manifest records them.
    """
    builds = list(builds)
    attributions = attributions_of(manifest, builds)
    inputs = {"": manifest["inputs"], **{build["folder"]: build["inputs"] for build in builds}}
    folders = {run["id"]: run.get("folder", "") for run in runs}
    graphs = [(iris.run(run["id"]), folders[run["id"]]) for run in runs]
    graphs += [(DEFAULT_GRAPH, folder) for folder in folders.values()]
    graphs += [(iris.run(each["id"]), folders[each["run"]]) for each in experiments]
    for run in runs:
        folder, network = folders[run["id"]], run.get("network", manifest["network"])
        graphs += [(iris.network(network), folder), (iris.visualizations_graph(network), folder)]
        if (digest := inputs[folder].get("profileSha256")) is not None:
            graphs.append((iris.profile_graph(network, digest), folder))
    licences: dict[str, set[str]] = {}
    for graph, folder in graphs:
        if (licence := attributions[folder].licence) is not None:
            licences.setdefault(graph, set()).add(licence)
    return {graph: sorted(of_graph) for graph, of_graph in licences.items()}
