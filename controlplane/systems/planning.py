"""From a requirement to a plan, with the platform's settings and pool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.accounts.models import User
from controlplane.lib.reasons import Problem
from controlplane.pool.selectors import pool_images
from controlplane.rendering import adjustments as adjusting
from controlplane.rendering import requirement as documents
from controlplane.rendering.adjustments import Adjustments
from controlplane.rendering.choose import Chosen, NoImageFits, choose
from controlplane.rendering.database import DatabaseChoice, DatabasePlan, standing
from controlplane.rendering.egress import networks_of, way_to
from controlplane.rendering.plan import SECRETS_DIR, Plan, Platform, Site, from_json, make_plan
from controlplane.rendering.render import render
from controlplane.rendering.sign_in import CONFIG as SIGN_IN
from controlplane.runtime.port import Objects
from controlplane.systems import issuers, pictures, sealed
from controlplane.systems.errors import RequirementInvalid
from controlplane.systems.models import BookingSystem, Requirement, Revision
from controlplane.systems.platform_models import platform_mark


@dataclass(frozen=True)
class Planned:
    plan: Plan
    chosen: Chosen


def platform() -> Platform:
    """What the settings give to every plan."""
    return Platform(
        time_zone=settings.BOOKING_TIME_ZONE,
        language=settings.BOOKING_LANGUAGE,
        config={
            "kakaopay": {
                "KAKAOPAY_URL": settings.KAKAOPAY_URL,
                "KAKAOPAY_CID": settings.KAKAOPAY_CID,
                "PAYMENT_TEST": "yes" if settings.PAYMENT_IS_TEST else "no",
            },
            # The address has a password in it, so it is a secret file; without mail nothing that needs it is offered to buyers.
            "mail": {"CLOVE_MAIL_FILE": f"{SECRETS_DIR}/mail-url"} if settings.MAIL_URL else {},
            # Names are looked up whenever somebody signs in: what the review holds, the service has to hold as well.
            SIGN_IN: {"CLOVE_OIDC_PRIVATE": "yes"} if settings.OIDC_PRIVATE else {},
            "proxies": {"CLOVE_TRUSTED_PROXIES": " ".join(map(str, settings.TRUSTED_PROXIES))} if settings.TRUSTED_PROXIES else {},
        },
        outside=frozenset({"mail"}),
        ways={
            part: way
            for part, url in (("kakaopay", settings.KAKAOPAY_URL), ("mail", settings.MAIL_URL))
            if (way := way_to(url)) is not None
        },
        gateway_namespace=settings.GATEWAY_NAMESPACE,
        gateway_name=settings.GATEWAY_NAME,
        database=_database(),
        dns=settings.DNS,
    )


def _database() -> DatabaseChoice | None:
    if settings.BOOKING_DATABASE == "sqlite":
        return None
    if settings.BOOKING_DATABASE == "mariadb":
        return DatabaseChoice(image=settings.MARIADB_IMAGE, backups_kept=settings.BACKUPS_KEPT)
    admin = settings.BOOKING_DATABASE_ADMIN
    networks = tuple(settings.BOOKING_DATABASE_NETWORKS) or networks_of(admin["HOST"])
    return DatabaseChoice(host=admin["HOST"], port=int(admin["PORT"]), networks=networks, mark=platform_mark()[:6])


def site_of(system: BookingSystem) -> Site:
    return Site(
        system_id=system.pk,
        namespace=system.namespace,
        seller=str(system.seller_id),
        slug=system.slug or "",
        host=system.host,
        public_url=system.public_url,
    )


def plan_for(
    requirement: documents.Requirement, site: Site, *, system: BookingSystem | None = None, adjustments: Adjustments | None = None
) -> Planned:
    """Choose images from the pool and make the plan, for SYSTEM as it is adjusted (or by ADJUSTMENTS instead) and where its data are.

    Raises choose.NoImageFits.
    """
    chosen = choose(pool_images(), requirement.facts)
    live = live_plan(system) if system else None
    asked = adjustments or (adjustments_of(system) if system else None)
    return Planned(make_plan(requirement, chosen.images, site=site, platform=platform(), live=live, adjustments=asked), chosen)


def adjustments_of(system: BookingSystem) -> Adjustments:
    """What is asked of SYSTEM beyond its requirement."""
    return adjusting.read(system.adjustments)


def live_plan(system: BookingSystem) -> Plan | None:
    """What SYSTEM runs by now."""
    return from_json(system.live_revision.plan) if system.live_revision else None


def plan_back(system: BookingSystem, revision: Revision, *, database: DatabasePlan | None = None) -> tuple[Plan, Objects]:
    """The plan and the objects by which SYSTEM goes back to REVISION: the very same, but for its database, which stays as it is, and a
    backup that was put back then, which is not put back again over all that was sold since.

    DATABASE is what stands, where that is another than the live revision's. Raises schema.BadObject as rendering does.
    """
    plan, live = from_json(revision.plan), live_plan(system)
    stands = standing(plan.database, database or (live.database if live else None))
    if stands == plan.database and plan.restore is None:
        return plan, revision.manifests
    plan = replace(plan, database=stands, restore=None)
    return plan, render(plan)


def draft_site(slug: str) -> Site:
    """Where a system would be that does not exist yet."""
    return site_of(BookingSystem(pk=0, seller_id=0, slug=slug or "event"))


def read_requirement(
    document: Any, *, owner: User, now: datetime | None = None, system: BookingSystem | None = None
) -> documents.Requirement:
    """DOCUMENT validated, with the address settled, images that fit it in the pool, and what it names kept for OWNER.

    Raises RequirementInvalid.
    """
    read = documents.validate(document, now=now, previous=_history(system) if system else None)
    if isinstance(read, list):
        raise RequirementInvalid(read)
    if wrong := [*pictures.problems_with(read, owner), *sealed.problems_with(read, owner), *_wrong_issuer(read)]:
        raise RequirementInvalid(wrong)
    if system and system.slug:
        if read.slug not in (None, system.slug):
            raise RequirementInvalid([Problem("slug_fixed", {}, "slug")])
        read = replace(read, slug=system.slug)
    elif read.slug and BookingSystem.objects.filter(slug=read.slug).exists():
        raise RequirementInvalid([Problem("slug_taken", {"slug": read.slug}, "slug")])
    try:
        planned = plan_for(read, draft_site(read.slug or ""))
    except NoImageFits as error:
        raise RequirementInvalid([Problem(error.reason.code, error.reason.params, "")]) from error
    if read.sign_in and not any(SIGN_IN in image.config for image in planned.chosen.images):
        raise RequirementInvalid([Problem("no_image_signs_in", {}, "sign_in")])
    return read


def _history(system: BookingSystem) -> documents.Requirement | None:
    """What SYSTEM is asked to be now, with the performances that are live besides.

    A change that came to nothing may have left one out that has begun since: it has been sold, so it must be possible to name it again.
    """
    wanted, live = stored_requirement(system), system.live_revision
    if wanted is None or live is None or live.requirement_id == system.requirement_id:
        return wanted
    known = {performance.starts_at for performance in wanted.performances}
    besides = tuple(performance for performance in read_stored(live.requirement).performances if performance.starts_at not in known)
    return replace(wanted, performances=wanted.performances + besides)


def _wrong_issuer(read: documents.Requirement) -> list[Problem]:
    problem = issuers.problem_without_asking(read.sign_in.issuer) if read.sign_in else None
    return [problem] if problem else []


def stored_requirement(system: BookingSystem) -> documents.Requirement | None:
    """What SYSTEM is asked to be now."""
    return read_stored(system.requirement) if system.requirement else None


def read_stored(stored: Requirement) -> documents.Requirement:
    """A stored requirement. Raises RequirementInvalid: it was written by an older version, whose rules were others."""
    read = documents.validate(stored.data)
    if isinstance(read, list):
        raise RequirementInvalid(read)
    return read
