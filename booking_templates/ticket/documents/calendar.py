"""A calendar entry (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime

LINE_BYTES = 75
CONTROLS = dict.fromkeys({*range(0x20), 0x7F} - {0x09})
"""No text has them (RFC 5545, 3.1): a calendar would refuse the whole file."""


def entry(*, uid: str, title: str, place: str, note: str, url: str, starts_at: datetime, ends_at: datetime, made_at: datetime) -> bytes:
    """An .ics file with one event. UID stays the same when the file is made again, so a calendar replaces the entry.

    Where ENDS_AT is not later than STARTS_AT it has no end, for such a one would not be valid (RFC 5545, 3.8.2.2).
    """
    end = [f"DTEND:{_utc(ends_at)}"] if _utc(ends_at) > _utc(starts_at) else []
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Clove//Tickets//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{_utc(made_at)}",
        f"DTSTART:{_utc(starts_at)}",
        *end,
        f"SUMMARY:{_text(title)}",
        f"LOCATION:{_text(place)}",
        f"DESCRIPTION:{_text(note)}",
        f"URL:{url}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) + b"\r\n" for line in lines)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n").translate(CONTROLS)


def _folded(line: str) -> bytes:
    """LINE in pieces of 75 octets, no character cut in two; a piece after the first begins with a blank."""
    pieces, piece = [], b""
    for letter in line:
        raw = letter.encode()
        if len(piece) + len(raw) > LINE_BYTES:
            pieces.append(piece)
            piece = b" "
        piece += raw
    return b"\r\n".join([*pieces, piece])
