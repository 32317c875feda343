"""What a filter responds to, in a few plain words: one name for each filter, whichever rule or picture says most.

What is tested comes first: the kind of thing that its tags share or its strongest pictures show, whichever is surer;
a label that a check on other images confirmed; a feature that its tags share; where classes are too few for all that,
whose images activate it more. Then comes what nothing tests: another method's label, a single tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import log10
from typing import TYPE_CHECKING

from filtag_kg.concepts import CommonConcept
from filtag_kg.kg import CheckedLabel, KgRun
from filtag_kg.views.concept_graph import SOURCE_TEXTS, statement_text
from filtag_kg.views.exemplar_themes import ExemplarTheme, exemplar_themes
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.results import NetworkLayers, RunResults
from filtag_kg.views.wording import NO_CLEAR_THEME, probability_text, share_sentence

if TYPE_CHECKING:
    from filtag_kg.views.activations import Higher
    from filtag_kg.views.records import FilterView

_EXAMPLES = 2
_LARGE = 0.8
"""An effect of this many standard deviations is called large (Cohen 1988, section 2.2)."""
_LEAST_P = 1e-300


@dataclass(frozen=True, slots=True)
class FilterName:
    """What a filter responds to.

    Parameters
    ----------
    text : str
        The plain name: "jellyfish", "dog: poodle, corgi", "no clear theme".
    sentence : str
        The name as a sentence, with what speaks for it.
    figures : str
        The numbers behind it, for a hover.
    clear : bool
        Whether it clearly responds to one kind of thing: more often than chance would have it.
    surprise : float
        How sure that is: the higher, the surer; less where few of the filter's strongest pictures show it. Of clear
        names above 1, of others below.
    run : KgRun or None
        The run that says most about the filter; None if no run tags it.
    about : str
        IRI of the class or concept that a clear name means; empty of others.
    """

    text: str
    sentence: str
    figures: str
    clear: bool
    surprise: float
    run: KgRun | None
    about: str = ""


def filter_name(loaded: LoadedKg, network: NetworkLayers, column: int) -> FilterName:
    """Return what a filter responds to; after the first filter of a network, in microseconds."""
    return _names(loaded, network.network)[column]


def named_filter(loaded: LoadedKg, network: NetworkLayers, layer: str, filter_: int) -> FilterView:
    """Return the view of a filter with its name.

    Raises
    ------
    FiltagError
        If there is no such filter.
    """
    column = loaded.column(network, layer, filter_)
    return replace(loaded.filter(network, layer, filter_), name=filter_name(loaded, network, column))


def surest_first(loaded: LoadedKg, network: NetworkLayers, columns: Sequence[int] | None = None) -> list[int]:
    """Return filters by how sure it is what they respond to, the surest first; equals by column.

    Parameters
    ----------
    columns : sequence of int, optional
        The filters to sort; all of the network, if left out.
    """
    names = _names(loaded, network.network)
    return sorted(range(network.n_filters) if columns is None else columns, key=lambda c: (-names[c].surprise, c))


def count_clear(loaded: LoadedKg, network: NetworkLayers) -> int:
    """Return how many filters of a network clearly respond to one kind of thing."""
    names = _names(loaded, network.network)
    return sum(names[column].clear for column in range(network.n_filters))


@lru_cache(maxsize=8)
def _names(loaded: LoadedKg, network: str) -> _FilterNames:
    return _FilterNames(loaded, loaded.networks[network])


@dataclass(frozen=True, eq=False)
class _FilterNames:
    """The names of a network's filters, each made at its first use."""

    loaded: LoadedKg
    network: NetworkLayers

    def __getitem__(self, column: int) -> FilterName:
        name = self._made.get(column)
        if name is None:
            name = self._made[column] = self._name(column)
        return name

    @cached_property
    def _made(self) -> dict[int, FilterName]:
        return {}

    def _name(self, column: int) -> FilterName:
        of_kinds = (*self._shared(column, kinds=True), *self._pictured(column))
        surest = max(of_kinds, key=lambda name: name.surprise, default=None)
        return surest or next(self._others(column))

    def _others(self, column: int) -> Iterator[FilterName]:
        """Yield the names of a filter without a kind of thing, the one that says most first."""
        yield from self._checked(column)
        yield from self._shared(column, kinds=False)
        yield from self._more_active(column)
        tagged = [table for table in self._runs if table.n_tags(column)]
        yield from (self._imported(table, column) for table in tagged if table.run.method is not None)
        yield from (self._single(table, column) for table in tagged if table.n_tags(column) == 1)
        yield self._without_theme(column)

    # What is tested

    def _shared(self, column: int, *, kinds: bool) -> Iterator[FilterName]:
        """Yield a name for each kind, or each feature, that makes the filter coherent by a run."""
        for table in self._runs:
            for row in table.common.get(column, ()):
                if table.run.is_kind(row) == kinds and row.coherent(table.q) and not self._is_refuted(table, row):
                    yield self._of_kind(table, column, row) if kinds else self._of_feature(table, column, row)

    def _of_kind(self, table: RunResults, column: int, row: CommonConcept) -> FilterName:
        count = share_sentence(row.support, row.tags, "its classes", "are")
        name = self._of_tags(table, column, row, row.label, f"Responds to kinds of {row.label}: {count}.")
        shown, pictures = self._pictures_of(column, row.concept)
        if 2 * shown >= pictures:
            return name
        # Its pictures do not bear it out, as where it responds to a colour that such things often have.
        few = f"Few of its strongest pictures show one: {shown} of {pictures}."
        less_sure = 1 + (name.surprise - 1) * (1 + shown) / (1 + pictures)
        return replace(name, sentence=f"{name.sentence} {few}", surprise=less_sure)

    def _of_feature(self, table: RunResults, column: int, row: CommonConcept) -> FilterName:
        name = statement_text(row.relation, row.label)
        source = SOURCE_TEXTS.get(row.source, row.source)
        count = share_sentence(row.support, row.tags, "its classes", "are")
        sentence = f"Responds to things of which {source} says “{name}”: {count}."
        return self._of_tags(table, column, row, name, sentence)

    def _of_tags(self, table: RunResults, column: int, row: CommonConcept, name: str, sentence: str) -> FilterName:
        graph = self.loaded.concepts
        family = None if table.run.is_kind(row) else (row.relation, row.source)
        classes = table.class_[table.rows(column)].tolist()
        examples = [graph.class_labels[c] for c in classes if graph.path_of_class(c, row.concept, family)]
        q = probability_text(row.p_adjusted if row.q_value is None else row.q_value)
        return FilterName(
            text=_with_examples(name, examples),
            sentence=sentence,
            figures=f"{row.support} of {row.tags} tags, q {q}, by {table.run.rule}",
            clear=True,
            surprise=_surprise(row.p_adjusted),
            run=table.run,
            about=row.concept,
        )

    def _pictured(self, column: int) -> Iterator[FilterName]:
        theme = self._themes.get(column)
        if theme is None or theme.q_value >= self.loaded.q:
            return
        share = share_sentence(theme.shown, theme.exemplars, "the pictures that activate it most", "show")
        of_kind = theme.class_id is None
        yield FilterName(
            text=_with_examples(theme.label, theme.classes) if of_kind else theme.label,
            sentence=f"Responds to {'kinds of ' * of_kind}{theme.label}: {share} {'them' if of_kind else 'it'}.",
            figures=f"{theme.shown} of {theme.exemplars} pictures, q {probability_text(theme.q_value)}",
            clear=True,
            surprise=_surprise(theme.p_value),
            run=self._agreeing_run(column, theme),
            about=theme.concept or self.loaded.iris.class_(theme.class_id or ""),
        )

    def _checked(self, column: int) -> Iterator[FilterName]:
        confirmed = self._confirmed.get(column)
        if confirmed is None:
            return
        run, label = confirmed
        q = 1.0 if label.q_value is None else label.q_value
        auc = 0.0 if label.auc is None else label.auc
        name = statement_text(label.relation, label.label) if self._is_feature(run, label) else label.label
        yield FilterName(
            text=name,
            sentence=f"Responds to {name}: confirmed on images that made no label.",
            figures=f"confirmed, q {probability_text(q)}, AUC {auc:.2f}, by {run.rule}",
            clear=True,
            # A check has thousands of images: its q-value is not on the scale of the others.
            surprise=1 + auc,
            run=run,
            about=label.label_id if label.kind == "concept" else self.loaded.iris.class_(label.label_id),
        )

    def _more_active(self, column: int) -> Iterator[FilterName]:
        higher = self._higher(column)
        if higher is None:
            return
        q = probability_text(max(higher.q_value, _LEAST_P))
        yield FilterName(
            text=higher.label,
            sentence=f"Responds more to pictures of {higher.label} than to others.",
            figures=f"{higher.effect:.1f} standard deviations more, q {q}",
            clear=True,
            surprise=1 + higher.effect,
            run=self._tagging_run(column),
            about=higher.concept,
        )

    # What nothing tests

    def _imported(self, table: RunResults, column: int) -> FilterName:
        row = table.rows(column).start
        label = self.loaded.concepts.class_labels[int(table.class_[row])]
        score = float(table.score[row])
        figures = f"score {score:.3g}" if score == score else "without a score"
        return FilterName(
            text=label,
            sentence=f"{table.run.method} calls it “{label}”.",
            figures=f"{figures}, by {table.run.rule}",
            clear=False,
            surprise=0.5,
            run=table.run,
        )

    def _single(self, table: RunResults, column: int) -> FilterName:
        label = self.loaded.concepts.class_labels[int(table.class_[table.rows(column).start])]
        return FilterName(
            text=f"perhaps {label}",
            sentence=f"Marked by one class alone, {label}: nothing tests that.",
            figures=f"1 tag, by {table.run.rule}",
            clear=False,
            surprise=0.4,
            run=table.run,
        )

    def _without_theme(self, column: int) -> FilterName:
        run = self._tagging_run(column)
        if run is None:
            pictures = ", and the pictures that activate it most show various things"
            sentence = f"No class marks it{pictures if self._has_exemplars(column) else ''}."
            return FilterName(NO_CLEAR_THEME, sentence, "no tags by any rule", False, 0.0, None)
        table = self.loaded.runs[run.run_id]
        n, kind = table.n_tags(column), table.kind(column)
        figures = f"{n} tags, by {run.rule}"
        if kind is not None and kind.q_value is not None:
            figures = f"{kind.support} of {n} tags are {kind.label}, q {probability_text(kind.q_value)}, by {run.rule}"
        sentence = f"Its {n} classes have nothing in common that chance would not give them."
        if run.too_few():
            sentence = f"Marked by {n} classes; {run.too_few()}."
        p = 1.0 if kind is None else kind.p_adjusted
        return FilterName(NO_CLEAR_THEME, sentence, figures, False, (1 - p) * 0.3, run)

    # Shared by all filters

    @cached_property
    def _runs(self) -> tuple[RunResults, ...]:
        return self.loaded.runs_of(self.network.network)

    @cached_property
    def _themes(self) -> Mapping[int, ExemplarTheme]:
        return exemplar_themes(self.loaded, self.network)

    @cached_property
    def _confirmed(self) -> Mapping[int, tuple[KgRun, CheckedLabel]]:
        """The confirmed label that fits best, by column."""
        first = self.network.first_columns
        best: dict[int, tuple[KgRun, CheckedLabel]] = {}
        for table in self._runs:
            check = self.loaded.checks.runs.get(table.run.run_id)
            for label in () if check is None else check.labels:
                column = first[label.layer] + label.filter
                known = best.get(column)
                if label.status == "confirmed" and (known is None or (label.auc or 0.0) > (known[1].auc or 0.0)):
                    best[column] = table.run, label
        return best

    def _pictures_of(self, column: int, concept: str) -> tuple[int, int]:
        """Return how many exemplars of a filter show a kind of thing, and how many there are."""
        graph = self.loaded.concepts
        below = {graph.class_ids[class_] for class_ in graph.classes_below.get(concept, ())}
        exemplars = self.loaded.exemplars.get((self.network.network, column), ())
        return sum(exemplar.class_id in below for exemplar in exemplars), len(exemplars)

    def _has_exemplars(self, column: int) -> bool:
        return bool(self.loaded.exemplars.get((self.network.network, column)))

    def _is_feature(self, run: KgRun, label: CheckedLabel) -> bool:
        return label.kind == "concept" and (label.relation, label.source) != ("IsA", run.kinds_of)

    def _is_refuted(self, table: RunResults, row: CommonConcept) -> bool:
        label = self.loaded.checks.of_common(table.run.run_id, row)
        return label is not None and label.status == "not confirmed"

    @cached_property
    def _has_few_classes(self) -> bool:
        return any(table.run.too_few() for table in self._runs)

    def _higher(self, column: int) -> Higher | None:
        """Return the concept whose images activate it most beyond others, if much; where classes are too few alone."""
        if not self._has_few_classes:
            return None
        layer, filter_ = self.network.layer_and_filter(column)
        of_layer = self.loaded.activations.of_layer(self.network.network, self.network.layer_names[layer])
        best = next(iter(of_layer[filter_]), None) if of_layer else None
        return best if best is not None and best.effect >= _LARGE else None

    def _agreeing_run(self, column: int, theme: ExemplarTheme) -> KgRun | None:
        """Return the run with most tags, in proportion, of the classes that the pictures show."""
        labels, shown = self.loaded.concepts.class_labels, frozenset(theme.classes)

        def agreement(table: RunResults) -> float:
            classes = table.class_[table.rows(column)].tolist()
            return sum(labels[c] in shown for c in classes) / len(classes)

        tagged = [table for table in self._runs if table.n_tags(column)]
        return max(tagged, key=agreement).run if tagged else None

    def _tagging_run(self, column: int) -> KgRun | None:
        """Return the run whose tags come nearest to a theme; the first of equals."""
        tagged = [table for table in self._runs if table.n_tags(column)]

        def p_value(table: RunResults) -> float:
            kind = table.kind(column)
            return 1.0 if kind is None else kind.p_adjusted

        return min(tagged, key=p_value).run if tagged else None


def _with_examples(name: str, classes: Sequence[str]) -> str:
    examples = [label for label in dict.fromkeys(classes) if label != name][:_EXAMPLES]
    return f"{name}: {', '.join(examples)}" if examples else name


def _surprise(p: float) -> float:
    return -log10(max(p, _LEAST_P))
