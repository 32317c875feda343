"""Load a KG into a remote store over the SPARQL 1.1 Graph Store HTTP Protocol, graph by graph."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import DataIris
from filtag_kg.kg import KG
from filtag_kg.redirects import METHOD_KEPT, follow_redirects, redirect_target, without_secrets

if TYPE_CHECKING:
    import requests

_log = logging.getLogger(__name__)

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_RETRIED = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What a store asks for before it lets anyone write; never printed.

    Parameters
    ----------
    user, password : str, optional
        For HTTP's Basic or Digest authentication, whichever the store asks for.
    token : str, optional
        For Bearer authentication.
    """

    user: str | None = None
    password: str | None = None
    token: str | None = None


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
    chunk: int = 20_000,
    timeout: float = 300,
    parameter: str = "graph",
    advance: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Put every named graph of a KG into a store, where it replaces a graph of the same name.

    A graph is sent in pieces that servers accept. If a piece fails for good, the pieces before it are removed, so a
    graph is whole or not there. The graph that describes the KG goes last. Graphs that succeeded stay, and
    publishing again replaces them: after any failure, try again.

    Parameters
    ----------
    url : str
        The store's Graph Store address, such as ``http://localhost:7878/store``.
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
    dict of graph IRI to number of statements

    Raises
    ------
    FiltagError
        If the store cannot be reached, refuses, or still fails after five tries.

    Notes
    -----
    Source: W3C, *SPARQL 1.1 Graph Store HTTP Protocol*, sections 4.2 (indirect identification), 5.3 (PUT), 5.5 (POST).
    """
    store = kg.store_process()
    last = DataIris(kg.manifest["parameters"]["base"]).dataset(kg.manifest["id"])
    graphs = store.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")
    assert isinstance(graphs, ox.QuerySolutions)
    names = sorted((str(row["g"])[1:-1] for row in graphs), key=lambda name: (name == last, name))
    sent = {}
    secrets = secrets or Credentials()
    with _session(secrets) as session:
        for name in names:
            to = _Graph(session, url, parameter, name, timeout, secrets)
            triples = (quad.triple for quad in store.quads(graph=ox.NamedNode(name)))
            sent[name] = _send(to, triples, chunk, advance)
            _log.info("%s: %d statements", name, sent[name])
    return sent


@dataclass(frozen=True, slots=True)
class _Graph:
    session: requests.Session
    url: str
    parameter: str
    name: str
    timeout: float
    secrets: Credentials

    def ask(self, method: str, body: bytes | None = None) -> None:
        """Send a request, and turn whatever goes wrong into one line."""
        import requests
        from requests.auth import HTTPBasicAuth, HTTPDigestAuth

        shown = without_secrets(self.url)
        try:
            answer = self._request(method, body)
            if answer.status_code == 401 and self.session.auth is None and self.secrets.user is not None:
                # Only the challenge tells which of the two the store wants.
                asks_for_digest = "digest" in answer.headers.get("WWW-Authenticate", "").lower()
                scheme = HTTPDigestAuth if asks_for_digest else HTTPBasicAuth
                self.session.auth = scheme(self.secrets.user, str(self.secrets.password))
                answer = self._request(method, body)
        except requests.RequestException as error:
            raise FiltagError(
                f"{shown} cannot be reached ({_cause(error)}): make sure that it runs, then publish again"
            ) from None
        if answer.status_code in (401, 403):
            raise FiltagError(
                f"{shown} does not let you write ({answer.status_code}): give a user or a token",
                options=("user", "token"),
            )
        moved_to = redirect_target(answer.url, answer)
        if moved_to is not None:
            new_url = without_secrets(moved_to.partition("?")[0])
            raise FiltagError(f"{shown} has moved to {new_url} ({answer.status_code}): publish there, if it is yours")
        if not answer.ok:
            text = " ".join(answer.text.split())[:200]
            raise FiltagError(
                f"{shown} refused {method} of graph {self.name} ({answer.status_code} {text}): check that it is the "
                "address of a Graph Store that accepts updates"
            )

    def _request(self, method: str, body: bytes | None) -> requests.Response:
        headers = {"Content-Type": "text/turtle; charset=utf-8"} if body is not None else {}
        parts = urlsplit(self.url)
        query = "&".join(filter(None, (parts.query, urlencode({self.parameter: self.name}))))

        def send(url: str) -> requests.Response:
            return self.session.request(
                method, url, data=body, headers=headers, timeout=self.timeout, allow_redirects=False
            )

        # Other redirects may lead to a page, such as one to log in at, which must not pass for a store.
        has_secret = self.secrets != Credentials() or "@" in parts.netloc
        return follow_redirects(send, parts._replace(query=query).geturl(), statuses=METHOD_KEPT, secret=has_secret)


def _send(to: _Graph, triples: Iterator[ox.Triple], chunk: int, advance: Callable[[int], None] | None) -> int:
    n_sent = 0
    try:
        while triples_of_chunk := list(islice(triples, chunk)):
            # N-Triples is Turtle. A piece that is sent again adds nothing: a graph is a set.
            body = ox.serialize(triples_of_chunk, format=ox.RdfFormat.N_TRIPLES)
            assert body is not None
            to.ask("POST" if n_sent else "PUT", body)
            n_sent += len(triples_of_chunk)
            if advance is not None:
                advance(len(triples_of_chunk))
    except BaseException:
        if n_sent:
            _remove(to)
        raise
    return n_sent


def _remove(to: _Graph) -> None:
    try:
        to.ask("DELETE")
    except FiltagError:
        _log.warning(
            "part of graph %s is in the store and could not be removed: publish again when the store answers", to.name
        )


def _session(secrets: Credentials) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    session.trust_env = False  # Passwords come from no .netrc.
    retry = Retry(
        total=5, backoff_factor=0.5, status_forcelist=_RETRIED, allowed_methods=None, raise_on_status=False,
        respect_retry_after_header=True,
    )  # fmt: skip
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    if secrets.token is not None:
        session.headers["Authorization"] = f"Bearer {secrets.token}"
    return session


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


def _cause(error: Exception) -> str:
    reason = getattr(error.args[0], "reason", error) if error.args else error
    # urllib3 begins with its own object that failed.
    return " ".join(str(reason).split()).rpartition("): ")[2][:200]
