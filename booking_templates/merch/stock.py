"""Stock: taken and given back by one conditional update a choice.

They come in the order of products and options, so that two orders never wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import F
from django.utils.translation import gettext as _

from booking_templates.kit.problems import Conflict, NotFound, Unprocessable
from booking_templates.merch.models import Choice, Item, label

Key = tuple[str, str]
"""A product's id and its option's, which is empty for a product without options."""


def take(wanted: Mapping[Key, int]) -> list[Choice]:
    """Take so many of each choice, all or none, in the caller's transaction; the choices with their products.

    Raises Conflict `sold_out` naming the choices of which too few are left, NotFound for what is not offered, Unprocessable
    `option_required` for a product that comes in options when none is named.
    """
    short = []
    for key in sorted(wanted):
        product_id, option = key
        quantity = wanted[key]
        # The condition is in the statement that writes: of two orders for the last piece one finds no row.
        there = Choice.objects.filter(product_id=product_id, option=option, is_offered=True, stock__gte=F("sold") + quantity)
        if not there.update(sold=F("sold") + quantity):
            short.append(key)
    rows = Choice.objects.select_related("product").filter(product_id__in={key[0] for key in wanted}, is_offered=True)
    offered = {(row.product_id, row.option): row for row in rows.order_by("product__position", "product_id", "position", "pk")}
    if missing := sorted(set(wanted) - offered.keys()):
        in_options = {product_id for product_id, _option in offered}
        if needy := [product_id for product_id, option in missing if not option and product_id in in_options]:
            raise Unprocessable("option_required", _("Please choose an option."), products=needy)
        raise NotFound("unknown_product", products=[label(*key) for key in missing])
    if short:
        left = {label(*key): offered[key].stock - offered[key].sold for key in short}
        raise Conflict("sold_out", _("There is not enough of this left."), products=list(left), left=left)
    return [row for key, row in offered.items() if key in wanted]


def give_back(order_id: str, pieces: Mapping[int, int] | None = None) -> None:
    """Put PIECES (of items, by their ids; None: all that is left) back, in the transaction that takes them from the order.

    The order's move lets one thread do so; a piece that was given back before breaks the item's constraint.
    """
    items = Item.objects.filter(order_id=order_id).order_by("choice__product_id", "choice__option")
    for item in items:
        count = item.left if pieces is None else pieces.get(item.pk, 0)
        if count:
            Item.objects.filter(pk=item.pk).update(given_back=F("given_back") + count)
            Choice.objects.filter(pk=item.choice_id).update(sold=F("sold") - count)
