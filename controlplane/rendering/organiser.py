"""Who sells the tickets and how buyers reach them: printed on the buyer site as it stands here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controlplane.rendering.reader import Fields

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{2,29}")
_EMAIL = re.compile(r"[^\s@<>\"',;]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.)+[A-Za-z]{2,24}")


@dataclass(frozen=True)
class Organiser:
    """`registration` is what the law on electronic commerce asks a business to show: representative, registration numbers, address."""

    name: str
    phone: str = ""
    email: str = ""
    registration: str = ""

    def to_json(self) -> dict[str, str]:
        return {key: value for key, value in vars(self).items() if value}


def read_organiser(fields: Fields) -> Organiser | None:
    """The entry `organiser`, or None without one."""
    if fields.raw("organiser", is_required=False) is None:
        return None
    entry = fields.object("organiser")
    if entry is None or not entry.is_readable:
        return None
    name = entry.text("name", limit=100)
    phone = entry.matching("phone", _PHONE, "02-123-4567") or ""
    email = entry.matching("email", _EMAIL, "name@example.com") or ""
    registration = entry.text("registration", limit=300, is_required=False)
    entry.done()
    return Organiser(name, phone, email, registration)
