"""Behind a proxy, under a path: every link stays in the path and leads somewhere."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urldefrag, urljoin, urlsplit

import httpx
import pytest
import rdflib

from filtag_kg import FiltagError
from filtag_kg.kg import KG
from filtag_kg.server import PublicAddress
from tests.browser import browser, page
from tests.pictures import pictured_copy
from tests.server.servers import Server, serving, wait_until

SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
FILTER = "network/toy-0123456789ab/layer/deep/filter/0"
DOG = "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"
NOT_PASSED_ON = {"connection", "transfer-encoding", "content-length", "keep-alive", "date"}


@dataclass(frozen=True)
class Way:
    """How a proxy is set up, and the server's options for it."""

    prefix: str
    strips: bool
    keeps_host: bool
    forwards: bool
    options: tuple[str, ...]


WAYS = {
    "nginx that strips the path": Way("/kg", True, False, False, ("--root-path", "/kg")),
    "nginx that leaves the path": Way("/kg", False, False, False, ("--root-path", "/kg/")),
    "Caddy": Way("/a/b", True, True, False, ("--root-path", "/a/b", "--host-name", "localhost.example")),
    "Traefik": Way("/deep/kg", True, False, True, ("--proxy", "127.0.0.1")),
    "a proxy for the whole host": Way("", True, False, True, ("--proxy", "127.0.0.0/8")),
}
PUBLIC_HOST = "localhost.example"


