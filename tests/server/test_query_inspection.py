from __future__ import annotations

import string
from contextlib import suppress

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.server.query_inspection import NO_FILE, READ_ONLY, Token, decoded, inspect_query, tokens

NO_SERVICE = "SERVICE is refused, as this endpoint calls no other: query that endpoint yourself and join the answers"


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokens(text)]


def test_tokens_are_the_grammars() -> None:
    text = """SELECT ?s # a <comment> "
    { ?s a:b%41\\,c <http://x#y> , "x\\"y", '''it's "long"
    ''', 1.5e3, "c"@en-GB, _:b.1 . FILTER (?s<?o && $x > 2) }"""
    assert kinds(text) == [
        ("word", "SELECT"), ("variable", "?s"), ("sign", "{"), ("variable", "?s"), ("name", "a:b%41\\,c"),
        ("iri", "<http://x#y>"), ("sign", ","), ("string", '"x\\"y"'), ("sign", ","),
        ("string", "'''it's \"long\"\n    '''"), ("sign", ","), ("number", "1.5e3"), ("sign", ","), ("string", '"c"'),
        ("language", "@en-GB"), ("sign", ","), ("blank", "_:b.1"), ("sign", "."), ("word", "FILTER"), ("sign", "("),
        ("variable", "?s"), ("sign", "<"), ("variable", "?o"), ("sign", "&"), ("sign", "&"), ("variable", "$x"),
        ("sign", ">"), ("number", "2"), ("sign", ")"), ("sign", "}"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://x/> { ?s ?p ?o } }",
        "SELECT * { service silent ?s { ?s ?p ?o } }",
        "SELECT * { ServiceSilent<http://x/>{ ?s ?p ?o } }",
        "PREFIX p: <http://x/> SELECT * { SERVICEp:x { ?s ?p ?o } }",
        "PREFIX SERVICEp: <http://x/> PREFIX p: <http://y/> SELECT * { SERVICEp:x { ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE<http://x/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p 1eSERVICE<http://x/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p \"'\" SERVICE <http://x/> { ?s ?p '\"' } }",
        "SELECT * { # SERVICE\n SERVICE# \n<http://x/> { } }",
        "SELECT * { \\u0053ERVICE <http://x/> { } }",
        "SELECT * { FILTER(?s<?o)SERVICE?x{ ?s ?p ?o } }",
    ],
)
def test_a_service_is_seen(text: str) -> None:
    assert inspect_query(decoded(text)).refusal == NO_SERVICE


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?service { ?service ?p 'SERVICE <http://x/> {' }",
        'SELECT * { ?s <http://x/SERVICE> """SERVICE "{" """ }',
        "SELECT * { ?s ?p ?o } # SERVICE <http://x/> {}",
        "PREFIX service: <http://x/> SELECT * { service:service service:p 'a'@service }",
        "PREFIX service: <http://x/> SELECT * { GRAPH service:g { ?s ?p ?o } }",
        'PREFIX s: <http://x/> SELECT * { s:SERVICE ?p _:service , "\\u0022 SERVICE <x> {} " }',
    ],
)
def test_what_looks_like_a_service_is_none(text: str) -> None:
    assert inspect_query(decoded(text)).refusal is None
    ox.Store().query(decoded(text), base_iri="http://localhost/")


NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=6).filter(lambda text: text[0].isalpha())
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r"), max_size=20)


def literal(text: str) -> str:
    return str(ox.Literal(text))


def long_literal(text: str) -> str:
    return "'''" + text.replace("\\", "\\\\").replace("'", "\\'") + "'''"


HIDING = st.one_of(
    st.tuples(TEXTS, TEXTS).map(lambda x: literal(f"{x[0]}SERVICE <http://x/> {{{x[1]}")),
    st.tuples(TEXTS, TEXTS).map(lambda x: long_literal(f"{x[0]} SERVICE <http://x/> {{{x[1]}")),
    NAMES.map(lambda x: f"<http://x/{x}service>"),
    NAMES.map(lambda x: f"?{x}SERVICE"),
    NAMES.map(lambda x: f"x:{x}.service"),
    NAMES.map(lambda x: f'"{x}"@service'),
)
SPACE = st.sampled_from([" ", "\n", "\t", " # SERVICE <http://x/> { '\n", ' # "\n'])


@given(st.lists(st.tuples(HIDING, SPACE), max_size=4))
def test_words_in_strings_iris_variables_names_and_comments_are_no_keywords(hidden: list[tuple[str, str]]) -> None:
    objects = "".join(f"{space}?s ?p {thing} .{space}" for thing, space in hidden)
    text = f"PREFIX x: <http://x/>{' '}SELECT * {{{objects}}}"
    ox.Store().query(text)
    assert inspect_query(decoded(text)).refusal is None


