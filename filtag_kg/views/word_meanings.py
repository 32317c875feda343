"""What words mean among the concepts of a KG, also where it has no such name: *puppy*, *yellow*, *animal that swims*.

A word leads to concepts of the KG by what it names in WordNet (*automobile* is *car*), by what that is a kind of
(*puppy* is a *dog*), by what things have, are or can (*wheel*, *yellow*, *swim*), as the KG, WordNet or ConceptNet's
excerpt says, and as an adjective by what can be seen (*furry* is *fur*). Words that are no name together stand for the
classes that each of them leads to.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from filtag_kg.concepts import (
    CONCEPTNET,
    base_forms,
    color_of,
    conceptnet_excerpt,
    is_familiar,
    parts_of_speech,
    seen_nouns,
    term_uri,
    wordnet,
)
from filtag_kg.views.concept_graph import ConceptGraph, Feature, statement_text

_MOST_SENSES = 3
_MOST_WORDS = 4
_MOST_STEPS = 5
_MOST_STATED = 30
_MOST_KNOWN = 10_000
_NARROW = 100
"""A part that so many kinds in WordNet are below stands for its kinds, too: *wheel* for *car wheel*."""
_LARGEST_SHARE = 0.5
"""A concept above more of the classes says little of a word that is below it."""
_BROAD = 2_000
"""So does one that is above as many kinds in WordNet."""
_SAYS_NOTHING = 10_000
"""What is above as many kinds in WordNet comes near nothing: *organism*, *abstraction*."""
_RELATIONS = {
    "n": ("IsA", "HasProperty", "HasA", "MadeOf", "PartOf", "UsedFor", "AtLocation"),
    "a": ("HasProperty", "HasA", "MadeOf"),
    "v": ("CapableOf", "UsedFor"),
}
"""What may lead to a word, by its part of speech: one is at a kitchen, but not at a red."""
_RARE = 1 / 3
"""A word is used as a part of speech if it is at least this share as frequent as the most frequent one."""
_SMALL_WORDS = """
    a an the this that these those which who whose with of and or is are be being been has have having had can in on at
    for to from by used made make thing things something object objects kind kinds type types sort like looks look
    looking any some all its it they picture pictures
