"""Publish a KG: load it into a remote store, graph by graph, beside what else the store holds."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.export.graph_store import Credentials, GraphStore, open_store
from filtag_kg.graph import DEFAULT_GRAPH, DataIris, end_of_line, term
from filtag_kg.kg import KG, graph_lines, graph_of_line, kg_id_of, runs_of
from filtag_kg.redirects import without_secrets

_log = logging.getLogger(__name__)

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PLACE = term("nno:hasLayerSequence")
_PLACES = f"SELECT ?layer ?place WHERE {{ GRAPH <%s> {{ ?layer <{_PLACE}> ?place }} }}"


def credentials(url: str, user: str | None, *, token: bool) -> Credentials:
    """Return the credentials for a store, from the environment or the keyring.

    Parameters
    ----------
    user : str, optional
        Whose password to look for: ``FILTAG_PASSWORD``, else the keyring's for service ``filtag`` and this user.
    token : bool
        Whether to look for a token: ``FILTAG_TOKEN``, else the keyring's for service ``filtag`` and the URL's host.

    Raises
    ------
    FiltagError
        If there are none, or they would travel unencrypted to another machine.
    """
    if user is None and not token:
        return Credentials()
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise FiltagError(f"{url} is not https, so the secret could be read on the way: give an https address")
    if token:
        secret = os.environ.get("FILTAG_TOKEN") or _from_keyring(parts.netloc)
        if secret is None:
            raise FiltagError(f"no token: set FILTAG_TOKEN, or put one into the keyring for filtag and {parts.netloc}")
        return Credentials(token=secret)
    password = os.environ.get("FILTAG_PASSWORD") or _from_keyring(str(user))
    if password is None:
        raise FiltagError(f"no password: set FILTAG_PASSWORD, or put one into the keyring for filtag and {user}")
    return Credentials(user=user, password=password)


def publish_kg(
    kg: KG,
    url: str,
    *,
    secrets: Credentials | None = None,
    replace: bool = False,
    chunk: int = 20_000,
    timeout: float = 300,
    parameter: str = "graph",
    advance: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Load a KG into a store, beside other KGs.

    Every statement comes into a named graph: those of the KG's default graph into the graph of their run. Runs, the
    linking of classes to concepts and the KG's description of itself are the KG's own. Networks, profiles, concept
    sources, the vocabulary and the named queries may be other KGs', too: they are merged with what is there, and never
    replaced or removed. So is a linking that is there without the KG, since another KG links the same classes.

    Graphs are sent in pieces that servers accept, the KG's description last: a KG that is described is whole. If a
    piece fails for good, what is the KG's own and was not there before is removed, so one can publish again.

    Parameters
    ----------
    url : str
        The store's Graph Store address, such as ``http://localhost:7878/store``.
    replace : bool
        Replace the KG, or an earlier version of it, if it is there.
    chunk : int
        Statements in each request.
    timeout : float
        Seconds to wait for an answer.
    parameter : str
        The name of the URL's parameter for the graph; Virtuoso's is ``graph-uri``.
    advance : callable, optional
        Called with the number of statements after each request.

    Returns
    -------
    dict of graph IRI to number of statements sent

    Raises
    ------
    FiltagError
        If the KG or a part of it is there and not to be replaced, its network is there with other layers, or the
        store cannot be reached, refuses, or still fails after five tries.
    """
    iris = DataIris(kg.manifest["parameters"]["base"])
    names = _graph_names(kg, iris)
    with open_store(url, secrets or Credentials(), parameter=parameter, timeout=timeout) as store:
        there = {name for name in names if store.holds(name)}
        if there and store.holds(iris.dataset("none")):
            shown = without_secrets(store.url)
            raise FiltagError(f"{shown} answers alike for every graph: check that it is the address of a Graph Store")
        superseded = [name for name in _earlier_descriptions(kg, iris) if store.holds(name)]
        _check_layers(kg, iris, store, there)
        publication = _Publication(store, iris, iris.dataset(kg.manifest["id"]), there, replace, chunk, advance)
        if not replace:
            publication.refuse_to_replace(superseded)
        before = {name: store.size(name) for name in sorted(there) if publication.is_merged(name)}
        for name in superseded:
            store.delete(name)
            _log.info("removed %s: it described an earlier version of this KG", name)
        publication.send(kg, names)
        for name, size in before.items():
            after = None if size is None else store.size(name)
            sizes = "" if after is None else f": {size:,} statements before, {after:,} after"
            _log.info("%s was there, and was merged with what the KG says%s", name, sizes)
    return publication.sent


