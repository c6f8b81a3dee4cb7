"""For every test: property tests look for counterexamples, not for slowness."""

from hypothesis import settings

settings.register_profile("clove", deadline=None)
settings.load_profile("clove")
