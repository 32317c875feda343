"""What an explanation by evidence comes to, in plain sentences."""

from __future__ import annotations

from filtag_kg.explain.class_evidence import ClassEvidence
from filtag_kg.explain.classification import Explanation
from filtag_kg.explain.kg_evidence import ImageEvidence

_MOST_RIVALS = 3


def verdict(explanation: Explanation) -> tuple[str, ...]:
    """Return whether the filters agree with the network, and what else they might mean; nothing by tags."""
    evidence = explanation.evidence
    if evidence is None:
        return ()
    first = evidence.first[0]
    if evidence.predicted is not None:
        sentences = [_agreement(evidence.predicted, first)]
    else:
        looks = f"Of the KG's {first.classes:,} classes, its filters look most like {first.label}"
        sentences = [_unknown(explanation), f"{looks}{_convincing(first)}."]
    if evidence.rivals:
        names = [rival.label for rival in evidence.rivals[:_MOST_RIVALS]]
        more = len(evidence.rivals) - len(names)
        sentences.append(f"Nearly the same evidence supports {_listed(names, more)}.")
    if explanation.concepts:
        names = [concept.label for concept in explanation.concepts[:_MOST_RIVALS]]
        sentences.append(f"What its most active filters respond to: {', '.join(names)}.")
    return tuple(sentences)


def limits(evidence: ImageEvidence) -> str:
    """Return what the evidence cannot tell."""
    n_classes = evidence.first[0].classes
    return (
        f"Only the {n_classes:,} classes of the KG are compared: whatever an image shows, one of them comes first. "
        "Classes that look alike have nearly the same evidence."
    )


def one_in(p_value: float) -> str:
    """Return a probability as a number of cases.

    >>> one_in(0.0005), one_in(0.043), one_in(0.31), one_in(1.0)
    ('1 of 2,000 cases', '4 of 100 cases', '31 of 100 cases', 'all cases')
    """
    if p_value < 0.01:
        cases = round(1 / p_value)
        digits = max(len(str(cases)) - 2, 0)
        return f"1 of {round(cases, -digits):,} cases"
    return "all cases" if p_value > 0.995 else f"{max(round(p_value * 100), 1)} of 100 cases"


def _unknown(explanation: Explanation) -> str:
    if not explanation.predictions:
        return "The network tells no classes apart."
    best = explanation.predictions[0]
    if best.class_id is None:
        return "The network's outputs have no names to compare with the classes of the KG."
    return f"{best.label} is not a class of the KG."


def _agreement(predicted: ClassEvidence, first: ClassEvidence) -> str:
    if predicted.rank == 1:
        place = f"{predicted.label} comes first of {predicted.classes:,} classes"
        agree = "The filters agree" if predicted.supported else "The filters agree, if hardly"
        return f"{agree}: {place}{_convincing(predicted)}."
    place = f"number {predicted.rank:g} of {predicted.classes:,} classes"
    if predicted.supported and predicted.p_value is not None:
        return f"The filters rather say {first.label}; {predicted.label} is {place}{_convincing(predicted)}."
    return f"The filters do not agree: {predicted.label} is {place}{_convincing(predicted)}. They say {first.label}."


def _convincing(class_: ClassEvidence) -> str:
    if class_.p_value is None:
        return ""
    return f"; a wrong class would look as convincing in {one_in(class_.p_value)}"


def _listed(names: list[str], more: int) -> str:
    if more:
        return f"{', '.join(names)} and {more} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
