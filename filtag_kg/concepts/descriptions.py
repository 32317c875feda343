"""What a description of pictures mentions: *The color orange and red*, *Dots on the corners*, *dog faces*.

A description is cut into noun phrases at conjunctions, prepositions and verbs. Of each, the last known noun is the
head; before it stand modifiers: nouns (*dog faces*), and adjectives that say what can be seen (`seen_nouns`).
Adjectives before *and* belong to the head after it (*blue and green objects*). What follows a preposition is a setting,
what follows *without* is not there. A colour's name means the colour wherever it is an adjective, or stands beside the
word *color* or another colour (*orange and red*).

Two kinds of words are left out where anything else is there. The first is general: a noun whose first sense lies at
most three levels below *entity*, or above more than 5,000 synsets (*object*, *part*, *artifact*), living beings and
food excepted. The second says that there is a picture, or where in it, but nothing of what it shows: a list.

An ordinary label is one noun phrase that names a kind of thing: *golden retriever puppy*, *door behind*,
*black-throated sparrow*. It is a description only if it joins things by *and*, mentions a setting, is about such an
empty word (*red areas*), is a part with its whole (*dog face*), is a plural with modifiers that are no kinds of it
(*animal eyes*), begins with an article, or an adjective says what a thing looks like (*red car*; of living beings,
dishes and names in capitals that is a kind: *red fox*).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from filtag_kg.concepts.adjectives import color_of, is_adjective_alone, is_color, is_look, seen_nouns
from filtag_kg.concepts.readings import ABSENT_PART, BEFORE_ABSENT
from filtag_kg.concepts.wordnet import synset_iri, wordnet
from filtag_kg.concepts.words import base_forms, parts_of_speech, singulars

Role = Literal["head", "modifier", "setting"]
_ROLES: tuple[Role, ...] = ("head", "modifier", "setting")

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|['’]s?(?!\w)|[,;&]")
_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]?")
_ARTICLES = frozenset(
    re.findall(
        r"\w+",
        "a an the this these those some any many several few various its their his her other each every all both",
    )
)
_AND = frozenset(("and", "or", "but", "&", ",", ";", "plus"))
_JOINING = frozenset(("and", "but", "&", "plus"))
_BEFORE_SETTING = frozenset(
    re.findall(
        r"\w+",
        "about above across after against along alongside among amid around as at before behind below beneath "
        "beside besides between beyond by containing during for from in including inside into like near of off on "
        "onto outside over past per through to toward towards under underneath up upon via with within that which "
        "who whose where while is are was were be being been has have having",
    )
)
_COLOR_WORDS = frozenset(
    re.findall(
        r"\w+",
        "color colors colour colours colored coloured coloring colouring hue hues shade shades tint tints tone tones",
    )
)
# That there is a picture; where in it something is; that something is there. None says what it shows.
_EMPTY = _COLOR_WORDS | frozenset(
    re.findall(
        r"\w+",
        "image picture pic photo photograph photography scene view background foreground top bottom side left "
        "right edge corner middle center centre boundary border area region end front back rest location place "
        "position part section portion piece thing item article kind type sort lot variety set form shape feature "
        "detail element component example something anything everything nothing none stuff instance concept "
        "category class",
    )
)
# Living things and people; food.
_BEINGS = frozenset(map(synset_iri, ("00004258", "07942152")))
_BEINGS_AND_FOOD = _BEINGS | {synset_iri("00021265")}
_MOST_LEVELS = 3
_MANY_SYNSETS = 5000
_THINGS = ("animal", "artifact", "body", "food", "object", "person", "plant", "substance", "Tops")
_LOOK_HINTS = ("shape", "marking")
_LIVING = ("animal", "person", "plant")
_LONGEST_NOUN = 4
_FAR_MORE = 4


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that a description mentions.

    Parameters
    ----------
    text : str
        The words for it; of a plural, the singular where that is far more frequent.
    role : {"head", "modifier", "setting"}
        What the description is about, what tells more of it, or what stands beside it.
    concepts : tuple of str
        IRIs of the synsets that an adjective or colour leads to, the best first; empty for a noun, which is looked up.
    modifiers, hints : tuple of str
        The other words of its noun phrase, and what kind of thing they make it: a look, a part of a body.
    is_empty : bool
        Whether it says nothing of what a picture shows.
    """

    text: str
    role: Role
    concepts: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class _Phrase:
    """The words between two separators, in lower case, and what stood before them."""

    words: tuple[str, ...]
    before: Literal["", "and", "setting", "absent"]
    in_setting: bool


