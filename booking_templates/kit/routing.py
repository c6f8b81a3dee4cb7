"""What answers at a path, found once for those that are asked for again and again: each route that is tried costs a regular expression."""

from __future__ import annotations

from functools import lru_cache

from django.urls import ResolverMatch, get_resolver

KEPT = 1024
PATH_MAX = 120
"""Characters of a path that is kept: what somebody makes up takes no more than that."""


def resolve(path: str) -> ResolverMatch:
    """The match of PATH, the same for all who ask: nobody may write to it. Raises Resolver404, which is not kept."""
    return _kept(path) if len(path) <= PATH_MAX else get_resolver().resolve(path)


@lru_cache(maxsize=KEPT)
def _kept(path: str) -> ResolverMatch:
    return get_resolver().resolve(path)
