"""What every page's template has: the event, the language, and what the modules must know. Nothing of the visitor: see `pages`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from booking_templates.web import assets, content, texts

FIELDS = {
    "musical": gettext_noop("Musical"),
    "theatre": gettext_noop("Theatre"),
    "concert": gettext_noop("Concert"),
    "classical": gettext_noop("Classical music"),
    "dance": gettext_noop("Dance"),
    "festival": gettext_noop("Festival"),
    "sports": gettext_noop("Sports"),
    "exhibition": gettext_noop("Exhibition"),
    "other": gettext_noop("Event"),
}


def site() -> dict[str, Any]:
    event = content.EVENT.last
    language = translation.get_language() or settings.LANGUAGE_CODE
    field = event.field if event and event.field in FIELDS else "other"
    return {
        "event": event or content.Event(),
        "is_event_known": event is not None,
        "is_event_down": not content.EVENT.is_answering,
        "field": field,
        "field_name": _(FIELDS[field]),
        "language": language,
        "other_language": next((code, name) for code, name in settings.LANGUAGES if code != language),
        "has_shop": "merch" in settings.ENV.peers,
        "public_url": settings.ENV.public_url,
        "client": {
            "language": language,
            "locale": "ko-KR" if language == "ko" else "en-GB",
            "time_zone": settings.TIME_ZONE,
            "payment": event.payment if event else "",
            "payment_test": bool(event and event.payment_test),
            "has_shop": "merch" in settings.ENV.peers,
            "icons": assets.url("web/icons.svg"),
            "texts": texts.catalogue(),
        },
    }
