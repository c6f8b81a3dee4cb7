"""Who may change what Clove applied: a tool in somebody's hand is put right, any other manager is told of by its name. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

BY_HAND = ("kubectl", "kubectl-*", "k9s", "OpenAPI-Generator")
"""Managers that stand for somebody's hand: what they changed of ours is drift and put right. Any other manager is a controller with a
purpose, and is told of instead of fought."""


def is_by_hand(owner: str) -> bool:
    """Every manager in OWNER, as OwnedByAnother names them, is a tool in somebody's hand."""
    return all(any(fnmatchcase(name, pattern) for pattern in BY_HAND) for name in owner.split(", "))
