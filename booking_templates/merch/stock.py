"""Stock: taken and given back by one conditional update a product.

They come in the order of the products' ids, so that two orders never wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import F
from django.utils.translation import gettext as _

from booking_templates.kit.problems import Conflict, NotFound
from booking_templates.merch.models import Item, Product


def take(wanted: Mapping[str, int]) -> list[Product]:
    """Take QUANTITY of each product, all or none, in the caller's transaction; the products.

    Raises Conflict `sold_out` naming the products of which too few are left, NotFound for one that is not offered.
    """
    short = []
    for product_id in sorted(wanted):
        quantity = wanted[product_id]
        # The condition is in the statement that writes: of two orders for the last piece one finds no row.
        took = Product.objects.filter(pk=product_id, is_offered=True, stock__gte=F("sold") + quantity).update(sold=F("sold") + quantity)
        if not took:
            short.append(product_id)
    products = list(Product.objects.filter(pk__in=wanted).order_by("position", "pk"))
    if missing := sorted(set(wanted) - {product.pk for product in products if product.is_offered}):
        raise NotFound("unknown_product", products=missing)
    if short:
        left = {product.pk: product.stock - product.sold for product in products if product.pk in short}
        raise Conflict("sold_out", _("There is not enough of this left."), products=short, left=left)
    return products


def give_back(order_id: str) -> None:
    """Put an order's items back, in the transaction that ends the order: once, for an order ends once."""
    for product_id, quantity in Item.objects.filter(order_id=order_id).order_by("product_id").values_list("product_id", "quantity"):
        Product.objects.filter(pk=product_id).update(sold=F("sold") - quantity)
