"""From what was typed to a requirement and back. What cannot be read is passed on as typed, for validation to name."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controlplane.lib.romanize import latin_name
from controlplane.portal.requirement_form.seat_lines import lines_of, seats_of
from controlplane.portal.requirement_form.state import FormState, Row
from controlplane.rendering.seating import MARKS

LOCAL = "%Y-%m-%dT%H:%M"
"""What `<input type="datetime-local">` speaks."""

ORGANISER = ("name", "phone", "email", "registration")

OWN_POLICY = "own"
"""The choice of rules of one's own, where the others name a usual policy."""

_NUMBER = re.compile(r"-?[0-9]+")
_SEPARATORS = re.compile(r"[,\s_₩원]+")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")


@dataclass(frozen=True)
class Converted:
    """A requirement, and where its entries came from.

    `origins` has the form row of each list entry: `{"grades": ("plan_grades", ["a1", "b2"])}`; `redirects` the inputs that stand for
    others: `{"performances.a1.duration_minutes": "running_minutes"}` where the row left it to the common one.
    """

    requirement: dict[str, Any]
    origins: Mapping[str, tuple[str, Sequence[str]]]
    redirects: Mapping[str, str]


def to_requirement(state: FormState, plan: Any, zone: ZoneInfo) -> Converted:
    """What STATE asks for. PLAN is the parsed seating plan, None without one; times typed are in ZONE. Blank rows are left out."""
    is_numbered = state.is_numbered()
    grade_rows = "plan_grades" if is_numbered else "grades"
    has_shop = state["merchandise"] == "yes"
    grades = _filled(state.rows[grade_rows], "name", "price_krw")
    areas = [] if is_numbered else _filled(state.rows["areas"], "name", "capacity")
    performances = _filled(state.rows["performances"], "starts_at", "duration_minutes")
    products = _filled(state.rows["products"], "name", "description", "price_krw", "stock", "options", "picture") if has_shop else []
    tiers = _filled(state.rows["refund_tiers"], "days_before", "percent", "flat_krw") if state["refund"] == OWN_POLICY else []
    concessions = filled_concessions(state.rows["concessions"])
    area_ids, product_ids = _ids(areas, "area"), _ids(products, "product")
    performance_ids = _performance_ids(performances, concessions)
    seating: dict[str, Any] = {"numbered": is_numbered}
    if not is_numbered:
        seating["areas"] = [
            _present(id=area_ids[row.key], name=row["name"].strip(), capacity=_number(row["capacity"]), grade=row["grade"].strip())
            for row in areas
        ]
    elif plan is not None:
        seating |= {"plan": plan, **{mark: seats for mark in MARKS if (seats := seats_of(state[mark], plan))}}
    requirement: dict[str, Any] = {
        "version": 1,
        **_present(
            title=state["title"].strip(),
            slug=state["slug"].strip(),
            field=state["field"],
            description=state["description"].strip(),
            age_limit=_number(state["age_limit"]),
            limit_per_buyer=_number(state["limit_per_buyer"]),
            hold_minutes=_number(state["hold_minutes"]),
            admit_per_minute=_number(state["admit_per_minute"]),
            payment=state["payment"],
        ),
        "venue": _present(name=state["venue_name"].strip(), address=state["venue_address"].strip()),
        "seating": seating,
        "grades": [_present(name=row["name"].strip(), price_krw=_number(row["price_krw"]), color=row["color"].strip()) for row in grades],
        "performances": [
            _present(
                id=row["id"] or performance_ids.get(row["starts_at"], ""),
                starts_at=_moment(row["starts_at"], zone),
                duration_minutes=_number(row["duration_minutes"].strip() or state["running_minutes"]),
            )
            for row in performances
        ],
        "sales": _present(opens_at=_moment(state["opens_at"], zone), closes_at=_moment(state["closes_at"], zone)),
        "merchandise": has_shop,
        "refund_policy": _refund_policy(state, tiers),
        "concessions": concession_entries(concessions, performance_ids, zone),
    }
    if presale := presale_entry(state["presale_name"], state["presale_opens_at"], zone):
        requirement["presale"] = presale
    if organiser := _organiser(state):
        requirement["organiser"] = organiser
    if state["sign_in"] == "yes":
        requirement["sign_in"] = _present(
            issuer=state["oidc_issuer"].strip(),
            client_id=state["oidc_client_id"].strip(),
            name=state["oidc_name"].strip(),
            client_secret_ref=state["oidc_secret_ref"].strip(),
        )
    if has_shop:
        requirement["products"] = [
            _present(
                id=product_ids[row.key],
                name=row["name"].strip(),
                description=row["description"].strip(),
                price_krw=_number(row["price_krw"]),
                stock=_number(row["stock"]),
                picture=row["picture"].strip(),
                limit_per_buyer=_number(row["limit_per_buyer"]),
                **_options(row),
            )
            for row in products
        ]
    origins = {
        "grades": (grade_rows, [row.key for row in grades]),
        "seating.areas": ("areas", [row.key for row in areas]),
        "performances": ("performances", [row.key for row in performances]),
        "products": ("products", [row.key for row in products]),
        "refund_policy.tiers": ("refund_tiers", [row.key for row in tiers]),
        "concessions": ("concessions", [row.key for row in concessions]),
    }
    redirects = {
        f"performances.{row.key}.duration_minutes": "running_minutes" for row in performances if not row["duration_minutes"].strip()
    }
    return Converted(requirement, origins, redirects)


