"""Drafts of the requirement form: kept as typed, checked on demand, turned into a booking system or an update of one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.portal import kept, plans
from controlplane.portal.models import RequirementDraft
from controlplane.portal.requirement_form import convert, state
from controlplane.portal.requirement_form.fields import FormProblem, form_problems
from controlplane.portal.requirement_form.state import FormState
from controlplane.runtime.port import Runtime
from controlplane.systems import access, forgetting, selectors, services
from controlplane.systems.errors import Refused, RequirementInvalid
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.owner_only import PARTS
from controlplane.systems.preview import Preview
from controlplane.systems.standing import KEEPS

DRAFTS_AT_MOST = 50
GONE = (State.DELETING, State.DELETED)
OWNERS = (
    "payment", "organiser_name", "organiser_phone", "organiser_email", "organiser_registration",
    "sign_in", "oidc_issuer", "oidc_client_id", "oidc_name", "oidc_secret_ref",
)  # fmt: skip
"""What of the form stands for the parts that only the owner of a system changes."""


class DraftError(Exception):
    """Base of what a draft can refuse."""


class DraftNotFound(DraftError):
    """No such draft, or another seller's."""


class DraftChanged(DraftError):
    """Another tab wrote the draft meanwhile; `version` is the one that is stored."""

    def __init__(self, version: int) -> None:
        super().__init__(str(version))
        self.version = version


class TooManyDrafts(DraftError):
    """The seller has as many drafts as one may have."""


