"""How many pieces of a product one buyer may have: those of all orders that stand or are being paid, whatever their options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from booking_templates.kit.problems import Unprocessable
from booking_templates.merch.models import Item, Product
from booking_templates.merch.stock import Key
from booking_templates.payments.states import State

ENDED = (State.CANCELLED, State.REFUNDING, State.REFUNDED)


def require(buyer_id: str, wanted: Mapping[Key, int]) -> None:
    """Make sure that the buyer may have so many more, in the transaction that then takes them. Raises Unprocessable `limit_exceeded`.

    The products' rows are locked until it ends, in the order of their ids: of two requests of one buyer the second counts what the first
    has taken. What is given back is in no count, so nothing can be forgotten to be taken off.
    """
    pieces = Counter[str]()
    for (product_id, _option), quantity in wanted.items():
        pieces[product_id] += quantity
    products = list(Product.objects.select_for_update().filter(pk__in=pieces).order_by("pk"))
    standing = Item.objects.filter(order__buyer_id=buyer_id, choice__product_id__in=pieces).exclude(order__state__in=ENDED)
    had = dict(standing.values_list("choice__product_id").annotate(pieces=Sum(F("quantity") - F("given_back"))))
    for product in products:
        taken, limit = had.get(product.pk, 0), product.limit_per_buyer
        if taken + pieces[product.pk] > limit:
            text = (
                _("One person can order at most %(limit)d of %(product)s, and you have ordered %(taken)d already.")
                if taken
                else _("One person can order at most %(limit)d of %(product)s.")
            )
            words = text % {"limit": limit, "taken": taken, "product": product.name}
            raise Unprocessable("limit_exceeded", words, product=product.pk, limit=limit, taken=taken)
