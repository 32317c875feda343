"""A stranger's image as pixels, decoded where a fault of the decoder reaches nothing."""

from __future__ import annotations

from filtag_kg.explain import read_pixels
from filtag_kg.server.confinement import confine_decoder
from filtag_kg.server.jobs import Answer, PixelsJob

__all__ = ["decode_confined"]


def decode_confined(job: PixelsJob) -> Answer:
    """Confine this process for the rest of its life, and decode an image in it.

    Raises
    ------
    FiltagError
        If it is no image that can be read.
    """
    confine_decoder()
    pixels = read_pixels(job.body, job.name, (job.height, job.width))
    return Answer("ok", kind="pixels", body=pixels.tobytes())
