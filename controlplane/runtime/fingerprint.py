"""One short text that is equal exactly when what was applied is equal."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from controlplane.runtime.objects import key_of
from controlplane.runtime.port import Objects, Secrets


def canonical(value: Any) -> bytes:
    """VALUE as JSON in the one form that equal values share."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def fingerprint(objects: Objects, secrets: Secrets) -> str:
    """SHA-256 in hex over OBJECTS, whatever their order, and SECRETS.

    The secrets go in as a digest keyed with the objects' own, so that the text, which is shown and stored in the open, tells nothing
    about them and two systems with one secret do not look alike.
    """
    of_objects = hashlib.sha256(canonical(sorted(objects, key=key_of))).digest()
    of_secrets = hmac.digest(of_objects, canonical({name: dict(files) for name, files in secrets.items()}), "sha256")
    return hashlib.sha256(of_objects + of_secrets).hexdigest()
