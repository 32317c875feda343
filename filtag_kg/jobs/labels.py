"""What the classes of a profile are called: by the user, else by WordNet, else by their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from filtag_kg.concepts import preferred_labels, wordnet
from filtag_kg.errors import FiltagError
from filtag_kg.profile import Profile


def labels_of(
    class_ids: Sequence[str], names: Mapping[str, str], where: str, *, of_images: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the label of each class: the user's, else that which comes with the images, else WordNet's.

    Parameters
    ----------
    names : mapping of str to str
        The user's labels of class ids.
    where : str
        What has the classes, for messages.
    of_images : mapping of str to str, optional
        The labels that come with the images.

    Raises
    ------
    FiltagError
        If there are names, and none is of one of the classes.
    """
    _check_names(names, class_ids, where)
    return {**dict(zip(class_ids, preferred_labels(class_ids, wordnet()), strict=True)), **(of_images or {}), **names}


def with_names(profile: Profile, names: Mapping[str, str]) -> Profile:
    """Return a profile with these labels; it also records those of outputs that no image shows, for explanations.

    Raises
    ------
    FiltagError
        If there are names, and none is of one of the profile's classes.
    """
    outputs = profile.metadata.get("outputs", ())
    _check_names(names, (*profile.class_ids, *outputs), "the profile")
    others = {id_: names[id_] for id_ in outputs if id_ in names and id_ not in profile.class_ids}
    return replace(
        profile,
        class_labels=tuple(
            names.get(id_, label) for id_, label in zip(profile.class_ids, profile.class_labels, strict=True)
        ),
        metadata={**profile.metadata, **({"class_names": others} if others else {})},
    )


def _check_names(names: Mapping[str, str], class_ids: Sequence[str], where: str) -> None:
    """Refuse names of which none is a class's: they would name nothing, in silence."""
    if names and not names.keys() & set(class_ids):
        raise FiltagError(
            f"the class names are of {next(iter(names))} and others, none of them a class of {where}, such as "
            f"{class_ids[0]}: name each class by its id, then its label",
            options=("class_names",),
        )
