"""What is typed in a requirement form, kept as text exactly as typed, so that nothing is lost when it is wrong."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from controlplane.rendering.seating import MARKS, MAX_SEATS

TEXT_AT_MOST = 20_000
SEATS_TEXT_AT_MOST = 82 * MAX_SEATS
"""Every seat of the largest plan by an id of the longest, each on a line."""
ROWS_AT_MOST = 1_000

SCALARS: Mapping[str, str] = {
    "title": "",
    "slug": "",
    "field": "musical",
    "description": "",
    "age_limit": "",
    "organiser_name": "",
    "organiser_phone": "",
    "organiser_email": "",
    "organiser_registration": "",
    "venue_name": "",
    "venue_address": "",
    "numbered": "yes",
    "wheelchair": "",
    "obstructed": "",
    "blocked": "",
    "running_minutes": "",
    "opens_at": "",
    "closes_at": "",
    "limit_per_buyer": "4",
    "hold_minutes": "7",
    "admit_per_minute": "",
    "presale_name": "",
    "presale_opens_at": "",
    "payment": "kakaopay",
    "merchandise": "no",
    "refund": "market",
    "refund_free_hours": "",
    "refund_free_days": "",
    "refund_cut_off_days": "",
    "refund_cut_off_at": "",
    "sign_in": "no",
    "oidc_issuer": "",
    "oidc_client_id": "",
    "oidc_name": "",
    "oidc_secret_ref": "",
}
"""Single fields and what a new form starts with."""

ROWS: Mapping[str, tuple[str, ...]] = {
    "plan_grades": ("name", "price_krw", "color"),
    "areas": ("id", "name", "capacity", "grade"),
    "grades": ("name", "price_krw", "color"),
    "performances": ("id", "starts_at", "duration_minutes"),
    "products": (
        "id",
        "name",
        "description",
        "price_krw",
        "stock",
        "option_label",
        "options",
        "option_ids",
        "picture",
        "limit_per_buyer",
    ),
    "refund_tiers": ("days_before", "percent", "flat_krw", "flat_max_percent"),
    "concessions": ("id", "name", "discount", "unit", "grades", "performances", "proof", "at_least", "at_most", "from", "until"),
}
"""Lists of rows and the columns of each. `plan_grades` are those of the plan, `grades` those of unnumbered areas."""

CHOSEN = frozenset({("concessions", "grades"), ("concessions", "performances")})
"""Columns that are boxes to tick: what was ticked stands in them line by line, grades by name and performances by when they begin."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,24}")


@dataclass
class Row:
    """One row; `key` names it in the page, stays the same while rows come and go."""

    key: str
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        # Strict: a template asks for `row.key` by this too, before it looks for an attribute.
        return self.values[column]


@dataclass
class FormState:
    values: dict[str, str] = field(default_factory=lambda: dict(SCALARS))
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in ROWS})

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def is_numbered(self) -> bool:
        return self.values["numbered"] != "no"

    def sync_plan_grades(self, categories: Sequence[Mapping[str, Any]]) -> None:
        """Make the plan's grades those of CATEGORIES, in their order; prices typed for a name stay."""
        known = {row["name"]: row for row in self.rows["plan_grades"]}
        self.rows["plan_grades"] = []
        for category in categories:
            if category["name"]:
                row = known.get(category["name"]) or Row(new_key(), {"name": category["name"], "price_krw": "", "color": ""})
                row.values["color"] = row["color"] or category["color"]
                self.rows["plan_grades"].append(row)

    def add(self, rows: str, **values: str) -> Row:
        """Append a row and return it."""
        row = Row(new_key(), {column: values.get(column, "") for column in ROWS[rows]})
        self.rows[rows].append(row)
        return row

    def remove(self, rows: str, key: str) -> None:
        """Take a row out; one that is gone already is fine."""
        self.rows[rows] = [row for row in self.rows[rows] if row.key != key]

    def as_json(self) -> dict[str, Any]:
        rows = {name: [{"key": row.key, **row.values} for row in listed] for name, listed in self.rows.items()}
        return {**self.values, "rows": rows}


def new_key() -> str:
    return secrets.token_hex(4)


def from_json(stored: Mapping[str, Any]) -> FormState:
    """What `as_json` stored, also by an earlier version of this form."""
    state = FormState()
    for name in SCALARS:
        if isinstance(stored.get(name), str):
            state.values[name] = stored[name]
    for name, columns in ROWS.items():
        for row in stored.get("rows", {}).get(name, []):
            state.rows[name].append(Row(row["key"], {column: str(row.get(column, "")) for column in columns}))
    return state


def from_post(post: QueryDict) -> FormState:
    """What a browser sent: fields by name, rows as `<rows>.<key>.<column>` in the order of the page. Unknown names are ignored."""
    state = FormState()
    for name in SCALARS:
        if name in post:
            state.values[name] = _text(post[name], SEATS_TEXT_AT_MOST if name in MARKS else TEXT_AT_MOST)
    found: dict[tuple[str, str], Row] = {}
    for name in post:
        rows, _, rest = name.partition(".")
        key, _, column = rest.partition(".")
        if rows not in ROWS or column not in ROWS[rows] or not _KEY.fullmatch(key):
            continue
        row = found.get((rows, key))
        if row is None:
            if len(state.rows[rows]) >= ROWS_AT_MOST:
                continue
            row = found[rows, key] = Row(key, dict.fromkeys(ROWS[rows], ""))
            state.rows[rows].append(row)
        row.values[column] = _text("\n".join(post.getlist(name)) if (rows, column) in CHOSEN else post[name])
    return state


def _text(value: object, at_most: int = TEXT_AT_MOST) -> str:
    return str(value).replace("\r\n", "\n").replace("\x00", "")[:at_most]
