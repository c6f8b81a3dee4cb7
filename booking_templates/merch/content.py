"""The seller's products."""

from __future__ import annotations

from django.utils.translation import gettext as _

from booking_templates.kit.db import retry_transaction
from booking_templates.kit.problems import Conflict, Unprocessable
from booking_templates.merch.models import Product
from booking_templates.merch.schemas import Content, ProductContent


@retry_transaction
def put(content: Content) -> None:
    """Replace the products. What was sold stays sold; a product that is left out is offered no more.

    Raises Conflict `stock_below_sold` naming products, Unprocessable for an id that comes twice.
    """
    ids = [product.id for product in content.products]
    if len(set(ids)) != len(ids):
        raise Unprocessable("invalid", errors={"products": [_("Two products have this id.")]})
    below = []
    for position, product in enumerate(content.products):
        fields = {"name": product.name, "description": product.description, "price_krw": product.price_krw}
        fields |= {"stock": product.stock, "position": position, "is_offered": True}
        # Conditional, for an order may take the last piece right now.
        if Product.objects.filter(pk=product.id, sold__lte=product.stock).update(**fields):
            continue
        _row, is_new = Product.objects.get_or_create(pk=product.id, defaults=fields)
        if not is_new:
            below.append(product.id)
    if below:
        raise Conflict("stock_below_sold", _("More of this was sold than the new stock."), products=below)
    Product.objects.exclude(pk__in=ids).update(is_offered=False)


def read() -> Content:
    """What is offered."""
    offered = Product.objects.filter(is_offered=True).order_by("position", "pk")
    return Content(products=[ProductContent(each.pk, each.name, each.price_krw, each.stock, each.description) for each in offered])