def mentions(label: str) -> tuple[Mention, ...]:
    """Return what a description mentions, the most important first; nothing for an ordinary label.

    Examples
    --------
    >>> [(mention.text, mention.role) for mention in mentions("Green dots on dog faces")]
    [('dot', 'head'), ('green', 'modifier'), ('face', 'setting'), ('dog', 'setting')]
    >>> [mention.text for mention in mentions("The color orange and red")]
    ['orange', 'red']
    >>> mentions("golden retriever puppy"), mentions("door behind"), mentions("Edges of objects")
    ((), (), ())
    """
    if is_adjective_alone(label) and (concepts := seen_nouns(label)):
        return (Mention(label, "head", concepts),)
    tokens = _WORD.findall(_BRACKETS.sub(" ", label.replace("_", " ")))
    phrases = _phrases([token.lower() for token in tokens])
    named = [mention for index in range(len(phrases)) for mention in _of_phrase(phrases, index)]
    says_color = any(token.lower() in _COLOR_WORDS for token in tokens)
    # *Red but not blue* is a phrase, too.
    in_phrase = len(named) > 1 or has_article(label) or any(token.lower() in BEFORE_ABSENT for token in tokens)
    colored = _as_colors(named, says_color=says_color, in_phrase=in_phrase)
    kept = [mention for mention in colored if not mention.is_empty]
    if not kept or not _is_description(label, tokens, colored, kept):
        return ()
    by_text: dict[str, Mention] = {}
    for mention in sorted(_promoted(kept), key=lambda mention: _ROLES.index(mention.role)):
        by_text.setdefault(mention.text, mention)
    return tuple(
        mention if mention.concepts else replace(mention, text=text, hints=look_hints(text) or _body_hints(mention))
        for mention in by_text.values()
        for text in [usual_form(mention.text)]
    )


def look_hints(noun: str) -> tuple[str, ...]:
    """Return hints to looks for a noun that is first of all no thing and no being: *line*, *spot*, *dot*."""
    first = next(iter(_first_senses(noun)), None)
    if first is None or is_look(first):
        return _LOOK_HINTS
    is_thing = wordnet().lexicographer_file(first) in _THINGS or not wordnet().at_or_above(first).isdisjoint(_BEINGS)
    return () if is_thing else _LOOK_HINTS


def _body_hints(mention: Mention) -> tuple[str, ...]:
    """Return a hint to the category of parts of the body for what beings have: *people's faces*."""
    firsts = (synset for word in mention.modifiers for synset in _first_senses(word)[:1])
    return ("body",) if any(not wordnet().at_or_above(each).isdisjoint(_BEINGS) for each in firsts) else ()


def usual_form(text: str) -> str:
    """Return a noun, or the singular if that is far more frequent: *eyes* that are an opinion hardly occur."""
    forms = _nouns(text)
    counts = {form: parts_of_speech(form)["n"] for form in forms}
    usual = max(forms, key=lambda form: counts[form], default=text)
    return usual if text not in counts or counts[usual] > _FAR_MORE * counts[text] else text


def _promoted(kept: list[Mention]) -> list[Mention]:
    """Return mentions, each in a higher role where an empty word has the highest: *red areas* are about red."""
    if any(mention.role == "head" for mention in kept):
        return kept
    return [replace(mention, role=_ROLES[_ROLES.index(mention.role) - 1]) for mention in kept]


def _phrases(words: list[str]) -> list[_Phrase]:
    """Cut a description into the words of its noun phrases."""
    phrases: list[_Phrase] = []
    current: list[str] = []
    before: Literal["", "and", "setting", "absent"] = ""
    absent = in_setting = False

    def close(next_before: Literal["and", "setting", "absent"]) -> None:
        nonlocal before, absent, in_setting
        if current and not absent:
            phrases.append(_Phrase(tuple(current), before, in_setting))
        # Before the first noun, *of* and *with* open no setting: *with stripes*.
        in_setting = in_setting or (next_before == "setting" and bool(phrases))
        # *Without dogs or cats*, *not on grass*.
        absent = next_before == "absent" or (absent and (next_before == "and" or not current))
        before = next_before
        current.clear()

    for index, word in enumerate(words):
        following = words[index + 1 : index + 2]
        if word in _AND:
            close("and")
            # *No dogs but cats*
            absent = absent and word != "but"
        elif _is_before_absent(word, following):
            close("absent")
        elif word in _BEFORE_SETTING or _is_doing(current, word, following):
            close("setting")
        elif not (word in _ARTICLES or word in ("'s", "’s", "'", "’") or word.isdigit() or _says_nothing(word)):
            current.append(re.sub("['’]s?$", "", word))
    close("and")
    return phrases


