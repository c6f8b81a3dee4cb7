"""A seller's requirement: read from untrusted JSON, with every problem named, and written back in one normal form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.lib.reasons import Problem
from controlplane.rendering.concessions import Around, Concession, read_concessions
from controlplane.rendering.organiser import Organiser, read_organiser
from controlplane.rendering.parts import Grade, Performance, Product, read_grades, read_performances, read_products
from controlplane.rendering.presale import Presale, read_presale
from controlplane.rendering.reader import Fields, Problems
from controlplane.rendering.refunds import BEFORE_POLICIES, RefundPolicy, policy_json, read_refund_policy
from controlplane.rendering.refunds import DEFAULT as DEFAULT_REFUND_POLICY
from controlplane.rendering.seating import MAX_CAPACITY, AreaSeating, NumberedSeating, read_areas, read_plan
from controlplane.rendering.sign_in import SignIn, read_sign_in

FIELDS = ("musical", "theatre", "concert", "classical", "dance", "festival", "sports", "exhibition", "other")
PAYMENTS = ("kakaopay", "none")
RESERVED_SLUGS = frozenset(
    "admin api app assets auth blog clove console dev docs event events ftp gateway health help host imap internal localhost login"
    " mail metrics mx news ns ns1 ns2 pay payment pop portal router root seller smtp standin static status support"
    " system test webmail www".split()
)
DEFAULT_HOLD_MINUTES = 7
ADMIT_PER_MINUTE_AT_MOST = 1_000_000

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Requirement:
    """A valid requirement."""

    title: str
    slug: str | None
    field: str
    description: str
    venue_name: str
    venue_address: str
    seating: NumberedSeating | AreaSeating
    grades: tuple[Grade, ...]
    performances: tuple[Performance, ...]
    sales_open_at: datetime
    sales_close_at: datetime
    limit_per_buyer: int
    hold_minutes: int
    payment: str
    merchandise: bool
    products: tuple[Product, ...]
    refund_policy: RefundPolicy = BEFORE_POLICIES
    sign_in: SignIn | None = None
    age_limit: int | None = None
    """Years; 0: for everybody. None: nothing is said."""
    organiser: Organiser | None = None
    concessions: tuple[Concession, ...] = ()
    admit_per_minute: int | None = None
    """How many the waiting room lets in; 0: there is none. None: as many as is usual."""
    presale: Presale | None = None

    @property
    def is_numbered(self) -> bool:
        return isinstance(self.seating, NumberedSeating)

    @property
    def facts(self) -> dict[str, str]:
        """What images are chosen by: the words of the catalogue's capabilities."""
        return {
            "numbered": "yes" if self.is_numbered else "no",
            "kakaopay": "yes" if self.payment == "kakaopay" else "no",
            "merchandise": "yes" if self.merchandise else "no",
        }

    def to_json(self) -> dict[str, Any]:
        """The normal form: reading it back gives an equal requirement."""
        performances = []
        for performance in self.performances:
            item: dict[str, Any] = {"id": performance.id, "starts_at": performance.starts_at.isoformat()}
            if performance.duration_minutes:
                item["duration_minutes"] = performance.duration_minutes
            performances.append(item)
        return {
            "version": 1,
            "title": self.title,
            **({"slug": self.slug} if self.slug else {}),
            "field": self.field,
            "description": self.description,
            "venue": {"name": self.venue_name, "address": self.venue_address},
            "seating": self.seating.to_json(),
            "grades": [{key: value for key, value in vars(grade).items() if value is not None} for grade in self.grades],
            "performances": performances,
            "sales": {"opens_at": self.sales_open_at.isoformat(), "closes_at": self.sales_close_at.isoformat()},
            "limit_per_buyer": self.limit_per_buyer,
            "hold_minutes": self.hold_minutes,
            "payment": self.payment,
            "merchandise": self.merchandise,
            "products": [product.to_json() for product in self.products],
            "refund_policy": policy_json(self.refund_policy),
            **({"sign_in": self.sign_in.to_json()} if self.sign_in else {}),
            **({"age_limit": self.age_limit} if self.age_limit is not None else {}),
            **({"organiser": self.organiser.to_json()} if self.organiser else {}),
            **({"concessions": [concession.to_json() for concession in self.concessions]} if self.concessions else {}),
            **({"admit_per_minute": self.admit_per_minute} if self.admit_per_minute is not None else {}),
            **({"presale": self.presale.to_json()} if self.presale else {}),
        }

    def summary(self) -> dict[str, Any]:
        """What lists show, without the plan."""
        starts = sorted(performance.starts_at for performance in self.performances)
        return {
            "title": self.title,
            "field": self.field,
            "venue": self.venue_name,
            "first_at": starts[0].isoformat(),
            "last_at": starts[-1].isoformat(),
            "performances": len(starts),
            "capacity": self.seating.capacity,
            "numbered": self.is_numbered,
            "sales_open_at": self.sales_open_at.isoformat(),
            "sales_close_at": self.sales_close_at.isoformat(),
            "price_from_krw": min(grade.price_krw for grade in self.grades),
            "price_to_krw": max(grade.price_krw for grade in self.grades),
            "payment": self.payment,
            "merchandise": self.merchandise,
            "refund_policy": policy_json(self.refund_policy),
            "sign_in": self.sign_in.shown_name if self.sign_in else "",
            "age_limit": self.age_limit,
            "organiser": self.organiser.name if self.organiser else "",
            **({"concessions": [concession.to_json() for concession in self.concessions]} if self.concessions else {}),
            **({"presale": self.presale.to_json()} if self.presale else {}),
        }


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 over a JSON document, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def validate(document: Any, *, now: datetime | None = None, previous: Requirement | None = None) -> Requirement | list[Problem]:
    """The requirement in DOCUMENT, or everything that is wrong with it.

    With NOW, what has begun already is refused, except what PREVIOUS has too: that is history, not a plan. Performances without an id
    keep that of PREVIOUS's which begins at the same time, or get the next free one; concessions keep theirs by their names.
    """
    problems = Problems()
    requirement = _read(Fields(document, "", problems), now, previous)
    return list(problems) if problems or requirement is None else requirement


