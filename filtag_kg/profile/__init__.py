"""The profile: what each class does to each filter, and the pass that finds out."""

from filtag_kg.profile.collect import collect
from filtag_kg.profile.observe import observe
from filtag_kg.profile.profile import Profile, load_profile, save_profile

__all__ = ["Profile", "collect", "load_profile", "observe", "save_profile"]
