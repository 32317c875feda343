"""A remote store, written and looked at over the SPARQL 1.1 Graph Store HTTP Protocol.

Source: W3C, *SPARQL 1.1 Graph Store HTTP Protocol*, sections 4.2 (indirect identification), 5.2 (GET), 5.3 (PUT), 5.4
(DELETE), 5.5 (POST), 5.6 (HEAD).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import urlencode, urlsplit

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.redirects import METHOD_KEPT, follow_redirects, redirect_target, without_secrets

if TYPE_CHECKING:
    import requests

_RETRIED = (429, 500, 502, 503, 504)
_ABSENT = (404, 410)
_WRITTEN = "text/turtle; charset=utf-8"
"""What is sent is N-Triples, which is Turtle; some stores know only the latter."""
_READ = "application/n-triples, text/turtle;q=0.9, application/rdf+xml;q=0.5"
_ENDPOINTS = {
    "/store": "/query",  # Oxigraph
    "/sparql-graph-crud-auth": "/sparql",  # Virtuoso
    "/sparql-graph-crud": "/sparql",
    "/data": "/sparql",  # Fuseki
    "/rdf-graphs/service": "",  # RDF4J and GraphDB
}
"""Where stores answer SPARQL: how the address of their Graph Store ends, and what stands there instead."""
_SIZE = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH <%s> { ?s ?p ?o } }"


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


@dataclass(frozen=True, slots=True)
class GraphStore:
    """A remote store.

    Parameters
    ----------
    url : str
        Its Graph Store address.
    parameter : str
        The name of the URL's parameter for the graph.
    timeout : float
        Seconds to wait for an answer.
    """

    url: str
    parameter: str
    timeout: float
    secrets: Credentials
    session: requests.Session

    def put(self, graph: str, body: bytes) -> None:
        """Make N-Triples the whole content of a graph; errors as `send`."""
        self.send("PUT", graph, body)

    def post(self, graph: str, body: bytes) -> None:
        """Add N-Triples to a graph; errors as `send`."""
        self.send("POST", graph, body)

    def delete(self, graph: str) -> None:
        """Remove a graph, if it is there; errors as `send`."""
        self.send("DELETE", graph)

    def send(self, method: str, graph: str, body: bytes | None = None) -> None:
        """Change a graph.

        Raises
        ------
        FiltagError
            If the store cannot be reached, refuses, or still fails after five tries.
        """
        answer = self._ask(method, graph, body)
        if not answer.ok and not (method == "DELETE" and answer.status_code in _ABSENT):
            raise self._refused(method, graph, answer)

    def holds(self, graph: str) -> bool:
        """Return whether the store has statements in a graph.

        Raises
        ------
        FiltagError
            If the store cannot be reached, or does not say.
        """
        if self.size(graph):
            return True
        if self._ask("HEAD", graph).status_code in _ABSENT:
            return False
        # Not every store knows HEAD, and some say yes to every name: the first statement decides.
        return next(self.triples(graph), None) is not None

    def triples(self, graph: str) -> Iterator[ox.Triple]:
        """Yield the statements of a graph as they come; none if the store does not have it.

        Raises
        ------
        FiltagError
            If the store cannot be reached, refuses, or does not answer with RDF.
        """
        from urllib3.exceptions import HTTPError

        answer = self._ask("GET", graph)
        with closing(answer):
            if answer.status_code in _ABSENT:
                return
            if not answer.ok:
                raise self._refused("GET", graph, answer)
            media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            format_ = ox.RdfFormat.from_media_type(media_type) or ox.RdfFormat.TURTLE
            answer.raw.decode_content = True
            try:
                for quad in ox.parse(input=cast("IO[bytes]", answer.raw), format=format_):
                    yield quad.triple
            except (SyntaxError, ValueError, OSError, HTTPError):
                raise FiltagError(
                    f"{without_secrets(self.url)} does not answer GET of graph {graph} with RDF: check that it is the "
                    "address of a Graph Store"
                ) from None

    def size(self, graph: str) -> int | None:
        """Return the number of statements in a graph, if the store answers SPARQL where its kind of store does."""
        import requests

        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        ending = next((ending for ending in _ENDPOINTS if path.endswith(ending)), None)
        if ending is None:
            return None
        # One try, without secrets: without an answer, nothing is lost but a number in a note.
        endpoint = parts._replace(
            netloc=parts.netloc.rpartition("@")[2], path=path.removesuffix(ending) + _ENDPOINTS[ending], query=""
        ).geturl()
        headers = {"Accept": "application/sparql-results+json"}
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.get(
                    endpoint, params={"query": _SIZE % graph}, headers=headers, timeout=self.timeout,
                    allow_redirects=False,
                )  # fmt: skip
                return int(answer.json()["results"]["bindings"][0]["n"]["value"]) if answer.ok else None
            except (requests.RequestException, ValueError, LookupError, TypeError):
                return None

    def _ask(self, method: str, graph: str, body: bytes | None = None) -> requests.Response:
        """Send a request, log in if the store asks for it, and turn what goes wrong on the way into one line."""
        import requests
        from requests.auth import HTTPBasicAuth, HTTPDigestAuth

        shown = without_secrets(self.url)
        try:
            answer = self._request(method, graph, body)
            if answer.status_code == 401 and self.session.auth is None and self.secrets.user is not None:
                # Only the challenge tells which of the two the store wants.
                asks_for_digest = "digest" in answer.headers.get("WWW-Authenticate", "").lower()
                scheme = HTTPDigestAuth if asks_for_digest else HTTPBasicAuth
                self.session.auth = scheme(self.secrets.user, str(self.secrets.password))
                answer = self._request(method, graph, body)
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
        return answer

    def _request(self, method: str, graph: str, body: bytes | None) -> requests.Response:
        # Virtuoso refuses a change whose answer is to be N-Triples.
        headers = {"Content-Type": _WRITTEN} if body is not None else {"Accept": _READ} if method == "GET" else {}
        parts = urlsplit(self.url)
        query = "&".join(filter(None, (parts.query, urlencode({self.parameter: graph}))))

        def send(url: str) -> requests.Response:
            return self.session.request(
                method, url, data=body, headers=headers, timeout=self.timeout, allow_redirects=False,
                stream=method == "GET",
            )  # fmt: skip

        # Other redirects may lead to a page, such as one to log in at, which must not pass for a store.
        has_secret = self.secrets != Credentials() or "@" in parts.netloc
        return follow_redirects(send, parts._replace(query=query).geturl(), statuses=METHOD_KEPT, secret=has_secret)

    def _refused(self, method: str, graph: str, answer: requests.Response) -> FiltagError:
        text = " ".join(answer.text.split())[:200]
        return FiltagError(
            f"{without_secrets(self.url)} refused {method} of graph {graph} ({answer.status_code} {text}): check that "
            "it is the address of a Graph Store that accepts updates"
        )


@contextmanager
def open_store(url: str, secrets: Credentials, *, parameter: str, timeout: float) -> Iterator[GraphStore]:
    """Yield a store over a connection that is kept, and asks a busy store again; parameters as `GraphStore` has."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    with requests.Session() as session:
        session.trust_env = False  # Passwords come from no .netrc.
        retry = Retry(
            total=5, backoff_factor=0.5, status_forcelist=_RETRIED, allowed_methods=None, raise_on_status=False,
            respect_retry_after_header=True,
        )  # fmt: skip
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        if secrets.token is not None:
            session.headers["Authorization"] = f"Bearer {secrets.token}"
        yield GraphStore(url, parameter, timeout, secrets, session)


def _cause(error: Exception) -> str:
    reason = getattr(error.args[0], "reason", error) if error.args else error
    # urllib3 begins with its own object that failed.
    return " ".join(str(reason).split()).rpartition("): ")[2][:200]
