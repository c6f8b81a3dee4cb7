"""Merchandise as its seller sees it while the event is live: what was sold, what is to be handed over, and how much there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.lib.reasons import Problem
from controlplane.systems import live_edits, pictures
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.looks import looked
from controlplane.systems.models import BookingSystem, Operation, Picture, Requirement
from controlplane.systems.staff import Document, ask

SUMMARY, ATTENDEES, CONTENT = "summary", "attendees", "content"
PICKUPS = "/api/merch/pickups"
STATES = ("waiting", "done", "all", "returned")
STOCK_AT_MOST = 1_000_000


@dataclass(frozen=True)
class PickUps:
    """A page of orders, as the merch service gives them."""

    orders: tuple[Document, ...]
    total: int
    page: int
    pages: int


def has_shop(system: BookingSystem) -> bool:
    """Whether SYSTEM sells merchandise as it runs now."""
    live = Requirement.objects.filter(revisions=system.live_revision_id or 0)
    return bool(live.values_list("summary__merchandise", flat=True).first())


def shop_summary(*, system: BookingSystem, user: User) -> Document:
    """Orders, money and stock by product, as the merch service says. Raises ServiceUnavailable, Refused."""
    return ask(system, user, SUMMARY, lambda api: api.get("/api/merch/summary"))


def pick_ups(*, system: BookingSystem, user: User, query: str = "", state: str = "waiting", page: int = 1) -> PickUps:
    """Orders to hand over (`waiting`), those that were (`done`), `all` that stand, or those that were given back whole (`returned`).

    Of the last an older image says nothing. QUERY is looked for in names, numbers and phones.

    That USER looked is written down.
    """
    try:
        found = ask(system, user, ATTENDEES, lambda api: api.search(PICKUPS, at=f"{PICKUPS}/search", q=query, state=state, page=page))
    except ServiceRefused as error:
        if state != "returned" or set(error.errors) != {"state"}:
            raise
        found = {}
    looked(system, user, "pickups")
    rows = tuple(row for row in found.get("orders") or () if isinstance(row, dict))
    return PickUps(rows, int(found.get("total") or 0), int(found.get("page") or page), int(found.get("pages") or 1))


def hand_over(*, system: BookingSystem, code: str, acting_user: User) -> Document:
    """Hand over to who shows CODE: once. Raises ServiceRefused (`unknown_code`, `order_cancelled`, `already_picked_up`), …"""
    found = ask(system, acting_user, ATTENDEES, lambda api: api.post(PICKUPS, {"code": code}))
    audit.record("system.hand_over", system, acting_user=acting_user, order=str(found.get("order", "")))
    return found


def stock_edit(*, system: BookingSystem, stock: dict[str, Any], acting_user: User) -> Operation:
    """Say how much there ever was of each in STOCK, those sold included: a product, or `product/option`. Buyers can order it at once.

    Raises RequirementInvalid (at `stock.<name>`), ServiceRefused (`stock_below_sold`), and what live_edits.edit raises.
    """
    known = live_edits.counted(live_edits.live_requirement(system)) if has_shop(system) else {}
    problems = [Problem("not_an_option", {"options": ", ".join(sorted(known))}, f"stock.{name}") for name in stock if name not in known]
    for name, amount in stock.items():
        if isinstance(amount, bool) or not isinstance(amount, int):
            problems.append(Problem("wrong_type", {"wanted": "a whole number"}, f"stock.{name}"))
        elif not 0 <= amount <= STOCK_AT_MOST:
            problems.append(Problem("out_of_range", {"low": 0, "high": STOCK_AT_MOST}, f"stock.{name}"))
    if problems:
        raise RequirementInvalid(problems)
    return live_edits.edit(system=system, service="merch", patch={"stock": dict(stock)}, acting_user=acting_user)


def picture_put(*, system: BookingSystem, product: str, image: bytes, acting_user: User) -> Picture:
    """Show IMAGE with PRODUCT from now on. Raises PictureRefused, Refused (`no_such_product`), and what live_edits.edit raises."""
    _refuse_unknown(system, product)
    picture = pictures.picture_keep(owner=system.seller, content=image)
    live_edits.edit(system=system, service="merch", patch={"pictures": {product: picture.digest}}, acting_user=acting_user)
    return picture


def picture_delete(*, system: BookingSystem, product: str, acting_user: User) -> None:
    """Show PRODUCT without a picture; none is fine. Raises Refused (`no_such_product`), and what live_edits.edit raises."""
    _refuse_unknown(system, product)
    live_edits.edit(system=system, service="merch", patch={"pictures": {product: None}}, acting_user=acting_user)


def pictures_shown(*, system: BookingSystem, user: User) -> dict[str, str]:
    """Product -> digest of the picture that buyers see. Raises ServiceUnavailable, Refused."""
    offered = ask(system, user, CONTENT, lambda api: api.get("/api/merch/content")).get("products") or ()
    return {str(each["id"]): str(each["picture"]) for each in offered if isinstance(each, dict) and each.get("picture")}


def _refuse_unknown(system: BookingSystem, product: str) -> None:
    if not system.live_revision_id:
        raise Refused("not_live")
    if not has_shop(system) or product not in {each.id for each in live_edits.live_requirement(system).products}:
        raise Refused("no_such_product", product=product)
