"""What the check of the built site finds."""

from __future__ import annotations

import runpy
from pathlib import Path

site_faults = runpy.run_path(str(Path(__file__).resolve().parent.parent / "scripts" / "check_site.py"))["site_faults"]

PAGE = '<h1 id="top">A</h1><a href="b.html#here">b</a><a href="#top">up</a><img src="a%20b.png" alt="a picture">'


def written(folder: Path, **pages: str) -> Path:
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    (folder / "a b.png").touch()
    return folder


def test_a_sound_site_has_no_fault(tmp_path: Path) -> None:
    assert not list(
        site_faults(written(tmp_path, a=PAGE, b='<h1 id="here">B</h1><a href="https://example.org/">out</a>'))
    )


def test_each_fault_is_said(tmp_path: Path) -> None:
    b = '<img src="x.png" alt=""><script src="https://example.org/x.js"></script><a href="a.html#nowhere">a</a>'
    assert list(site_faults(written(tmp_path, a=PAGE, b=b))) == [
        "a.html: b.html#here leads to no place of its page",
        "b.html: a.html#nowhere leads to no place of its page",
        "b.html: x.png leads nowhere",
        "b.html: loads https://example.org/x.js from elsewhere",
        "b.html: the picture x.png has no text",
        "b.html: 0 headings of the first level",
    ]


def test_a_folder_without_pages_is_no_site(tmp_path: Path) -> None:
    assert list(site_faults(tmp_path)) == [f"{tmp_path}: no page"]
