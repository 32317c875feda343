from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filtag_kg.concepts import RELATIONS
from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump
from filtag_kg.concepts.conceptnet.api import ConceptNetApi
from filtag_kg.concepts.conceptnet.rate_limit import RateLimit
from filtag_kg.errors import FiltagError
from tests.concepts.conceptnet.service import Service, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "conceptnet" / "assertions-reference.csv"
DOG = "http://api.conceptnet.io/c/en/dog"


@pytest.fixture
def service(dump_text: str) -> Iterator[Service]:
    with serving(dump_text) as service:
        yield service


@pytest.fixture
def api(service: Service, tmp_path: Path) -> ConceptNetApi:
    return open_api(service, tmp_path)


def open_api(service: Service, folder: Path, **options: float) -> ConceptNetApi:
    return ConceptNetApi(service.url, cache=folder / "cache.sqlite", backoff=0.01, **options)


def said(source: ConceptNetApi | ConceptNetIndex, concepts: list[str]) -> list[tuple[object, ...]]:
    """All that a source says of concepts, but for the source's name."""
    return sorted(
        (edge.relation, edge.start, edge.end, edge.weight, edge.dataset, edge.licence)
        for concept in concepts
        for relation in RELATIONS
        for incoming in (False, True)
        for edge in source.edges(concept, relation, incoming=incoming)
    )


def test_the_service_says_what_the_index_says(api: ConceptNetApi, index: ConceptNetIndex) -> None:
    for word in ("dog", "hound", "beagle", "puppy", "animal", "unicorn"):
        concepts = [sense.concept for sense in index.senses(word)]
        assert said(api, concepts) == said(index, concepts)
    assert api.concept(DOG) == index.concept(DOG).__class__(DOG, "dog", (), ("/c/en/dog",), "conceptnet-api")
    assert [sense.concept for sense in api.senses("dog")] == [DOG, f"{DOG}/n"]
    assert api.size(DOG) == 2
    assert api.of_class("/c/en/dog") == DOG
    assert api.of_class("n02084071") is None


def test_the_reference_data(tmp_path: Path) -> None:
    if not REFERENCE.exists():
        pytest.skip("needs ../shared/data/conceptnet")
    import_dump(REFERENCE, tmp_path / "index")
    index = ConceptNetIndex(tmp_path / "index")
    with serving(REFERENCE.read_text(encoding="utf-8")) as service:
        api = open_api(service, tmp_path)
        for word in ("test", "assay", "example concept", "wheat", "field"):
            concepts = [sense.concept for sense in index.senses(word)]
            assert concepts
            assert said(api, concepts) == said(index, concepts)


def test_pages_are_fetched_as_they_are_needed(service: Service, tmp_path: Path) -> None:
    service.most_per_page = 2
    api = open_api(service, tmp_path)
    first = api.edges(DOG, "IsA")
    next(first)
    assert len(service.requests) == 1
    assert len(list(first)) == 2
    assert len(service.requests) > 1
    assert all(request.startswith("/query?start=%2Fc%2Fen%2Fdog&") for request in service.requests)


def test_a_second_run_needs_no_request(service: Service, tmp_path: Path) -> None:
    before = said(open_api(service, tmp_path), [DOG])
    service.always = "500"
    asked = len(service.requests)
    assert said(open_api(service, tmp_path), [DOG]) == before
    assert len(service.requests) == asked


def test_an_interrupted_run_goes_on(service: Service, tmp_path: Path) -> None:
    service.most_per_page = 1
    api = open_api(service, tmp_path)
    edges = api.edges(DOG, "IsA")
    next(edges)
    service.always = "502"
    with pytest.raises(FiltagError, match="502"):
        list(edges)
    service.always = None
    fetched = set(service.requests[:1])
    del service.requests[:]
    assert len(list(open_api(service, tmp_path).edges(DOG, "IsA"))) == 3
    assert not fetched & set(service.requests)


@pytest.mark.parametrize("trouble", ["429", "500", "502", "503", "truncated", "malformed", "page", "slow"])
def test_what_passes_is_waited_for(service: Service, tmp_path: Path, trouble: str) -> None:
    service.trouble.extend([trouble, trouble] if trouble != "429" else [trouble])
    api = open_api(service, tmp_path, timeout=0.5)
    start = time.monotonic()
    assert len(list(api.edges(DOG, "IsA"))) == 3
    assert len(service.requests) == (2 if trouble == "429" else 3)
    # What the service asks for is kept to: Retry-After says a second.
    assert trouble != "429" or time.monotonic() - start >= 1


@pytest.mark.parametrize(
    ("trouble", "problem"),
    [
        ("500", "500 Internal Server Error, 5 times"),
        ("502", "502 Bad Gateway, 5 times"),
        ("404", "404 Not Found"),
        ("truncated", "its answer was cut off, 4 times"),
        ("malformed", "its answer is not ConceptNet's JSON, 4 times"),
        ("page", "its answer is not ConceptNet's JSON, 4 times"),
        ("elsewhere", "its answer is not ConceptNet's JSON, 4 times"),
        ("slow", "it cannot be reached: it takes too long"),
    ],
)
def test_what_stays_is_one_line_that_names_the_offline_sources(
    service: Service, tmp_path: Path, trouble: str, problem: str
) -> None:
    service.always = trouble
    with pytest.raises(FiltagError) as error:
        list(open_api(service, tmp_path, timeout=0.1).edges(DOG, "IsA"))
    assert str(error.value) == (
        f"ConceptNet's service at {service.url} does not work ({problem}): what was fetched is kept; try again later, "
        "or choose a concept source that needs no network"
    )
    assert (error.value.options, error.value.commands) == (("concepts",), ("concepts import",))
    service.always = None
    assert len(list(open_api(service, tmp_path).edges(DOG, "IsA"))) == 3  # nothing of it was kept


def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    api = ConceptNetApi(address, cache=tmp_path / "cache.sqlite", backoff=0.01)
    with pytest.raises(FiltagError, match=r"does not work \(it cannot be reached: nothing listens there\)"):
        api.senses("dog")
    with pytest.raises(FiltagError, match="'localhost' is not the address of a service"):
        ConceptNetApi("localhost")


def test_requests_keep_to_the_limit_and_the_cache_does_not_count(service: Service, tmp_path: Path) -> None:
    waited: list[float] = []
    limit = RateLimit(((2, 60.0),), clock=lambda: 0.0, sleep=waited.append)
    service.trouble.append("500")
    for _ in range(2):
        api = ConceptNetApi(service.url, cache=tmp_path / "cache.sqlite", backoff=0.01, limit=limit)
        for word in ("dog", "hound", "dog"):
            api.senses(word)
    # Three requests: the first failed and was made again, the third had to wait.
    assert (len(service.requests), len(waited)) == (3, 1)


def test_the_cache_is_not_pickled(service: Service, tmp_path: Path) -> None:
    open_api(service, tmp_path).senses("dog")
    content = (tmp_path / "cache.sqlite").read_bytes() + (tmp_path / "cache.sqlite-wal").read_bytes()
    assert b'"status_code": 200' in content
    assert b"requests_cache.models" not in content
