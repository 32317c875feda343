"""Whether the images of a pass will do: enough classes, enough readable images, and classes that the network knows."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, ImageSet, with_similar_names
from filtag_kg.network import Network
from filtag_kg.profile.options import PassOptions
from filtag_kg.profile.profile import Profile

_LOGGER = logging.getLogger(__name__)
_MOST_UNREADABLE = 0.01


def check_images(network: Network, images: ImageSet, labels: Mapping[str, str], options: PassOptions) -> None:
    """Refuse what can be refused before an image is read; see :func:`~filtag_kg.profile.collect`."""
    for class_id in images.classes:
        try:
            class_id.encode()
        except UnicodeEncodeError:
            shown = class_id.encode("utf-8", "backslashreplace").decode()
            raise FiltagError(f"class {shown} in {images.path} is not named in UTF-8: rename it") from None
    # A network that goes by its name may be shown anything: it has ImageNet's classes, whether they are meant or not.
    if network.file is not None and network.class_ids:
        _check_folders(network, images, labels, options)
    if options.part:
        return
    if len(images.classes) < 2:
        raise FiltagError(
            f"{images.path} has one class only, {images.classes[0]}: what a filter prefers shows between classes, "
            "give two or more"
        )
    if not options.keep_going:
        sizes = Counter(class_id for image in images.images for class_id in image.class_ids)
        _refuse_small([class_id for class_id in images.classes if sizes[class_id] < 2], str(images.path), "image")


def check_unreadable(unreadable: Sequence[tuple[ImageRef, str]], images: ImageSet) -> None:
    """Refuse a pass in which too many images turn out to be unreadable.

    Raises
    ------
    FiltagError
        If they are more than 1 % of the images.
    """
    if len(unreadable) > _MOST_UNREADABLE * len(images.images):
        image, reason = unreadable[0]
        raise _too_many_unreadable(str(images.path), image.name, reason)


def check_profile(profile: Profile, where: str, *, keep_going: bool = False) -> None:
    """Make sure that a profile has seen enough images to be used.

    Parameters
    ----------
    where : str
        Where its images are, for messages.
    keep_going : bool
        Accept whatever can be used at all.

    Raises
    ------
    FiltagError
        If fewer than two classes are left; without `keep_going`, if one of them has fewer than two readable
        images, or more than 1 % of all images are unreadable.
    """
    if not keep_going:
        counts = profile.metadata["images"]
        if counts["unreadable"] > _MOST_UNREADABLE * (counts["unreadable"] + counts["read"]):
            raise _too_many_unreadable(where, *profile.metadata["unreadable"][0])
        few = [class_id for class_id, count in profile.metadata["few"].items() if count < 2]
        _refuse_small(few, where, "readable image")
    if len(profile.class_ids) < 2:
        raise FiltagError(f"fewer than two classes in {where} have a readable image: mend the images")


def _check_folders(network: Network, images: ImageSet, labels: Mapping[str, str], options: PassOptions) -> None:
    """Refuse folders that the network has no class for: most are misspelt."""
    unknown = sorted(set(images.classes) - set(network.class_ids))
    missing = sorted(set(network.class_ids) - set(images.classes))
    if missing and not unknown and not options.part:
        _LOGGER.warning("no image of %s, which %s has outputs for", _list(missing), network.name)
    if unknown and not options.keep_going:
        what, which = images.names_of_classes
        raise FiltagError(
            f"{network.name} has no class {with_similar_names(unknown, network.class_ids, labels)}, {what} in "
            f"{images.path}: name {which} and classes alike, or go on regardless",
            options=("classes", "keep_going"),
        )


def _refuse_small(class_ids: list[str], where: str, what: str) -> None:
    if class_ids:
        raise FiltagError(
            f"class {_list(class_ids)} in {where} has fewer than two {what}s, too few for a variance: "
            "add images, remove the class, or go on regardless",
            options=("keep_going",),
        )


def _too_many_unreadable(where: str, name: str, reason: str) -> FiltagError:
    return FiltagError(
        f"more than 1 % of the images in {where} are unreadable, first {name} ({reason}): mend, remove or skip them",
        options=("keep_going",),
    )


def _list(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
