"""The seller's products."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from msgspec import UNSET

from booking_templates.kit.db import clock, retry_transaction
from booking_templates.kit.problems import Conflict, Unprocessable
from booking_templates.merch import sales
from booking_templates.merch.models import Choice, Performance, Picture, Product, label
from booking_templates.merch.schemas import Content, OptionContent, PerformanceContent, ProductContent
from booking_templates.payments.showing import local

FORGET_AFTER = timedelta(days=1)
"""How long a picture that no product has is kept: it comes before the content that names it."""


@retry_transaction
def put(content: Content) -> None:
    """Replace the products. What was sold stays sold; a product or option that is left out is offered no more.

    Raises Conflict `stock_below_sold` naming products and options, or `unknown_pictures`; Unprocessable for what does not fit together.
    """
    _check(content)
    if content.performances is not UNSET:
        sales.put(content.performances)
    pictures = {product.picture for product in content.products if product.picture}
    known = set(Picture.objects.filter(pk__in=pictures).values_list("pk", flat=True))
    if missing := sorted(pictures - known):
        raise Conflict("unknown_pictures", _("Put these pictures first."), pictures=missing)
    below: list[_Counted] = []
    for position, product in enumerate(content.products):
        fields = {"name": product.name, "description": product.description, "price_krw": product.price_krw}
        fields |= {"picture_id": product.picture, "option_label": product.option_label, "position": position, "is_offered": True}
        fields["limit_per_buyer"] = product.limit_per_buyer
        Product.objects.update_or_create(pk=product.id, defaults=fields)
        below += _put_choices(product)
    if below:
        products = sorted({each.product_id for each in below if not each.option})
        options = [label(each.product_id, each.option) for each in below if each.option]
        raise Conflict("stock_below_sold", _("More of this was sold than the new stock."), products=products, options=options)
    gone = Product.objects.exclude(pk__in=[product.id for product in content.products])
    gone.update(is_offered=False)
    Choice.objects.filter(product__in=list(gone)).update(is_offered=False)
    # By their names: all of them in memory may be hundreds of megabytes.
    Picture.objects.filter(products=None, created_at__lt=clock() - FORGET_AFTER).only("pk").delete()


def read() -> Content:
    """What is offered."""
    offered = Product.objects.filter(is_offered=True).order_by("position", "pk")
    products = [_content_of(product, choices_of(product)) for product in offered.prefetch_related("choices")]
    known = Performance.objects.filter(starts_at__isnull=False).order_by("starts_at", "pk")
    performances = [PerformanceContent(each.pk, local(each.starts_at), local(each.ends_at)) for each in known if each.starts_at]
    return Content(products=products, performances=performances or UNSET)


def choices_of(product: Product) -> list[Choice]:
    """The choices of PRODUCT that are offered, in the seller's order; a product without options has one, without a name."""
    return sorted((each for each in product.choices.all() if each.is_offered), key=lambda each: (each.position, each.pk))


def _content_of(product: Product, choices: list[Choice]) -> ProductContent:
    options = [OptionContent(each.option, each.name, each.stock, each.extra_krw) for each in choices if each.option]
    return ProductContent(
        id=product.pk,
        name=product.name,
        price_krw=product.price_krw,
        stock=None if options else sum(each.stock for each in choices),
        description=product.description,
        picture=product.picture_id,
        option_label=product.option_label,
        options=options,
        limit_per_buyer=product.limit_per_buyer,
    )


@dataclass(frozen=True)
class _Counted:
    product_id: str
    option: str
    name: str
    extra_krw: int
    stock: int


def _counted(product: ProductContent) -> list[_Counted]:
    if product.options:
        return [_Counted(product.id, each.id, each.name, each.extra_krw, each.stock) for each in product.options]
    return [_Counted(product.id, "", "", 0, product.stock or 0)]


def _put_choices(product: ProductContent) -> list[_Counted]:
    """Write PRODUCT's choices; those of which more was sold than there shall be."""
    below = []
    counted = _counted(product)
    for position, each in enumerate(counted):
        fields: dict[str, Any] = {"name": each.name, "extra_krw": each.extra_krw, "stock": each.stock}
        fields |= {"position": position, "is_offered": True}
        # Conditional, for an order may take the last piece right now.
        if Choice.objects.filter(product_id=each.product_id, option=each.option, sold__lte=each.stock).update(**fields):
            continue
        _row, is_new = Choice.objects.get_or_create(product_id=each.product_id, option=each.option, defaults=fields)
        if not is_new:
            below.append(each)
    Choice.objects.filter(product_id=product.id).exclude(option__in=[each.option for each in counted]).update(is_offered=False)
    return below


def _check(content: Content) -> None:
    """What one field's type cannot say."""
    errors: dict[str, list[str]] = {}
    if _has_twice(product.id for product in content.products):
        errors["products"] = [_("Two products have this id.")]
    if content.performances is not UNSET and _has_twice(performance.id for performance in content.performances):
        errors["performances"] = [_("Two performances have this id.")]
    for index, product in enumerate(content.products):
        where = f"products[{index}]"
        if product.options and product.stock is not None:
            errors[f"{where}.stock"] = [_("A product with options has no stock of its own.")]
        elif not product.options and product.stock is None:
            errors[f"{where}.stock"] = [_("This field is required.")]
        if _has_twice(option.id for option in product.options):
            errors[f"{where}.options"] = [_("Two options have this id.")]
    if errors:
        raise Unprocessable("invalid", errors=errors)


def _has_twice(ids: Iterable[str]) -> bool:
    """Whether an id comes twice, in whatever case: MySQL compares them so."""
    lowered = [each.lower() for each in ids]
    return len(set(lowered)) != len(lowered)
