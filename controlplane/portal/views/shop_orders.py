"""One order of merchandise: its buyer, its items, what happened to it, and giving it back by hand, which is shown before it is done."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from controlplane.portal import words
from controlplane.portal.http import AuthenticatedRequest, asking
from controlplane.portal.templatetags.portal import won
from controlplane.systems import shop_orders
from controlplane.systems.access import Need
from controlplane.systems.errors import ServiceRefused
from controlplane.systems.giving_back import NOTE_AT_MOST
from controlplane.systems.models import BookingSystem
from controlplane.systems.shop_orders import ShopOrder

TAB = "shop"


@dataclass(frozen=True)
class Typed:
    """The form as it was filled in: how many pieces of each item, by its id; as it is shown first, all that is left."""

    pieces: dict[str, int] = field(default_factory=dict)
    why: str = ""
    note: str = ""

    @classmethod
    def of(cls, post: QueryDict, order: ShopOrder) -> Typed:
        pieces = {item.id: _count(post.get(f"pieces.{item.id}", "")) for item in order.items}
        return cls(pieces, post.get("why", "")[:20], post.get("note", "").strip()[:5_000])

    @property
    def chosen(self) -> dict[str, int]:
        return {item: count for item, count in self.pieces.items() if count > 0}

    def errors(self, order: ShopOrder) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if any(not 0 <= self.pieces[item.id] <= item.left for item in order.items):
            found["pieces"] = [gettext("There are not so many pieces in the order.")]
        elif not self.chosen:
            found["pieces"] = [gettext("Choose at least one piece.")]
        if self.why not in shop_orders.WHYS:
            found["why"] = [gettext("Choose a reason.")]
        if len(self.note) > NOTE_AT_MOST:
            found["note"] = [gettext("At most %(limit)d characters, please.") % {"limit": NOTE_AT_MOST}]
        return found


def _count(typed: str) -> int:
    bare = typed.strip()
    if not bare:
        return 0
    return int(bare) if bare.isascii() and bare.isdecimal() and len(bare) < 7 else -1


@never_cache
@require_GET
@asking(TAB, Need.VIEW)
def page(request: AuthenticatedRequest, system: BookingSystem, order_id: uuid.UUID) -> HttpResponse:
    order = shop_orders.shop_order(system=system, order_id=str(order_id), user=request.user)
    return _page(request, system, order, Typed({item.id: item.left for item in order.items}))


@never_cache
@require_GET
@asking(TAB, Need.VIEW)
def progress(request: AuthenticatedRequest, system: BookingSystem, order_id: uuid.UUID) -> HttpResponse:
    """What became of the order alone, asked for again and again while money is on its way; `X-Over` says when that is enough."""
    order = shop_orders.shop_order(system=system, order_id=str(order_id), user=request.user, is_look=False)
    response = render(request, "portal/systems/part_shop_order.html", _context(system, order))
    response["X-Over"] = "no" if order.is_settling else "yes"
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.MANAGE)
def refund(request: AuthenticatedRequest, system: BookingSystem, order_id: uuid.UUID) -> HttpResponse:
    """A POST shows what would go back, and with `step=refund` gives it back. Nothing is done twice: the page that shows it has a key."""
    if request.method == "GET":
        return redirect("portal:system-shop-order", system.pk, order_id)
    order = shop_orders.shop_order(system=system, order_id=str(order_id), user=request.user)
    typed, step, key = Typed.of(request.POST, order), request.POST.get("step", ""), request.POST.get("key", "")[:100]
    if step == "change":
        return _page(request, system, order, typed)
    # What was done already leaves nothing to choose from: sent again, it is the service that knows the key.
    if (errors := typed.errors(order)) and not (step == "refund" and set(errors) == {"pieces"} and typed.chosen):
        return _page(request, system, order, typed, errors=errors, status=422)
    if step != "refund" or not key:
        return _preview(request, system, order, typed)
    try:
        made = shop_orders.shop_order_refund(
            system=system,
            order_id=order.id,
            items=typed.chosen,
            why=typed.why,
            picked_up=request.POST.get("picked_up") == "yes",
            note=typed.note,
            key=key,
            acting_user=request.user,
        )
    except ServiceRefused as error:
        order = shop_orders.shop_order(system=system, order_id=order.id, user=request.user)
        said = " ".join(message for found in error.errors.values() for message in found) or error.detail
        return _page(request, system, order, typed, refusal=said, status=error.status)
    if not order.is_paid:
        said = gettext("The goods were taken back.")
    elif made.is_done:
        said = gettext("%(amount)s goes back to the buyer.") % {"amount": won(made.refund_krw)}
    else:
        said = gettext("%(amount)s is being sent back to the buyer. This page shows when that is done.") % {"amount": won(made.refund_krw)}
    messages.success(request, said)
    return redirect("portal:system-shop-order", system.pk, order_id)


def _preview(request: AuthenticatedRequest, system: BookingSystem, order: ShopOrder, typed: Typed) -> HttpResponse:
    """What TYPED comes to, to be confirmed. That it was handed over is part of it when it is seen to be here."""
    lines = [(item, typed.chosen[item.id], item.price_krw * typed.chosen[item.id]) for item in order.items if item.id in typed.chosen]
    context = _context(system, order) | {
        "typed": typed,
        "lines": lines,
        "refund_krw": sum(price for _item, _count, price in lines) if order.is_paid else 0,
        "why": words.SHOP_REFUND_WHYS[typed.why],
        "key": uuid.uuid4(),
    }
    return render(request, "portal/systems/shop_order_refund.html", context)


def _page(
    request: AuthenticatedRequest,
    system: BookingSystem,
    order: ShopOrder,
    typed: Typed,
    *,
    errors: dict[str, list[str]] | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    lines = [(item, max(typed.pieces.get(item.id, 0), 0)) for item in order.items if item.left]
    context = _context(system, order) | {"typed": typed, "lines": lines, "errors": errors or {}, "refusal": refusal}
    return render(request, "portal/systems/shop_order.html", context, status=status)


def _context(system: BookingSystem, order: ShopOrder) -> dict[str, Any]:
    return {
        "system": system,
        "order": order,
        "status": words.SHOP_STATES.get(order.status) or words.ARCHIVE_VALUES.get(order.status, order.status),
        "whys": words.SHOP_REFUND_WHYS,
        "reasons": words.REFUND_REASONS,
        "tab": TAB,
    }
