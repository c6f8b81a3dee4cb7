"""Concessions in sentences, for the form, the review and the history; and those that are usual, one press away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from controlplane.portal.requirement_form.convert import LOCAL
from controlplane.portal.requirement_form.state import FormState

EARLY_DAYS = 14
"""How long after sales open an early bird is offered, unless the seller says otherwise."""


@dataclass(frozen=True)
class Preset:
    """A row as it is added. `label` is on its button."""

    name: str
    label: str
    values: Mapping[str, str]

    @property
    def as_json(self) -> str:
        """For the script that adds it."""
        return json.dumps(dict(self.values), ensure_ascii=False)


_PRESETS: Mapping[str, tuple[Any, int, Any, Mapping[str, str]]] = {
    "disabled": (gettext_lazy("Disabled and veterans"), 50, gettext_lazy("Disability card or veteran's card"), {}),
    "senior": (gettext_lazy("Seniors (65 and over)"), 50, gettext_lazy("Identity card"), {}),
    "youth": (gettext_lazy("Youth"), 30, gettext_lazy("Student card or youth card"), {}),
    "early": (gettext_lazy("Early bird"), 20, "", {}),
    "group": (gettext_lazy("3 people or more"), 10, "", {"at_least": "3"}),
    "again": (gettext_lazy("Seen it before"), 20, gettext_lazy("The ticket of an earlier performance"), {}),
    "resident": (gettext_lazy("Residents"), 20, gettext_lazy("Identity card with the address"), {}),
}
"""Name -> what it is called, percent, what is shown at the door, and its conditions: what sellers in Korea usually have."""


def presets(opens_at: str = "") -> list[Preset]:
    """In the reader's language. OPENS_AT is when sales open, as the form has it: an early bird ends some days later."""
    found = []
    for name, (words, percent, proof, more) in _PRESETS.items():
        values = {"name": str(words), "discount": str(percent), "unit": "percent", "proof": str(proof), **more}
        if name == "early":
            values["until"] = _days_later(opens_at)
        found.append(Preset(name, f"{words} {percent} %", values))
    return found


UNITS = {"percent": "%", "won": gettext_lazy("won")}
"""What a discount is counted in."""


def add_preset(form: FormState, name: str) -> None:
    """Add the row of the preset NAME to FORM; nothing for one there is none of."""
    for preset in presets(form["opens_at"]):
        if preset.name == name:
            form.add("concessions", **preset.values)


def concession_words(entry: Mapping[str, Any], begins: Mapping[str, str]) -> str:
    """What ENTRY of a requirement's concessions takes off, for whom and when, in a line without its name. BEGINS: performances by id."""
    return " · ".join(_parts(entry, begins))


def _parts(entry: Mapping[str, Any], begins: Mapping[str, str]) -> Iterable[str]:
    if entry.get("percent"):
        yield _("%(percent)s %% off") % {"percent": entry["percent"]}
    elif entry.get("off_krw"):
        yield _("%(amount)s off") % {"amount": _won(entry["off_krw"])}
    if grades := entry.get("grades"):
        yield _("only grade %(grades)s") % {"grades": ", ".join(map(str, grades))}
    if performances := entry.get("performances"):
        yield _("only on %(performances)s") % {"performances": ", ".join(_clock(begins.get(str(each), str(each))) for each in performances)}
    if least := entry.get("at_least"):
        yield _counted(ngettext("from %(n)s ticket of a booking", "from %(n)s tickets of a booking", _plural(least)), least)
    if most := entry.get("at_most"):
        yield _counted(ngettext("at most %(n)s ticket of a booking", "at most %(n)s tickets of a booking", _plural(most)), most)
    if entry.get("from"):
        yield _("from %(when)s") % {"when": _clock(str(entry["from"]))}
    if entry.get("until"):
        yield _("until %(when)s") % {"when": _clock(str(entry["until"]))}
    if entry.get("proof"):
        yield _("at the door: %(proof)s") % {"proof": entry["proof"]}


def _counted(words: str, number: Any) -> str:
    return words % {"n": number}


def _plural(number: Any) -> int:
    """A draft's figures may still be whatever was typed."""
    return number if isinstance(number, int) else 2


def _won(amount: Any) -> str:
    figure = f"{amount:,}" if isinstance(amount, int) else str(amount)
    return f"{figure}원" if get_language() == "ko" else f"₩{figure}"


def _clock(value: str) -> str:
    """The venue's clock; anything else as it is."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (timezone.localtime(moment) if timezone.is_aware(moment) else moment).strftime("%Y-%m-%d %H:%M")


def _days_later(opens_at: str) -> str:
    try:
        return (datetime.fromisoformat(opens_at) + timedelta(days=EARLY_DAYS)).strftime(LOCAL)
    except (ValueError, OverflowError):
        return ""
