"""One booking: its buyer, its tickets, what happened to it, and giving it back by hand, which is shown before it is done."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
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
from controlplane.systems import bookings, shop
from controlplane.systems.access import Need
from controlplane.systems.bookings import Booking, Quote, Wish
from controlplane.systems.errors import ServiceRefused
from controlplane.systems.giving_back import NOTE_AT_MOST
from controlplane.systems.models import BookingSystem
from controlplane.systems.selectors import performances_of

TAB = "attendees"
LOOK_AGAIN = ("fee_not_agreed", "at_door_not_agreed", "order_changed")
"""Refusals after which the form is shown with what it would come to now."""


@dataclass(frozen=True)
class Typed:
    """The form as it was filled in; as it is shown first, all tickets are chosen with which nobody was let in."""

    tickets: tuple[str, ...] = ()
    terms: str = "full"
    why: str = ""
    note: str = ""

    @classmethod
    def of(cls, post: QueryDict) -> Typed:
        terms = post.get("terms", "")
        return cls(
            tickets=tuple(post.getlist("tickets")[:200]),
            terms=terms if terms in bookings.TERMS else "full",
            why=post.get("why", "")[:20],
            note=post.get("note", "").strip()[:5_000],
        )

    def errors(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if not self.tickets:
            found["tickets"] = [gettext("Choose at least one ticket.")]
        if self.why not in bookings.WHYS:
            found["why"] = [gettext("Choose a reason.")]
        if len(self.note) > NOTE_AT_MOST:
            found["note"] = [gettext("At most %(limit)d characters, please.") % {"limit": NOTE_AT_MOST}]
        return found


@never_cache
@require_GET
@asking(TAB, Need.VIEW)
def page(request: AuthenticatedRequest, system: BookingSystem, order_id: uuid.UUID) -> HttpResponse:
    booking = bookings.booking(system=system, order_id=str(order_id), user=request.user)
    fresh = Typed(tickets=tuple(ticket.id for ticket in booking.live if not ticket.used_at))
    return _page(request, system, booking, fresh)


@never_cache
@require_GET
@asking(TAB, Need.VIEW)
def progress(request: AuthenticatedRequest, system: BookingSystem, order_id: uuid.UUID) -> HttpResponse:
    """What became of the booking alone, asked for again and again while money is on its way; `X-Over` says when that is enough."""
    booking = bookings.booking(system=system, order_id=str(order_id), user=request.user, is_look=False)
    response = render(request, "portal/systems/part_booking.html", _context(system, booking))
    response["X-Over"] = "no" if booking.is_settling else "yes"
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@asking(TAB, Need.MANAGE)
def refund(request: AuthenticatedRequest, system: BookingSystem, order_id: uuid.UUID) -> HttpResponse:
    """A POST shows what would go back, and with `step=refund` gives it back. Nothing is done twice: the page that shows it has a key."""
    if request.method == "GET":
        return redirect("portal:system-booking", system.pk, order_id)
    typed, step = Typed.of(request.POST), request.POST.get("step", "")
    booking = bookings.booking(system=system, order_id=str(order_id), user=request.user)
    if step == "change":
        return _page(request, system, booking, typed)
    if errors := typed.errors():
        return _page(request, system, booking, typed, errors=errors, status=422)
    fee, at_door = request.POST.get("fee_krw", ""), request.POST.get("at_door_krw", "0")
    if step != "refund" or not all(each.isascii() and each.isdecimal() and len(each) < 11 for each in (fee, at_door)):
        return _preview(request, system, booking, typed)
    wish, key = Wish(typed.tickets, typed.terms, request.POST.get("used") == "yes"), request.POST.get("key", "")[:100]
    try:
        made = bookings.booking_refund(
            system=system,
            order_id=booking.id,
            wish=wish,
            fee_krw=int(fee),
            why=typed.why,
            note=typed.note,
            key=key,
            at_door_krw=int(at_door),
            acting_user=request.user,
        )
    except ServiceRefused as error:
        booking = bookings.booking(system=system, order_id=booking.id, user=request.user)
        if error.code in LOOK_AGAIN:
            return _preview(request, system, booking, typed, refusal=error.detail)
        return _page(request, system, booking, typed, refusal=error.detail, status=error.status)
    if made.at_door_krw:
        said = gettext("The tickets were taken back. It is written down that you gave %(amount)s back.") % {"amount": won(made.at_door_krw)}
    elif not booking.is_paid:
        said = gettext("The tickets were taken back.")
    elif made.is_done:
        said = gettext("%(amount)s goes back to the buyer.") % {"amount": won(made.refund_krw)}
    else:
        said = gettext("%(amount)s is being sent back to the buyer. This page shows when that is done.") % {"amount": won(made.refund_krw)}
    messages.success(request, said)
    return redirect("portal:system-booking", system.pk, order_id)


def _preview(request: AuthenticatedRequest, system: BookingSystem, booking: Booking, typed: Typed, *, refusal: str = "") -> HttpResponse:
    """What TYPED comes to now, to be confirmed. What was used at the door is part of it when it is seen to be here."""
    chosen = [ticket for ticket in booking.live if ticket.id in typed.tickets]
    wish = Wish(typed.tickets, typed.terms, used=any(ticket.used_at for ticket in chosen))
    try:
        quote: Quote = bookings.refund_quote(system=system, order_id=booking.id, wish=wish, user=request.user)
    except ServiceRefused as error:
        left = replace(typed, tickets=tuple(ticket.id for ticket in chosen))
        return _page(request, system, booking, left, refusal=error.detail, status=error.status)
    context = _context(system, booking) | {
        "typed": typed,
        "quote": quote,
        "fee_krw": str(quote.fee_krw),
        "at_door_krw": str(quote.at_door_krw),
        "wish": wish,
        "used": [ticket for ticket in chosen if ticket.used_at],
        "why": words.REFUND_WHYS[typed.why],
        "key": uuid.uuid4(),
        "refusal": refusal,
        "has_shop": shop.has_shop(system),
    }
    return render(request, "portal/systems/booking_refund.html", context, status=409 if refusal else 200)


def _page(
    request: AuthenticatedRequest,
    system: BookingSystem,
    booking: Booking,
    typed: Typed,
    *,
    errors: dict[str, list[str]] | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = _context(system, booking) | {"typed": typed, "errors": errors or {}, "refusal": refusal}
    return render(request, "portal/systems/booking.html", context, status=status)


def _context(system: BookingSystem, booking: Booking) -> dict[str, Any]:
    starts = {item["id"]: item["starts_at"] for item in performances_of(system)}
    return {
        "system": system,
        "booking": booking,
        "starts_at": starts.get(booking.performance_id, ""),
        "status": words.ARCHIVE_VALUES.get(booking.status, booking.status),
        "whys": words.REFUND_WHYS,
        "reasons": words.REFUND_REASONS,
        "tab": TAB,
    }