def _is_before_absent(word: str, following: list[str]) -> bool:
    """Return whether a word says that what follows is not there: *no dogs*, *lack of grass*; *not only dogs* are."""
    if word in BEFORE_ABSENT:
        return following not in (["only"], ["just"])
    if word in ("absence", "lack", "free"):
        return following in (["of"], ["from"])
    return word == "cannot" or word.endswith(("n't", "n’t"))


def _says_nothing(word: str) -> bool:
    """Return whether a word is an adverb, or what something is not: *non-red*."""
    if ABSENT_PART.fullmatch(word) is not None:
        return not _nouns(word)
    counts = parts_of_speech(word)
    return "r" in counts and (word.endswith("ly") or not {"n", "a"} & set(counts))


def _is_doing(before: list[str], word: str, following: list[str]) -> bool:
    """Return whether a word is what a noun before it does, or what is done to it: *dots outlining objects*."""
    if not before or not word.endswith(("ing", "ed")) or not following or not base_forms(word, "v"):
        return False
    if word.endswith("ed"):
        return following[0] in _BEFORE_SETTING and bool(_nouns(before[-1]))
    with_before = _nouns(f"{before[-1]} {word}")
    return bool(_nouns(before[-1])) and not with_before and not _nouns(f"{word} {following[0]}")


def _of_phrase(phrases: list[_Phrase], index: int) -> list[Mention]:
    """Return what a noun phrase mentions, its head first."""
    phrase = phrases[index]
    shares_head = _is_adjectival(phrase.words) and index + 1 < len(phrases) and _continues(phrases[index + 1])
    units = _units(phrase.words)
    nouns = [] if shares_head else [at for at, unit in enumerate(units) if _nouns(unit)]
    head = next((at for at in nouns if not _is_quality(units[at])), next(iter(nouns), None))
    found = []
    for at, unit in enumerate(units):
        role: Role = "setting" if phrase.in_setting else "head" if at == head else "modifier"
        others = tuple(other for other in units if other != unit)
        if at == head:
            found.append(Mention(unit, role, modifiers=others, is_empty=_is_empty(unit)))
        elif concepts := _of_modifier(unit):
            found.append(Mention(unit, role, concepts))
        elif _nouns(unit) and not _is_quality(unit):
            found.append(Mention(unit, role, modifiers=others, is_empty=_is_empty(unit)))
    return sorted(found, key=lambda mention: mention.text != units[head] if head is not None else False)


def _continues(following: _Phrase) -> bool:
    """Return whether a phrase after *and* brings the head that adjectives before it lack: *blue and green objects*."""
    return following.before == "and" and len(following.words) > 1


def _is_adjectival(words: tuple[str, ...]) -> bool:
    return all("a" in parts_of_speech(word) or (not _nouns(word) and seen_nouns(word)) for word in words)


def _units(words: tuple[str, ...]) -> list[str]:
    """Return the words from the last to the first, those that are a noun together as one: *guitar pick*."""
    units = []
    end = len(words)
    while end:
        longest = min(_LONGEST_NOUN, end)
        # *White lines* are lines that are white, not those of a road.
        is_plain = color_of(words[end - 1 - (longest > 1)]) is not None and bool(look_hints(words[end - 1]))
        sizes = () if is_plain else range(longest, 1, -1)
        size = next((n for n in sizes if _nouns(" ".join(words[end - n : end]))), 1)
        units.append(" ".join(words[end - size : end]))
        end -= size
    return units


def _of_modifier(unit: str) -> tuple[str, ...]:
    """Return what an adjective says can be seen; nothing for a noun."""
    if unit in _EMPTY:
        return ()
    counts = parts_of_speech(unit)
    color = color_of(unit) if "a" in counts or unit.endswith(("ish", "colored", "coloured")) else None
    if color is not None:
        return (color,)
    if _nouns(unit) and counts.get("n", 0) >= counts.get("a", 0):
        return ()
    # *Brighter*
    return seen_nouns(next(iter(base_forms(unit, "a")), unit))


def _is_quality(word: str) -> bool:
    """Return whether a word is an adjective more often than a noun: *light*, *square*, *small*."""
    counts = parts_of_speech(word)
    return counts.get("a", 0) > counts.get("n", 0)


