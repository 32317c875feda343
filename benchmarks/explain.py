"""How good explanations are, and how long they take, beside the targets.

    python benchmarks/explain.py [KG IMAGE] [--test TEST] [--photographs DIR]

By default, the KG is the demo's, built anew, and the image is synthetic. TEST and DIR hold labelled images that did not
make the KG's profile. A prediction is the best of the network's outputs that are classes of the KG; it is right if it
is the image's class.

The command is timed as it is typed, with Python's start and the network's loading. Then the network is there already:
the first explanation reads profile and concepts, too; later ones have them in memory.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from inputs import made_picture
from numpy.typing import NDArray

from filtag_kg import Provenance, tag_filters, wordnet
from filtag_kg.demo import DEMO_RULES, demo_profile
from filtag_kg.explain import explain_image
from filtag_kg.explain.active_filters import tagged_filters
from filtag_kg.explain.class_evidence import standardised
from filtag_kg.explain.kg_evidence import KgEvidence, kg_evidence
from filtag_kg.explain.support import support_of
from filtag_kg.images import decode, open_images
from filtag_kg.kg import KG, build_kg, open_kg
from filtag_kg.network import KerasEngine, Network, import_keras, load_network, scaled
from filtag_kg.profile import observations


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return how long a call takes, and how long the processors work for it and what it starts."""
    start, worked = time.perf_counter(), sum(os.times()[:4])
    call()
    return time.perf_counter() - start, sum(os.times()[:4]) - worked


