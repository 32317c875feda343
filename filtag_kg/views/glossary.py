"""The words that a newcomer meets, each explained once: for the glossary's page, for hovers, and for the docs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """A word and what it means.

    Parameters
    ----------
    anchor : str
        Its address on the glossary's page.
    term : str
        With other names for the same thing.
    text : str
        One plain explanation, without other terms where it can do without.
    example : str
    see : tuple of str
        Anchors of words to read next.
    """

    anchor: str
    term: str
    text: str
    example: str
    see: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GlossaryPart:
    """Words that belong together, in the order in which to read them."""

    title: str
    entries: tuple[GlossaryEntry, ...]


_E = GlossaryEntry

_PARTS = (
    GlossaryPart(
        "The network and its pictures",
        (
            _E(
                "network",
                "network",
                "A program that learned from examples to say what a picture shows. The ones here are convolutional"
                " neural networks: they look at a picture in layers, from small patterns to whole things.",
                "EfficientNet-Lite0, which tells 1,000 kinds of things apart.",
                (
                    "layer",
                    "filter",
                ),
            ),
            _E(
                "layer",
                "layer",
                "One step of the network. Early layers respond to edges and colours, late ones to parts and whole "
                "things.",
                "head_conv is the last convolutional layer of EfficientNet-Lite0; it has 1,280 filters.",
                ("filter",),
            ),
            _E(
                "filter",
                "filter",
                "One small detector in a layer. It responds to something at any place of a picture; to what, "
                "nobody told it. Finding that out is what these pages are for. Filters are counted from 0 in each "
                "layer.",
                "head_conv 992 is filter 992 of the layer head_conv.",
                (
                    "activation",
                    "exemplar",
                ),
            ),
            _E(
                "class",
                "class",
                "What a picture is labelled with. A class has a name and an id, as two classes may have the same name.",
                "jellyfish, n01910747. ImageNet has two classes called crane: the bird and the machine.",
                ("concept",),
            ),
            _E(
                "activation",
                "activation",
                "How strongly a filter responds to a picture: 0 is the least that any filter of the layer does for"
                " that picture, 1 the most; the mean over all places of the picture.",
                "0.5 is half as strong as the strongest response in the layer.",
                (
                    "contrast",
                    "heat-map",
                ),
            ),
            _E(
                "exemplar",
                "strongest picture (exemplar)",
                "One of the few pictures that a filter responds to most, among all that the network was shown.",
                "Nine pictures of jellyfish on a filter's page: it most likely responds to jellyfish.",
                (
                    "heat-map",
                    "crop",
                ),
            ),
            _E(
                "heat-map",
                "heat map",
                "A picture that is lit, in its colours, where a filter responds, and grey and dark elsewhere, so that"
                " you see what it looks at.",
                "Of a picture of a street, the wheels of a car are lit.",
                (
                    "receptive-field",
                    "crop",
                ),
            ),
            _E(
                "crop",
                "crop",
                "The part of a picture around the place to which a filter responds most.",
                "Of a picture of a harbour, the mast of one boat.",
                ("heat-map",),
            ),
            _E(
                "receptive-field",
                "receptive field",
                "The part of a picture that can have any effect on a filter's response at one place. It grows from"
                " layer to layer.",
                "A few pixels in the first layer, the whole picture in the last.",
                ("heat-map",),
            ),
            _E(
                "visualization",
                "visualization",
                "A picture that was computed, not taken: changed step by step until a filter responds to it as "
                "strongly as possible.",
                "Coloured stripes that no camera has seen, for a filter that responds to stripes.",
                ("exemplar",),
            ),
            _E(
                "profile",
                "profile",
                "How strongly each filter responds to each class on average, measured once over all pictures. All "
                "else is computed from it.",
                "200 classes of 80 pictures each, on 12,048 filters.",
                (
                    "activation",
                    "run",
                ),
            ),
        ),
    ),
    GlossaryPart(
        "Which classes a filter responds to",
        (
            _E(
                "tag",
                "tag",
                "A class that a rule gave to a filter, because the class activates that filter more than it does "
                "others.",
                "poodle, corgi and beagle tag one filter: it may respond to dogs.",
                (
                    "rule",
                    "coherent",
                ),
            ),
            _E(
                "rule",
                "rule",
                "How it is decided which classes a filter gets. Each class marks a few filters in every layer: the"
                " one, or the share, that it activates most, or that are most its own. Its name is short for that.",
                "k=1:contrast: each class marks its single most distinctive filter in every layer.",
                (
                    "k",
                    "q-share",
                    "contrast",
                ),
            ),
            _E(
                "k",
                "k=1, k=5",
                "A rule by number: each class marks that many filters in every layer.",
                "k=1: each class marks its single most active filter.",
                ("rule",),
            ),
            _E(
                "q-share",
                "q=0.05",
                "A rule by share: each class marks that share of the filters in every layer. This q has nothing to"
                " do with the q-value.",
                "q=0.05: each class marks its most active 5 % of the filters, 64 of 1,280.",
                (
                    "rule",
                    "q-value",
                ),
            ),
            _E(
                "contrast",
                "contrast, most distinctive",
                "How much more a class activates a filter than the other classes do, in standard deviations over "
                "the classes. Rules with “contrast” in their name choose filters by it. They leave out filters "
                "that respond to every picture.",
                "A filter that is busy with all pictures has a low contrast for goldfish even where it is very active.",
                (
                    "activation",
                    "rule",
                ),
            ),
            _E(
                "run",
                "run",
                "One rule's results, or one other method's labels, for one network. A KG may hold several, and "
                "they need not agree on a filter.",
                "The demo has a run by q=0.01:contrast and one by k=1.",
                (
                    "rule",
                    "kg",
                ),
            ),
            _E(
                "imported-label",
                "imported label",
                "What another method says of a filter, taken over as it is. Its score, if any, is that method's own.",
                "MILAN calls a filter “red objects”.",
                ("confirmed",),
            ),
        ),
    ),
    GlossaryPart(
        "What these classes have in common",
        (
            _E(
                "concept",
                "concept",
                "A meaning, not a word: “crane” has two. Concepts come from WordNet and ConceptNet, which also say"
                " what is a kind of what.",
                "poodle is a kind of dog, dog a kind of mammal.",
                (
                    "link",
                    "common-concept",
                ),
            ),
            _E(
                "link",
                "link, confidence",
                "Which concept a class means, and how sure that is, from 0 to 1.",
                "The class “crane” of ImageNet's birds is linked to the bird.",
                ("concept",),
            ),
            _E(
                "common-concept",
                "common concept",
                "A kind of thing, or a property, that several of a filter's classes share.",
                "convertible, limousine and beach wagon have car in common.",
                (
                    "support",
                    "coherent",
                ),
            ),
            _E(
                "feature",
                "feature, part",
                "Something that things have, are made of, are used for or can do, as WordNet or ConceptNet says.",
                "has wings, made of metal, can swim.",
                ("common-concept",),
            ),
            _E(
                "support",
                "support",
                "How many of a filter's tags a common concept covers.",
                "5 of its 6 classes are dogs: the support is 5.",
                ("coverage",),
            ),
            _E(
                "coverage",
                "coverage",
                "The same as a share: support divided by the filter's tags.",
                "5 of 6 is 83 %.",
                ("support",),
            ),
            _E(
                "information-content",
                "information content, nats",
                "How much a concept narrows things down: 0 for one above all classes, more the fewer classes it is"
                " above. It is minus the natural logarithm of their share, hence the unit, nats.",
                "thing has 0 nats; a kind that 1 class in 20 is of has 3.",
                ("common-concept",),
            ),
            _E(
                "coherent",
                "clear theme, coherent",
                "A filter has a clear theme if its tags share more than chance would give: fewer than about 5 in "
                "100 themes that are called clear are so by accident. So has a filter whose strongest pictures "
                "show one kind of thing that often. In tables and files the word for the first is coherent.",
                "5 of 6 classes are dogs, where 1 class in 10 is: clear. Sock, bee and barn: no clear theme.",
                (
                    "q-value",
                    "mixed",
                ),
            ),
            _E(
                "mixed",
                "mixed filter",
                "A filter that responds to two or more things that have little to do with each other.",
                "Half of its strongest pictures show spiders, the other half street signs.",
                ("coherent",),
            ),
        ),
    ),
    GlossaryPart(
        "How sure that is",
        (
            _E(
                "p-value",
                "p-value",
                "The chance of seeing as much in common, or more, if the classes were drawn at random. Small means"
                " hardly by accident. Looking for long enough finds small ones by accident, hence the adjusted "
                "p-value: it allows for all the concepts that were tried on the filter.",
                "0.001: one filter in a thousand of random tags would look as good.",
                ("q-value",),
            ),
            _E(
                "q-value",
                "q-value",
                "A p-value that allows for the number of filters looked at, too. Of all filters with a q-value "
                "below 0.05, about 5 in 100 at most are accidents. Below 0.05 we say “unlikely to be chance”, "
                "below 0.001 “very unlikely to be chance”, else “may well be chance”.",
                "q 0.0006: very unlikely to be chance.",
                (
                    "coherent",
                    "q-share",
                ),
            ),
            _E(
                "confirmed",
                "confirmed label",
                "A label that held on other pictures than those it came from: the filter responds more to pictures"
                " of it than chance would have it.",
                "The filter called “dog” was shown new pictures, and dogs activated it most.",
                (
                    "q-value",
                    "auc",
                ),
            ),
            _E(
                "auc",
                "AUC",
                "How well a filter tells pictures of something from others: the chance that the one activates it "
                "more than the other. 0.5 is a coin toss, 1 is never wrong.",
                "0.9: nine times in ten the dog activates the filter more than the other picture.",
                ("confirmed",),
            ),
        ),
    ),
    GlossaryPart(
        "Layers, predictions and causes",
        (
            _E(
                "separation",
                "separation",
                "How well the filters of a layer tell one kind of thing from the rest: 0.5 is chance, 1 is always.",
                "dog 0.95 in a late layer: nearly always, two dogs are more alike to it than a dog and something else.",
                ("concentration",),
            ),
            _E(
                "concentration",
                "concentration",
                "How many times as often two classes of a kind share a filter as any two classes do: 1 is chance.",
                "dog 8: two dogs share a filter eight times as often as any two classes.",
                ("separation",),
            ),
            _E(
                "ablation",
                "ablation",
                "Switching filters off, to see what the network can no longer do. It tests whether filters matter,"
                " not just whether they respond.",
                "Without its dog filters, a network knows dogs less often; and cars as often as before.",
                ("confirmed",),
            ),
            _E(
                "hits-at-n",
                "Hits@n",
                "How often the right class is among the first n that a picture's active filters point to.",
                "Hits@5 of 40 %: for 4 pictures in 10 the right class is among the first five.",
                ("tag",),
            ),
            _E(
                "explanation",
                "explanation",
                "Which active filters speak for the network's answer to one picture, and what these filters "
                "respond to.",
                "“school bus”, since filters for buses, wheels and yellow respond.",
                (
                    "tag",
                    "hits-at-n",
                ),
            ),
            _E(
                "kg",
                "KG, knowledge graph",
                "All results as statements that programs can query, in one folder: filters, classes, concepts and "
                "how they are connected.",
                "filter 992 – has tag – poodle; poodle – is a kind of – dog.",
                ("run",),
            ),
        ),
    ),
)

GLOSSARY: Mapping[str, GlossaryEntry] = MappingProxyType(
    {entry.anchor: entry for part in _PARTS for entry in part.entries}
)
"""Every entry by its anchor."""


def glossary_parts() -> tuple[GlossaryPart, ...]:
    """Return the glossary in the order of its page: first what is looked at, then what is said of it."""
    return _PARTS


def glossary_markdown() -> str:
    """Return the glossary as a page of the documentation."""
    lines = [
        "# Glossary",
        "",
        "The words on pages, in the terminal and in tables, in plain English. The same text is on the page *Glossary*",
        "of every report and of the explorer. `scripts/make_docs.py` makes this page.",
    ]
    for part in _PARTS:
        lines += ["", f"## {part.title}"]
        for entry in part.entries:
            see = ", ".join(f"[{GLOSSARY[anchor].term}](#{_heading_anchor(anchor)})" for anchor in entry.see)
            example = f"*For example:* {entry.example}{f' See {see}.' if see else ''}"
            lines += ["", f"### {entry.term}", "", f"{entry.text} {example}"]
    return "\n".join(lines) + "\n"


def _heading_anchor(anchor: str) -> str:
    """Return the anchor that Markdown gives the heading of an entry."""
    return re.sub(r"[^\w\- ]", "", GLOSSARY[anchor].term.lower()).replace(" ", "-")
