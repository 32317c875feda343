"""Classes linked to concepts, and the files around that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from filtag_kg.class_names import class_names
from filtag_kg.concepts import Link, Links, link_classes, preferred_labels, wordnet
from filtag_kg.errors import FiltagError

NAMES = Path(__file__).parents[3] / "shared" / "data" / "filtag-vgg16" / "wnid-names.txt"
PWN = "http://wordnet-rdf.princeton.edu/pwn30/"


def test_a_wordnet_id_links_exactly_whatever_its_label() -> None:
    links = link_classes(["n02012849", "n03126707"], ["crane", "crane"], wordnet())
    assert [link.concept for link in links.values()] == [PWN + "02012849-n", PWN + "03126707-n"]
    assert {link.confidence for link in links.values()} == {1.0}
    assert {link.justification for link in links.values()} == {"semapv:BackgroundKnowledgeBasedMatching"}
    assert links["n03126707"].predicate == "skos:exactMatch"


def linked(*labels: str) -> list[str]:
    """Return the labels of the concepts that labels alone link to, and of what lies above each."""
    links = link_classes([f"class {place}" for place in range(len(labels))], labels, wordnet())
    above = (next(wordnet().edges(link.concept, "IsA")).end for link in links.values())
    return [
        f"{link.label} < {wordnet().concept(concept).label}"
        for link, concept in zip(links.values(), above, strict=True)
    ]


def test_labels_link_as_they_are_spelled() -> None:
    labels = ["dog", " French_horn ", "Cardigan", "TENCH", "n99999999"]
    links = link_classes(list("abcdf"), labels, wordnet())
    assert [links[class_id].label for class_id in links] == ["dog", "French horn", "Cardigan", "tench"]
    assert links["a"].concept == PWN + "02084071-n"
    assert links["b"].confidence == 0.98
    assert links["a"].justification == "semapv:LexicalMatching"
    assert links["a"].predicate == "skos:exactMatch"
    assert links.unlinked == ("f",)
    assert len(links) == 4
    assert "f" not in links
    assert list(links) == list("abcd")


def test_the_company_decides() -> None:
    assert linked("crane", "heron", "stork", "flamingo")[0] == "crane < wading bird"
    assert linked("crane", "bulldozer", "forklift", "excavator")[0] == "crane < lifting device"
    assert linked("mouse", "hamster", "squirrel")[0] == "mouse < rodent"
    assert linked("mouse", "keyboard", "modem", "joystick")[0] == "mouse < electronic device"


def test_what_else_a_label_may_mean() -> None:
    (link,) = link_classes(["a"], ["crane"], wordnet()).values()
    assert len(link.others) == 4
    chances = [link.confidence, *(chance for _, chance in link.others)]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(0.98), "it may also mean what the source does not know"


def test_the_order_of_the_classes_does_not_matter() -> None:
    labels = ["crane", "heron", "mouse", "keyboard", "bow", "violin", "kite"]
    forth = link_classes(labels, labels, wordnet())
    back = link_classes(labels[::-1], labels[::-1], wordnet())
    assert {link.class_id: link.concept for link in forth.values()} == {
        link.class_id: link.concept for link in back.values()
    }
    for name in labels:
        assert forth[name].confidence == pytest.approx(back[name].confidence, abs=1e-12)


def test_other_spellings_and_heads() -> None:
    labels = ["001.Black_footed_Albatross", "GoldenRetriever", "mice", "grey whales", "sea shore", "tench, Tinca tinca"]
    links = link_classes(list("abcdef"), labels, wordnet())
    assert [link.label for link in links.values()] == [
        "black-footed albatross",
        "golden retriever",
        "mouse",
        "grey whale",
        "seashore",
        "tench",
    ]
    assert {link.predicate for link in links.values()} == {"skos:exactMatch"}
    (puppy,) = link_classes(["a"], ["golden retriever puppies"], wordnet()).values()
    assert (puppy.label, puppy.predicate) == ("puppy", "skos:broadMatch")
    assert puppy.confidence <= 0.7


def test_links_check_themselves() -> None:
    link = Link("a", "dog", PWN + "02084071-n", "dog", 0.5, "semapv:LexicalMatching")
    assert Links(("b", "a"), ("cat", "dog"), (link,)).unlinked == ("b",)
    with pytest.raises(ValueError, match="one class of the run"):
        Links(("b",), ("cat",), (link,))
    with pytest.raises(ValueError, match="a concept of its own"):
        Links(("a",), ("dog",), (link, link))
    with pytest.raises(ValueError, match="needs a label"):
        Links(("a",), (), (link,))
    for confidence in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"in \(0, 1\]"):
            Link("a", "dog", "x", "dog", confidence, "semapv:LexicalMatching")
    with pytest.raises(ValueError, match="'a' occurs twice"):
        link_classes(["a", "a"], ["dog", "cat"], wordnet())
    assert len(link_classes([], [], wordnet())) == 0


def test_preferred_labels() -> None:
    assert preferred_labels(["n02099601", "n00000000", "dog"], wordnet()) == (
        "golden retriever",
        "n00000000",
        "dog",
    )


def test_imagenets_labels() -> None:
    if not NAMES.exists():
        pytest.skip("needs the ImageNet class names in ../shared")
    names = class_names(NAMES)
    assert len(names) == 1000
    exact = link_classes(list(names), list(names.values()), wordnet())
    assert len(exact) == 1000
    # The same labels under ids that say nothing.
    plain = [f"class {number}" for number in range(1000)]
    by_label = link_classes(plain, list(names.values()), wordnet())
    concepts = [by_label[name].concept for name in plain]
    right = [concept == link.concept for concept, link in zip(concepts, exact.values(), strict=True)]
    assert sum(right) >= 960
    shared = [
        bool(parents(concept) & parents(link.concept)) for concept, link in zip(concepts, exact.values(), strict=True)
    ]
    assert sum(a or b for a, b in zip(right, shared, strict=True)) >= 964
    first = [wordnet().senses(label)[0].concept for label in names.values()]
    assert sum(sense == link.concept for sense, link in zip(first, exact.values(), strict=True)) == 791
    # A link of a word with one meaning is right, and confidence is about the share that is right.
    confidence = np.array([by_label[name].confidence for name in plain])
    correct = np.array(right)
    assert correct[confidence >= 0.98].all()
    for low in (0.3, 0.5, 0.7, 0.9):
        of_bin = (confidence >= low) & (confidence < low + 0.2) & (confidence < 0.98)
        assert correct[of_bin].mean() == pytest.approx(confidence[of_bin].mean(), abs=0.2)


def test_labels_of_other_data_sets(shared_data: Path) -> None:
    least = {"coco": 0.88, "igibson": 0.89, "lvis-half": 0.91}
    for path in sorted((shared_data / "gold-senses").glob("*.csv")):
        rows = [line.split(",") for line in path.read_text().split("\n")[1:] if line]
        links = link_classes([label for label, _ in rows], [label for label, _ in rows], wordnet())
        known = [(label, synset_of(name)) for label, name in rows if synset_of(name)]
        right = [label in links and links[label].concept == concept for label, concept in known]
        assert np.mean(right) >= least[path.stem]
        confidence = np.array([links[label].confidence if label in links else 0 for label, _ in known])
        bins = np.minimum((confidence * 10).astype(int), 9)
        gaps = np.bincount(bins, confidence - np.array(right))
        assert np.abs(gaps).sum() / len(right) <= 0.05, "the expected calibration error"


def synset_of(name: str) -> str | None:
    """Return the synset that NLTK calls *orange.n.01*."""
    lemma, _, number = name.rsplit(".", 2)
    senses = wordnet().senses(lemma)
    return senses[int(number) - 1].concept if int(number) <= len(senses) else None


VOCABULARIES = {
    "Animals with Attributes": """
        antelope=antelope.n.01 grizzly+bear=grizzly.n.01 killer+whale=killer_whale.n.01 persian+cat=persian_cat.n.01
        german+shepherd=german_shepherd.n.01 mole=mole.n.06 spider+monkey=spider_monkey.n.01 seal=seal.n.09
        bat=bat.n.01 fox=fox.n.01 mouse=mouse.n.01 cow=cow.n.01 pig=hog.n.03""",
    "Caltech-256": """
        003.backpack=backpack.n.01 004.baseball-bat=baseball_bat.n.01 055.dice=die.n.01 061.dumb-bell=dumbbell.n.01
        107.hot-air-balloon=hot-air_balloon.n.01 120.joy-stick=joystick.n.02 124.killer-whale=killer_whale.n.01
        132.light-house=beacon.n.03 047.computer-mouse=mouse.n.04 232.t-shirt=jersey.n.03 080.frog=frog.n.01
        096.hammock=hammock.n.02 129.leopards-101=leopard.n.02 251.airplanes-101=airplane.n.01""",
    "Birds": """
        001.Black_footed_Albatross=black-footed_albatross.n.01 017.Cardinal=cardinal.n.04 073.Blue_Jay=blue_jay.n.01
        107.Common_Raven=raven.n.01 136.Barn_Swallow=barn_swallow.n.01
        093.Clark_Nutcracker=nutcracker.n.03 036.Northern_Flicker=flicker.n.02""",
    "Dishes": """
        apple_pie=apple_pie.n.01 donuts=doughnut.n.02 chicken_quesadilla=quesadilla.n.01 tacos=taco.n.02
        french_fries=french_fries.n.01 steak=steak.n.01 carrot_cake=cake.n.03 waffles=waffle.n.01 pizza=pizza.n.01""",
    "Cars": """
        Volvo_240_Sedan_1993=sedan.n.01 BMW_M3_Coupe_2012=coupe.n.01 Ford_F-150_Regular_Cab_2012=cab.n.03
        Audi_S6_Sedan_2011=sedan.n.01 GMC_Savana_Van_2012=van.n.05 Honda_Odyssey_Minivan_2012=minivan.n.01""",
    "ADE20K": """
        floor,flooring=floor.n.01 plant,flora,plant_life=plant.n.02 sofa,couch,lounge=sofa.n.01
        tank,storage_tank=tank.n.02 glass,drinking_glass=glass.n.02 light,light_source=light.n.02
        car,auto,automobile,machine,motorcar=car.n.01 palm,palm_tree=palm.n.03 hood,exhaust_hood=hood.n.06
        base,pedestal,stand=base.n.08 stove,kitchen_stove,range=stove.n.01 bicycle,bike,wheel,cycle=bicycle.n.01""",
    "Places": """
        /a/alley=alley.n.01 /a/apartment_building/outdoor=apartment_building.n.01 /b/bakery/shop=bakery.n.01
        /d/desert/sand=desert.n.01 /c/church/indoor=church.n.02 /j/jail_cell=cell.n.07
        /p/phone_booth=telephone_booth.n.01 /h/highway=highway.n.01""",
    "Open Images": """
        Organ_(Musical_Instrument)=organ.n.05 Bat_(Animal)=bat.n.01 Human_hand=hand.n.01 Human_arm=arm.n.01
        Drill_(Tool)=drill.n.01 Caterpillar=caterpillar.n.01 Salt_and_pepper_shakers=pepper_shaker.n.01
        Nail_(Construction)=nail.n.02 Ladybug=ladybug.n.01 Lawn_mower=lawn_mower.n.01
        Pitcher_(Container)=pitcher.n.02 Chime=chime.n.01 Mixing_bowl=mixing_bowl.n.01 Skunk=skunk.n.04""",
    "Pascal VOC, and slips": """
        aeroplane=airplane.n.01 diningtable=dining_table.n.01 tvmonitor=television_monitor.n.01 sheep=sheep.n.01
        motorbike=minibike.n.01 person_sitting=person.n.01 umbrela=umbrella.n.01 giraffe_(animal)=giraffe.n.01
        scisors=scissors.n.01 bow.n.04=bow.n.04 trashcan=ashcan.n.01 horse=horse.n.01 train_2=train.n.01""",
}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_labels_as_data_sets_write_them(name: str) -> None:
    """From memory, not used for anything else."""
    meant = dict(pair.rsplit("=", 1) for pair in VOCABULARIES[name].split())
    labels = [label.replace("_", " ") if "," in label else label for label in meant]
    links = link_classes(labels, labels, wordnet())
    found = {label: links[label].concept for label in labels if label in links}
    assert found == dict(zip(labels, map(synset_of, meant.values()), strict=True))


def parents(concept: str) -> set[str]:
    return {edge.end for edge in wordnet().edges(concept, "IsA")}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n01440764, tench \n\nn01443537, goldfish\n", {"n01440764": "tench", "n01443537": "goldfish"}),
        ("n01440764\ttench, fish\r\n", {"n01440764": "tench, fish"}),
        ("\ufeffn01440764 great  white shark", {"n01440764": "great white shark"}),
        ("my dogs\tdog\na, crane\nb, crane\n", {"my dogs": "dog", "a": "crane", "b": "crane"}),
        # as spreadsheets write them, and what only looks like the end of a line
        ("n1;tench\r\nn2;crane, bird\r\n", {"n1": "tench", "n2": "crane, bird"}),
        (
            'n1,"crane, bird"\n"n2, heron"\n"n 3","a ""big"" dog"',
            {"n1": "crane, bird", "n2": "heron", "n 3": 'a "big" dog'},
        ),
        ("n1 great shark; white\n", {"n1": "great shark; white"}),
        ("n1, tench\rn2, crane\r", {"n1": "tench", "n2": "crane"}),
        ("a\u2028b, tench\nc\x85d\x0be\x1cf, crane\n", {"a\u2028b": "tench", "c\x85d\x0be\x1cf": "crane"}),
    ],
)
def test_class_names(tmp_path: Path, text: str, names: dict[str, str]) -> None:
    path = tmp_path / "names.txt"
    path.write_text(text, encoding="utf-8", newline="")
    assert class_names(path) == names
    assert list(class_names(path)) == list(names)


def test_class_names_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes("n1\ttench\r\nn2\tHündin\r\n".encode("utf-16"))
    assert class_names(tmp_path / "names.txt") == {"n1": "tench", "n2": "Hündin"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a, dog\nn01440764\n",
            "{}, line 2: 'n01440764' is not a class: write its id, a comma and its label",
        ),
        (b", dog\n", "{}, line 1: ', dog' is not a class: write its id, a comma and its label"),
        (b"a, dog\na, cat", "{}, line 2: class id 'a' occurs twice: give each class one line"),
        (b"\n \n", "{} names no class: write one 'id, label' a line"),
        (b"\xff\xfe\x00", "cannot read the class names {}: save the file as UTF-8 text"),
        (
            None,
            "cannot read the class names {} (No such file or directory): name a file of lines 'id, label'",
        ),
    ],
)
def test_class_names_says_what_is_wrong(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FiltagError) as caught:
        class_names(path)
    assert str(caught.value) == message.format(path)