@given(
    st.lists(st.tuples(HIDING, SPACE), max_size=4),
    st.lists(st.booleans(), min_size=7, max_size=7),
    st.sampled_from(["", " ", "\n", "#x\n", " SILENT", "SILENT"]),
    st.sampled_from(["<http://localhost:1/>", "?x", "x:y"]),
)
def test_a_service_behind_anything_is_seen(
    hidden: list[tuple[str, str]], cases: list[bool], between: str, called: str
) -> None:
    objects = "".join(f"{space}?s ?p {thing} .{space}" for thing, space in hidden)
    keyword = "".join(c.upper() if up else c.lower() for c, up in zip("service", cases, strict=True))
    text = f"PREFIX x: <http://x/> SELECT * {{{objects} {keyword}{between}{called} {{ ?s ?p ?o }} }}"
    assert inspect_query(decoded(text)).refusal == NO_SERVICE


PIECES = st.sampled_from(
    [
        *("SERVICE", "service", "SILENT", "p:x", "SERVICEp:x", "<http://localhost:1/>", "{", "}", "{}", "?x", "true"),
        *(
            "1",
            "e",
            "'",
            '"',
            "\\",
            "\\u0022",
            "\\u0053ERVICE",
            "<",
            ">",
            "#",
            "\n",
            " ",
            ".",
            ";",
            "FILTER(",
            ")",
            "|",
        ),
        *(
            "@en",
            "_:b",
            "GRAPH",
            "a",
            "\u017fervice",
            "'''",
            "UNION",
            "BIND(1 AS ?y)",
            "VALUES ?z { 1 }",
            "<<",
            ">>",
            "/",
        ),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=9).map("".join))
def test_what_passes_calls_no_service(text: str) -> None:
    """Should a call of a service hide in a text that passes, Oxigraph would fail of it: nothing is at port 1."""
    text = decoded(f"PREFIX p: <http://localhost:1/> PREFIX SERVICEp: <http://x/> SELECT * {{ {text} }}")
    if inspect_query(text).refusal is None:
        with suppress(SyntaxError):
            list(ox.Store().query(text, base_iri="http://localhost/"))  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["INSERT DATA {}", "delete where {}", "LOAD <http://x>", "DROP ALL", "CLEAR ALL",
                                  "CREATE GRAPH <http://x>", "ADD <a> TO <b>", "MOVE <a> TO <b>", "COPY <a> TO <b>",
                                  "WITH <a> DELETE {} WHERE {}"])  # fmt: skip
def test_an_update_is_seen_behind_its_prologue(word: str) -> None:
    assert inspect_query(f"# SELECT\nBASE <http://x/> PREFIX a: <http://y/>\n{word}").refusal == READ_ONLY


@pytest.mark.parametrize("clause", ["FROM <file:///etc/passwd>", "from named <FILE:///etc/passwd>", "FROM f:passwd"])
def test_a_file_is_no_graph(clause: str) -> None:
    text = f"PREFIX f: <file:///etc/> SELECT * {clause} {{ ?s ?p ?o }}"
    file = "FILE:///etc/passwd" if "FILE" in clause else "file:///etc/passwd"
    assert inspect_query(text).refusal == NO_FILE.format(f"<{file}>")


def test_the_form_and_the_dataset() -> None:
    assert inspect_query("BASE <x> select distinct ?x from <http://g> {}").form == "SELECT"
    assert inspect_query("SELECT * FROM NAMED <http://g> {}").names_dataset
    assert not inspect_query("SELECT ?from { ?from ?p 'FROM <http://g>' }").names_dataset
    assert inspect_query("DESCRIBE <http://x>").form == "DESCRIBE"
    assert inspect_query("hello").form is None
    assert inspect_query("").form is None


def test_escapes_become_letters_and_never_quotes() -> None:
    assert decoded("SELECT ?\\u0061 \\U0001F600") == "SELECT ?a \\U0001F600"
    assert decoded('"\\u0022 \\u005c \\\\u0041 \\U00110000"') == '"\\u0022 \\u005c \\\\u0041 \\U00110000"'


def test_a_long_text_without_sense_takes_no_time_that_grows_with_its_square() -> None:
    for piece in ("a.", '\\"', '"', "'''", "<a", "a:", "@a-", "?", "{\n", "a.a:"):
        inspect_query(piece * (100_000 // len(piece)))
    assert next(tokens("SELECT")) == Token("word", "SELECT")
