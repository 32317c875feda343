"""``filtag show`` as people start it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from filtag_kg import KnowledgeGraph, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.cli import main
from filtag_kg.kg import KG, Visualization, add_runs, build_kg, write_visualizations
from filtag_kg.views import ClassView, ConceptView, FilterRun, FilterView, LayerView, NetworkView, Tag
from tests.cli.terminal import process
from tests.label_checks import checked_copy
from tests.views.test_loading import PNG, write_exemplars


class Shell:
    """The command in this process: exit code, stdout and stderr."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = patch, capture

    def run(self, *arguments: object, columns: int = 100) -> tuple[int, str, str]:
        self._patch.setattr("sys.argv", ["filtag", "show", *map(str, arguments)])
        self._patch.setenv("COLUMNS", str(columns))
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capture.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    def answer(self, *arguments: object, columns: int = 100) -> list[str]:
        code, out, err = self.run(*arguments, columns=columns)
        assert code == 0, err
        return [line.rstrip() for line in out.splitlines()]

    def refusal(self, *arguments: object) -> str:
        code, out, err = self.run(*arguments)
        assert (code, out, err.count("\n")) == (1, "", 1), err
        return err.removeprefix("error: ").rstrip()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


def row(lines: list[str], *words: str) -> list[str]:
    """The words of the one line that begins so."""
    (found,) = (line.split() for line in lines if line.split()[: len(words)] == list(words))
    return found


def test_a_kg_shows_what_was_run_and_its_layers(kg: KG, shell: Shell) -> None:
    lines = shell.answer(kg.path, "--rule", "q=0.5")
    assert lines[:2] == ["toy", "toy-0123456789ab"]
    assert row(lines, "rules") == ["rules", "k=1,", "q=0.5"]
    assert row(lines, "licences")[1] == next(iter(kg.manifest["licences"].values()))
    # Eight classes cannot make a filter coherent: it is not said that none is.
    assert row(lines, "shallow") == ["shallow", "2", "1", "8"]
    sentence = "Each class marks its most active 50 % of the filters in every layer."
    text = " ".join(line.strip() for line in lines)
    assert f"{sentence} Which of them have a clear theme: too few classes to tell: at least 12 are needed." in text
    assert row(lines, "deep")[1:3] == ["4", "4"]
    first = shell.answer(kg.path)
    assert any(line.startswith("Each class marks its single most active filter in every layer. ") for line in first)


def test_a_layer_shows_its_filters_the_surest_first(kg: KG, shell: Shell) -> None:
    lines = shell.answer(kg.path, "deep")
    assert lines[:2] == ["deep", "layer 1, Conv2D, in toy-0123456789ab, rule k=1"]
    assert lines[2] == (
        "4 filters, 3 marked, 8 tags; 3 by several classes: too few classes to tell: at least 10 are needed"
    )
    assert row(lines, "kinds")[:2] == ["kinds", "car"]
    dogs = row(lines, "0")
    assert dogs[:5] == ["0", "hound", "2", "of", "3"]
    shown = [int(line.split()[0]) for line in lines[3:] if line[:1].isdigit()]
    assert shown == [1, 0, 2], "filter 1 by coverage; 2 has no kind in common, 3 no tag"
    assert [row(lines, str(filter_))[1] for filter_ in shown] == ["cat", "hound", "0"]
    cut = shell.answer(kg.path, "deep", "--most", 1)
    assert cut[-1] == "1 of 3 marked filters, the surest first; --most 3 shows all"


@pytest.mark.parametrize("arguments", [("deep", "0"), ("deep/0",)])
def test_a_filter_shows_its_tags_and_the_way_to_what_they_have_in_common(
    kg: KG, shell: Shell, arguments: tuple[str, ...]
) -> None:
    lines = shell.answer(kg.path, *arguments)
    assert lines[0] == "deep/0"
    assert lines[1] == "one of 4 filters of layer 1 in toy-0123456789ab, rule k=1"
    assert lines[2] == "hunting dog  Responds more to pictures of hunting dog than to others."
    assert "standard deviations more, q " in lines[3]
    assert lines[5] == "Each class marks its single most active filter in every layer."
    first = row(lines, "Rhodesian", "ridgeback")
    assert first[2:] == ["n02087394", "1", "██████████", "0.900", "██████████", "1.6"]
    assert row(lines, "redbone")[3:5] == ["███████▊", "0.700"]
    assert any(line.endswith("bloodhound → hound") for line in lines)


