"""The repeated parts of a requirement, grades, performances and products: what they are, and reading them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.rendering.reader import Fields

MAX_PERFORMANCES = 200
MAX_GRADES = 50
MAX_PRODUCTS = 200
MAX_PRICE_KRW = 10_000_000
MAX_OPTIONS = 50
MAX_STOCK = 1_000_000
MAX_PER_BUYER = 100
PIECES_PER_BUYER = 10
"""Of a product, where its seller names no other number: the merch service's own."""

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_OPTION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Grade:
    name: str
    price_krw: int
    color: str | None = None


@dataclass(frozen=True)
class Performance:
    id: str
    starts_at: datetime
    duration_minutes: int | None = None


@dataclass(frozen=True)
class Option:
    """A size or colour of a product, with a stock of its own and what it costs more."""

    id: str
    name: str
    stock: int
    extra_krw: int = 0


@dataclass(frozen=True)
class Product:
    """What is sold beside tickets. It has a stock, or options that have one each: then `stock` is None."""

    id: str
    name: str
    price_krw: int
    stock: int | None
    description: str = ""
    option_label: str = ""
    """What its options differ in: size, colour."""
    options: tuple[Option, ...] = ()
    picture: str | None = None
    """The SHA-256 of a picture that its seller has uploaded."""
    limit_per_buyer: int = PIECES_PER_BUYER
    """Pieces, of all options together."""

    def to_json(self) -> dict[str, Any]:
        """As it stands in a requirement, and as the merch service takes it."""
        whole: dict[str, Any] = {"id": self.id, "name": self.name, "price_krw": self.price_krw, "description": self.description}
        if self.picture:
            whole["picture"] = self.picture
        if self.limit_per_buyer != PIECES_PER_BUYER:
            # Left out where it is the usual one: an image that is older does not know it.
            whole["limit_per_buyer"] = self.limit_per_buyer
        if self.options:
            return whole | {"option_label": self.option_label, "options": [dict(vars(option)) for option in self.options]}
        return whole | {"stock": self.stock}


def read_grades(fields: Fields) -> list[Grade]:
    grades: list[Grade] = []
    for item in fields.objects("grades", low=1, high=MAX_GRADES):
        name = item.text("name", limit=40)
        price = item.integer("price_krw", low=0, high=MAX_PRICE_KRW)
        color = item.matching("color", _COLOR, "#1a2b3c")
        item.done()
        if name and any(grade.name == name for grade in grades):
            item.add("name", "duplicate", value=name)
        grades.append(Grade(name, price or 0, color))
    return grades


def read_performances(fields: Fields, now: datetime | None, known: Mapping[datetime, str]) -> list[Performance]:
    """KNOWN is when performances began before, with their ids. With NOW, one that has begun is refused unless it is known."""
    read: list[tuple[Fields, str | None, datetime | None, int | None]] = []
    for item in fields.objects("performances", low=1, high=MAX_PERFORMANCES):
        has_duration = item.has("duration_minutes")
        duration = item.integer("duration_minutes", low=1, high=24 * 60 * 31, default=0)
        read.append((item, item.matching("id", _ID, "p1"), item.moment("starts_at"), duration if has_duration else None))
        item.done()
    given = {starts_at for _, _, starts_at, _ in read}
    taken = {id for _, id, _, _ in read if id} | {id for starts_at, id in known.items() if starts_at not in given}
    performances: list[Performance] = []
    for item, given_id, starts_at, duration in read:
        if starts_at is None:
            continue
        if any(other.starts_at == starts_at for other in performances):
            item.add("starts_at", "duplicate_performance", starts_at=starts_at.isoformat())
        elif now and starts_at <= now and starts_at not in known:
            item.add("starts_at", "performance_past")
        if given_id and any(other.id == given_id for other in performances):
            item.add("id", "duplicate", value=given_id)
        performance_id = given_id or _free_id(known.get(starts_at), taken)
        taken.add(performance_id)
        performances.append(Performance(performance_id, starts_at, duration))
    return performances


def _free_id(kept: str | None, taken: set[str]) -> str:
    """KEPT if nobody else has it, or the first free one of p1, p2, …"""
    return kept if kept and kept not in taken else next(free for n in range(1, 1_000) if (free := f"p{n}") not in taken)


def _stock(item: Fields) -> int | None:
    if not item.raw("options", is_required=False):
        return item.integer("stock", low=0, high=MAX_STOCK) or 0
    if item.raw("stock", is_required=False) is not None:
        item.add("stock", "stock_and_options")
    return None


def _options(item: Fields) -> tuple[Option, ...]:
    options: list[Option] = []
    for entry in item.objects("options", high=MAX_OPTIONS):
        option_id = entry.matching("id", _OPTION_ID, "m")
        if not entry.has("id"):
            entry.raw("id")
        option = Option(
            id=option_id or "",
            name=entry.text("name", limit=100),
            stock=entry.integer("stock", low=0, high=MAX_STOCK) or 0,
            extra_krw=entry.integer("extra_krw", low=0, high=MAX_PRICE_KRW, default=0) or 0,
        )
        entry.done()
        if option.id and any(other.id == option.id for other in options):
            entry.add("id", "duplicate", value=option.id)
        options.append(option)
    return tuple(options)


def read_products(fields: Fields) -> list[Product]:
    products: list[Product] = []
    for item in fields.objects("products", high=MAX_PRODUCTS):
        item_id = item.matching("id", _ID, "program")
        if not item.has("id"):
            item.raw("id")
        label, options = item.text("option_label", limit=50, is_required=False), _options(item)
        product = Product(
            id=item_id or "",
            name=item.text("name", limit=100),
            price_krw=item.integer("price_krw", low=0, high=MAX_PRICE_KRW) or 0,
            stock=_stock(item),
            description=item.text("description", limit=2_000, is_required=False, has_lines=True),
            option_label=label if options else "",
            options=options,
            picture=item.matching("picture", _DIGEST, "the SHA-256 of a picture, 64 hexadecimal digits"),
            limit_per_buyer=item.integer("limit_per_buyer", low=1, high=MAX_PER_BUYER, default=PIECES_PER_BUYER) or PIECES_PER_BUYER,
        )
        item.done()
        if product.id and any(other.id == product.id for other in products):
            item.add("id", "duplicate", value=product.id)
        products.append(product)
    return products