def _read(fields: Fields, now: datetime | None, previous: Requirement | None) -> Requirement | None:
    if not fields.is_readable:
        return None
    version = fields.raw("version")
    if version is not None and (isinstance(version, bool) or version != 1):
        fields.add("version", "unknown_version", version=str(version)[:20])
    title = fields.text("title", limit=200)
    slug = _slug(fields)
    field = fields.choice("field", FIELDS)
    description = _description(fields)
    venue_name, venue_address = _venue(fields)
    seating = _seating(fields)
    grades = read_grades(fields)
    known = {performance.starts_at: performance.id for performance in previous.performances} if previous else {}
    performances = read_performances(fields, now, known)
    sales = _sales(fields, performances, now, previous)
    limit = fields.integer("limit_per_buyer", low=1, high=100)
    hold_minutes = fields.integer("hold_minutes", low=1, high=60, default=DEFAULT_HOLD_MINUTES)
    payment = fields.choice("payment", PAYMENTS)
    merchandise = fields.flag("merchandise")
    products = read_products(fields)
    refund_policy = read_refund_policy(fields, default=_refund_default(now, previous))
    sign_in = read_sign_in(fields)
    age_limit = fields.integer("age_limit", low=0, high=99) if fields.has("age_limit") else None
    organiser = read_organiser(fields)
    concessions = read_concessions(fields, previous.concessions if previous else (), Around(grades, performances, limit))
    admit = fields.integer("admit_per_minute", low=0, high=ADMIT_PER_MINUTE_AT_MOST) if fields.has("admit_per_minute") else None
    presale = read_presale(fields, sales[0] if sales else None)
    fields.done()
    _check_together(fields, seating, grades, limit, payment, merchandise, products)
    if fields.problems or seating is None or sales is None or limit is None or hold_minutes is None:
        return None
    return Requirement(
        title=title,
        slug=slug,
        field=field,
        description=description,
        venue_name=venue_name,
        venue_address=venue_address,
        seating=seating,
        grades=tuple(grades),
        performances=tuple(performances),
        sales_open_at=sales[0],
        sales_close_at=sales[1],
        limit_per_buyer=limit,
        hold_minutes=hold_minutes,
        payment=payment,
        merchandise=bool(merchandise),
        products=tuple(products),
        refund_policy=refund_policy,
        sign_in=sign_in,
        age_limit=age_limit,
        organiser=organiser,
        concessions=concessions,
        admit_per_minute=admit,
        presale=presale,
    )