def test_a_concept_that_is_not_the_first_shows_its_own_p(kg: KG, shell: Shell) -> None:
    lines = shell.answer(kg.path, "deep/0", "--rule", "q=0.5", columns=160)
    (run,) = (run for run in KnowledgeGraph(kg.path).filter("deep", 0).runs if run.run.rule == "q=0.5")
    first, other = (found.row for found in run.kinds)
    assert row(lines, first.label, "2")[:6] == [first.label, "2", "of", "6", "q", "1"]
    own = f"adjusted p {other.p_adjusted:.2g}"
    assert [line for line in lines if own in line] == [line for line in lines if line.startswith(other.label)]
    of_concept = shell.answer(kg.path, "--concept", other.concept, "--rule", "q=0.5", columns=160)
    assert sum(own in line for line in of_concept) == 2


def test_long_paths_and_features_and_neighbours_are_shown(kg: KG, shell: Shell) -> None:
    lines = shell.answer(kg.path, "deep/0", "--rule", "q=0.5")
    run = KnowledgeGraph(kg.path).filter("deep", 0).runs[1]
    (best, *_) = run.kinds
    assert " → ".join(step.label for step in run.way(best)) in "\n".join(lines)
    assert run.way(best)[0].concept == next(
        tag.concept for tag in run.tags if tag.class_id in {class_id for class_id, _, _ in best.paths}
    )
    assert "said of several tags, with their number" in lines
    near = run.neighbours[0]
    assert row(lines, f"{near.layer}/{near.filter}")[1] == str(near.shared)


def test_pictures_are_named(kg: KG, shell: Shell, tmp_path: Path) -> None:
    import shutil

    from filtag_kg.kg import open_kg

    shutil.copytree(kg.path, tmp_path / "copy")
    copy = open_kg(tmp_path / "copy")
    write_exemplars(copy, ["1", "deep", "0", "1", "n02087394/1.png", "n02087394", "0.75", "a.png"])
    (stored,) = write_visualizations(
        copy, [Visualization("toy-0123456789ab", "deep", 0, "feature-visualisation", 0, 9, 1.5)], [PNG]
    )
    lines = shell.answer(copy.path, "deep/0", columns=160)
    assert row(lines, "n02087394/1.png")[1:] == ["██████████", "0.750", "Rhodesian", "ridgeback", "exemplars/a.png"]
    assert row(lines, "feature-visualisation")[1:] == [stored.file]


def test_a_class_by_its_label_or_id(kg: KG, shell: Shell) -> None:
    lines = shell.answer(kg.path, "--class", "tabby")
    assert lines == shell.answer(kg.path, "--class", "n02123045") == shell.answer(kg.path, "--class", " Tabby ")
    assert lines[:2] == ["tabby", "class n02123045, rule k=1"]
    assert lines[2].startswith("linked to tabby (http://wordnet-rdf.princeton.edu/pwn30/02123045-n")
    assert row(lines, "above")[1:4] == ["domestic", "cat,", "domestic"]
    assert row(lines, "deep/1")[1] == "1"


@pytest.mark.parametrize(
    "name", ["dog", "Canis_familiaris", "/c/en/dog", "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"]
)
def test_a_concept_by_a_word_a_term_or_its_iri(kg: KG, shell: Shell, name: str) -> None:
    lines = shell.answer(kg.path, "--concept", name, "--rule", "q=0.5")
    assert lines[:2] == ["dog", "http://wordnet-rdf.princeton.edu/pwn30/02084071-n, rule q=0.5"]
    assert row(lines, "also")[1:3] == ["Canis", "familiaris,"]
    assert row(lines, "classes")[1:] == ["Rhodesian", "ridgeback,", "bloodhound,", "redbone"]
    assert any(line.startswith("shared by the classes of") for line in lines)


def test_all_senses_are_shown_and_named(profile: Profile, tmp_path: Path, shell: Shell) -> None:
    cranes = replace(
        profile,
        class_ids=("n02012849", "n03126707", *profile.class_ids[2:]),
        class_labels=("crane", "crane", *profile.class_labels[2:]),
    )
    tags = tag_filters(cranes, [Rule("k", 1)], network="toy")
    kg = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(cranes), profile=cranes)
    code, out, err = shell.run(kg.path, "--class", "crane")
    assert (code, err) == (0, "note: 'crane' is the label of 2 classes: n02012849, n03126707\n")
    assert out.count("\nclass n0") == 2
    code, out, err = shell.run(kg.path, "--concept", "crane")
    assert code == 0
    iri = "http://wordnet-rdf.princeton.edu/pwn30/"
    assert err == f"note: 'crane' has 2 senses here: crane ({iri}02012849-n), crane ({iri}03126707-n)\n"
    assert out.count("\nabove") == 2
    found = json.loads(shell.run(kg.path, "--concept", "crane", "--format", "json", "-q")[1])
    assert [each["iri"] for each in found] == [f"{iri}02012849-n", f"{iri}03126707-n"]


