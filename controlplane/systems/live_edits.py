"""Changes of a live event that need no deployment: given to the service that owns the content, and to the requirement in the same step.

An edit is an operation of its own kind that has succeeded when it is written. It keeps what it changed as a patch: the requirement that is
wanted gets it, and so does what is given again when a later change fails. See docs/decisions/0010 and 0015.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.lib import audit, queue
from controlplane.rendering.concessions import restored
from controlplane.rendering.parts import Option, Product
from controlplane.rendering.plan import from_json
from controlplane.rendering.presale import restored as restored_presale
from controlplane.rendering.requirement import Requirement
from controlplane.systems import content, planning
from controlplane.systems.booking_api import Silent
from controlplane.systems.errors import Refused, ServiceRefused, ServiceUnavailable
from controlplane.systems.giving import put_content
from controlplane.systems.lease import CONVERGE, Lease, LeaseLost
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.staff import Document, api_for, document_of
from controlplane.systems.storing import requirement_store
from controlplane.systems.wishes import check_generation

PLAIN = ("description", "admit_per_minute")
"""Entries that a patch has as the requirement has them."""
LEASE_TRIES = 20
LEASE_EVERY_S = 0.1
"""A look at a live system is over in a moment; a change that is carried out is told of by its operation."""


def patched(requirement: Requirement, patch: Document) -> Requirement:
    """REQUIREMENT with the edits of PATCH.

    `description`, `admit_per_minute`, `presale`, `concessions` (all of them), `stock` by product or `product/option`, and `pictures` by
    product.
    """
    plain = {name: patch[name] for name in PLAIN if name in patch}
    if plain:
        requirement = replace(requirement, **plain)
    if "concessions" in patch:
        requirement = replace(requirement, concessions=restored(patch["concessions"]))
    if "presale" in patch:
        requirement = replace(requirement, presale=restored_presale(patch["presale"]))
    if "stock" in patch or "pictures" in patch:
        stock, shown = patch.get("stock", {}), patch.get("pictures", {})
        products = tuple(_patched_product(product, stock, shown) for product in requirement.products)
        requirement = replace(requirement, products=products)
    return requirement


def _patched_product(product: Product, stock: dict[str, int], shown: dict[str, str | None]) -> Product:
    options = tuple(replace(option, stock=stock.get(label(product, option), option.stock)) for option in product.options)
    # One that has got options since has no stock of its own any more.
    own = product.stock if product.options else stock.get(product.id, product.stock)
    return replace(product, stock=own, options=options, picture=shown.get(product.id, product.picture))


def label(product: Product, option: Option) -> str:
    """What OPTION of PRODUCT is called in a patch, and by the merch service."""
    return f"{product.id}/{option.id}"


def counted(requirement: Requirement) -> dict[str, int]:
    """All that has a stock: products without options by their id, options by their label."""
    found = {product.id: product.stock for product in requirement.products if product.stock is not None and not product.options}
    return found | {label(product, option): option.stock for product in requirement.products for option in product.options}


def _of(requirement: Requirement, patch: Document) -> Document:
    """What REQUIREMENT has where PATCH changes something."""
    found: Document = {name: getattr(requirement, name) for name in PLAIN if name in patch}
    if "concessions" in patch:
        found["concessions"] = [concession.to_json() for concession in requirement.concessions]
    if "presale" in patch:
        found["presale"] = requirement.presale.to_json() if requirement.presale else None
    if stock := patch.get("stock"):
        found["stock"] = {name: amount for name, amount in counted(requirement).items() if name in stock}
    if shown := patch.get("pictures"):
        found["pictures"] = {product.id: product.picture for product in requirement.products if product.id in shown}
    return found


def live_requirement(system: BookingSystem) -> Requirement:
    """What SYSTEM was last made to be, with everything that was edited live since."""
    assert system.live_revision is not None  # noqa: S101  (the caller looked)
    stored = system.live_revision.requirement
    requirement = planning.read_stored(stored)
    edits = system.operations.filter(kind=Operation.Kind.EDIT, requirement__number__gt=stored.number).order_by("generation")
    for result in edits.values_list("result", flat=True):
        requirement = patched(requirement, result.get("patch", {}))
    return requirement


def edit(*, system: BookingSystem, service: str, patch: Document, acting_user: User, expected_generation: int | None = None) -> Operation:
    """Give SERVICE its content with PATCH, and keep PATCH in the requirement that is wanted. Buyers see it at once.

    Raises Refused (`not_live`, `being_changed`), GenerationConflict, ServiceRefused, ServiceUnavailable.
    """
    api = api_for(system, acting_user, "content")
    with api:
        lease = _lease(system)
        try:
            _refuse_unless_settled(lease.system)
            check_generation(lease.system, expected_generation)
            document = _document(lease.system, service, patch)
            # Until it is known what came of it the service counts as not as it should be: a crash now is put right by the next look.
            with lease.transaction() as held:
                lease.write(content_given=held.content_given | {service: "being edited"})
            _put(api, lease, service, document)
            operation = _record(lease, service, document, patch, acting_user)
        except LeaseLost:
            raise Refused("being_changed") from None
        finally:
            _let_go(lease)
    system.refresh_from_db()
    return operation


def _lease(system: BookingSystem) -> Lease:
    for _ in range(LEASE_TRIES):
        if lease := Lease.acquire(system.pk):
            return lease
        time.sleep(LEASE_EVERY_S)
    raise Refused("being_changed")


def _let_go(lease: Lease) -> None:
    """As it was found; somebody who wanted a look meanwhile gets it."""
    if not lease.release(next_check_at=lease.system.next_check_at):
        lease.abandon()
        queue.send(CONVERGE, system_id=lease.system.pk)


def _refuse_unless_settled(system: BookingSystem) -> None:
    if system.state != State.LIVE or not system.live_revision_id:
        raise Refused("not_live")
    if system.operations.filter(state=Operation.State.RUNNING).exists() or system.content_given != system.content_live:
        raise Refused("being_changed")


def _document(system: BookingSystem, service: str, patch: Document) -> Document:
    assert system.live_revision is not None  # noqa: S101  (it was checked)
    documents = content.documents_for(patched(live_requirement(system), patch), from_json(system.live_revision.plan))
    if service not in documents:
        raise Refused("no_such_service", service=service)
    return documents[service]


def _put(api: Any, lease: Lease, service: str, document: Document) -> None:
    try:
        answer = put_content(api, lease.system, service, document, timeout_s=5.0, between=lease.renew)
    except Silent as error:
        _check_soon(lease)
        raise ServiceUnavailable(str(error)) from error
    try:
        document_of(answer)
    except ServiceRefused:
        with lease.transaction() as held:
            lease.write(content_given=held.content_live)
        raise
    except ServiceUnavailable:
        _check_soon(lease)
        raise


def _check_soon(lease: Lease) -> None:
    """Nobody knows what it has now: the next look gives it what it had."""
    with lease.transaction():
        lease.write(next_check_at=timezone.now())


def _record(lease: Lease, service: str, document: Document, patch: Document, acting_user: User) -> Operation:
    with lease.transaction() as system:
        assert system.requirement is not None  # noqa: S101  (it is live)
        before = planning.read_stored(system.requirement)
        wanted = patched(before, patch)
        stored = requirement_store(system, wanted, created_by=acting_user)
        generation, now = system.generation + 1, timezone.now()
        operation = Operation.objects.create(
            system=system,
            kind=Operation.Kind.EDIT,
            state=Operation.State.SUCCEEDED,
            generation=generation,
            requirement=stored,
            result={"patch": patch, "before": _of(before, patch)},
            created_by=acting_user,
            ended_at=now,
        )
        given = system.content_given | {service: content.digests({service: document})[service]}
        lease.write(requirement=stored, generation=generation, observed_generation=generation, content_given=given, content_live=given)
        audit.record("system.edit", system, acting_user=acting_user, service=service, fields=sorted(patch))
    return operation