def _as_colors(named: list[Mention], *, says_color: bool, in_phrase: bool) -> list[Mention]:
    """Return mentions with the colours among the heads made colours: *the color orange*, *orange and red*."""
    heads = [mention for mention in named if mention.role == "head" and not mention.is_empty]
    colors = {mention.text: color for mention in named if (color := _color_of_noun(mention.text)) is not None}
    are_colors = in_phrase and all(mention.text in colors for mention in heads)
    are_colors = are_colors and any(_is_mostly_color(head.text) for head in heads)

    def is_meant(mention: Mention) -> bool:
        return says_color or (are_colors if mention.role == "head" else _is_mostly_color(mention.text))

    return [
        replace(mention, concepts=(colors[mention.text],))
        if not mention.concepts and mention.text in colors and is_meant(mention)
        else mention
        for mention in named
    ]


def _color_of_noun(text: str) -> str | None:
    return next((color for noun in (text, *_nouns(text)) if (color := color_of(noun)) is not None), None)


def _is_mostly_color(text: str) -> bool:
    """Return whether a noun is a colour before anything else, or an adjective far more often: *red*, *white*."""
    return any(map(is_color, _first_senses(text))) or _is_quality(text)


def _is_description(label: str, tokens: list[str], named: list[Mention], kept: list[Mention]) -> bool:
    """Return whether a label mentions several things, or something about an empty word; see the module."""
    head = named[0]
    if has_article(label) or head.is_empty or head.role != "head" or any(each.role == "setting" for each in named):
        return True
    words = {token.lower() for token in tokens}
    # *Dogs and not cats*, but not *AT&T*.
    if head.concepts or (words & _JOINING and (len(named) > 1 or words & BEFORE_ABSENT)):
        return True
    is_plural = _nouns(head.text) != (head.text,)
    if is_plural and any(not _nouns(word) or _file(word) != _file(head.text) for word in head.modifiers):
        return True
    modifiers = [mention for mention in kept if mention.role == "modifier"]
    if any(not mention.concepts and _is_part(head.text, mention.text) for mention in modifiers):
        return True
    is_name = any(token[:1].isupper() for token in tokens[1:]) or "_" in label
    senses = (sense.concept for sense in wordnet().senses(usual_form(head.text))[:2])
    names_kinds = any(not wordnet().at_or_above(each).isdisjoint(_BEINGS_AND_FOOD) for each in senses)
    return not (is_name or names_kinds) and any(mention.concepts for mention in modifiers)


def _file(noun: str) -> str:
    """Return the lexicographer file of a noun: *retriever puppies* are a kind of puppy, *dog noses* two things."""
    return wordnet().lexicographer_file(next(iter(_first_senses(usual_form(noun)))))


def has_article(label: str) -> bool:
    """Return whether a label begins with an article, as a description does: *the floor*, but not *The Hague*."""
    first, _, rest = label.strip().partition(" ")
    return first.lower() in ("a", "an", "the") and rest.islower()


def _is_part(part: str, whole: str) -> bool:
    """Return whether one noun names a part of what another does: *dog face*, *car wheel*."""
    wholes = [sense.concept for noun in _nouns(whole) for sense in wordnet().senses(noun)[:2]]
    files = {wordnet().lexicographer_file(concept) for concept in wholes[:1]}
    parts = [sense.concept for noun in _nouns(part) for sense in wordnet().senses(noun)[:3]]
    if files & {"animal", "person"} and wordnet().lexicographer_file(parts[0]) == "body":
        return True
    above = frozenset[str]().union(*map(wordnet().at_or_above, wholes))
    return any(edge.end in above for each in parts for edge in wordnet().edges(each, "PartOf"))


@lru_cache(maxsize=1 << 14)
def _nouns(text: str) -> tuple[str, ...]:
    """Return the nouns that a text may be, itself before what it is the plural of; nothing for no noun."""
    *before, last = text.split(" ")
    spelled = dict.fromkeys((text, *(" ".join([*before, singular]) for singular in singulars(last))))
    return tuple(each for each in spelled if wordnet().senses(each))


def _first_senses(text: str) -> tuple[str, ...]:
    return tuple(wordnet().senses(noun)[0].concept for noun in _nouns(text))


@lru_cache(maxsize=1 << 14)
def _is_empty(text: str) -> bool:
    """Return whether a noun says nothing of what a picture shows."""
    return not _EMPTY.isdisjoint((text, *_nouns(text))) or all(map(_is_general, _first_senses(text)))


def _is_general(synset: str) -> bool:
    above = wordnet().at_or_above(synset)
    if wordnet().lexicographer_file(synset) in _LIVING or is_look(synset) or not above.isdisjoint(_BEINGS_AND_FOOD):
        return False
    return _levels(synset) <= _MOST_LEVELS or wordnet().size(synset) > _MANY_SYNSETS


def _levels(synset: str) -> int:
    """Return how many steps lead from a synset to the top, on the longest way."""
    return max((1 + _levels(edge.end) for edge in wordnet().edges(synset, "IsA")), default=0)