def test_a_network_is_chosen_with_its_own_rules(profile: Profile, tmp_path: Path, shell: Shell) -> None:
    other = replace(profile, metadata={**profile.metadata, "network": "other", "weights_sha256": 64 * "a"})

    def built(name: str, of: Profile, rule: Rule, network: str, first_rule: int) -> KG:
        tags = tag_filters(of, [rule], network=network)
        provenance = Provenance.of_profile(of)
        return build_kg(tmp_path / name, tags, wordnet(), provenance, profile=of, first_rule=first_rule)

    kg = add_runs(
        built("kg", profile, Rule("k", 1), "toy-0123456789ab", 0), built("b", other, Rule("q", 0.5), "other-aaaa", 1)
    )
    lines = shell.answer(kg.path)
    assert lines[0] == "toy"
    assert row(lines, "networks")[1:] == ["toy-0123456789ab,", "other-aaaa"]
    lines = shell.answer(kg.path, "deep/0", "--network", "other")
    assert lines[1] == "one of 4 filters of layer 1 in other-aaaa, rule q=0.5"
    assert shell.refusal(kg.path, "--network", "vgg") == (
        "no network 'vgg' in the KG: it has toy-0123456789ab, other-aaaa"
    )
    assert shell.refusal(kg.path, "--network", "other", "--rule", "k=1") == (
        "no network 'other' in the KG: it has toy-0123456789ab"
    )
    assert shell.answer(kg.path, "--rule", "q=0.5")[0] == "other", "a rule that one network alone has names it"


KEYS = {
    "filter": {each.name for each in fields(FilterView)},
    "layer": {each.name for each in fields(LayerView)},
    "class": {each.name for each in fields(ClassView)},
    "concept": {each.name for each in fields(ConceptView)},
}


def test_json_has_the_keys_of_the_documentation(kg: KG, shell: Shell) -> None:
    def read(*arguments: object) -> object:
        return json.loads("\n".join(shell.answer(kg.path, *arguments, "--format", "json")))

    whole = read()
    assert isinstance(whole, dict)
    assert list(whole) == ["path", "id", "built", "counts", "licences", "network", "concepts"]
    assert whole["network"].keys() == {each.name for each in fields(NetworkView)}
    runs = [run["run_id"] for run in whole["network"]["runs"]]
    assert list(whole["concepts"]) == list(whole["network"]["layers"]) == runs
    assert list(whole["network"]["layers"][runs[0]][0]) == [
        "index", "layer", "kind", "filters", "tagged", "several", "coherent", "tags"
    ]  # fmt: skip

    found = read("deep/0")
    assert isinstance(found, dict)
    assert list(found) == [
        "iri", "network", "layer_index", "layer", "filter", "n_filters", "runs", "exemplars", "visualizations",
        "higher", "kg", "mixed", "name"
    ]  # fmt: skip
    assert list(found["runs"][0]) == ["run", "tags", "kinds", "features", "parts", "neighbours"]
    assert found["runs"][0].keys() == {each.name for each in fields(FilterRun)}
    tag = found["runs"][0]["tags"][0]
    assert list(tag) == [each.name for each in fields(Tag)]
    assert (tag["label"], tag["rank"], tag["activation"]) == ("Rhodesian ridgeback", 1, 0.9)
    assert [run["run"]["rule"] for run in found["runs"]] == ["k=1", "q=0.5"]
    assert found["kg"] == str(kg.path)
    class_id, label, way = found["runs"][0]["kinds"][0]["paths"][0]
    assert (class_id, label, [step["label"] for step in way]) == ("n02088466", "bloodhound", ["bloodhound", "hound"])

    layer = read("deep", "--rule", "q=0.5")
    assert isinstance(layer, dict)
    assert layer.keys() == KEYS["layer"]
    assert [run["run"]["rule"] for run in layer["runs"]] == ["q=0.5"]
    assert len(layer["runs"][0]["filters"]) == 4
    ((of_class,), (concept,)) = (read("--class", "tabby"), read("--concept", "dog"))  # type: ignore[misc]
    assert (of_class.keys(), concept.keys()) == (KEYS["class"], KEYS["concept"])


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("arguments", [(), ("deep",), ("deep", "0"), ("--class", "tabby"), ("--concept", "dog")])
def test_no_line_is_wider_than_the_terminal_and_none_has_codes(
    kg: KG, shell: Shell, arguments: tuple[str, ...], columns: int
) -> None:
    lines = shell.answer(kg.path, *arguments, columns=columns)
    assert max(map(len, lines)) <= columns
    assert not any("\x1b" in line for line in lines)


