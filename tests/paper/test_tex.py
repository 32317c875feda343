from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.paper.tex import PREAMBLE, tex_text

# What text may look like once escaped: commands with an empty or a braced argument, accents, braced characters, plain.
_ESCAPED = re.compile(
    r"(\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textasciigrave|ldots|textquoteleft"
    r"|textquoteright|textquotedblleft|textquotedblright|textperiodcentered|S|ss|ae|AE|oe|OE|o|O|l|L|i)\{\}"
    r"|\\symbol\{34\}|\\[{}$&#%_]|\\[`'^~\"=.urHvc]\{[A-Za-z]\}|\\filtagchar\{[0-9A-F]{4,6}\}\{[^\\{}$&#%_~^]\}"
    r"|\$(\\times|\\pm|-)\$|\{\}|\{[\[\]*]\}|~|[ !()+,./0-9:;=?@A-Za-z'-])*",
)


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_is_only_known_commands_and_plain_characters(text: str) -> None:
    escaped = tex_text(text)
    assert _ESCAPED.fullmatch(escaped), escaped
    assert "\n" not in escaped
    escaped.encode()


def test_what_readers_see() -> None:
    assert tex_text("a_b & 100% {x}") == r"a\_b \& 100\% \{x\}"
    assert tex_text(r"\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"
    assert tex_text("$x^2$ ~ #1") == r"\$x\textasciicircum{}2\$ \textasciitilde{} \#1"
    assert tex_text("Färber, Łódź, smørrebrød") == r"F\"{a}rber, \L{}\'{o}d\'{z}, sm\o{}rrebr\o{}d"
    assert tex_text("a--b ''c''") == r"a-{}-b '{}'c'{}'"
    assert tex_text("蜂 🐕") == r"\filtagchar{8702}{蜂} \filtagchar{1F415}{🐕}"
    # A row of a table that begins with these would be read as an option of the row before.
    assert tex_text("[x]*") == "{[}x{]}{*}"
    assert tex_text("two\nlines\t\x00\ud800") == r"two lines \filtagchar{0000}{?}\filtagchar{D800}{?}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_latex_takes_it(tmp_path: Path) -> None:
    everything = "".join(map(chr, [*range(1, 0x250), 0x2013, 0x2026, 0x201C, 0x8702, 0x1F415, 0xD800]))
    lines = [tex_text(everything[start : start + 20]) for start in range(0, len(everything), 20)]
    rows = "\n".join(rf"{line} & {line} \\" for line in lines)
    document = rf"""\documentclass{{article}}
{PREAMBLE}\begin{{document}}
{tex_text("café [a] 100%")}

\begin{{tabular}}{{ll}}
{rows}
\end{{tabular}}
\end{{document}}
"""
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-2000:].decode("utf-8", "replace")