@contextmanager
def proxying(server_url: str, way: Way) -> Iterator[str]:
    """Pass requests under a prefix on to a server, and refuse all others, until the block ends."""
    client = httpx.Client(timeout=60)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.startswith(f"{way.prefix}/"):
                self.reply(410, [("Content-Type", "text/plain")], b"this is another application\n")
                return
            path = self.path.removeprefix(way.prefix) if way.strips else self.path
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON]
            headers = [(name, value) for name, value in headers if name.lower() != "host"]
            if way.keeps_host:
                headers.append(("Host", PUBLIC_HOST))
            if way.forwards:
                headers += [
                    ("X-Forwarded-Proto", "https"),
                    ("X-Forwarded-Host", PUBLIC_HOST),
                    ("X-Forwarded-Prefix", way.prefix),
                    ("X-Forwarded-For", "203.0.113.7"),
                ]
            got = client.request(self.command, origin + path, headers=headers, content=body)
            self.reply(got.status_code, list(got.headers.items()), got.content)

        def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in {*NOT_PASSED_ON, "content-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_OPTIONS = answer  # noqa: N815

        def log_message(self, *_args: Any) -> None:
            pass

    parts = urlsplit(server_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}{way.prefix}"
    finally:
        proxy.shutdown()
        proxy.server_close()
        client.close()


class Links(HTMLParser):
    """The addresses that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "srcset", "action", "xlink:href") and value is not None:
                self.found.add(value)
            elif name.startswith("data-") and (value or "").startswith("/"):
                self.found.add(f"{value}any" if (value or "").endswith("/") else str(value))


_SLOW = ("nginx that leaves the path", "nginx that strips the path", "Caddy", "a proxy for the whole host")


@pytest.fixture(scope="module")
def pictured(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictured_copy(kg, tmp_path_factory.mktemp("pictured") / "kg").path


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.slow if name in _SLOW else ()) for name in WAYS]
)
def behind(pictured: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Server, str, Way]]:
    """A server, its address behind a proxy, and the proxy's set-up."""
    way = WAYS[request.param]
    with serving(pictured, *way.options) as server, proxying(server.url, way) as url:
        yield server, url, way


def test_no_link_leaves_the_path_or_is_dead(behind: tuple[Server, str, Way]) -> None:
    _, url, way = behind
    browser_accepts = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    waiting = deque([f"{url}/", f"{url}/explain", f"{url}/query?name=tags-of-filter", f"{url}/search?q=dog"])
    waiting += [f"{url}/compare?kind=filters&a=deep/0&b=deep/1", f"{url}/class/none", f"{url}/{FILTER}"]
    seen = set(waiting)
    kinds = set()
    with httpx.Client(timeout=60) as client:
        if way is WAYS["Traefik"]:
            # Plots link to pages, too. Once is enough: they take their time.
            wait_until(lambda: ".svg" in client.get(f"{url}/", headers={"Accept": browser_accepts}).text)
        while waiting and len(seen) < 400:
            at = waiting.popleft()
            answer = client.get(at, headers={"Accept": browser_accepts})
            # Scripts and forms add to some addresses what is missing.
            missing = 404 if at.endswith(("/any", "/class/none")) else 400 if "/queries/" in at else 200
            assert answer.status_code in (200, missing), (at, answer.text[:200])
            media_type = answer.headers["content-type"].partition(";")[0]
            kinds.add(media_type)
            if media_type not in ("text/html", "image/svg+xml"):
                continue
            links = Links()
            links.feed(answer.text)
            for link in links.found:
                address = urldefrag(urljoin(at, link)).url
                if urlsplit(address).scheme != "http" or urlsplit(address).netloc != urlsplit(url).netloc:
                    assert not link.startswith("/"), link
                    continue
                assert address.startswith(f"{url}/"), (at, link)
                # One of each kind of thing is enough; there are hundreds.
                if address not in seen and sum(_kind(other) == _kind(address) for other in seen) < 3:
                    seen.add(address)
                    waiting.append(address)
    assert kinds >= {"text/html", "text/css", "text/javascript", "image/jpeg", "text/turtle"}
    assert "image/svg+xml" in kinds or way is not WAYS["Traefik"]
    assert len(seen) > 40


def _kind(address: str) -> str:
    return re.sub(r"[0-9]+|=[^&]*", "", address)


def test_programs_get_addresses_in_the_path(behind: tuple[Server, str, Way]) -> None:
    _, url, way = behind
    host = PUBLIC_HOST if way.keeps_host or way.forwards else None
    with httpx.Client(timeout=60) as client:
        description = rdflib.Graph().parse(data=client.get(f"{url}/sparql").text, format="turtle")
        (endpoint,) = description.objects(None, SD.endpoint)
        parts = urlsplit(str(endpoint))
        assert parts.path == f"{way.prefix}/sparql"
        assert parts.scheme == ("https" if way.forwards else "http")
        assert host is None or parts.netloc == host
        assert client.get(f"{url}/openapi.json").json()["servers"] == [{"url": way.prefix or "/"}]
        for query in client.get(f"{url}/queries").json()["queries"][:5]:
            assert query["example"].startswith(f"{way.prefix}/queries/")
            assert client.get(urljoin(url, query["example"])).status_code in (200, 400)
        for path in (FILTER, f"resource?iri={quote(DOG, safe='')}"):
            answer = client.get(f"{url}/{path}")
            assert answer.status_code == 200
            (link,) = re.findall("<(.*?)>", answer.headers["link"])
            assert link.startswith(f"{way.prefix}/resource?")
            assert client.get(urljoin(url, link)).headers["content-type"].startswith("text/turtle")
        for row in client.get(f"{url}/search?format=json&q=dog").json():
            assert row["address"].startswith(f"{way.prefix}/")
            assert client.get(urljoin(url, row["address"])).status_code == 200
        assert client.post(f"{url}/sparql", data={"query": "ASK {}"}).json()["boolean"] is True
        relative = client.get(f"{url}/sparql", params={"query": "CONSTRUCT { <p> <p> <p> } WHERE {}", "format": "nt"})
        assert relative.text.startswith(f"<{str(endpoint).removesuffix('sparql')}p>")
        assert client.get(f"{url}/none/at/all").text.endswith(f"search for it at {way.prefix}/sparql\n")
        asked = {"Origin": "http://x", "Access-Control-Request-Method": "POST"}
        assert "access-control-allow-methods" not in client.options(f"{url}/explain", headers=asked).headers
        head = client.head(f"{url}/glossary")
        assert int(head.headers["content-length"]) >= 0


def test_without_the_proxy_it_answers_as_well(behind: tuple[Server, str, Way]) -> None:
    server, _, way = behind
    if not way.forwards:
        assert server.url.endswith(way.prefix)
        port = urlsplit(server.url).netloc
        for home in (f"http://{port}{way.prefix}/", f"http://{port}{way.prefix}", f"http://{port}/"):
            assert f'href="{way.prefix}/concepts"' in httpx.get(home, headers={"Accept": "text/html"}).text


def test_a_browser_finds_its_way(pictured: Path) -> None:
    way = WAYS["nginx that strips the path"]
    with (
        browser() as opened,
        serving(pictured, *way.options) as server,
        proxying(server.url, way) as url,
        page(opened, url) as shown,
    ):
        shown.goto(f"{url}/")
        shown.keyboard.press("/")
        shown.keyboard.type("redbo")
        shown.get_by_role("option", name="redbone").first.wait_for()
        shown.keyboard.press("ArrowDown")
        shown.keyboard.press("Enter")
        shown.get_by_role("heading", level=1, name="redbone").wait_for()
        assert urlsplit(shown.url).path in ("/kg/class/n02090379", "/kg/resource")
        shown.goto(f"{url}/query?name=filters-of-class&class=tabby")
        link = shown.locator("[data-rows] a").first
        link.wait_for()
        assert urlsplit(shown.url).path == "/kg/query"
        assert (link.get_attribute("href") or "").startswith("/kg/network/")
        link.click()
        shown.get_by_role("link", name="Concepts", exact=True).wait_for()
        shown.goto(f"{url}/query?sparql={quote('SELECT ?c { ?c a flt:ClassLabel }')}")
        link = shown.locator("[data-rows] a").first
        link.wait_for()
        assert (link.get_attribute("href") or "").startswith("/kg/resource?")


FORGED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "203.0.113.7",
}


