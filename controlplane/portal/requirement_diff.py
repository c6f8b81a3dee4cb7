"""What differs between two requirements, in a seller's words: labels, prices and dates instead of paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from controlplane.portal import words
from controlplane.portal.concession_words import concession_words
from controlplane.portal.refund_words import refund_lines
from controlplane.portal.requirement_form.seat_lines import lines_of

_SCALARS: tuple[tuple[str, Any, str], ...] = (
    ("title", _("Title"), "text"),
    ("field", _("Field"), "field"),
    ("description", _("Description"), "text"),
    ("age_limit", _("Age limit"), "age"),
    ("organiser.name", _("Organiser"), "text"),
    ("organiser.phone", _("Phone for questions"), "text"),
    ("organiser.email", _("E-mail for questions"), "text"),
    ("organiser.registration", _("Business details"), "text"),
    ("venue.name", _("Venue"), "text"),
    ("venue.address", _("Address of the venue"), "text"),
    ("seating.numbered", _("Numbered seats"), "flag"),
    ("sales.opens_at", _("Sales open"), "moment"),
    ("sales.closes_at", _("Sales close"), "moment"),
    ("presale.name", _("Presale"), "text"),
    ("presale.opens_at", _("Presale opens"), "moment"),
    ("limit_per_buyer", _("Limit per buyer"), "text"),
    ("hold_minutes", _("Time to pay (minutes)"), "text"),
    ("admit_per_minute", _("Waiting room: people let in a minute"), "text"),
    ("payment", _("Payment"), "payment"),
    ("merchandise", _("Merchandise"), "flag"),
    ("refund_policy", _("Cancelling and refunds"), "refunds"),
    ("sign_in.issuer", _("Address of the provider (issuer)"), "text"),
    ("sign_in.client_id", _("Client ID"), "text"),
    ("sign_in.client_secret_ref", _("Client secret"), "secret"),
    ("sign_in.name", _("Name on the button"), "text"),
)
_MARKS = (("wheelchair", _("Places for wheelchairs")), ("obstructed", _("Restricted view")), ("blocked", _("Not for sale")))
LINES_AT_MOST = 20
_LISTS: tuple[tuple[str, str, Any, tuple[tuple[str, str], ...]], ...] = (
    ("grades", "name", _("Grade"), (("price_krw", "won"),)),
    ("seating.areas", "id", _("Area"), (("name", "text"), ("capacity", "text"), ("grade", "text"))),
    ("performances", "id", _("Performance"), (("starts_at", "moment"), ("duration_minutes", "minutes"))),
    (
        "products",
        "id",
        _("Product"),
        (
            ("name", "text"),
            ("description", "text"),
            ("price_krw", "won"),
            ("stock", "text"),
            ("option_label", "text"),
            ("options", "options"),
            ("picture", "picture"),
            ("limit_per_buyer", "text"),
        ),
    ),
)


@dataclass(frozen=True)
class Value:
    """How to show one value: `kind` is text, won, moment, minutes, flag, field or payment."""

    kind: str
    value: Any


@dataclass(frozen=True)
class Difference:
    """One line; an empty side means that it was not there, or is gone."""

    label: str
    before: tuple[Value, ...]
    after: tuple[Value, ...]


def requirement_diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """From BEFORE to AFTER, in the order of the form. Ids and colours are not told; a changed plan is told by its seats."""
    found = []
    for path, label, kind in _SCALARS:
        old, new = _at(before, path), _at(after, path)
        if old != new:
            found.append(Difference(str(label), _values(kind, old), _values(kind, new)))
    found += _plan(before, after)
    for path, key, label, columns in _LISTS:
        found += _entries(key, str(label), columns, _at(before, path), _at(after, path))
    return found + concession_diff(before, after)


def is_moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether who booked has to come to another venue or at another time."""
    old, new = ({item.get("id"): item.get("starts_at") for item in document.get("performances") or ()} for document in (before, after))
    at_other_times = any(old[each] != new[each] for each in old.keys() & new.keys())
    return at_other_times or _at(before, "venue.name") != _at(after, "venue.name")


