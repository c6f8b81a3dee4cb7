"""Reasons in the reader's language, with the names of services and capabilities as people know them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from controlplane.lib import reasons
from controlplane.lib.reasons import Reason
from controlplane.portal import words
from controlplane.systems.runtime_words import say_runtime

_NAMES: Mapping[str, Mapping[str, Any]] = {
    "service": words.SERVICES,
    "capability": words.CAPABILITIES,
    "value": words.VALUES,
    "wanted": {**words.VALUES, **words.TYPES},
}


def say(code: str, params: Mapping[str, Any], otherwise: str = "") -> str:
    """The words of CODE; OTHERWISE where there is no code, or an unknown one."""
    if not code:
        return otherwise
    known = {name: _NAMES[name].get(str(value), value) if name in _NAMES else value for name, value in params.items()}
    if isinstance(params.get("services"), str):
        known["services"] = ", ".join(str(words.SERVICES.get(name.strip(), name.strip())) for name in params["services"].split(","))
    known |= {name: say_runtime(params[name]) for name in ("message", "detail") if isinstance(params.get(name), str)}
    if isinstance(params.get("starts_at"), str):
        known["starts_at"] = _clock(params["starts_at"])
    return reasons.words(code, known, gettext, otherwise=otherwise)


def _clock(moment: str) -> str:
    """ISO 8601 as the venue's clock shows it."""
    try:
        return timezone.localtime(datetime.fromisoformat(moment)).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return moment


def say_reason(reason: Reason) -> str:
    return say(reason.code, reason.params, reason.message)


def say_stored(owner: Any, prefix: str = "reason") -> str:
    """The reason that OWNER keeps in the columns `<prefix>_code`, `<prefix>` and `<prefix>_params`."""
    return say(getattr(owner, f"{prefix}_code"), getattr(owner, f"{prefix}_params"), getattr(owner, prefix))