def test_nobody_else_is_believed(server: Server, kg: KG) -> None:
    plain = server.client.get("/sparql").text
    assert server.client.get("/sparql", headers=FORGED).text == plain
    page_ = server.client.get("/", headers={"Accept": "text/html"}).text
    assert server.client.get("/", headers={"Accept": "text/html", **FORGED}).text == page_
    with serving(kg.path, "--proxy", "192.0.2.0/24") as other:
        assert "evil" not in other.client.get("/sparql", headers=FORGED).text


def test_a_believed_proxy_does_not_change_who_may_ask(kg: KG) -> None:
    with serving(kg.path, "--proxy", "*", "--host-name", "kg.example") as server:
        assert "https://evil.example/evil/sparql" in server.client.get("/sparql", headers=FORGED).text
        for host, status in (("evil.example", 421), ("kg.example", 200), ("KG.example:443", 200), ("localhost", 200)):
            headers = {"Host": host, "X-Forwarded-Host": "localhost"}
            assert server.client.get("/sparql", headers=headers).status_code == status
        # Nor may the page of a site pose as the proxy.
        asked = server.client.options(
            "/sparql", headers={"Origin": "http://x", "Access-Control-Request-Headers": "accept, X-Forwarded-Prefix"}
        )
        assert asked.headers["access-control-allow-headers"] == "accept"
        for name, value, shown in (
            ("X-Forwarded-Prefix", "//evil", "'//evil'"),
            ("X-Forwarded-Prefix", "/a/../b", "'/a/../b'"),
            ("X-Forwarded-Prefix", '/"><script>', "'/\"><script>'"),
            ("X-Forwarded-Host", "a/b", "'a/b'"),
            ("X-Forwarded-Proto", "javascript", "'javascript'"),
        ):
            wrong = server.client.get("/", headers={name: value})
            assert (wrong.status_code, wrong.text) == (400, f"{name} is {shown}: correct the proxy's settings\n")
        # Of several proxies, the first is the one that the client knows.
        chain = server.client.get("/sparql", headers={**FORGED, "X-Forwarded-Host": "kg.example, inner.example"})
        assert "https://kg.example/evil/sparql" in chain.text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            {"root_path": "kg"},
            "kg is not a path: give one such as /kg, of letters, digits and . _ ~ -",
        ),
        (
            {"root_path": "/a b"},
            "/a b is not a path: give one such as /kg, of letters, digits and . _ ~ -",
        ),
        (
            {"proxies": ("proxy",)},
            "proxy is not the address of a proxy: give one such as 127.0.0.1 or 10.0.0.0/8, or * for any",
        ),
        ({"hosts": ("http://x/",)}, "http://x/ is not a host name: give it without scheme and port"),
        ({"hosts": ("x:80",)}, "x:80 is not a host name: give it without scheme and port"),
    ],
)
def test_what_cannot_be_an_address_is_an_error(arguments: dict[str, Any], line: str) -> None:
    with pytest.raises(FiltagError) as caught:
        PublicAddress(**arguments)
    assert str(caught.value) == line