"""
_SAY_NOTHING = frozenset(_SMALL_WORDS.split())


@dataclass(frozen=True, slots=True)
class Meaning:
    """A concept of the KG that a word leads to.

    Parameters
    ----------
    concept : str
        Its IRI.
    why : str
        How the word leads to it: "puppy → dog"; empty where it is the concept's name.
    is_near : bool
        Whether it only comes near: it is above many other things, too.
    """

    concept: str
    why: str
    is_near: bool = False


@dataclass(frozen=True, slots=True)
class ClassMeaning:
    """A class (by its index) that all words of a phrase lead to, and why each does."""

    class_: int
    why: str


@dataclass(frozen=True, eq=False)
class WordMeanings:
    """What words mean among the concepts of a KG."""

    graph: ConceptGraph

    def of(self, text: str) -> tuple[Meaning, ...]:
        """Return the concepts that a word or a name of several words leads to, the most direct first."""
        known = self._known.get(text)
        if known is None:
            meanings: dict[str, Meaning] = {}
            for meaning in (*self._named(text), *self._stated(text), *self._seen(text)):
                before = meanings.get(meaning.concept)
                if before is None or (before.is_near and not meaning.is_near):
                    meanings[meaning.concept] = meaning
            known = tuple(sorted(meanings.values(), key=lambda meaning: meaning.is_near))
            if len(self._known) < _MOST_KNOWN:
                self._known[text] = known
        return known

    def of_phrase(self, text: str) -> tuple[ClassMeaning, ...]:
        """Return the classes that all words of a phrase lead to, by label; nothing for a single word.

        Words that lead nowhere say nothing: a *small dog* is a dog.
        """
        units = self._units(text)
        if len(units) < 2:
            return ()
        reasons = [of_unit for unit in units if (of_unit := self._classes(unit))]
        if not reasons:
            return ()
        common = set.intersection(*(set(of_unit) for of_unit in reasons))
        labels, ids = self.graph.class_labels, self.graph.class_ids
        return tuple(
            ClassMeaning(class_, "; ".join(of_unit[class_] for of_unit in reasons))
            for class_ in sorted(common, key=lambda class_: (labels[class_], ids[class_]))
        )

    def only_unit(self, text: str) -> list[str]:
        """Return the one name in a phrase, if it is the only one: *wood* of *things made of wood*."""
        units = self._units(text)
        return units if len(units) == 1 else []

    def parts(self, text: str) -> list[str]:
        """Return the names and words that a phrase consists of, without those that lead nowhere."""
        return [unit for unit in self._units(text) if self.of(unit)]

    def _classes(self, unit: str) -> dict[int, str]:
        reasons: dict[int, str] = {}
        for meaning in self.of(unit):
            if not meaning.is_near:
                for class_ in self.graph.classes_below[meaning.concept]:
                    reasons.setdefault(class_, meaning.why or f"a kind of {self.graph.label(meaning.concept)}")
        return reasons

    def is_known(self, text: str) -> bool:
        """Return whether WordNet has a word, in whatever form and part of speech."""
        return bool(_nouns(text)) or any(base_forms(text, part) for part in "var") or bool(parts_of_speech(text))

    def respelled(self, text: str) -> Iterator[str]:
        """Yield words that WordNet has and that are one typing mistake away, the most frequent first."""
        word = text.strip().lower()
        if " " in word or not 4 <= len(word) <= 20:
            return
        counts = {
            other: sum(sense.count for sense in wordnet().senses(other))
            for other in _one_mistake_away(word)
            if wordnet().senses(other)
        }
        yield from sorted(counts, key=lambda other: (-counts[other], other))

    def warm(self) -> None:
        """Read what the answers need, before processes that share it are made."""
        self.of("red wheel")

    # Names

    def _named(self, text: str) -> Iterator[Meaning]:
        senses = [sense.concept for form in _nouns(text) for sense in wordnet().senses(form)[:_MOST_SENSES]]
        known = [sense for sense in dict.fromkeys(senses) if sense in self.graph.classes_below]
        names = {text.lower(), *_nouns(text)}
        for sense in known:
            label = self.graph.label(sense)
            yield Meaning(sense, "" if label.lower() in names else f"{text} is another name for {label}")
        if known:
            return
        for sense in dict.fromkeys(senses):
            above = list(self._above(text, sense))
            yield from above
            # What the word rarely means would only confuse.
            if not all(meaning.is_near for meaning in above):
                return
        yield from self._said_to_be(text)

    def _above(self, text: str, sense: str) -> Iterator[Meaning]:
        """Yield the nearest concepts above a sense that the KG has."""
        source = wordnet()
        level: dict[str, tuple[str, ...]] = {sense: (text,)}
        reached = {sense}
        while level:
            known = [iri for iri in level if iri in self.graph.classes_below]
            if known:
                for iri in known:
                    named = self._plainer(iri)
                    way = (*level[iri][:-1], self.graph.label(named))
                    if wordnet().size(iri) <= _SAYS_NOTHING:
                        yield Meaning(named, " → ".join(way), len(way) > _MOST_STEPS or self._is_general(named))
                return
            above: dict[str, tuple[str, ...]] = {}
            for iri, way in level.items():
                for edge in source.edges(iri, "IsA"):
                    if edge.end not in reached:
                        reached.add(edge.end)
                        above[edge.end] = (*way, source.concept(edge.end).label)
            level = above

    def _plainer(self, concept: str) -> str:
        """Return the nearest concept that people know above the same classes: *reptile* for *diapsid*."""
        below = self.graph.classes_below
        for above in self.graph.above[concept]:
            if len(below[above]) > len(below[concept]):
                break
            if wordnet().lexicographer_file(above) == "" or is_familiar(wordnet().concept(above)):
                return above
        return concept

    def _said_to_be(self, text: str) -> Iterator[Meaning]:
        """Yield what ConceptNet says the word's things are: *kitten* is a *cat*."""
        for form in dict.fromkeys((text.lower(), *_nouns(text))):
            for edge in conceptnet_excerpt().edges(CONCEPTNET + term_uri(form), "IsA"):
                iri = self._concept_of(edge.end)
                if iri is not None and not self._is_general(iri):
                    yield Meaning(iri, f"{text} → {self.graph.label(iri)}, says ConceptNet")

    # What things have, are and can

    def _stated(self, text: str) -> Iterator[Meaning]:
        relations = _relations(text.lower())
        senses = [
            sense.concept
            for form in _nouns(text)
            for sense in wordnet().senses(form)[:_MOST_SENSES]
            if wordnet().size(sense.concept) <= _NARROW
        ]
        verbs = base_forms(text, "v") if "CapableOf" in relations else ()
        words = tuple(dict.fromkeys((text.lower(), *_nouns(text), *verbs)))
        yield from self._features(words, frozenset(senses), relations)
        yield from self._excerpt({word: word for word in words}, relations)

    def _seen(self, text: str) -> Iterator[Meaning]:
        """Yield what an adjective says can be seen."""
        word = text.lower()
        color = color_of(word)
        for look in [color] if color is not None else seen_nouns(word)[:1]:
            label = wordnet().concept(look).label
            if look in self.graph.classes_below:
                yield Meaning(look, "" if label == word else f"{text} → {label}")
            yield from self._features((), frozenset((look,)), _RELATIONS["a"])
            if label != word:
                yield from self._excerpt({label: label}, ("HasA", "MadeOf"))
                yield from self._excerpt({label: word}, ("HasProperty",))

    def _features(self, words: Sequence[str], senses: frozenset[str], relations: Sequence[str]) -> Iterator[Meaning]:
        for bearer, feature in self._all_features:
            if feature.relation in relations and (
                feature.label.lower() in words
                or not senses.isdisjoint(self._above_feature(feature.concept))
                # *Swim in the sea*, where what is done is the first word.
                or ("CapableOf" in relations and feature.label.lower().split(" ")[0] in words)
            ):
                yield Meaning(bearer, f"{self.graph.label(bearer)} {statement_text(feature.relation, feature.label)}")

    def _excerpt(self, words: Mapping[str, str], relations: Sequence[str]) -> Iterator[Meaning]:
        """Yield what ConceptNet's excerpt says has, is or can what a word names.

        Parameters
        ----------
        words : mapping of word to str
            To what to say for it.
        """
        excerpt, below = conceptnet_excerpt(), self.graph.classes_below
        for relation in relations:
            stated: dict[str, str] = {}
            # A part is stated of the part: a wheel is a part of a car.
            incoming = relation != "PartOf"
            for word, shown in words.items():
                said = _statement(relation, shown)
                for edge in excerpt.edges(CONCEPTNET + term_uri(word), relation, incoming=incoming):
                    iri = self._concept_of(edge.start if incoming else edge.end)
                    if iri is not None and not self._is_general(iri):
                        stated.setdefault(iri, f"{self.graph.label(iri)} {said}, says ConceptNet")
            narrow_first = sorted(stated, key=lambda iri: (len(below[iri]), self.graph.label(iri), iri))
            yield from (Meaning(iri, stated[iri]) for iri in narrow_first[:_MOST_STATED])

    def _concept_of(self, term: str) -> str | None:
        """Return the KG's concept that a ConceptNet term means first."""
        word = term.removeprefix(f"{CONCEPTNET}/c/en/").replace("_", " ")
        return next((self._by_word[form] for form in (word, *_nouns(word)) if form in self._by_word), None)

    @cached_property
    def _by_word(self) -> dict[str, str]:
        """The KG's WordNet concepts by the words that mean them first."""
        graph = self.graph
        by_word = {}
        for iri in graph.classes_below:
            for name in (graph.label(iri), *graph.alt_labels.get(iri, ())):
                senses = wordnet().senses(name)
                if senses and senses[0].concept == iri:
                    by_word[name.lower()] = iri
        return by_word

    def _is_general(self, concept: str) -> bool:
        n_classes = len(self.graph.class_ids)
        if len(self.graph.classes_below[concept]) > max(1, _LARGEST_SHARE * n_classes):
            return True
        return wordnet().lexicographer_file(concept) != "" and wordnet().size(concept) > _BROAD

    # Words

    def _units(self, text: str) -> list[str]:
        """Cut a phrase into names of one or more words, without words that say nothing."""
        words = [word for word in text.lower().split() if word not in _SAY_NOTHING]
        units = []
        start = 0
        while start < len(words):
            size = next(
                (n for n in range(min(_MOST_WORDS, len(words) - start), 1, -1) if _is_name(words[start : start + n])), 1
            )
            units.append(" ".join(words[start : start + size]))
            start += size
        return list(dict.fromkeys(units))

    @cached_property
    def _known(self) -> dict[str, tuple[Meaning, ...]]:
        """What was asked for before: what one types is asked for letter by letter, and again."""
        return {}

    @cached_property
    def _all_features(self) -> list[tuple[str, Feature]]:
        """Every feature of a concept above classes, with that concept."""
        graph = self.graph
        bearers = sorted(graph.features.keys() & graph.classes_below.keys())
        return [(bearer, feature) for bearer in bearers for feature in graph.features[bearer]]

    @cached_property
    def _above_features(self) -> dict[str, frozenset[str]]:
        return {}

    def _above_feature(self, concept: str) -> frozenset[str]:
        known = self._above_features.get(concept)
        if known is None:
            try:
                known = wordnet().at_or_above(concept)
            except KeyError:
                known = frozenset((concept,))
            self._above_features[concept] = known
        return known