def test_names_with_brackets_are_not_markup(profile: Profile, tmp_path: Path, shell: Shell) -> None:
    odd = replace(
        profile, layer_names=("shallow", "[red]x/y[/red]"), class_labels=("[bold]", *profile.class_labels[1:])
    )
    tags = tag_filters(odd, [Rule("k", 1)], network="toy")
    kg = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(odd), profile=odd)
    lines = shell.answer(kg.path, "[red]x/y[/red]/0")
    assert lines[0] == "[red]x/y[/red]/0"
    assert row(lines, "[bold]")[1] == "n02087394"
    assert shell.answer(kg.path, "[red]x/y[/red]")[0] == "[red]x/y[/red]"


def test_mistakes_are_one_line(kg: KG, shell: Shell, tmp_path: Path) -> None:
    assert shell.refusal(tmp_path / "none") == (
        f"no KG at {tmp_path / 'none'}: check the path, or make one (filtag run, build or import)"
    )
    assert shell.refusal(kg.path, "deeper") == "no layer 'deeper' in toy: it has shallow, deep"
    assert shell.refusal(kg.path, "deep/4") == "no filter 4 in deep: it has 0 to 3"
    assert shell.refusal(kg.path, "--class", "tabi") == "no class 'tabi' in the KG: did you mean tabby?"
    assert shell.refusal(kg.path, "--concept", "xyzzy") == (
        "no concept 'xyzzy' in the KG: check the spelling, or name it by its IRI"
    )
    assert shell.refusal(kg.path, "--rule", "k=7") == "no rule 'k=7' in the KG: it has k=1, q=0.5"
    assert shell.refusal(kg.path, "--format", "xml") == "no format 'xml': choose one of text, json"
    assert process("show", kg.path, "deeper").stderr == "error: no layer 'deeper' in toy: it has shallow, deep\n"


@pytest.mark.parametrize(
    "arguments", [("deep", "--class", "tabby"), ("--class", "tabby", "--concept", "dog"), ("deep", "x")]
)
def test_wrong_usage_ends_with_2(kg: KG, shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell.run(kg.path, *arguments)[0] == 2


def test_a_filter_says_which_of_its_checked_tags_are_true(kg: KG, tmp_path: Path, shell: Shell) -> None:
    unchecked = shell.answer(kg.path, "deep/0")
    assert not any("is it true?" in line for line in unchecked)
    shown = shell.answer(checked_copy(kg, tmp_path / "kg").path, "deep/0")
    (head,) = [index for index, line in enumerate(shown) if line.endswith("is it true?")]
    verdicts = {line.rpartition("  ")[2] for line in shown[head + 1 : head + 4]}
    assert verdicts <= {"confirmed", "not confirmed", "not testable"}
    assert verdicts


def test_a_search_says_what_was_found_and_why(kg: KG, shell: Shell) -> None:
    lines = shell.answer(kg.path, "--search", "puppy", columns=160)
    assert row(lines, "dog")[1:] == ["concept", "3", "classes", "puppy", "→", "dog"]
    near = shell.answer(kg.path, "--search", "redbome", columns=160)
    assert near[0] == "Nothing is called redbome, is a kind of it or has it. What comes near:"
    assert row(near, "redbone")[1] == "concept"
    (nothing,) = shell.answer(kg.path, "--search", "xyzzy")
    assert nothing == "Nothing is called xyzzy, is a kind of it or has it, and nothing comes near."


def test_a_concept_that_the_kg_lacks_is_answered_with_what_it_means(kg: KG, shell: Shell) -> None:
    code, _, err = shell.run(kg.path, "--concept", "puppy")
    assert (code, err) == (1, "error: no concept 'puppy' in the KG: did you mean dog?\n")