class DraftRefused(DraftError):
    """The form cannot be sent as it is; `problems` say where and why."""

    def __init__(self, problems: list[FormProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Checked:
    """A draft as a requirement, and what the platform says to it."""

    requirement: dict[str, Any]
    preview: Preview
    problems: list[FormProblem]


def zone() -> ZoneInfo:
    """The time zone of all venues."""
    return ZoneInfo(settings.BOOKING_TIME_ZONE)


def drafts_of(user: User) -> QuerySet[RequirementDraft]:
    """USER's drafts, last touched first, without their plans; those of systems that are gone are left out.

    So are those of systems that USER may not change any more: whoever was an admin or a manager when they were begun.
    """
    found = RequirementDraft.objects.filter(seller=user).exclude(system__state__in=GONE).defer("plan").select_related("system")
    return found if user.is_admin else found.filter(Q(system=None) | access.may_manage(user))


def draft_for(user: User, draft_id: UUID) -> RequirementDraft:
    """Raises DraftNotFound."""
    draft = drafts_of(user).filter(pk=draft_id).first()
    if draft is None:
        raise DraftNotFound
    return _follow(draft)


def form_of(draft: RequirementDraft) -> FormState:
    return state.from_json(draft.form)


def is_owners(draft: RequirementDraft) -> bool:
    """Whether who fills DRAFT in owns what it is of, or will."""
    return draft.system is None or access.is_owner(draft.seller, draft.system)


def draft_start(*, user: User, requirement: dict[str, Any] | None = None) -> RequirementDraft:
    """A draft of a new booking system: blank, or as REQUIREMENT says. Raises TooManyDrafts."""
    form, plan = FormState(), None
    if requirement is None:
        form.values["organiser_name"] = user.get_full_name()
        form.add("performances")
        form.add("areas")
        form.add("grades")
    else:
        form, plan = convert.from_requirement(requirement, zone())
        form = convert.copied(form)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if RequirementDraft.objects.filter(seller=user).count() >= DRAFTS_AT_MOST:
            raise TooManyDrafts
        return _create(seller=user, form=form, plan=plan)


def draft_of_system(*, user: User, system: BookingSystem) -> RequirementDraft:
    """The draft that updates SYSTEM: the one begun earlier, else filled from what is wanted now. Raises Refused (`being_deleted`)."""
    if system.state in GONE:
        raise Refused("being_deleted")
    draft = drafts_of(user).filter(system=system).first()
    if draft is not None:
        return _follow(draft)
    form, plan = convert.from_requirement(selectors.requirement_of(system), zone())
    form.values["slug"] = form["slug"] or system.slug or ""
    try:
        with transaction.atomic():
            return _create(seller=user, form=form, plan=plan, system=system, system_generation=system.generation)
    except IntegrityError:  # the other tab was first
        return drafts_of(user).get(system=system)


def draft_save(*, draft: RequirementDraft, form: FormState, version: int) -> RequirementDraft:
    """Store FORM as typed. Raises DraftChanged unless VERSION is the stored one: two tabs never overwrite each other unseen.

    What only the owner of the system changes stays as it is stored, in FORM as well.
    """
    _keep_owners(draft, form)
    return _write(draft, version, form=form.as_json())


def draft_take_plan(*, draft: RequirementDraft, form: FormState, plan: plans.LoadedPlan | None, version: int) -> RequirementDraft:
    """Store PLAN (None: take it away) and FORM with the plan's grades listed for pricing. Raises DraftChanged."""
    _keep_owners(draft, form)
    form.sync_plan_grades(plan.summary["categories"] if plan else [])
    return _write(draft, version, form=form.as_json(), plan=plan.text if plan else "", plan_summary=plan.summary if plan else {})


def draft_check(draft: RequirementDraft, *, runtime: Runtime | None = None) -> Checked:
    """What would come of DRAFT, tried on RUNTIME where one is given, and each problem at its input. Nothing is written."""
    converted = _converted(draft)
    preview = services.requirement_preview(requirement=converted.requirement, seller=draft.seller, system=draft.system, runtime=runtime)
    return Checked(converted.requirement, preview, form_problems(preview.problems, converted))


def draft_deploy(*, draft: RequirementDraft, user: User, seen_generation: int | None = None) -> BookingSystem:
    """Create the booking system, or update the one DRAFT is of, and drop the draft, all or nothing.

    SEEN_GENERATION is the system's when USER was shown what DRAFT would change; without it, it is that which the draft was begun from.
    Raises DraftRefused, and what system_update raises. Deploying one draft twice: the second finds it gone, DraftNotFound.
    """
    with transaction.atomic():
        locked = RequirementDraft.objects.select_for_update().filter(pk=draft.pk, seller=user).first()
        if locked is None:
            raise DraftNotFound
        converted = _converted(locked)
        system = locked.system
        try:
            if system is None:
                system = services.system_create(requirement=converted.requirement, acting_user=user, deploy=True)
            else:
                expected = locked.system_generation if seen_generation is None else seen_generation
                services.system_update(system=system, requirement=converted.requirement, acting_user=user, expected_generation=expected)
        except RequirementInvalid as error:
            raise DraftRefused(form_problems(error.problems, converted)) from error
        locked.delete()
        return system


def draft_delete(*, draft: RequirementDraft) -> None:
    """Throw DRAFT away; one that is gone already is fine."""
    RequirementDraft.objects.filter(pk=draft.pk).delete()


def drafts_forget(*, user: User) -> None:
    """Throw away all that USER, whose account is closed, has typed and given."""
    RequirementDraft.objects.filter(seller=user).delete()
    forgetting.forget_all_of(user)


def _follow(draft: RequirementDraft) -> RequirementDraft:
    """Take over what was edited live since DRAFT was begun, where nothing else was typed: else deploying it would undo the edit.

    What nobody typed (a restart, another try) leaves the form as it is. Any other change since then is a conflict, which the review tells.
    """
    system = draft.system
    if system is None or draft.system_generation == system.generation:
        return draft
    wishes = system.operations.exclude(result__has_key=KEEPS).order_by("generation")
    wanted = wishes.filter(generation__lte=draft.system_generation).values_list("requirement", flat=True).last()
    form = form_of(draft)
    for kind, requirement, result in wishes.filter(generation__gt=draft.system_generation).values_list("kind", "requirement", "result"):
        if kind == Operation.Kind.EDIT:
            _take_over(form, result.get("before", {}), result.get("patch", {}))
        elif requirement != wanted:
            return draft
        wanted = requirement
    try:
        return _write(draft, draft.version, form=form.as_json(), system_generation=system.generation)
    except DraftChanged:  # another tab is saving it just now; the next look follows
        return draft


def _take_over(form: FormState, before: dict[str, Any], patch: dict[str, Any]) -> None:
    if "description" in patch and form["description"].strip() == before.get("description", ""):
        form.values["description"] = patch["description"]
    if "concessions" in patch:
        _take_over_concessions(form, before.get("concessions", []), patch["concessions"])
    rows = {row["id"]: row for row in form.rows["products"] if row["id"]}
    if "admit_per_minute" in patch and form["admit_per_minute"].strip() == _figure(before.get("admit_per_minute")):
        form.values["admit_per_minute"] = _figure(patch["admit_per_minute"])
    if "presale" in patch:
        was, is_now = (convert.presale_typed(each.get("presale"), zone()) for each in (before, patch))
        if {name: form[name].strip() for name in was} == was:
            form.values |= is_now
    for name, stock in patch.get("stock", {}).items():
        product, _, option = name.partition("/")
        row, was = rows.get(product), before.get("stock", {}).get(name)
        if row and option:
            convert.stock_replaced(row, option, before=was, after=stock)
        elif row and row["stock"] == str(was):
            row.values["stock"] = str(stock)
    for product, digest in patch.get("pictures", {}).items():
        if product in rows and rows[product]["picture"] == (before.get("pictures", {}).get(product) or ""):
            rows[product].values["picture"] = digest or ""


def _take_over_concessions(form: FormState, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
    """All of them, where none was touched in FORM."""
    begins = {row["id"]: row["starts_at"] for row in form.rows["performances"] if row["id"]}
    was, is_now = FormState(), FormState()
    convert.add_concessions(was, before, begins, zone())
    convert.add_concessions(is_now, after, begins, zone())
    if [row.values for row in form.rows["concessions"]] == [row.values for row in was.rows["concessions"]]:
        form.rows["concessions"] = is_now.rows["concessions"]


def _figure(value: int | None) -> str:
    """As it is typed; nothing for what was left out."""
    return "" if value is None else str(value)


def _converted(draft: RequirementDraft) -> convert.Converted:
    form = form_of(draft)
    converted = convert.to_requirement(form, json.loads(draft.plan) if draft.plan and form.is_numbered() else None, zone())
    if draft.system and not is_owners(draft):
        # As it is wanted now, whatever it was when the draft was begun: a manager could not bring it up to date.
        now = selectors.requirement_of(draft.system)
        for part in PARTS:
            converted.requirement.pop(part, None)
        converted.requirement.update({part: now[part] for part in PARTS if part in now})
    return converted


def _keep_owners(draft: RequirementDraft, form: FormState) -> None:
    """A browser does not send what is shown to be looked at only."""
    if not is_owners(draft):
        stored = form_of(draft)
        form.values |= {name: stored[name] for name in OWNERS}


def _create(*, form: FormState, plan: Any, **fields: Any) -> RequirementDraft:
    loaded = plans.plan_of(plan) if plan else None
    if loaded:
        form.sync_plan_grades(loaded.summary["categories"])
    draft = RequirementDraft.objects.create(
        form=form.as_json(), plan=loaded.text if loaded else "", plan_summary=loaded.summary if loaded else {}, **fields
    )
    kept.refer(draft, form)
    return draft


def _write(draft: RequirementDraft, version: int, **changes: Any) -> RequirementDraft:
    with transaction.atomic():
        written = RequirementDraft.objects.filter(pk=draft.pk, version=version).update(
            **changes, version=F("version") + 1, updated_at=timezone.now()
        )
        if written and "form" in changes:
            kept.refer(draft, state.from_json(changes["form"]))
    if not written:
        stored = RequirementDraft.objects.filter(pk=draft.pk).values_list("version", flat=True).first()
        if stored is None:
            raise DraftNotFound
        raise DraftChanged(stored)
    return drafts_of(draft.seller).get(pk=draft.pk)