def _nouns(text: str) -> tuple[str, ...]:
    """Return the nouns that a text may be, in the singular; nothing for no noun."""
    return base_forms(text, "n")


def _statement(relation: str, word: str) -> str:
    if relation == "UsedFor" and not base_forms(word, "v"):
        return f"used for {word}"
    return statement_text("HasA" if relation == "PartOf" else relation, word)


def _relations(word: str) -> list[str]:
    """Return by which relations something may lead to a word, given what parts of speech it mostly is."""
    forms = {part: [word] if part == "n" else list(base_forms(word, part)) for part in _RELATIONS}
    forms["n"] = list(_nouns(word))
    counts = {
        part: max(1 + parts_of_speech(form).get(part, 0) for form in of_part)
        for part, of_part in forms.items()
        if of_part
    }
    if color_of(word) is not None:
        return list(_RELATIONS["a"])
    if not counts:
        return list(dict.fromkeys(chain.from_iterable(_RELATIONS.values())))
    most = max(counts.values())
    # Participles are rarely tagged as adjectives: *striped*.
    used = [part for part, count in counts.items() if count >= _RARE * most or part in parts_of_speech(word)]
    return list(dict.fromkeys(chain.from_iterable(_RELATIONS[part] for part in used)))


def _is_name(words: Sequence[str]) -> bool:
    return bool(_nouns(" ".join(words)))


def _one_mistake_away(word: str) -> set[str]:
    """Return what a word becomes by a letter too many, too few or another one, or by two letters swapped."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    left_out = {before + after[1:] for before, after in cuts if after}
    swapped = {before + after[1] + after[0] + after[2:] for before, after in cuts if len(after) > 1}
    letters = string.ascii_lowercase
    replaced = {before + letter + after[1:] for before, after in cuts if after for letter in letters}
    added = {before + letter + after for before, after in cuts for letter in letters}
    return (left_out | swapped | replaced | added) - {word}
