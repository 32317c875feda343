"""Check the built site: every link leads to a page and an anchor, and nothing is loaded from elsewhere.

``sphinx-build -W docs site`` builds it; links to other sites are not followed.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADED = {("img", "src"), ("script", "src"), ("source", "src"), ("iframe", "src"), ("video", "src")}
_LOADED_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload"}


@dataclass
class Page(HTMLParser):
    """What a page has and wants."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    pictures_without_text: list[str] = field(default_factory=list)
    headings: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in what an element says."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.headings += tag == "h1"
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and _LOADED_RELATIONS & set(given.get("rel", "").split()):
            self.loaded.append(given["href"])
        self.loaded += [given[name] for name in given if (tag, name) in _LOADED]
        if tag == "img" and not given.get("alt"):
            self.pictures_without_text.append(given.get("src", "")[:80])


def main() -> int:
    """Print what is wrong, a line each, and return 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path, help="the folder that sphinx-build wrote")
    faults = sorted(set(site_faults(parser.parse_args().site)))
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


def site_faults(site: Path) -> Iterator[str]:
    """Yield what is wrong with a site."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site}: no page"
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    yield f"{name}: loads {link[:100]} from elsewhere"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                yield f"{name}: {link} leads nowhere"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{name}: {link} leads to no place of its page"
        yield from (f"{name}: the picture {picture} has no text" for picture in page.pictures_without_text)
        if page.headings != 1 and path.name not in ("genindex.html", "search.html"):
            yield f"{name}: {page.headings} headings of the first level"


if __name__ == "__main__":
    sys.exit(main())
