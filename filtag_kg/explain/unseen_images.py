"""Which images did not make the tags: what tags are tested on must be others."""

from __future__ import annotations

from collections.abc import Sequence

from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, ImageSet
from filtag_kg.profile import Profile


def unseen_images(profile: Profile, images: ImageSet) -> tuple[Sequence[ImageRef], list[str]] | None:
    """Return the images that did not make a profile, and notes about them; None if all of them did.

    Of the images that made a profile, those that it held out are left.

    Raises
    ------
    FiltagError
        If it held out images, and none of them is here.
    """
    made_of = profile.metadata.get("images", {})
    if made_of.get("sha256") != images.sha256():
        if not profile.held_out:
            return images.images, []
        source = made_of.get("source", "other images")
        return images.images, [f"the profile held images of {source} out, not of {images.path.name}: all are used"]
    if not profile.held_out:
        return None
    held_out = set(profile.held_out)
    unseen = [image for image in images.images if image.name in held_out]
    if not unseen:
        raise FiltagError(
            f"none of the images that the profile held out is in {images.path}: name the right images",
            options=("images",),
        )
    return unseen, [f"only the {len(unseen):,} images that the profile held out of {images.path.name} are used"]