def _refund_default(now: datetime | None, previous: Requirement | None) -> RefundPolicy:
    """What stays unsaid: as it was; the usual in what is new; as it had been before there were policies in what was stored then."""
    if previous:
        return previous.refund_policy
    return DEFAULT_REFUND_POLICY if now else BEFORE_POLICIES


def _slug(fields: Fields) -> str | None:
    """A DNS label, or None when the platform shall find one. RFC 1123; `xn--` belongs to internationalised names."""
    slug = fields.text("slug", limit=200, is_required=False)
    if not slug:
        return None
    if not SLUG.fullmatch(slug) or slug.startswith("xn--"):
        fields.add("slug", "bad_slug")
        return None
    if slug in RESERVED_SLUGS:
        fields.add("slug", "reserved_slug", slug=slug)
        return None
    return slug


def _venue(fields: Fields) -> tuple[str, str]:
    venue = fields.object("venue")
    if venue is None:
        return "", ""
    name, address = venue.text("name", limit=200), venue.text("address", limit=200, is_required=False)
    venue.done()
    return name, address


def _seating(fields: Fields) -> NumberedSeating | AreaSeating | None:
    seating = fields.object("seating")
    if seating is None or not seating.is_readable:
        return None
    is_numbered = seating.flag("numbered")
    # The other kind's entry may stand there empty, as a form sends it.
    other = seating.raw("areas" if is_numbered else "plan", is_required=False)
    if other and seating.has("plan" if is_numbered else "areas"):
        fields.add("seating", "both_seatings")
        return None
    if is_numbered is None:
        return None
    read: NumberedSeating | AreaSeating | None = read_plan(seating) if is_numbered else read_areas(seating)
    seating.done()
    return read


def _sales(
    fields: Fields, performances: list[Performance], now: datetime | None, previous: Requirement | None
) -> tuple[datetime, datetime] | None:
    sales = fields.object("sales")
    if sales is None:
        return None
    opens_at, closes_at = sales.moment("opens_at"), sales.moment("closes_at")
    sales.done()
    if opens_at is None or closes_at is None:
        return None
    if opens_at >= closes_at:
        sales.add("closes_at", "sales_reversed")
    if performances:
        last = max(performance.starts_at for performance in performances)
        if opens_at >= last:
            sales.add("opens_at", "sales_after_performances")
        if closes_at > last:
            sales.add("closes_at", "sales_after_performances")
    is_new = previous is None or previous.sales_close_at != closes_at
    if now and is_new and closes_at <= now and any(performance.starts_at > now for performance in performances):
        sales.add("closes_at", "sales_past")
    return opens_at, closes_at


def _check_together(
    fields: Fields,
    seating: NumberedSeating | AreaSeating | None,
    grades: list[Grade],
    limit: int | None,
    payment: str,
    merchandise: bool | None,
    products: list[Product],
) -> None:
    """Rules over several entries."""
    priced = {grade.name for grade in grades}
    if seating is not None:
        for grade in sorted(seating.grades - priced - {""}):
            fields.add("grades", "price_missing", grade=grade)
        if limit is not None and 0 < seating.capacity < limit:
            fields.add("limit_per_buyer", "limit_over_capacity", capacity=seating.capacity)
        if isinstance(seating, AreaSeating) and seating.capacity > MAX_CAPACITY:
            fields.add("seating.areas", "too_many", limit=MAX_CAPACITY, count=seating.capacity)
    if products and merchandise is False:
        fields.add("products", "products_without_merchandise")
    prices = [*(grade.price_krw for grade in grades), *(product.price_krw for product in products)]
    if payment == "kakaopay" and not any(prices):
        fields.add("payment", "nothing_to_pay")


def read_description(value: Any) -> str | list[Problem]:
    """VALUE as the entry `description` of a requirement, or what is wrong with it."""
    problems = Problems()
    text = _description(Fields({"description": value}, "", problems))
    return list(problems) if problems else text


def _description(fields: Fields) -> str:
    return fields.text("description", limit=10_000, is_required=False, has_lines=True)
