"""A real browser for tests: Debian's or another Chromium, driven by Playwright, with no way out of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser; skip where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("no Chromium: install it, for example with apt install chromium")
    # A browser cannot build its sandbox as root, as in containers.
    flags = [*_FLAGS, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else _FLAGS
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=flags)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def page(opened: Browser, home: str, *, width: int = 1200, scheme: str = "light") -> Iterator[Page]:
    """Open a page that must not complain in its console, nor ask any other place than `home` for anything."""
    complaints: list[str] = []
    context = opened.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    made = context.new_page()
    made.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("requestfailed", lambda request: complaints.append(f"{request.url} failed") if _failed(request) else None)
    made.on("request", lambda request: complaints.append(request.url) if _elsewhere(request.url, home) else None)
    try:
        yield made
        assert complaints == []
    finally:
        context.close()


def _elsewhere(url: str, home: str) -> bool:
    asked, at = urlsplit(url), urlsplit(home)
    return asked.scheme not in ("data", "blob") and (asked.scheme, asked.netloc) != (at.scheme, at.netloc)


def _failed(request: Request) -> bool:
    # What a page gave up itself, as another question came, has not failed.
    return request.failure != "net::ERR_ABORTED"
