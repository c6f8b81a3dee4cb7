"""The keys of one Secret while they are changed: the one that signs, the next one, and those of before. Pure.

They are kept beside each other among the Secret's files, under names that no image can ask for: `token-key.json` signs,
`token-key.json~next` is trusted and signs nothing yet, `token-key.json~old` are public keys that are trusted until their tokens ran
out, and `ticket-key.json~past` those that stay good for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.systems.keys import Jwk, new_signing_key, public_part

NEXT, OLD, PAST = "~next", "~old", "~past"

Files = dict[str, str]


def public_keys(files: Mapping[str, str], name: str) -> list[Jwk]:
    """The public keys that what the key file NAME signs is good by: first its own, then the next one, then those of before."""
    made = [files[each] for each in (name, name + NEXT) if each in files]
    return [*(public_part(json.loads(text)) for text in made), *_list(files, name + OLD), *_list(files, name + PAST)]


def with_next(files: Mapping[str, str], names: Iterable[str]) -> Files:
    """FILES with a next key for each of the key files NAMES that has none."""
    made = {name + NEXT: json.dumps(new_signing_key(), sort_keys=True) for name in names if name in files and name + NEXT not in files}
    return {**files, **made}


def in_use(files: Mapping[str, str], *, for_ever: Iterable[str] = ()) -> Files:
    """FILES with the next keys in the place of those that signed; of those FOR_EVER the public part stays good, of others for a while."""
    found, lasting = dict(files), set(for_ever)
    for name in [each.removesuffix(NEXT) for each in files if each.endswith(NEXT)]:
        kept = name + (PAST if name in lasting else OLD)
        found[kept] = json.dumps([public_part(json.loads(found[name])), *_list(found, kept)], sort_keys=True)
        found[name] = found.pop(name + NEXT)
    return found


def without_old(files: Mapping[str, str]) -> Files:
    """FILES without the keys that were good for a while."""
    return {name: text for name, text in files.items() if not name.endswith(OLD)}


def _list(files: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files.get(name, "[]"))
    return found
