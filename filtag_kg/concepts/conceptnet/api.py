"""ConceptNet's web API as a concept source.

The edges that start at a word are requested once, by ``/query?start=/c/en/dog``, for all relations and senses; those
that end there, by relation [1]_. Answers come in pages, which are fetched when they are needed. Each page is kept in a
cache on disk for good, so a second run needs no request and an interrupted one resumes where it stopped.

References
----------
.. [1] ConceptNet's wiki, *API*
"""

from __future__ import annotations

import functools
import logging
import re
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from urllib3.util import Retry

from filtag_kg.concepts.conceptnet.assertions import CITATION, LICENCE, Assertion, assertion, is_weight, skipped_text
from filtag_kg.concepts.conceptnet.rate_limit import RateLimit
from filtag_kg.concepts.conceptnet.term_paths import is_term_path, part_of_speech, term_of, term_path, text_of
from filtag_kg.concepts.source import Concept, Edge, Sense
from filtag_kg.concepts.terms import CONCEPTNET, term_uri
from filtag_kg.errors import FiltagError
from filtag_kg.json_values import mismatch, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from urllib3.response import BaseHTTPResponse

_log = logging.getLogger(__name__)
# It requests again what it cannot read from its cache, which nobody needs to know.
logging.getLogger("requests_cache").setLevel(logging.CRITICAL)

_PAGE = 1000
_ATTEMPTS = 4
# The largest word of ConceptNet has some 300,000 edges.
_MOST_PAGES = 1000
_HALF_PAIR = re.compile("[\ud800-\udfff]")
# Too many requests, and failures of a server that may be over in a moment.
_TRANSIENT = (429, 500, 502, 503, 504)


def default_cache() -> Path:
    """Return where answers are kept by default: in the user's cache."""
    from platformdirs import user_cache_path

    return user_cache_path("filtag") / "conceptnet-api.sqlite"