def from_requirement(requirement: Mapping[str, Any], zone: ZoneInfo) -> tuple[FormState, Any]:
    """The form that would say REQUIREMENT, and its seating plan, or None."""
    state = FormState()
    seating = requirement.get("seating", {})
    is_numbered = bool(seating.get("numbered"))
    venue, sales = requirement.get("venue", {}), requirement.get("sales", {})
    performances = requirement.get("performances", [])
    durations = Counter(_text(performance.get("duration_minutes")) for performance in performances)
    # One without a length would be given the common one.
    usual = durations.most_common(1)[0][0] if durations and "" not in durations else ""
    state.values |= {
        "title": _text(requirement.get("title")),
        "slug": _text(requirement.get("slug")),
        "field": _text(requirement.get("field")),
        "description": _text(requirement.get("description")),
        "age_limit": _text(requirement.get("age_limit")),
        **{f"organiser_{name}": _text((requirement.get("organiser") or {}).get(name)) for name in ORGANISER},
        "venue_name": _text(venue.get("name")),
        "venue_address": _text(venue.get("address")),
        "numbered": "yes" if is_numbered else "no",
        "running_minutes": usual,
        "opens_at": _local(sales.get("opens_at"), zone),
        "closes_at": _local(sales.get("closes_at"), zone),
        "limit_per_buyer": _text(requirement.get("limit_per_buyer")),
        "hold_minutes": _text(requirement.get("hold_minutes")) or state["hold_minutes"],
        "admit_per_minute": _text(requirement.get("admit_per_minute")),
        **presale_typed(requirement.get("presale"), zone),
        "payment": _text(requirement.get("payment")),
        "merchandise": "yes" if requirement.get("merchandise") else "no",
    }
    state.values |= {mark: lines_of(seating[mark], seating["plan"]) for mark in MARKS if mark in seating}
    if sign_in := requirement.get("sign_in"):
        state.values |= {"sign_in": "yes", "oidc_secret_ref": _text(sign_in.get("client_secret_ref"))}
        state.values |= {f"oidc_{name}": _text(sign_in.get(name)) for name in ("issuer", "client_id", "name")}
    _fill_refund_policy(state, requirement.get("refund_policy"))
    for grade in requirement.get("grades", []):
        state.add("plan_grades" if is_numbered else "grades", **_texts(grade, "name", "price_krw", "color"))
    for area in seating.get("areas", []):
        state.add("areas", **_texts(area, "id", "name", "capacity", "grade"))
    for performance in performances:
        minutes = _text(performance.get("duration_minutes"))
        state.add(
            "performances",
            id=_text(performance.get("id")),
            starts_at=_local(performance.get("starts_at"), zone),
            duration_minutes="" if minutes == usual else minutes,
        )
    for product in requirement.get("products", []):
        options = product.get("options") or []
        state.add(
            "products",
            **_texts(product, "id", "name", "description", "price_krw", "stock", "option_label", "picture", "limit_per_buyer"),
            options="\n".join(_option_line(option) for option in options),
            option_ids=json.dumps({option.get("name"): option.get("id") for option in options}, ensure_ascii=False) if options else "",
        )
    add_concessions(state, requirement.get("concessions", []), begins_of(performances, zone), zone)
    return state, seating.get("plan")


