"""ConceptNet's URIs for terms and their senses.

A term is ``/c/{language}/{text}``, a sense of it ``/c/en/{text}/{part of speech}/wn/{category}``. The text is
standardised as ConceptNet 5.7 does [1]_: lower-cased, cut into tokens at anything but letters, digits and
inner apostrophes and full stops (Unicode Annex #29), without the articles *a, an, the* and a leading *to*,
joined by ``_``.

The category of a noun sense is, as in ConceptNet's WordNet reader [2]_, the first label of its WordNet domain
category (``/c/en/atom/n/wn/physics``), else its lexicographer file (``/c/en/dog/n/wn/animal``); a sense of
the file ``noun.Tops`` has none (``/c/en/animal/n/wn``). ConceptNet was built from WordNet 3.1, this package
embeds 3.0: a sense whose category changed in between has another term there.

References
----------
.. [1] ``conceptnet5/nodes.py`` (`standardized_concept_uri`) and ``wordfreq.simple_tokenize``
.. [2] ``conceptnet5/readers/wordnet.py``
"""

from __future__ import annotations

import re
import unicodedata

#: What ConceptNet's IRIs begin with: a term's path follows it.
CONCEPTNET = "http://api.conceptnet.io"

_ARTICLES = frozenset({"a", "an", "the"})
# A token starts with a letter or digit. It continues over an apostrophe or full stop between two letters, and over an
# apostrophe, full stop or comma between two digits (rules WB6, WB7, WB11 and WB12). An apostrophe before a vowel ends
# it, as in "l'eau".
_TOKEN = re.compile(
    r"""[^\W_]
        (?: [^\W_]
          | (?<=[^\W\d_])['\u2019](?=[^\W\d_])(?![aeiouàâäéèêëîïôöùûü])
          | (?<=[^\W\d_])\.(?=[^\W\d_])
          | (?<=\d)['\u2019.,](?=\d)
          | (?<=[^\W_])[\u0300-\u036f]
        )*""",
    re.VERBOSE,
)


def standard_text(text: str) -> str:
    """Return a word or phrase as ConceptNet writes it in the URI of an English term.

    Examples
    --------
    >>> standard_text("French_horn")
    'french_horn'
    >>> standard_text("three-toed sloth")
    'three_toed_sloth'
    >>> standard_text(" hen-of-the-woods ")
    'hen_of_woods'
    >>> standard_text("the"), standard_text("?!")
    ('the', '')
    """
    tokens = _TOKEN.findall(unicodedata.normalize("NFC", text.replace("_", " ")).casefold())
    words = [token for token in tokens if token not in _ARTICLES]
    while words and words[0] == "to":
        words = words[1:]
    return "_".join(words or tokens)


def term_uri(text: str, *sense: str, language: str = "en") -> str:
    """Return the path of a ConceptNet term, followed by the parts of its sense.

    Examples
    --------
    >>> term_uri("Golden Retriever")
    '/c/en/golden_retriever'
    >>> term_uri("dog", "n")
    '/c/en/dog/n'
    """
    return "/".join(["/c", language, standard_text(text), *sense])


def noun_term(lemma: str, category: str) -> str:
    """Return the path of the ConceptNet term of a WordNet noun sense.

    Parameters
    ----------
    lemma : str
        The lemma as WordNet spells it.
    category : str
        The first lemma of the synset's domain category, else its lexicographer file without ``noun.``.

    Examples
    --------
    >>> noun_term("dog", "animal"), noun_term("animal", "Tops")
    ('/c/en/dog/n/wn/animal', '/c/en/animal/n/wn')
    """
    category = standard_text(category)
    return term_uri(lemma, "n", "wn", *([] if category in {"tops", ""} else [category]))
