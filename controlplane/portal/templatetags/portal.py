"""Tags and filters of the portal's templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from controlplane.lib.reasons import Reason
from controlplane.portal import words
from controlplane.portal.concession_words import concession_words
from controlplane.portal.icons import FIELD_ICONS, ICONS
from controlplane.portal.refund_words import refund_lines
from controlplane.portal.requirement_form.state import Row
from controlplane.portal.speech import say_reason, say_stored
from controlplane.systems import selectors
from controlplane.systems.models import BookingSystem
from controlplane.systems.runtime_words import say_runtime

register = template.Library()

_STATE_LOOKS = {
    "live": "ok",
    "suspended": "warn",
    "data_gone": "bad",
    "deploying": "work",
    "failed": "bad",
    "deleting": "work",
    "deleted": "",
    "draft": "",
    "ready": "ok",
    "progressing": "work",
    "degraded": "warn",
    "absent": "",
    "unknown": "warn",
    "running": "work",
    "succeeded": "ok",
    "superseded": "",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon; the text beside it says what it means."""
    return mark_safe(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{ICONS[name]}</svg>')  # noqa: S308 -- our own constant


@register.filter
def field_icon(field: str) -> str:
    return FIELD_ICONS.get(field, "spark")


@register.filter
def field_name(field: str) -> str:
    return str(words.FIELDS.get(field, field))


@register.filter
def age(limit: int) -> str:
    return words.age(limit)


@register.filter
def service_name(service: str) -> str:
    return str(words.SERVICES.get(service, service))


@register.filter
def health_name(health: str) -> str:
    return str(words.HEALTH.get(health, health))


@register.filter
def step_name(step: str) -> str:
    return str(words.STEPS.get(step, step))


@register.filter
def cost_name(code: str) -> str:
    return str(words.COSTS.get(code, code))


@register.filter
def runtime_words(message: object) -> str:
    """What a runtime says, in the reader's language."""
    return say_runtime(message)


@register.filter
def refund_terms(policy: Any, payment: str = "") -> list[str]:
    """What cancelling costs by a requirement's refund policy and its way of paying, line by line."""
    return refund_lines(policy, is_paid=payment != "none")


@register.filter
def look(state: str) -> str:
    """The badge class of a state, health or operation's state."""
    kind = _STATE_LOOKS.get(str(state), "")
    return f"badge--{kind}" if kind else ""


@register.filter
def won(amount: object) -> str:
    """190000 -> 190,000원, or ₩190,000 in English; empty for what is no number."""
    try:
        number = round(float(str(amount)))
    except (TypeError, ValueError, OverflowError):
        return ""
    return f"{number:,}원" if get_language() == "ko" else f"₩{number:,}"


@register.filter
def thousands(number: object) -> str:
    return f"{number:,}" if isinstance(number, int) else str(number)


@register.filter
def moment(value: datetime | str | None) -> str:
    """Date, weekday and time in the venue's time zone; texts in ISO 8601 too."""
    return _formatted(value, "Y년 n월 j일 (#) H:i" if get_language() == "ko" else "D j M Y, H:i")


@register.filter
def day(value: datetime | date | str | None) -> str:
    """The date alone."""
    return _formatted(value, "Y.n.j (#)" if get_language() == "ko" else "D j M Y")


@register.filter
def iso(value: datetime | None) -> str:
    return value.isoformat() if value else ""


@register.filter
def seconds(step: Any) -> str:
    """How long an operation or step took, in seconds with one decimal; empty while it runs."""
    return f"{max((step.ended_at - step.started_at).total_seconds(), 0):.1f}" if step.ended_at else ""


@register.filter
def reason(owner: Any, kind: str = "reason") -> str:
    """The words of an operation's, step's or system's stored reason. KIND is the prefix of its columns."""
    return say_stored(owner, kind)


@register.filter
def text(value: Reason) -> str:
    """A reason in the reader's language."""
    return say_reason(value)


@register.filter
def summary(system: BookingSystem) -> dict[str, Any]:
    """What a booking system is as it runs: a change that is under way, or came to nothing, is not in it."""
    return selectors.summary_of(system)


@register.filter
def role_name(role: str) -> str:
    """What somebody is in an event, in words."""
    return str(words.ROLES.get(role, role))


@register.filter
def get(mapping: Mapping[str, Any] | None, key: object) -> Any:
    """An entry by a key that is itself a variable; empty where there is none."""
    return mapping.get(str(key), "") if mapping else ""


@register.inclusion_tag("portal/form/input.html", takes_context=True)
def form_input(context: Context, name: str, label: str, **options: Any) -> dict[str, Any]:
    """One input of the requirement form, with label, hint and messages.

    NAME is `title`, or `<rows>.<key>.<column>` in a row. Options: kind (text, number, textarea, select, datetime-local), hint, optional,
    suffix, placeholder, maxlength, options (value -> label), css (classes of the field), datalist.
    """
    page = context["page"]
    return {
        "kind": "text",
        **options,
        "name": name,
        "label": label,
        "value": page.value(name),
        "errors": page.errors.get(name, []),
    }


@register.simple_tag(takes_context=True)
def concession_choices(context: Context, row: Row, column: str) -> dict[str, Any]:
    """The boxes of a concession's COLUMN, with the name of their input and what is wrong with it."""
    page, name = context["page"], f"concessions.{row.key}.{column}"
    return {"name": name, "boxes": page.choices(row, column), "errors": page.errors.get(name, [])}


@register.filter
def is_conditioned(row: Row) -> bool:
    """Whether anything is said of for whom and when a concession's row is."""
    return any(row.values.get(column) for column in ("grades", "performances", "at_least", "at_most", "from", "until"))


@register.filter
def concession(entry: Mapping[str, Any], begins: Mapping[str, str] | None = None) -> str:
    """What a requirement's concession takes off, for whom and when. BEGINS: when performances do, by their ids."""
    return concession_words(entry, begins or {})


@register.simple_tag(takes_context=True)
def row_name(context: Context, rows: str, row: Any, column: str) -> str:
    """The name of a row's input; a row that is only a pattern for new ones has the key `__key__`."""
    return f"{rows}.{row.key}.{column}"


@register.inclusion_tag("portal/form/bound.html")
def bound_input(field: BoundField, **options: Any) -> dict[str, Any]:
    """One field of a Django form, looking like `form_input`. Options: css, hint."""
    attrs = {"class": "select" if field.widget_type in ("select", "nullbooleanselect") else "input"}
    # Django's own hints may be lists of all password rules; a hint given here takes their place.
    hint = str(options.get("hint", field.help_text)).strip()
    described = [f"{field.id_for_label}-hint"] if hint else []
    if field.errors:
        attrs["aria-invalid"] = "true"
        described.insert(0, f"{field.id_for_label}-error")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return {"field": field, "widget": field.as_widget(attrs={**field.field.widget.attrs, **attrs}), **options, "hint": hint}


def _formatted(value: Any, form: str) -> str:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if not value:
        return ""
    local = timezone.localtime(value) if isinstance(value, datetime) and timezone.is_aware(value) else value
    # Django's short weekdays in Korean are as long as the long ones.
    return date_format(local, form).replace("#", str(words.WEEKDAYS[str(local.weekday())]))


@register.filter
def won_exact(amount: object) -> str:
    """Like `won`, with two decimals below 100 won."""
    try:
        number = float(str(amount))
    except (TypeError, ValueError):
        return ""
    figure = f"{number:,.2f}" if number < 100 else f"{number:,.0f}"
    return f"{figure}원" if get_language() == "ko" else f"₩{figure}"


@register.filter
def quantity(amount: object) -> str:
    """A decimal without needless zeros: 0.30 -> 0.3."""
    return f"{float(str(amount)):,.2f}".rstrip("0").rstrip(".")


@register.filter
def plain(value: Any) -> str:
    """A JSON value of a diff, as short as it goes."""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 300 else f"{written[:300]}…"