@dataclass(slots=True)
class _Publication:
    """The sending of a KG.

    Parameters
    ----------
    description : str
        The graph that describes the KG.
    there : set of str
        The graphs of the KG that the store had before.
    """

    store: GraphStore
    iris: DataIris
    description: str
    there: set[str]
    replace: bool
    chunk: int
    advance: Callable[[int], None] | None
    sent: dict[str, int] = field(default_factory=dict)

    def is_own(self, graph: str) -> bool:
        """Return whether no other KG has such a graph, or has the same."""
        return graph.startswith(tuple(f"{self.iris.base}{kind}/" for kind in ("run", "linking", "dataset")))

    def is_merged(self, graph: str) -> bool:
        """Return whether the store keeps what it has in a graph."""
        return not self.is_own(graph) or (graph in self.there and not self.replace)

    def refuse_to_replace(self, superseded: list[str]) -> None:
        """Make sure that the store has nothing that is this KG's alone.

        Raises
        ------
        FiltagError
            If it has.
        """
        shown = without_secrets(self.store.url)
        runs = sorted(name for name in self.there if name.startswith(f"{self.iris.base}run/"))
        if self.description in self.there:
            what = f"this KG, {self.description}"
        elif superseded:
            what = f"an earlier version of this KG, {superseded[-1]}"
        elif runs:
            what = f"a part of this KG, {', '.join(runs)}"
        else:
            return
        raise FiltagError(
            f"{shown} already holds {what}: replace it, or publish to another store", options=("replace",)
        )

    def send(self, kg: KG, names: list[str]) -> None:
        """Send all graphs, the description last; if that fails, remove what is the KG's own and was not there before.

        Raises
        ------
        FiltagError
            If the store fails or the KG is damaged.
        """
        waiting: dict[str, list[str]] = {name: [] for name in names}
        try:
            if self.description in self.there:
                self.store.delete(self.description)
            for graph, triple in _statements(kg, self.iris, waiting):
                waiting[graph].append(triple)
                if len(waiting[graph]) == self.chunk and graph != self.description:
                    self._send(graph, waiting[graph])
                    waiting[graph] = []
            for graph, triples in waiting.items():
                self._send(graph, triples)
                _log.info("%s: %d statements", graph, self.sent.get(graph, 0))
        except BaseException:
            self._take_back()
            raise

    def _send(self, graph: str, triples: list[str]) -> None:
        for start in range(0, len(triples), self.chunk):
            piece = triples[start : start + self.chunk]
            # A piece that is sent again adds nothing: a graph is a set.
            add = self.store.post if graph in self.sent or self.is_merged(graph) else self.store.put
            self.sent.setdefault(graph, 0)
            add(graph, "".join(piece).encode())
            self.sent[graph] += len(piece)
            if self.advance is not None:
                self.advance(len(piece))

    def _take_back(self) -> None:
        """Remove what was not there before; what replaces a graph that was there cannot be taken back."""
        own = [graph for graph in self.sent if self.is_own(graph)]
        # Whatever became of them: the description of what they were is gone.
        left = sorted(graph for graph in self.there if self.is_own(graph) and self.replace)
        for graph in own:
            if graph not in self.there:
                try:
                    self.store.delete(graph)
                except FiltagError:
                    left = own
                    break
        if left:
            _log.warning("the store may hold only a part of %s: publish the KG again, replacing it", ", ".join(left))


def _graph_names(kg: KG, iris: DataIris) -> list[str]:
    """Return the graphs of a KG, the one that describes it last."""
    last = iris.dataset(kg.manifest["id"])
    named = {name for (name,) in kg.store_process().rows("SELECT ?g WHERE { GRAPH ?g {} }")}
    runs = {iris.run(run["id"]) for run in kg.manifest["runs"]}
    return sorted(named | runs, key=lambda name: (name == last, name))


def _check_layers(kg: KG, iris: DataIris, store: GraphStore, there: Container[str]) -> None:
    """Make sure that the store has no layer of a network in another place, or another layer in its place.

    Raises
    ------
    FiltagError
        If it has.
    """
    for network in dict.fromkeys(run.network for run in runs_of(kg)):
        graph = iris.network(network)
        if graph not in there:
            continue
        places = {(layer, place) for layer, place in kg.store_process().rows(_PLACES % graph)}
        places |= {
            (triple.subject.value, triple.object.value)
            for triple in store.triples(graph)
            if triple.predicate.value == _PLACE
            if isinstance(triple.subject, ox.NamedNode) and isinstance(triple.object, ox.Literal)
        }
        if any(len(set(column)) < len(places) for column in zip(*places, strict=True)):
            raise FiltagError(
                f"{without_secrets(store.url)} holds other layers of {network}: publish to another store, or build "
                "the KG with another base"
            )


def _earlier_descriptions(kg: KG, iris: DataIris) -> list[str]:
    """Return the graphs that described the KG before runs were added to it."""
    run_ids = [run["id"] for run in kg.manifest["runs"]]
    return [iris.dataset(kg_id_of(run_ids[:n])) for n in range(1, len(run_ids))]


def _statements(kg: KG, iris: DataIris, names: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield the statements of a KG as lines of N-Triples, each with the named graph that it is published in.

    Raises
    ------
    FiltagError
        If the graph is none of `names`, or the KG is damaged.
    """
    for line in graph_lines(kg.graph_path):
        graph = named = graph_of_line(line)
        if graph == DEFAULT_GRAPH:
            subject = line[1 : line.index(">")]
            try:
                named = iris.run_of(subject)
            except ValueError:
                named = subject
        if named not in names:
            raise FiltagError(f"{kg.graph_path} has a graph {named} that the store lacks: build the KG anew")
        yield named, line.removesuffix(f"{end_of_line(graph)}\n") + " .\n"


def _from_keyring(name: str) -> str | None:
    try:
        import keyring
    except ImportError:
        return None
    try:
        secret = keyring.get_password("filtag", name)
    except keyring.errors.KeyringError:
        return None
    return None if secret is None else str(secret)