def presale_entry(name: str, opens_at: str, zone: ZoneInfo) -> dict[str, Any] | None:
    """The requirement's `presale`; None where nothing of it was typed."""
    return _present(name=name.strip(), opens_at=_moment(opens_at, zone)) or None


def presale_typed(entry: Mapping[str, Any] | None, zone: ZoneInfo) -> dict[str, str]:
    """The inputs that would say ENTRY of a requirement."""
    found = entry or {}
    return {"presale_name": _text(found.get("name")), "presale_opens_at": _local(found["opens_at"], zone) if found.get("opens_at") else ""}


def filled_concessions(rows: Sequence[Row]) -> list[Row]:
    return _filled(rows, "name", "discount", "grades", "performances", "proof", "at_least", "at_most", "from", "until")


def concession_entries(rows: Sequence[Row], performance_ids: Mapping[str, str], zone: ZoneInfo) -> list[dict[str, Any]]:
    """The requirement's `concessions`. PERFORMANCE_IDS: by when they begin, as it stands in the form; any other stays as it was typed."""
    return [
        _present(
            **{
                "id": row["id"],
                "name": row["name"].strip(),
                "off_krw" if row["unit"] == "won" else "percent": _number(row["discount"]),
                "grades": row["grades"].splitlines() or None,
                "performances": [performance_ids.get(start) or start for start in row["performances"].splitlines()] or None,
                "proof": row["proof"].strip(),
                "at_least": _number(row["at_least"]),
                "at_most": _number(row["at_most"]),
                "from": _moment(row["from"], zone),
                "until": _moment(row["until"], zone),
            }
        )
        for row in rows
    ]


def add_concessions(state: FormState, entries: Sequence[Mapping[str, Any]], begins: Mapping[str, str], zone: ZoneInfo) -> None:
    """Rows for ENTRIES of a requirement. BEGINS: when each performance does, by its id, as it stands in the form."""
    for entry in entries:
        state.add(
            "concessions",
            **_texts(entry, "id", "name", "proof", "at_least", "at_most"),
            discount=_text(entry.get("percent") or entry.get("off_krw")),
            unit="won" if entry.get("off_krw") else "percent",
            grades="\n".join(entry.get("grades", ())),
            performances="\n".join(begins.get(id, id) for id in entry.get("performances", ())),
            **{name: _local(entry[name], zone) if entry.get(name) else "" for name in ("from", "until")},
        )


