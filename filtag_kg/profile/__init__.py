"""The profile, how strongly each class activates each filter, and the pass that measures it."""

import sys
from types import ModuleType

from filtag_kg.profile.checkpoint import Checkpoint, checkpointing
from filtag_kg.profile.cluster import collect_on_ray
from filtag_kg.profile.collect import collect
from filtag_kg.profile.exemplars import EXEMPLARS, Exemplars
from filtag_kg.profile.filter_states import FilterStates, filter_states
from filtag_kg.profile.image_checks import check_profile
from filtag_kg.profile.inference import Observation, observations, observe
from filtag_kg.profile.merge import merge_profiles
from filtag_kg.profile.metadata import METADATA, software_versions
from filtag_kg.profile.options import PassOptions
from filtag_kg.profile.profile import Profile, load_profile, save_profile
from filtag_kg.profile.recorded_network import recorded_network, recorded_network_file
from filtag_kg.profile.references import REFERENCES, References

__all__ = [
    "EXEMPLARS",
    "METADATA",
    "REFERENCES",
    "Checkpoint",
    "Exemplars",
    "FilterStates",
    "Observation",
    "PassOptions",
    "Profile",
    "References",
    "check_profile",
    "checkpointing",
    "collect",
    "collect_on_ray",
    "filter_states",
    "load_profile",
    "merge_profiles",
    "observations",
    "observe",
    "recorded_network",
    "recorded_network_file",
    "save_profile",
    "software_versions",
]


class _CallableFolder(ModuleType):
    """A folder that is also the function ``filtag_kg.profile``: of two things with one name, Python keeps one."""

    def __call__(self, *arguments: object, **options: object) -> Profile:
        """Make a profile: see :func:`filtag_kg.jobs.profile`."""
        from importlib import import_module

        made: Profile = import_module("filtag_kg.jobs").profile(*arguments, **options)
        return made


sys.modules[__name__].__class__ = _CallableFolder
