"""Which sense a word has among the other classes of a network."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.concepts import Concept, Sense, sense_choice, wordnet
from filtag_kg.concepts.sense_choice import WEIGHTS, SenseTerms, Word, all_above, sense_probabilities
from tests.concepts.conftest import SmallSource

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = ("crane", "heron", "mouse", "keyboard", "bow", "violin", "kite", "kettle", "teakettle", "trunk", "elephant")


def word(text: str, *, exact: bool = True, hints: tuple[str, ...] = (), modifiers: tuple[str, ...] = ()) -> Word:
    return Word(text, wordnet().senses(text), exact, hints, modifiers)


def meaning(words: Sequence[Word]) -> dict[str, str]:
    """Return what the most probable sense of each word is a kind of."""
    chosen = [
        each.senses[int(probable.argmax())].concept
        for each, probable in zip(words, sense_probabilities(words, wordnet()), strict=True)
    ]
    return {
        each.text: wordnet().concept(next(wordnet().edges(concept, "IsA")).end).label
        for each, concept in zip(words, chosen, strict=True)
    }


def slow_terms(words: list[Word], probable: list[list[float]]) -> list[list[float]]:
    """Return the terms of the network, sense by sense, as the formulas read."""
    n = len(words)
    concepts = {sense.concept for each in words for sense in each.senses}
    above = {concept: set(reached) for concept, reached in all_above(concepts, wordnet()).items()}
    rows = []
    pairs = [
        (number, each, sense, probable[number][index])
        for number, each in enumerate(words)
        for index, sense in enumerate(each.senses)
    ]

    def nested_and_same(number: int, concept: str) -> tuple[float, float]:
        if not words[number].exact:
            return 0.0, 0.0
        others = [(other.concept, p) for _, each, other, p in pairs if each.text != words[number].text and each.exact]
        same = sum(p for other, p in others if other == concept)
        nested = sum(
            p for other, p in others if other != concept and (other in above[concept] or concept in above[other])
        )
        return min(nested, 1.0), min(same, 1.0)

    n_exact = max(sum(p for _, each, _, p in pairs if each.exact), 1)
    both = [(p, *nested_and_same(number, sense.concept)) for number, _, sense, p in pairs]
    nested_share = sum(p * nested for p, nested, _ in both) / n_exact
    same_share = sum(p * same for p, _, same in both) / n_exact
    for (_, each, sense, _), (_, nested, same) in zip(pairs, both, strict=True):
        others = [(other.concept, p) for _, another, other, p in pairs if another.text != each.text]
        density = sum(
            sum(p * p for other, p in others if reached in above[other]) / wordnet().size(reached)
            for reached in above[sense.concept]
            if log(len(wordnet()) / wordnet().size(reached)) >= log(4)
        )
        file = wordnet().lexicographer_file(sense.concept) or ""
        usual = {"artifact": 0.55, "animal": 0.15, "food": 0.15, "plant": 0.05} | dict.fromkeys(
            ("body", "communication", "object", "person"), 0.02
        )
        in_file = sum(p for other, p in others if wordnet().lexicographer_file(other) == file)
        rows.append(
            [
                log(density / n + 1 / len(wordnet())),
                log((in_file + 20 * usual.get(file, 0.02 / 18)) / (n - 1 + 20)),
                nested * log(nested_share + 0.02),
                same * log(same_share + 0.02),
            ]
        )
    return rows


def test_the_terms_of_the_network_are_what_the_formulas_say() -> None:
    words = [*map(word, WORDS), word("boat", exact=False), word("crane", exact=False)]
    network = SenseTerms(words, wordnet())
    random = np.random.default_rng(0)
    drawn = [random.dirichlet(np.ones(len(each.senses))).tolist() for each in words]
    terms = network.of_the_network(np.concatenate([np.array(each) for each in drawn]))
    assert terms == pytest.approx(np.array(slow_terms(words, drawn)))


def test_the_terms_of_a_word() -> None:
    network = SenseTerms([word("hose"), word("dog"), word("French horn")], wordnet())
    hose = network.of_the_word[network.word == 0]
    senses = wordnet().senses("hose")
    assert hose[:, 0] == pytest.approx([log(sense.count + 1) for sense in senses])
    assert hose[:, 1] == pytest.approx([log(wordnet().size(sense.concept)) for sense in senses])
    tube = [wordnet().concept(next(wordnet().edges(sense.concept, "IsA")).end).label for sense in senses].index("tube")
    fire_hose, garden_hose = (wordnet().senses(f"{kind} hose")[0].concept for kind in ("fire", "garden"))
    assert all(senses[tube].concept in all_above([kind], wordnet())[kind] for kind in (fire_hose, garden_hose))
    assert hose[tube, 2] >= log(3)
    assert max(network.of_the_word[:, 2]) <= log(7)


def test_capitals_say_something_where_they_are_rare() -> None:
    texts = ("Cardigan", "lawn mower", "streetcar", "skunk")
    rare = SenseTerms([word(text) for text in texts], wordnet())
    usual = SenseTerms([word(text.capitalize()) for text in texts], wordnet())
    dog_and_garment = [sense.lemma == "Cardigan" for sense in wordnet().senses("Cardigan")]
    assert dog_and_garment == [False, True]
    assert rare.of_the_word[:2, 3].tolist() == [0, 1]
    assert usual.of_the_word[:, 3].all()


def test_a_network_that_uses_preferred_names_is_expected_to_go_on() -> None:
    """Learned from labels that mean one thing only."""
    names, synonyms = ("fireplug", "hand blower", "ashcan"), ("fire hydrant", "hair dryer", "trash can")
    preferred, not_preferred = (
        SenseTerms([word("tie"), *map(word, texts)], wordnet()).of_the_word[:, 6].max() for texts in (names, synonyms)
    )
    assert preferred == pytest.approx(log(9 / 2))
    assert not_preferred == pytest.approx(log(6 / 5))


def test_the_company_a_hint_and_a_modifier_decide() -> None:
    assert meaning([word("crane"), word("heron"), word("flamingo")])["crane"] == "wading bird"
    assert meaning([word("crane"), word("bulldozer"), word("forklift")])["crane"] == "lifting device"
    assert meaning([word("salmon"), word("dog")])["salmon"] != "fish"
    assert meaning([word("salmon", hints=("food",)), word("dog")])["salmon"] == "fish"
    assert meaning([word("cup", modifiers=("trophy",)), word("dog")])["cup"] == "trophy"


def test_a_class_and_a_kind_of_it_may_be_in_one_network() -> None:
    """A kettle is still a pot where there are teakettles too, more so where other classes are nested as well."""
    pot = next(at for at, sense in enumerate(wordnet().senses("kettle")) if sense.count)
    alone = [word("kettle"), word("teakettle"), word("drum"), word("flute")]
    nested = [*alone, word("dog"), word("beagle"), word("lamp"), word("table lamp")]
    assert sense_probabilities(nested, wordnet())[0][pot] > sense_probabilities(alone, wordnet())[0][pot]


def test_two_classes_with_one_word_do_not_support_each_other() -> None:
    """*Prime rib* and *baby back ribs* are both looked up as *rib*; *shoe* and *shoes* are not pushed apart."""
    shoes = Word("shoes", wordnet().senses("shoes") + wordnet().senses("shoe"))
    assert meaning([word("shoe"), shoes, word("shirt"), word("hat")])["shoes"] == "footwear"
    rib = word("rib", exact=False)
    one, two = (
        sense_probabilities([rib, word("steak")], wordnet()),
        sense_probabilities([rib, rib, word("steak")], wordnet()),
    )
    assert two[0] == pytest.approx(two[1])
    assert one[0] == pytest.approx(two[0], abs=0.1)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from(WORDS), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_probabilities_sum_to_one_in_any_order(texts: list[str], random: object) -> None:
    forth = dict(zip(texts, sense_probabilities([word(text) for text in texts], wordnet()), strict=True))
    random.shuffle(texts)  # type: ignore[attr-defined]
    back = dict(zip(texts, sense_probabilities([word(text) for text in texts], wordnet()), strict=True))
    for text in texts:
        assert forth[text].sum() == pytest.approx(1)
        assert forth[text] == pytest.approx(back[text], abs=1e-9)


def test_words_without_senses() -> None:
    assert [len(each) for each in sense_probabilities([Word("wurd"), word("dog"), Word("")], wordnet())] == [0, 7, 0]
    assert [len(each) for each in sense_probabilities([Word("wurd")], wordnet())] == [0]
    assert sense_probabilities([], wordnet()) == []


class Ambiguous(SmallSource):
    """The small source with terms in lexicographer files: a beagle, or a beagle that is a car."""

    def senses(self, term: str) -> tuple[Sense, ...]:
        return (Sense("car", term, 0), Sense("collie", term, 0)) if term == "beagle" else (Sense(term, term, 0),)

    def concept(self, concept_id: str) -> Concept:
        terms = (f"/c/en/{concept_id}/n/wn/animal",) if concept_id in ("collie", "husky", "tabby") else ()
        return Concept(concept_id, concept_id, (), terms, "small")


def test_any_source_will_do() -> None:
    source = Ambiguous()
    words = [Word(text, source.senses(text)) for text in ("beagle", "husky", "tabby")]
    car, collie = sense_probabilities(words, source)[0]
    assert collie > 0.5 > car
    score = SenseTerms(words, source)
    terms = np.concatenate([score.of_the_word, score.of_the_network(score.probabilities())], axis=1)[:2]
    odds = exp(float((terms[1] - terms[0]) @ list(WEIGHTS.values())))
    assert collie / car == pytest.approx(odds, rel=1e-3), "the probabilities have settled"


def test_the_weights_have_the_order_of_the_terms() -> None:
    assert tuple(WEIGHTS) == sense_choice._OF_THE_WORD + sense_choice._OF_THE_NETWORK