class ConceptNetApi:
    """A service that speaks ConceptNet's REST API, as a concept source.

    Parameters
    ----------
    url : str
        Address of the service.
    cache : Path, optional
        Where answers are kept.
    limit : RateLimit, optional
        By default ConceptNet's own.
    backoff : float
        Seconds before the second attempt at a request that failed; doubled for each further one.
    timeout : float
        Seconds without a byte after which an attempt is given up.
    base : str
        What the IRIs of concepts begin with, whatever the address of the service.
    language : str
        Code of the language whose words are looked up.

    Raises
    ------
    FiltagError
        From every method, if the service cannot be reached, fails, or does not answer with ConceptNet's JSON.
    """

    name = "conceptnet-api"
    climbs = False
    licence = LICENCE
    citation = CITATION

    def __init__(
        self,
        url: str = CONCEPTNET,
        *,
        cache: Path | None = None,
        limit: RateLimit | None = None,
        backoff: float = 1.0,
        timeout: float = 60.0,
        base: str = CONCEPTNET,
        language: str = "en",
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise FiltagError(
                f"{url!r} is not the address of a service: give one that begins with http:// or https://",
                options=("concepts",),
            )
        self.version = url.rstrip("/")
        self._base = base
        self._language = language
        self._timeout = timeout
        self._cache = cache or default_cache()
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FiltagError(f"cannot write the cache {self._cache} ({error.strerror}): fix its permissions") from None
        # Pickle, the library's choice, would run whatever somebody put into the file.
        try:
            self._session = CachedSession(
                str(self._cache), backend="sqlite", serializer="json", expire_after=-1, filter_fn=_is_answer, wal=True
            )
        except sqlite3.Error as error:
            raise _damaged_cache(self._cache, error) from None
        retry = _LimitedRetry(
            total=_ATTEMPTS,
            backoff_factor=backoff,
            status_forcelist=_TRANSIENT,
            respect_retry_after_header=True,
            raise_on_status=False,
            limit=limit or RateLimit(),
        )
        adapter = _LimitedAdapter(retry)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._page = functools.lru_cache(maxsize=4096)(self._fetched)

    @property
    def members(self) -> tuple[ConceptNetApi, ...]:
        """The service itself."""
        return (self,)

    def concept(self, concept_id: str) -> Concept:
        """Return the concept of an IRI, without a request; `KeyError` if it is not a term's."""
        path = self._path(concept_id)
        if not concept_id.startswith(self._base) or not is_term_path(path):
            raise KeyError(concept_id)
        return Concept(concept_id, text_of(path), (), (path,), self.name)

    def of_class(self, class_id: str) -> str | None:
        """Return the concept that a term, its path in IRIs or its IRI names, whether or not the service knows it."""
        path = self._path(class_id)
        try:
            return self._base + (path if is_term_path(path) else term_path(path))
        except ValueError:
            return None

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the word itself and its senses as a noun that have edges, those with most edges first."""
        word = term_uri(term, language=self._language)
        if not is_term_path(word):
            return ()
        n_edges = Counter(edge.start for edge in self._edges("start", word) if part_of_speech(edge.start) in ("", "n"))
        ranked = sorted(n_edges, key=lambda path: (-n_edges[path], path))
        return tuple(Sense(self._base + path, text_of(path), n_edges[path]) for path in ranked)

    def size(self, concept_id: str) -> int:
        """Return one more than the terms directly below a concept that one request finds."""
        path = self._path(concept_id)
        edges, _ = self._page(self._query("end", _word(path), "IsA"))
        return 1 + sum(edge.end == path for edge in edges)

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of exactly this term, page by page."""
        path = self._path(concept_id)
        edges = self._edges("end", _word(path), relation) if incoming else self._edges("start", _word(path))
        for edge in edges:
            own, other = (edge.end, edge.start) if incoming else (edge.start, edge.end)
            if edge.relation == relation and own == path and other.startswith(f"/c/{self._language}/"):
                yield Edge(
                    relation=relation,
                    start=self._base + edge.start,
                    end=self._base + edge.end,
                    weight=edge.weight,
                    source=self.name,
                    dataset=edge.dataset,
                    licence=edge.licence,
                )

    def _path(self, concept_id: str) -> str:
        return concept_id.removeprefix(self._base)

    def _query(self, end: str, path: str, relation: str | None = None) -> str:
        parameters = {
            end: term_of(path),
            **({"rel": f"/r/{relation}"} if relation else {}),
            "limit": str(_PAGE),
            "offset": "0",
        }
        return str(requests.Request("GET", f"{self.version}/query", params=parameters).prepare().url)

    def _edges(self, end: str, path: str, relation: str | None = None) -> Iterator[Assertion]:
        """Yield the edges with a term at one end, ``start`` or ``end``."""
        page: str | None = self._query(end, path, relation)
        for _ in range(_MOST_PAGES):
            if page is None:
                return
            edges, page = self._page(page)
            yield from edges
        raise self._failure(f"its answer has more than {_MOST_PAGES:,} pages")

    def _fetched(self, url: str) -> tuple[tuple[Assertion, ...], str | None]:
        """Return the edges of a page and the address of the next."""
        for _ in range(_ATTEMPTS):
            try:
                response = self._session.get(url, timeout=self._timeout)
            except requests.exceptions.ChunkedEncodingError:
                problem = "its answer was cut off"  # The adapter does not retry that.
                continue
            except sqlite3.Error as error:
                raise _damaged_cache(self._cache, error) from None
            except requests.RequestException as error:
                raise self._failure("it cannot be reached" + _reason(error)) from None
            if response.status_code != requests.codes.ok:
                times = f", {_ATTEMPTS + 1} times" if response.status_code in _TRANSIENT else ""
                raise self._failure(f"{response.status_code} {response.reason}{times}")
            if _is_answer(response):
                answer = parse_json(response.content, surrogates=True)
                next_page = answer.get("view", {}).get("nextPage")
                # A path, so that no answer can send us to another host.
                return tuple(_assertions(answer["edges"])), f"{self.version}{next_page}" if next_page else None
            problem = "its answer is not ConceptNet's JSON"
        raise self._failure(f"{problem}, {_ATTEMPTS} times")

    def _failure(self, problem: str) -> FiltagError:
        return FiltagError(
            f"ConceptNet's service at {self.version} does not work ({problem}): what was fetched is kept; try again "
            "later, or choose a concept source that needs no network",
            options=("concepts",),
            commands=("concepts import",),
        )


def _damaged_cache(cache: Path, error: sqlite3.Error) -> FiltagError:
    return FiltagError(f"the cache of ConceptNet's answers {cache} cannot be used ({error}): delete it")


class _LimitedAdapter(HTTPAdapter):
    """Waits before each request as the limit says; requests that the cache answers never get here."""

    def __init__(self, retry: _LimitedRetry) -> None:
        super().__init__(max_retries=retry)
        self._limit = retry.limit

    def send(self, *args: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        self._limit.wait()
        return super().send(*args, **options)


class _LimitedRetry(Retry):
    """Retries that count as requests, too."""

    def __init__(self, *args: Any, limit: RateLimit, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self.limit = limit

    def new(self, **options: Any) -> Self:  # noqa: ANN401
        return super().new(limit=self.limit, **options)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        _log.info("ConceptNet's service failed or is busy: trying again")
        super().sleep(response)
        self.limit.wait()


def _word(path: str) -> str:
    """Return the term without its sense: a request about the word serves all its senses."""
    return "/".join(path.split("/")[:4])


_ANSWER = {
    "edges": [
        {
            "rel": {"@id": str},
            "start": {"@id": str},
            "end": {"@id": str},
            "weight": lambda value: None if is_weight(value) else "is not a weight",
            "dataset": str,
            "license": str,
        }
    ],
    "view?": {"nextPage?": lambda value: None if value is None or _is_path(value) else "is not a path"},
}


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/") and _HALF_PAIR.search(value) is None


def _is_answer(response: requests.Response) -> bool:
    """Return whether a response holds a page of edges; others are not kept."""
    try:
        # Half a character spoils an edge, not the page.
        answer = parse_json(response.content, surrogates=True)
    except ValueError:
        return False
    return mismatch(answer, _ANSWER) is None


def _assertions(edges: list[dict[str, Any]]) -> Iterator[Assertion]:
    """Yield the edges of a page between two terms; say how many others it has that are not assertions."""
    skipped: Counter[str] = Counter()
    for edge in edges:
        start, end = edge["start"]["@id"], edge["end"]["@id"]
        # An edge may lead to a thing on another site, which is not a term.
        if "://" in end and not end.startswith("/"):
            continue
        try:
            yield assertion(edge["rel"]["@id"], start, end, edge["weight"], edge["dataset"], edge["license"])
        except ValueError as error:
            skipped[str(error)] += 1
    if skipped:
        _log.info("ConceptNet's service: %s", skipped_text(skipped, "edge"))


def _reason(error: requests.RequestException) -> str:
    # The adapter wraps the error of its last attempt twice; only the text tells which one it was.
    text = str(error)
    return ": it takes too long" if "timed out" in text else ": nothing listens there" if "refused" in text else ""
