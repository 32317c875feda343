"""ConceptNet's web API as a concept source.

What starts at a word is asked for once, by ``/query?start=/c/en/dog``, for all relations and senses of the word; what
ends there by relation [1]_. Answers come in pages, which are fetched as they are needed. Each page is kept in a cache
on disk for good, so a second run needs no request and an interrupted one goes on from where it stopped.

References
----------
.. [1] ConceptNet's wiki, *API*
"""

from __future__ import annotations

import functools
import logging
import sqlite3
from typing import TYPE_CHECKING, Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from urllib3.util import Retry

from filtag_kg.concepts.conceptnet.assertions import (
    LICENCE,
    is_in_iris,
    is_term,
    is_weight,
    licence_iri,
    part_of_speech,
    text_of,
)
from filtag_kg.concepts.conceptnet.rate_limit import RateLimit
from filtag_kg.concepts.source import Concept, Edge, Sense
from filtag_kg.concepts.terms import CONCEPTNET, term_uri
from filtag_kg.errors import FiltagError
from filtag_kg.json_values import mismatch, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from urllib3.response import BaseHTTPResponse

__all__ = ["ConceptNetApi", "default_cache"]

_log = logging.getLogger(__name__)
# What it cannot read of its cache is asked for again, which nobody needs to know.
logging.getLogger("requests_cache").setLevel(logging.CRITICAL)

_PAGE = 1000
_ATTEMPTS = 4
# The largest word of ConceptNet has some 300,000 edges.
_MOST_PAGES = 1000
# Too many requests, and failures of a server that may be well again in a moment.
_PASSING = (429, 500, 502, 503, 504)


