"""One order of merchandise of a live event as its seller sees it, and giving it back by hand.

The merch service decides; here it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.systems.giving_back import give_back, look_up, names_of, path_of
from controlplane.systems.looks import looked
from controlplane.systems.models import BookingSystem
from controlplane.systems.shop import PICKUPS
from controlplane.systems.staff import Document

WHYS = ("charged_twice", "fault", "missing", "goodwill", "other")


@dataclass(frozen=True)
class Piece:
    """A line of an order: `quantity` pieces, of which `given_back` are the buyer's no more."""

    id: str
    name: str
    price_krw: int
    quantity: int
    given_back: int

    @property
    def left(self) -> int:
        return self.quantity - self.given_back


@dataclass(frozen=True)
class Entry:
    """Something that happened: `ordered`, `paid`, `picked_up` or `given_back`, which is on its way until `is_done`.

    `reason`: `buyer`, `organiser`, `performance_called_off`, or why the order could not be delivered. By hand: which `pieces`, `by` whom
    (as its reader knows them), `why`, and the `note` that no buyer sees.
    """

    kind: str
    at: datetime
    amount_krw: int
    pieces: tuple[str, ...]
    is_done: bool
    reason: str
    by: str
    why: str
    note: str


@dataclass(frozen=True)
class ShopOrder:
    """`refusal`: why nothing of it can be given back now, in words; empty when it can."""

    id: str
    number: str
    status: str
    is_settling: bool
    ticket_order: str
    buyer_name: str
    buyer_phone: str
    is_paid: bool
    is_test: bool
    total_krw: int
    refunded_krw: int
    due_krw: int
    picked_up_at: datetime | None
    refusal: str
    items: tuple[Piece, ...]
    history: tuple[Entry, ...]
    created_at: datetime

    @property
    def paid_krw(self) -> int:
        """What came in; nothing before it was paid."""
        return sum(entry.amount_krw for entry in self.history if entry.kind == "paid")

    @property
    def stands(self) -> bool:
        return self.status == "ISSUED"


@dataclass(frozen=True)
class Refund:
    """What was given back; `is_done` is false while the provider has not said so."""

    id: str
    order_id: str
    refund_krw: int
    is_done: bool


def shop_order(*, system: BookingSystem, order_id: str, user: User, is_look: bool = True) -> ShopOrder:
    """The order. That USER looked is written down, unless what is shown of it names nobody (IS_LOOK).

    Raises ServiceRefused (`not_found`), ServiceUnavailable, Refused (`service_older`: the image that runs knows no single orders yet).
    """
    found = look_up(system, user, service="merch", collection=PICKUPS, identity=order_id)
    if is_look:
        looked(system, user, "pickup")
    return _order(found, user)


def shop_order_refund(
    *,
    system: BookingSystem,
    order_id: str,
    items: dict[str, int],
    why: str,
    picked_up: bool = False,
    note: str = "",
    key: str = "",
    acting_user: User,
) -> Refund:
    """Give so many pieces of ITEMS (none: all that is left) back, at their whole price. The same KEY is one refund.

    WHY is one of WHYS; PICKED_UP: though it was handed over. Raises ServiceRefused (`already_picked_up`, `order_changed`, …), Refused, and
    ServiceUnavailable, after which nobody knows whether it was done: ask again with the same KEY.
    """
    document: Document = {"why": why, "picked_up": picked_up, "note": note}
    if items:
        document["items"] = [{"item": item, "quantity": count} for item, count in items.items()]
    told: Document = {"order": order_id, "why": why}
    path = path_of(PICKUPS, order_id)
    found = give_back(path, document, system=system, key=key, action="system.shop_refund", told=told, acting_user=acting_user)
    made = Refund(str(found["id"]), str(found["order_id"]), int(found["refund_krw"]), bool(found["is_done"]))
    done = {"outcome": "made", "refund": made.id, "refund_krw": made.refund_krw}
    audit.record("system.shop_refund", system, acting_user=acting_user, **told | done)
    return made


def _order(found: Document, reader: User) -> ShopOrder:
    refusal, picked_up_at = found.get("refusal"), found.get("picked_up_at")
    names = names_of([str(item.get("by") or "") for item in found["history"]], reader)
    items = tuple(_piece(item) for item in found["items"])
    labels = {item.id: item.name for item in items}
    return ShopOrder(
        id=str(found["id"]),
        number=str(found["number"]),
        status=str(found["status"]),
        is_settling=bool(found["is_settling"]),
        ticket_order=str(found.get("ticket_order") or ""),
        buyer_name=str(found["buyer_name"]),
        buyer_phone=str(found["buyer_phone"]),
        is_paid=found["provider"] != "none",
        is_test=bool(found["payment_test"]),
        total_krw=int(found["total_krw"]),
        refunded_krw=int(found["refunded_krw"]),
        due_krw=int(found["due_krw"]),
        picked_up_at=datetime.fromisoformat(picked_up_at) if picked_up_at else None,
        refusal=str(refusal["detail"]) if refusal else "",
        items=items,
        history=tuple(_entry(item, labels, names) for item in found["history"]),
        created_at=datetime.fromisoformat(found["created_at"]),
    )


def _piece(item: dict[str, Any]) -> Piece:
    option = str(item.get("option_name") or "")
    name = f"{item['name']} ({option})" if option else str(item["name"])
    return Piece(str(item["id"]), name, int(item["price_krw"]), int(item["quantity"]), int(item["given_back"]))


def _entry(item: dict[str, Any], labels: dict[str, str], names: dict[str, str]) -> Entry:
    texts = {name: str(item.get(name) or "") for name in ("reason", "why", "note")}
    pieces = [f"{each['quantity']} × {labels.get(str(each['item']), each['item'])}" for each in item.get("pieces") or ()]
    return Entry(
        kind=str(item["kind"]),
        at=datetime.fromisoformat(item["at"]),
        amount_krw=int(item.get("amount_krw") or 0),
        pieces=tuple(pieces),
        is_done=bool(item.get("is_done", True)),
        by=names.get(str(item.get("by") or ""), ""),
        **texts,
    )