def concession_diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs in `concessions`, by their names; in another order they are as they were."""
    old, new = (_said_of_concessions(document) for document in (before, after))
    return _entries("name", str(_("Concession")), (("said", "text"),), old, new)


def _said_of_concessions(document: Mapping[str, Any]) -> list[dict[str, str]]:
    begins = {str(item.get("id")): str(item.get("starts_at")) for item in document.get("performances") or ()}
    return [{"name": str(entry.get("name")), "said": concession_words(entry, begins)} for entry in document.get("concessions") or ()]


def _plan(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    old, new = _at(before, "seating.plan"), _at(after, "seating.plan")
    found = [Difference(str(_("Seating plan")), _plan_values(old), _plan_values(new))] if old != new else []
    for mark, label in _MARKS:
        was, is_now = _at(before, f"seating.{mark}") or (), _at(after, f"seating.{mark}") or ()
        if was != is_now:
            found.append(Difference(str(label), _seat_values(was, old), _seat_values(is_now, new)))
    return found


def _seat_values(seats: Sequence[str], plan: Any) -> tuple[Value, ...]:
    lines = lines_of(seats, plan).splitlines()
    more = (Value("text", "…"),) if len(lines) > LINES_AT_MOST else ()
    return (*(Value("text", line) for line in lines[:LINES_AT_MOST]), *more)


def _plan_values(plan: Any) -> tuple[Value, ...]:
    if not isinstance(plan, Mapping):
        return ()
    seats = sum(len(row.get("seats", ())) for zone in plan.get("zones", ()) for row in zone.get("rows", ()))
    return (Value("text", plan.get("name", "")), Value("seats", seats))


def _entries(
    key: str, label: str, columns: tuple[tuple[str, str], ...], before: Sequence[Any] | None, after: Sequence[Any] | None
) -> list[Difference]:
    old = {str(entry.get(key)): entry for entry in before or ()}
    new = {str(entry.get(key)): entry for entry in after or ()}
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        sides = (_columns(old.get(name), columns), _columns(new.get(name), columns))
        if sides[0] != sides[1]:
            shown = name if key == "name" else ""
            found.append(Difference(f"{label} {shown}".strip(), *sides))
    return found


def _columns(entry: Mapping[str, Any] | None, columns: tuple[tuple[str, str], ...]) -> tuple[Value, ...]:
    if entry is None:
        return ()
    return tuple(value for column, kind in columns for value in _values(kind, entry.get(column)))


def _values(kind: str, value: Any) -> tuple[Value, ...]:
    if value in (None, ""):
        return ()
    if kind == "moment" and isinstance(value, str):
        try:
            return (Value(kind, datetime.fromisoformat(value)),)
        except ValueError:
            return (Value("text", value),)
    if kind == "flag":
        return (Value("text", words.VALUES["yes" if value else "no"]),)
    if kind == "age":
        return (Value("text", words.age(value)),)
    if kind == "field":
        return (Value("text", words.FIELDS.get(value, value)),)
    if kind == "secret":
        return (Value("text", str(_("kept, never shown"))),)
    if kind == "picture":
        return (Value("text", str(_("picture %(digest)s…")) % {"digest": str(value)[:8]}),)
    if kind == "options":
        return tuple(Value("text", _option(option)) for option in value)
    if kind == "refunds":
        return tuple(Value("text", line) for line in refund_lines(value))
    if kind == "payment":
        return (Value("text", words.PAYMENTS.get(value, value)),)
    return (Value(kind, value),)


def _option(option: Mapping[str, Any]) -> str:
    extra = option.get("extra_krw") or 0
    return f"{option.get('name')} {option.get('stock')}" + (f" (+{extra:,})" if extra else "")


def _at(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