def default_cache() -> Path:
    """Return where answers are kept if no place is given: in the user's cache."""
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
        ConceptNet's own, if it is left out.
    backoff : float
        Seconds before the second attempt at a request that failed; doubled for each further one.
    timeout : float
        Seconds without a byte after which an attempt is given up.
    base : str
        What the IRIs of concepts begin with, whatever service says something of them.
    language : str
        Code of the language whose words are looked up.

    Raises
    ------
    FiltagError
        From all that is asked, if the service cannot be reached, fails, or answers with something else.
    """

    name = "conceptnet-api"
    licence = LICENCE

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
            raise FiltagError(f"{url!r} is no address of a service: give one that begins with http:// or https://")
        self.version = url.rstrip("/")
        self._base = base
        self._language = language
        self._timeout = timeout
        place = cache or default_cache()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FiltagError(f"cannot write the cache {place} ({error.strerror}): mend its permissions") from None
        # Pickle, the library's choice, would run whatever somebody put into the file.
        try:
            self._session = CachedSession(
                str(place), backend="sqlite", serializer="json", expire_after=-1, filter_fn=_is_answer, wal=True
            )
        except sqlite3.Error as error:
            raise _damaged_cache(place, error) from None
        self._cache = place
        retry = _LimitedRetry(
            total=_ATTEMPTS,
            backoff_factor=backoff,
            status_forcelist=_PASSING,
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
        """Return the concept of an IRI, without a request; `KeyError` if it is no term's."""
        path = self._path(concept_id)
        if not concept_id.startswith(self._base) or not is_term(path):
            raise KeyError(concept_id)
        return Concept(concept_id, text_of(path), (), (path,), self.name)

    def of_class(self, class_id: str) -> str | None:
        """Return the concept that a term's path or IRI names, whether or not the service knows it."""
        path = self._path(class_id)
        return self._base + path if is_term(path) else None

    def senses(self, term: str) -> tuple[Sense, ...]:
        """Return the word itself and its senses as a noun of which something is said; the most first."""
        said: dict[str, int] = {}
        for edge in self._said("start", term_uri(term, language=self._language)):
            path = str(edge["start"]["@id"])
            if is_term(path) and is_in_iris(path) and part_of_speech(path) in ("", "n"):
                said[path] = said.get(path, 0) + 1
        ranked = sorted(said, key=lambda path: (-said[path], path))
        return tuple(Sense(self._base + path, text_of(path), said[path]) for path in ranked)

    def size(self, concept_id: str) -> int:
        """Return how many terms lie directly below a concept, as far as one request tells, and one more."""
        path = self._path(concept_id)
        edges, _ = self._page(self._query("end", _word(path), "IsA"))
        return 1 + sum(str(edge["end"]["@id"]) == path for edge in edges)

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        """Yield the edges of exactly this term, page by page."""
        path = self._path(concept_id)
        said = self._said("end", _word(path), relation) if incoming else self._said("start", _word(path))
        for edge in said:
            start, end = str(edge["start"]["@id"]), str(edge["end"]["@id"])
            mine, other = (end, start) if incoming else (start, end)
            if (
                edge["rel"]["@id"] == f"/r/{relation}"
                and mine == path
                and other.startswith(f"/c/{self._language}/")
                and is_in_iris(other)
            ):
                yield Edge(
                    relation=relation,
                    start=self._base + start,
                    end=self._base + end,
                    weight=float(edge["weight"]),
                    source=self.name,
                    dataset=str(edge["dataset"]),
                    licence=licence_iri(str(edge["license"])),
                )

    def _path(self, concept_id: str) -> str:
        return concept_id.removeprefix(self._base)

    def _query(self, place: str, path: str, relation: str | None = None) -> str:
        asked = {place: path, **({"rel": f"/r/{relation}"} if relation else {}), "limit": str(_PAGE), "offset": "0"}
        return str(requests.Request("GET", f"{self.version}/query", params=asked).prepare().url)

    def _said(self, place: str, path: str, relation: str | None = None) -> Iterator[dict[str, Any]]:
        page: str | None = self._query(place, path, relation)
        for _ in range(_MOST_PAGES):
            if page is None:
                return
            edges, page = self._page(page)
            yield from edges
        raise self._failure(f"its answer has more than {_MOST_PAGES:,} pages")

    def _fetched(self, url: str) -> tuple[tuple[dict[str, Any], ...], str | None]:
        """Return the edges of a page and the address of the next."""
        for _ in range(_ATTEMPTS):
            try:
                response = self._session.get(url, timeout=self._timeout)
            except requests.exceptions.ChunkedEncodingError:
                problem = "its answer was cut off"  # which the adapter's retries do not see
                continue
            except sqlite3.Error as error:
                raise _damaged_cache(self._cache, error) from None
            except requests.RequestException as error:
                raise self._failure("it cannot be reached" + _reason(error)) from None
            if response.status_code != requests.codes.ok:
                times = f", {_ATTEMPTS + 1} times" if response.status_code in _PASSING else ""
                raise self._failure(f"{response.status_code} {response.reason}{times}")
            if _is_answer(response):
                answer = parse_json(response.content)
                following = answer.get("view", {}).get("nextPage")
                # A path, so that no answer can send us to another host.
                return tuple(answer["edges"]), f"{self.version}{following}" if following else None
            problem = "its answer is not ConceptNet's JSON"
        raise self._failure(f"{problem}, {_ATTEMPTS} times")

    def _failure(self, problem: str) -> FiltagError:
        return FiltagError(
            f"ConceptNet's service at {self.version} does not work ({problem}): what was fetched is kept; try again "
            "later, or use a source that needs no network: --concepts wordnet, or --concepts conceptnet after "
            "filtag concepts import DUMP"
        )


def _damaged_cache(place: Path, error: sqlite3.Error) -> FiltagError:
    return FiltagError(f"the cache of ConceptNet's answers {place} cannot be used ({error}): delete it")


class _LimitedAdapter(HTTPAdapter):
    """Waits before each request as the limit says; what the cache answers never comes here."""

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
    """Return the term without its sense: what is asked of the word serves all its senses."""
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
    return isinstance(value, str) and value.startswith("/")


def _is_answer(response: requests.Response) -> bool:
    """Return whether a response holds a page of edges; others are not kept."""
    try:
        answer = parse_json(response.content)
    except ValueError:
        return False
    # What ConceptNet says of other sites' things is no term.
    ends = (edge[end]["@id"] for edge in answer["edges"] for end in ("start", "end")) if _fits(answer) else [""]
    return all(is_term(end) or "://" in end for end in ends)


def _fits(answer: object) -> bool:
    return mismatch(answer, _ANSWER) is None


def _reason(error: requests.RequestException) -> str:
    # The adapter wraps what ended its last attempt twice; its text alone tells which it was.
    said = str(error)
    return ": it takes too long" if "timed out" in said else ": nothing listens there" if "refused" in said else ""