def median(times: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of both."""
    took, worked = zip(*times, strict=True)
    return statistics.median(took), statistics.median(worked)


def main() -> None:
    """Measure, and print the figures beside their targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kg", type=Path, nargs="?", metavar="KG")
    parser.add_argument("image", type=Path, nargs="?", metavar="IMAGE")
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--test", type=Path, metavar="DIR|FILE")
    parser.add_argument("--photographs", type=Path, metavar="DIR|FILE")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        kg = open_kg(options.kg) if options.kg else demo_kg(Path(room) / "demo-kg")
        image = options.image or made_picture(Path(room) / "made.jpg", 0)
        measure(kg, image, options.network, options.rounds)
    network = load_network(options.network)
    if options.test:
        judge(kg, network, options.test, "test images", first=85, concept=70, level=True, auc=0.85)
    if options.photographs:
        judge(kg, network, options.photographs, "photographs", first=80, concept=70)


def demo_kg(path: Path) -> KG:
    """Build the demo's KG."""
    profile = demo_profile()
    tags = tag_filters(profile, DEMO_RULES, network=profile.metadata["identifier"])
    return build_kg(path, tags, wordnet(), Provenance.of_profile(profile), profile=profile)


def measure(kg: KG, image: Path, name: str, rounds: int) -> None:
    """Print the times and their ratios to a forward pass."""
    start = "from filtag_kg.cli import main; main()"
    command = [sys.executable, "-c", start, "explain", str(kg.path), str(image), "--network", name, "-q"]
    with_all = [seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(3)]
    network = load_network(name)
    assert isinstance(network.engine, KerasEngine)
    model, ops = network.engine.model, import_keras().ops
    pixels = decode(image.read_bytes(), network.preparation)[None]

    def bare() -> object:
        return model(scaled(network.preparation.scaling, ops.cast(pixels, "float32")), training=False)

    def explain() -> object:
        return explain_image(kg, network, image, why=kg_class, not_=other_class)

    bare()
    first = seconds(lambda: explain_image(kg, network, image))
    found = explain_image(kg, network, image)
    kg_class, other_class = found.labels[0].id, found.labels[1].id
    times = [(seconds(bare), seconds(explain)) for _ in range(rounds + 1)][1:]
    bare_median, our_median = (median(column) for column in zip(*times, strict=True))
    packages = ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy"))
    versions = f"python {platform.python_version()}, {packages}"
    counts = kg.manifest["counts"]
    print(f"network        {network.identifier}, {len(network.layers)} layers, {network.n_filters} filters")
    print(f"KG             {counts['classes']} classes, {counts['tags']:,} tags, rules {', '.join(kg.rules)}")
    print(f"machine        {platform.machine()}, {os.cpu_count()} processors; {versions}")
    print("Beside other work, compare the processors' time.")
    print(f"bare network   {bare_median[0]:6.2f} s, {bare_median[1]:6.2f} s of processors; one image, not compiled")
    for what, (took, worked), target in (
        ("command", median(with_all), 4.0),
        ("first", first, 1.0),
        ("later", our_median, 1.0),
    ):
        print(
            f"{what:14} {took:6.2f} s, {worked:6.2f} s of processors; {took / bare_median[0]:.1f} and "
            f"{worked / bare_median[1]:.1f} x bare; {beside(took, target, below=True)}"
        )


def judge(
    kg: KG,
    network: Network,
    path: Path,
    what: str,
    *,
    first: float,
    concept: float,
    level: bool = False,
    auc: float | None = None,
) -> None:
    """Print how often explanations say what they should, of images that did not make the profile."""
    evidence = kg_evidence(kg, network.n_filters)
    assert evidence is not None
    model, concepts = evidence.model, evidence.concepts
    outputs = [network.class_ids.index(class_id) for class_id in model.class_ids]
    filters = tagged_filters(kg, network)
    tag_index = {class_id: index for index, class_id in enumerate(filters.class_ids)}
    predicted, true, likelihoods, kinds, by_tags, best_of_all = [], [], [], [], [], []
    with open_images(path) as images:
        images = images.counting(network.class_ids, known=model.class_ids)
        for batch in observations(network, images):
            every_active = filters.active(batch.activations)
            for image, activation, confidences, active in zip(
                batch.images, batch.activations, batch.confidences, every_active, strict=True
            ):
                answer = int(confidences[outputs].argmax())
                shown = concepts.of_image(activation, 1)
                predicted.append(answer)
                true.append(model.class_ids.index(image.class_id))
                best_of_all.append(int(confidences.argmax()) == outputs[answer])
                tagged = tag_index.get(model.class_ids[answer])
                by_tags.append(tagged is not None and support_of(filters, active, tagged).rank == 1)
                likelihoods.append(model.log_likelihoods(activation[None])[0])
                kinds.append(bool(shown) and bool(concepts.below[answer, shown[0].index]))
    answers, classes = np.array(predicted), np.array(true)
    right = answers == classes
    l_c = np.array(likelihoods)
    scores = standardised(l_c)
    every = np.arange(len(answers))
    ranked_first = l_c.argmax(axis=1) == answers
    print(f"\n{what}: {len(answers):,} of {path.name}, {right.sum():,} right; layers {', '.join(model.layers)}")
    if model.hits:
        print(
            f"class first, by layers used   {', '.join(f'{hits:.1%}' for hits in model.hits)} of the reference images"
        )
    print(
        f"predicted class first, right  {share(ranked_first[right])}  {beside(100 * ranked_first[right].mean(), first)}"
    )
    sure = right & np.array(best_of_all)
    print(f"  best of all answers, right  {share(ranked_first[sure])}  of {sure.sum():,}")
    print(f"                       wrong  {share(ranked_first[~right])}")
    print(f"  by tags ({filters.rule}), right       {share(np.array(by_tags)[right])}")
    of_kind = np.array(kinds)[right]
    print(f"first concept a kind, right   {share(of_kind)}  {beside(100 * of_kind.mean(), concept)}")
    if not model.n_references:
        return
    p_values = all_p_values(evidence, scores)
    others = np.ones(scores.shape, np.bool_)
    others[every, classes] = False
    for alpha, margin in ((0.05, 0.005), (0.01, 0.005)):
        found = float((p_values[others] <= alpha).mean())
        target = f"target {alpha} +- {margin}: {'met' if abs(found - alpha) <= margin else 'MISSED'}" if level else ""
        print(f"false positives at {alpha}       {found:8.4f}  {target}")
    print(f"p <= 0.05 for the true class  {share(p_values[every, classes] <= 0.05)}")
    found = area(scores[every, answers], right)
    print(f"right against wrong, AUC      {found:8.3f}  {'' if auc is None else beside(found, auc)}")
    confidence = np.array([model.judged(row, [answer])[0].confidence for row, answer in zip(l_c, answers, strict=True)])
    if confidence.dtype == np.float64:
        print(f"  by confidence               {area(confidence, right):8.3f}")
        best = l_c.argmax(axis=1)
        sure = np.array([model.judged(row, [index])[0].confidence for row, index in zip(l_c, best, strict=True)])
        for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
            chosen = (sure >= low) & (sure < high)
            if chosen.any():
                hits = (best == classes)[chosen].mean()
                print(f"  first with confidence {sure[chosen].mean():4.0%}  {hits:8.0%} are right, of {chosen.sum():,}")


def all_p_values(evidence: KgEvidence, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-value of each class for each image: float64 array of shape (n_images, n_classes)."""
    model = evidence.model
    return np.array([[model.p_value(index, score) or np.nan for index, score in enumerate(row)] for row in scores])


def area(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: the chance that a right one scores higher than a wrong one."""
    if right.all() or not right.any():
        return float("nan")
    below = np.searchsorted(np.sort(scores[~right]), scores[right], side="left")
    not_above = np.searchsorted(np.sort(scores[~right]), scores[right], side="right")
    return float((below + not_above).mean() / 2 / (~right).sum())


def share(which: NDArray[np.bool_]) -> str:
    """Return a share and its standard error in percent."""
    if not len(which):
        return "    none"
    mean = float(which.mean())
    return f"{mean:7.1%} +- {(mean * (1 - mean) / len(which)) ** 0.5:.1%}"


def beside(found: float, target: float, *, below: bool = False) -> str:
    """Return the target, and whether it is met."""
    met = found < target if below else found >= target
    return f"target {'<' if below else '>='} {target:g}: {'met' if met else 'MISSED'}"


if __name__ == "__main__":
    main()
