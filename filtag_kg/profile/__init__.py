"""The profile: what each class does to each filter, and the pass that finds out."""

from filtag_kg.profile.collect import collect
from filtag_kg.profile.observe import Observation, observations, observe
from filtag_kg.profile.profile import Profile, load_profile, save_profile

__all__ = ["Observation", "Profile", "collect", "load_profile", "observations", "observe", "save_profile"]
