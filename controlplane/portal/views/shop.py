"""Merchandise of a live event: orders to hand over, and stock."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controlplane.portal import searching, uploads
from controlplane.portal.http import AuthenticatedRequest, asking, open_system
from controlplane.portal.speech import say_reason
from controlplane.portal.views.draft_pictures import picture_response
from controlplane.systems import shop
from controlplane.systems.access import Need
from controlplane.systems.errors import Refused, RequirementInvalid, ServiceRefused
from controlplane.systems.models import BookingSystem
from controlplane.systems.selectors import LAST_PAGE

TAB = "shop"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@asking(TAB, Need.VIEW)
def page(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """The shop's figures, and its orders with a search."""
    return searching.to_results(request, "state") if request.method == "POST" else _page(request, system)


@require_POST
@asking(TAB, Need.MANAGE)
def hand_over(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """The code that a buyer shows at the counter."""
    code = request.POST.get("code", "").strip()[:20]
    try:
        handed = shop.hand_over(system=system, code=code, acting_user=request.user)
    except ServiceRefused as error:
        found = [message for texts in error.errors.values() for message in texts] or [error.detail]
        return _page(request, system, code=code, errors={"code": found})
    return _page(request, system, handed=handed)


@require_POST
@asking(TAB, Need.MANAGE)
def stock(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """How much there is of one product, or of one of its options."""
    name, typed = request.POST.get("product", "")[:130], request.POST.get("stock", "").strip()[:20]
    bare = typed.replace(",", "")
    amount: Any = int(bare) if bare.isascii() and bare.isdecimal() and len(bare) < 10 else typed
    try:
        shop.stock_edit(system=system, stock={name: amount}, acting_user=request.user)
    except RequirementInvalid as error:
        return _page(request, system, typed={name: typed}, errors={name: [say_reason(problem) for problem in error.problems]})
    except ServiceRefused as error:
        return _page(request, system, typed={name: typed}, errors={name: [error.detail]})
    except Refused as error:
        return _page(request, system, typed={name: typed}, errors={name: [say_reason(error.reason)]})
    messages.success(request, gettext("Saved. Buyers see it now."))
    return redirect("portal:system-shop", system.pk)


@require_POST
@asking(TAB, Need.MANAGE)
def picture(request: AuthenticatedRequest, system: BookingSystem) -> HttpResponse:
    """Show a picture with a product, or none any more."""
    product, file = request.POST.get("product", "")[:64], request.FILES.get("picture")
    try:
        if "remove" in request.POST:
            shop.picture_delete(system=system, product=product, acting_user=request.user)
        else:
            image = uploads.read(None if isinstance(file, list) else file)
            shop.picture_put(system=system, product=product, image=image, acting_user=request.user)
    except ServiceRefused as error:
        return _page(request, system, errors={f"picture-{product}": [error.detail]})
    except Refused as error:
        return _page(request, system, errors={f"picture-{product}": [say_reason(error.reason)]})
    messages.success(request, gettext("Saved. Buyers see it now."))
    return redirect("portal:system-shop", system.pk)


@login_required
@require_GET
def picture_image(request: AuthenticatedRequest, system_id: int, digest: str) -> HttpResponse:
    """A picture as its seller gave it: the buyer site is another origin, which this page's policy does not let it load from."""
    return picture_response(open_system(request, system_id, Need.VIEW).seller, digest)


def _page(
    request: AuthenticatedRequest,
    system: BookingSystem,
    *,
    code: str = "",
    handed: dict[str, Any] | None = None,
    typed: dict[str, str] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> HttpResponse:
    if not shop.has_shop(system):
        raise Http404
    number, query, state = request.GET.get("page", ""), searching.searched_for(request), request.GET.get("state", "waiting")
    shown = shop.pick_ups(
        system=system,
        user=request.user,
        query=query,
        state=state if state in shop.STATES else "waiting",
        page=min(max(int(number), 1), LAST_PAGE) if number.isascii() and number.isdecimal() and len(number) < 7 else 1,
    )
    summary = shop.shop_summary(system=system, user=request.user)
    shown_pictures = shop.pictures_shown(system=system, user=request.user)
    products = [_product(each, shown_pictures, typed or {}) for each in summary.get("by_product", [])]
    context = {
        "system": system,
        "summary": summary,
        "income_krw": int(summary.get("captured_krw") or 0) - int(summary.get("refunded_krw") or 0),
        "products": products,
        "orders": shown,
        "query": query,
        "sealed": searching.sealed(query),
        "state": state,
        "code": code,
        "handed": handed,
        "errors": errors or {},
        "tab": TAB,
    }
    return render(request, "portal/systems/shop.html", context, status=422 if errors else 200)


def _product(row: dict[str, Any], shown_pictures: dict[str, str], typed: dict[str, str]) -> dict[str, Any]:
    """A line of the stock: what has an amount of its own has a `name` by which it is changed, and what was `typed` for it."""
    product = str(row.get("product"))
    options = [each for each in row.get("options") or () if isinstance(each, dict)]
    counted = [{**each, "key": f"{product}/{each.get('id')}", "label": f"{row.get('name')}, {each.get('name')}"} for each in options]
    if not counted:
        counted = [{"key": product, "label": row.get("name"), **{key: row.get(key) for key in ("stock", "sold", "is_offered")}}]
    lines = [{**each, "typed": typed.get(each["key"], each.get("stock"))} for each in counted]
    return {**row, "picture": shown_pictures.get(product, ""), "lines": lines, "options": options}
