"""Tags of the pages: addresses of files, dates and money."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from django import template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from booking_templates.web import assets, shell
from booking_templates.web.content import Performance

register = template.Library()
register.simple_tag(shell.hole)

WEEKDAYS = (
    gettext_noop("Mon"),
    gettext_noop("Tue"),
    gettext_noop("Wed"),
    gettext_noop("Thu"),
    gettext_noop("Fri"),
    gettext_noop("Sat"),
    gettext_noop("Sun"),
)

_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"';]*?["'](\.[^"']+)["']""", re.MULTILINE)


@register.simple_tag
def asset(name: str) -> str:
    """The address of the file NAME below static/web/."""
    return assets.url(f"web/{name}")


@register.simple_tag
def module(name: str) -> SafeString:
    """Script tag of the module NAME, with a preload of all it imports: one round trip instead of one a level of imports."""
    links = format_html_join("", '<link rel="modulepreload" href="{}">', ((assets.url(each),) for each in imports(f"web/{name}")))
    return format_html('{}<script type="module" src="{}"></script>', links, assets.url(f"web/{name}"))


@cache
def imports(name: str) -> tuple[str, ...]:
    """The modules that NAME imports, and theirs, in the order they are met."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        source = assets.assets().files[current].content.decode()
        for target in _IMPORT.findall(source):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(current), target))
            if path not in found:
                found[path] = None
                waiting.append(path)
    return tuple(found)


@register.filter
def day(moment: datetime) -> str:
    """2027년 1월 10일 (일) / Sun 10 Jan 2027."""
    local = timezone.localtime(moment)
    parts = {"year": local.year, "name": format_date(local, "M"), "day": local.day}
    # Not Django's short names: in Korean they are the long ones.
    return pgettext("date", "%(weekday)s %(day)s %(name)s %(year)s") % {**parts, "weekday": _(WEEKDAYS[local.weekday()])}


@register.filter
def clock(moment: datetime) -> str:
    """19:30."""
    return format_date(timezone.localtime(moment), "H:i")


@register.filter
def moment(value: datetime) -> str:
    """Day and time."""
    return f"{day(value)} {clock(value)}"


@register.filter
def won(amount: int) -> str:
    """150,000원 / ₩150,000; free of charge in words."""
    return _("₩%(amount)s") % {"amount": f"{amount:,}"} if amount else _("Free")


@register.filter
def grade_name(name: str, is_numbered: bool) -> str:
    """R석 / R seat: a short name of numbered seats gets the word, as in `gradeLabel` of places.js; a name that is a word stays."""
    is_short = is_numbered and re.fullmatch("[A-Za-z0-9]{1,4}", name)
    return pgettext("grade of a seat", "{name} seat").replace("{name}", name) if is_short else name


@register.filter
def dialled(phone: str) -> str:
    """What a link to PHONE dials."""
    return re.sub(r"[^0-9+]", "", phone)


@register.filter
def period(performances: Sequence[Performance]) -> SafeString:
    """From the first day to the last, or the one day there is; a day is not broken over lines."""
    days = dict.fromkeys(day(item.starts_at) for item in (*performances[:1], *performances[-1:]))
    return format_html_join(" – ", '<span class="whole">{}</span>', ((each,) for each in days))
