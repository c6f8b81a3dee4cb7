"""Where a problem of a requirement belongs in the form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from controlplane.lib.reasons import Problem
from controlplane.portal.requirement_form.convert import Converted
from controlplane.portal.speech import say_reason

_INPUTS = {
    "title": "title",
    "slug": "slug",
    "field": "field",
    "description": "description",
    "age_limit": "age_limit",
    "organiser": "organiser_name",
    "organiser.name": "organiser_name",
    "organiser.phone": "organiser_phone",
    "organiser.email": "organiser_email",
    "organiser.registration": "organiser_registration",
    "venue": "venue_name",
    "venue.name": "venue_name",
    "venue.address": "venue_address",
    "seating": "numbered",
    "seating.numbered": "numbered",
    "seating.plan": "plan",
    "seating.wheelchair": "wheelchair",
    "seating.obstructed": "obstructed",
    "seating.blocked": "blocked",
    "seating.areas": "areas",
    "performances": "performances",
    "sales": "opens_at",
    "sales.opens_at": "opens_at",
    "sales.closes_at": "closes_at",
    "limit_per_buyer": "limit_per_buyer",
    "hold_minutes": "hold_minutes",
    "admit_per_minute": "admit_per_minute",
    "presale": "presale_name",
    "presale.name": "presale_name",
    "presale.opens_at": "presale_opens_at",
    "payment": "payment",
    "merchandise": "merchandise",
    "products": "products",
    "sign_in": "sign_in",
    "sign_in.issuer": "oidc_issuer",
    "sign_in.client_id": "oidc_client_id",
    "sign_in.name": "oidc_name",
    "sign_in.client_secret_ref": "oidc_secret",
    "concessions": "concessions",
    "refund_policy": "refund",
    "refund_policy.tiers": "refund_tiers",
    "refund_policy.free": "refund_free_hours",
    "refund_policy.free.within_hours": "refund_free_hours",
    "refund_policy.free.min_days_before": "refund_free_days",
    "refund_policy.cut_off": "refund_cut_off_at",
    "refund_policy.cut_off.days_before": "refund_cut_off_days",
    "refund_policy.cut_off.at": "refund_cut_off_at",
}
_ENTRY = re.compile(r"(grades|seating\.areas|performances|products|refund_policy\.tiers|concessions)\[([0-9]+)\](?:\.(\w+))?")
_WHOLE_ROW = {
    "grades": "name",
    "areas": "name",
    "performances": "starts_at",
    "products": "name",
    "plan_grades": "price_krw",
    "refund_tiers": "days_before",
    "concessions": "name",
}
_STANDS_FOR = {("concessions", "percent"): "discount", ("concessions", "off_krw"): "discount"}
"""A column of a requirement, and that of the form in which it is typed."""
_HIDDEN = {"id", "color", "option_ids"}

_IN_A_FORM = {
    ("required", "seating.plan"): _("Choose a seating plan, or upload one."),
    ("required", "seating.areas"): _("Add at least one area."),
    ("too_few", "seating.areas"): _("Add at least one area."),
    ("too_few", "grades"): _("Add at least one grade with its price."),
    ("too_few", "performances"): _("Add at least one performance."),
    ("not_a_time", ""): _("Choose a date and a time."),
    ("naive_time", ""): _("Choose a date and a time."),
    ("not_an_option", ""): _("Choose one of the options."),
    ("wrong_type", "a whole number"): _("Write a whole number in digits."),
}
"""Words for a code at a path, or with what was wanted."""

SECTIONS = ("event", "seating", "prices", "concessions", "performances", "sales", "extras", "refunds", "signin")
_SECTION_OF = {
    **dict.fromkeys(("title", "slug", "field", "description", "age_limit"), "event"),
    **dict.fromkeys(("organiser_name", "organiser_phone", "organiser_email", "organiser_registration"), "event"),
    **dict.fromkeys(("venue_name", "venue_address", "numbered", "plan", "plan_file", "plan_source", "areas"), "seating"),
    **dict.fromkeys(("wheelchair", "obstructed", "blocked"), "seating"),
    **dict.fromkeys(("grades", "plan_grades"), "prices"),
    "concessions": "concessions",
    **dict.fromkeys(("performances", "running_minutes"), "performances"),
    **dict.fromkeys(("opens_at", "closes_at", "limit_per_buyer", "hold_minutes", "admit_per_minute"), "sales"),
    **dict.fromkeys(("presale_name", "presale_opens_at"), "sales"),
    **dict.fromkeys(("payment", "merchandise", "products"), "extras"),
    **dict.fromkeys(
        ("refund", "refund_tiers", "refund_free_hours", "refund_free_days", "refund_cut_off_days", "refund_cut_off_at"), "refunds"
    ),
    **dict.fromkeys(("sign_in", "oidc_issuer", "oidc_client_id", "oidc_secret", "oidc_name"), "signin"),
}


_LABELS = {
    "title": _("Title"),
    "slug": _("Address of the buyer site"),
    "field": _("Field"),
    "description": _("Description"),
    "age_limit": _("Age limit"),
    "organiser_name": _("Organiser"),
    "organiser_phone": _("Phone for questions"),
    "organiser_email": _("E-mail for questions"),
    "organiser_registration": _("Business details"),
    "venue_name": _("Venue"),
    "venue_address": _("Address of the venue"),
    "numbered": _("Seating"),
    "plan": _("Seating plan"),
    "plan_source": _("Seating plan"),
    "plan_file": _("Seating plan"),
    "wheelchair": _("Places for wheelchairs"),
    "obstructed": _("Restricted view"),
    "blocked": _("Not for sale"),
    "areas": _("Areas"),
    "grades": _("Grades and prices"),
    "plan_grades": _("Grades and prices"),
    "performances": _("Performances"),
    "running_minutes": _("Running time"),
    "many_first": _("First day"),
    "many_last": _("Last day"),
    "many_weekdays": _("On these days of the week"),
    "many_times": _("At these times"),
    "opens_at": _("Sales open"),
    "closes_at": _("Sales close"),
    "limit_per_buyer": _("Limit per buyer"),
    "hold_minutes": _("Time to pay"),
    "admit_per_minute": _("Waiting room"),
    "presale_name": _("Presale"),
    "presale_opens_at": _("Presale opens"),
    "payment": _("Payment"),
    "merchandise": _("Merchandise"),
    "products": _("Products"),
    "sign_in": _("Signing in"),
    "oidc_issuer": _("Address of the provider (issuer)"),
    "oidc_client_id": _("Client ID"),
    "oidc_secret": _("Client secret"),
    "oidc_name": _("Name on the button"),
    "concessions": _("Concessions"),
    "refund": _("Cancelling and refunds"),
    "refund_tiers": _("Fees"),
    "refund_free_hours": _("Free for this many hours after booking"),
    "refund_free_days": _("If at least this many days are left"),
    "refund_cut_off_days": _("Days before the performance"),
    "refund_cut_off_at": _("Time of day"),
}
_ROW_LABELS = {
    "areas": _("Area"),
    "grades": _("Grade"),
    "plan_grades": _("Grade"),
    "performances": _("Performance"),
    "products": _("Product"),
    "refund_tiers": _("Fee"),
    "concessions": _("Concession"),
}
_COLUMN_LABELS = {
    ("areas", "name"): _("Name"),
    ("areas", "capacity"): _("Capacity"),
    ("areas", "grade"): _("Grade"),
    ("grades", "name"): _("Name"),
    ("grades", "price_krw"): _("Price"),
    ("plan_grades", "price_krw"): _("Price"),
    ("performances", "starts_at"): _("Begins"),
    ("performances", "duration_minutes"): _("Own length"),
    ("products", "name"): _("Name"),
    ("products", "description"): _("Short description"),
    ("products", "price_krw"): _("Price"),
    ("products", "stock"): _("Stock"),
    ("products", "option_label"): _("What they differ in"),
    ("products", "options"): _("Options"),
    ("products", "picture"): _("Picture"),
    ("products", "limit_per_buyer"): _("At most per buyer"),
    ("refund_tiers", "days_before"): _("From this many days before"),
    ("refund_tiers", "percent"): _("Percent of the price"),
    ("refund_tiers", "flat_krw"): _("At least this many won"),
    ("refund_tiers", "flat_max_percent"): _("But not above"),
    ("concessions", "name"): _("Name"),
    ("concessions", "discount"): _("Discount"),
    ("concessions", "grades"): _("Only for these grades"),
    ("concessions", "performances"): _("Only for these performances"),
    ("concessions", "proof"): _("What is shown at the door"),
    ("concessions", "at_least"): _("At least this many tickets of a booking"),
    ("concessions", "at_most"): _("At most this many tickets of a booking"),
    ("concessions", "from"): _("From"),
    ("concessions", "until"): _("Until"),
}


@dataclass(frozen=True)
class FormProblem:
    """One message and the input it stands beside; `input` empty: it concerns the form as a whole."""

    input: str
    message: str
    row: int = 0
    """Number of the row it is in, from 1; 0 outside of rows."""

    @property
    def label(self) -> str:
        """What the input is called, for a list of all problems."""
        name, _key, column = (*self.input.split(".", 2), "", "")[:3]
        label = str(_COLUMN_LABELS.get((name, column), _LABELS.get(name)) or "")
        return f"{_ROW_LABELS[name]} {self.row}, {label}" if self.row else label

    @property
    def section(self) -> str:
        name = self.input.split(".", 1)[0]
        return "performances" if name.startswith("many_") else _SECTION_OF.get(name, "")


def form_problems(problems: Iterable[Problem], converted: Converted) -> list[FormProblem]:
    """PROBLEMS of a requirement in the reader's language, each at its input; doubles dropped."""
    placed = []
    for problem in problems:
        name = input_of(problem.path, converted.origins)
        name = converted.redirects.get(name, name)
        entry = _ENTRY.match(problem.path)
        placed.append(FormProblem(name, _words(problem), int(entry[2]) + 1 if entry and "." in name else 0))
    return list(dict.fromkeys(placed))


def _words(problem: Problem) -> str:
    """A document's problem as somebody who fills in a form would be told it."""
    words = _IN_A_FORM.get((problem.code, problem.path)) or _IN_A_FORM.get((problem.code, str(problem.params.get("wanted", ""))))
    return str(words) if words else say_reason(problem)


def input_of(path: str, origins: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """The name of the input that holds what PATH points to; the nearest one around it where it has none of its own."""
    entry = _ENTRY.match(path)
    if entry:
        rows, keys = origins.get(entry[1], ("", ()))
        number, column = int(entry[2]), entry[3] or ""
        if number < len(keys):
            column = _STANDS_FOR.get((rows, column), column)
            if column in _HIDDEN or not column:
                column = _WHOLE_ROW[rows]
            return f"{rows}.{keys[number]}.{column}"
        return rows or _INPUTS.get(entry[1], "")
    while path:
        if path == "grades":
            return origins["grades"][0]
        if path in _INPUTS:
            return _INPUTS[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return ""