def begins_of(performances: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> dict[str, str]:
    """When each of a requirement's PERFORMANCES begins, by its id, as it stands in the form."""
    return {_text(item.get("id")): _local(item.get("starts_at"), zone) for item in performances}


def _performance_ids(performances: Sequence[Row], concessions: Sequence[Row]) -> dict[str, str]:
    """The id of each performance by when it begins. One that a concession names gets one now, made of its time; the rest is validation's.

    Never that of one which was taken out: who has a ticket for that has none for this.
    """
    named = {start for row in concessions for start in row["performances"].splitlines()}
    taken = {row["id"] for row in performances}
    ids: dict[str, str] = {}
    for row in performances:
        start = row["starts_at"]
        made = row["id"] or (f"p{''.join(filter(str.isdecimal, start))}"[:40] if start in named else "")
        while made and not row["id"] and made in taken:
            made += "-2"
        taken.add(made)
        ids.setdefault(start, made)
    return ids


def _organiser(state: FormState) -> dict[str, str]:
    """Empty when nothing of it was typed."""
    return _present(**{name: state[f"organiser_{name}"].strip() for name in ORGANISER})


def _options(row: Row) -> dict[str, Any]:
    """The options that were typed, one a line: name, stock, and what it costs more. An option there was keeps its id by its name."""
    lines = [line.split(",") for line in row["options"].splitlines() if line.strip()]
    if not lines:
        return {}
    try:
        known = json.loads(row["option_ids"] or "{}")
    except ValueError:
        known = {}
    taken: set[str] = set()
    options = []
    for number, (name, *figures) in enumerate(lines, 1):
        kept = known.get(name.strip()) if isinstance(known, dict) else None
        candidate = kept if isinstance(kept, str) and kept else latin_name(name, 30) or f"o{number}"
        while candidate in taken:
            candidate = f"{candidate}-{number}"
        taken.add(candidate)
        # More figures than two are passed on as typed, for validation to name.
        stock, extra = (figures[0], "/".join(figures[1:])) if figures else ("", "")
        options.append(_present(id=candidate, name=name.strip(), stock=_number(stock), extra_krw=_number(extra.replace("+", ""))))
    return {"option_label": row["option_label"].strip(), "options": options}


def stock_replaced(row: Row, option_id: str, *, before: int | None, after: int) -> None:
    """Write AFTER as the stock of ROW's option OPTION_ID where it still says BEFORE."""
    lines = row["options"].splitlines()
    for number, option in enumerate(_options(row).get("options", [])):
        if option["id"] == option_id and option.get("stock") == before:
            filled = [at for at, line in enumerate(lines) if line.strip()]
            name, _stock, *more = lines[filled[number]].split(",")
            lines[filled[number]] = ",".join([name, f" {after}", *more])
            row.values["options"] = "\n".join(lines)


def _option_line(option: Mapping[str, Any]) -> str:
    extra = option.get("extra_krw") or 0
    return f"{_text(option.get('name'))}, {_text(option.get('stock'))}" + (f", {extra}" if extra else "")


def _refund_policy(state: FormState, tiers: Sequence[Row]) -> Any:
    """The name of a usual policy as it was chosen, or the rules that were typed."""
    if state["refund"] != OWN_POLICY:
        return state["refund"]
    free = _present(within_hours=_number(state["refund_free_hours"]), min_days_before=_number(state["refund_free_days"]))
    cut_off = _present(days_before=_number(state["refund_cut_off_days"]), at=state["refund_cut_off_at"].strip())
    columns = ("days_before", "percent", "flat_krw", "flat_max_percent")
    return {
        "tiers": [_present(**{column: _number(row[column]) for column in columns}) for row in tiers],
        **({"free": free} if free else {}),
        **({"cut_off": cut_off} if cut_off else {}),
    }


def _fill_refund_policy(state: FormState, policy: Any) -> None:
    if not isinstance(policy, Mapping):
        state.values["refund"] = _text(policy) or state["refund"]
        return
    free, cut_off = policy.get("free") or {}, policy.get("cut_off") or {}
    state.values |= {
        "refund": OWN_POLICY,
        "refund_free_hours": _text(free.get("within_hours")),
        "refund_free_days": _text(free.get("min_days_before")),
        "refund_cut_off_days": _text(cut_off.get("days_before")),
        "refund_cut_off_at": _text(cut_off.get("at")),
    }
    for tier in policy.get("tiers") or []:
        state.add("refund_tiers", **_texts(tier, "days_before", "percent", "flat_krw", "flat_max_percent"))


def copied(state: FormState) -> FormState:
    """STATE as the start of another event: an address of its own, and performances that get new ids."""
    state.values["slug"] = ""
    for row in state.rows["performances"]:
        row.values["id"] = ""
    return state


def _filled(rows: Sequence[Row], *columns: str) -> list[Row]:
    return [row for row in rows if any(row[column].strip() for column in columns)]


def _ids(rows: Sequence[Row], fallback: str) -> dict[str, str]:
    """An id for each row's key: the one it has, else one made of its name; unique among ROWS."""
    taken = {row["id"] for row in rows if row["id"]}
    ids: dict[str, str] = {}
    for row in rows:
        if row["id"]:
            ids[row.key] = row["id"]
            continue
        name = latin_name(row["name"], 30) or fallback
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate)
        ids[row.key] = candidate
    return ids


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


def _number(text: str) -> int | str:
    """An integer where TEXT is one, also written `190,000` or `190,000원`; else TEXT."""
    bare = _SEPARATORS.sub("", text)
    return int(bare) if _NUMBER.fullmatch(bare) and len(bare) < 16 else text.strip()


def _moment(text: str, zone: ZoneInfo) -> str:
    """ISO 8601 with ZONE's offset, or TEXT where it is no local time."""
    text = text.strip()
    if not _LOCAL.fullmatch(text):
        return text
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        return text


def _local(value: Any, zone: ZoneInfo) -> str:
    try:
        moment = datetime.fromisoformat(value).astimezone(zone)
        if moment.second or moment.microsecond:  # 23:59:59, say: a form that nobody touched changes nothing
            return moment.replace(tzinfo=None).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
        return moment.strftime(LOCAL)
    except (TypeError, ValueError):
        return _text(value)


def _texts(entry: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: _text(entry.get(name)) for name in names}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
