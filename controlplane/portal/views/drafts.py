"""The requirement form: one page, autosaved; then the review, from which it is deployed."""

from __future__ import annotations

import json
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import condition, require_GET, require_http_methods, require_POST

from controlplane import bootstrap
from controlplane.lib.romanize import latin_name
from controlplane.portal import drafts, kept, plan_drawing, plans, uploads, words
from controlplane.portal.concession_words import UNITS, add_preset, presets
from controlplane.portal.examples import example_requirement, examples
from controlplane.portal.http import AuthenticatedRequest, Route, open_system
from controlplane.portal.models import RequirementDraft
from controlplane.portal.refund_words import REFUND_POLICIES
from controlplane.portal.requirement_diff import is_moved, requirement_diff
from controlplane.portal.requirement_form import many
from controlplane.portal.requirement_form.fields import FormProblem
from controlplane.portal.requirement_form.page import FormPage
from controlplane.portal.requirement_form.state import ROWS, FormState, from_post
from controlplane.portal.speech import say_reason
from controlplane.rendering.requirement import SLUG
from controlplane.rendering.sign_in import CALLBACK
from controlplane.systems import access, caps, selectors
from controlplane.systems.access import Need
from controlplane.systems.errors import GenerationConflict, Refused
from controlplane.systems.planning import draft_site

_CHANGED = gettext_lazy("This form was changed in another tab meanwhile. What you typed here is still below; saving again keeps it.")


def with_draft(view: Route) -> Route:
    """Hands the view the reader's own draft; anybody else's is a 404."""

    @wraps(view)
    @login_required
    def found(request: AuthenticatedRequest, draft_id: UUID, **arguments: Any) -> HttpResponseBase:
        try:
            return view(request, drafts.draft_for(request.user, draft_id), **arguments)
        except drafts.DraftNotFound:
            raise Http404 from None

    return found


@login_required
@require_http_methods(["GET", "POST"])
def new(request: AuthenticatedRequest) -> HttpResponse:
    """Where a new event begins: blank, from an example, or as a copy of an event there is."""
    if request.method == "POST":
        source = request.POST.get("source", "")
        requirement = None
        if source.startswith("example:"):
            try:
                requirement = example_requirement(source.removeprefix("example:"), request.user)
            except Refused as error:  # as many pictures as one may have
                messages.error(request, say_reason(error.reason))
                return redirect("portal:draft-new")
            if requirement is None:
                raise Http404
        elif source.startswith("system:"):
            requirement = selectors.requirement_of(open_system(request, source.removeprefix("system:"), Need.MANAGE))
        try:
            draft = drafts.draft_start(user=request.user, requirement=requirement)
        except drafts.TooManyDrafts:
            messages.error(request, gettext("You have very many drafts. Delete some of them first."))
            return redirect("portal:draft-new")
        return redirect("portal:draft", draft.pk)
    context = {
        "drafts": drafts.drafts_of(request.user).filter(system=None),
        "examples": examples(),
        "systems": access.own_systems(request.user)[:20],
    }
    return render(request, "portal/drafts/new.html", context)


@sensitive_post_parameters(uploads.SECRET)
@require_http_methods(["GET", "POST"])
@with_draft
def form(request: AuthenticatedRequest, draft: RequirementDraft) -> HttpResponse:
    """The form. A POST saves it and does what its button says; `action` is empty for the autosave."""
    if request.method == "GET":
        problems = drafts.draft_check(draft).problems if "check" in request.GET else []
        return _form_page(request, draft, drafts.form_of(draft), problems)
    typed = from_post(request.POST)
    action, _, rest = request.POST.get("action", "save").partition(":")
    owner = kept.owner_of(draft)
    problems = uploads.take(request, owner, typed)
    if drafts.is_owners(draft):
        problems += uploads.take_secret(request, owner, typed)
    try:
        if problems:
            drafts.draft_save(draft=draft, form=typed, version=_version(request, draft))
            draft.version = _version(request, draft) + 1
            return _form_page(request, draft, typed, problems, status=422)
        return _act(request, draft, typed, action, rest)
    except drafts.DraftChanged as error:
        if action == "save":
            return JsonResponse({"code": "changed_elsewhere", "message": str(_CHANGED), "version": error.version}, status=409)
        messages.warning(request, _CHANGED)
        draft.version = error.version
        return _form_page(request, draft, typed, [], status=409)


def _act(request: AuthenticatedRequest, draft: RequirementDraft, typed: FormState, action: str, rest: str) -> HttpResponse:
    version = _version(request, draft)
    if action == "save":
        draft = drafts.draft_save(draft=draft, form=typed, version=version)
        return JsonResponse(
            {
                "version": draft.version,
                "message": gettext("Saved at %(time)s") % {"time": time_format(localtime(draft.updated_at), "H:i")},
                "slug": latin_name(typed["title"], 30),
            }
        )
    try:
        if action in ("plan", "upload", "check") and (action == "plan" or request.FILES.get("plan_file") or action == "upload"):
            draft = drafts.draft_take_plan(draft=draft, form=typed, plan=_posted_plan(request, action), version=version)
        else:
            _change_rows(request, typed, action, rest)
            if action == "unplan":
                draft = drafts.draft_take_plan(draft=draft, form=typed, plan=None, version=version)
            else:
                draft = drafts.draft_save(draft=draft, form=typed, version=version)
    except (plans.PlanRefused, many.CannotAdd) as error:
        drafts.draft_save(draft=draft, form=typed, version=version)
        draft.version = version + 1
        problem = (
            FormProblem("plan_source" if action == "plan" else "plan_file", say_reason(error.reason))
            if isinstance(error, plans.PlanRefused)
            else FormProblem(error.field, error.message)
        )
        return _form_page(request, draft, typed, [problem], status=422)
    if action == "check":
        checked = drafts.draft_check(draft)
        if checked.problems:
            return _form_page(request, draft, drafts.form_of(draft), checked.problems, status=422)
        return redirect("portal:draft-review", draft.pk)
    if action == "later":
        messages.success(request, gettext("The draft is saved. You find it among your booking systems."))
        return redirect("portal:systems")
    section = {
        "add": rest,
        "remove": rest.partition(":")[0],
        "preset": "concessions",
        "many": "performances",
        "unpicture": "products",
        "unsecret": "signin",
    }.get(action, "seating")
    return redirect(f"{reverse('portal:draft', args=[draft.pk])}#{section}")


def _change_rows(request: HttpRequest, typed: FormState, action: str, rest: str) -> None:
    """Add or remove rows, for browsers without script and for many at once."""
    if action == "add" and rest in ROWS:
        typed.add(rest)
    elif action == "remove":
        rows, _, key = rest.partition(":")
        if rows in ROWS:
            typed.remove(rows, key)
    elif action == "preset":
        add_preset(typed, rest)
    elif action == "unsecret":
        typed.values["oidc_secret_ref"] = ""
    elif action == "unpicture":
        uploads.take_away(typed, rest)
    elif action == "many":
        many.add_many(
            typed,
            first=request.POST.get("many_first", ""),
            last=request.POST.get("many_last", ""),
            weekdays=request.POST.getlist("many_weekdays"),
            times=request.POST.get("many_times", ""),
        )


def _posted_plan(request: HttpRequest, action: str) -> plans.LoadedPlan:
    if action == "plan":
        return plans.bundled_plan(request.POST.get("plan_source", ""))
    file = request.FILES.get("plan_file")
    return plans.uploaded_plan(file, file.name or "") if file else plans.uploaded_plan(None)


def _version(request: HttpRequest, draft: RequirementDraft) -> int:
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else draft.version


def _form_page(
    request: HttpRequest, draft: RequirementDraft, typed: FormState, problems: list[FormProblem], status: int = 200
) -> HttpResponse:
    page = FormPage(typed, problems)
    context = {
        "draft": draft,
        "page": page,
        "plan": draft.plan_summary,
        "bundled_plans": plans.bundled_plans(),
        "fields": words.FIELDS,
        "weekdays": words.WEEKDAYS,
        "many": {name: request.POST.get(name, "") for name in ("many_first", "many_last", "many_times")},
        "many_weekdays": request.POST.getlist("many_weekdays"),
        "slug_suggestion": latin_name(typed["title"], 30),
        "base_domain": settings.BASE_DOMAIN,
        "zone": drafts.zone().key,
        "payment_is_test": settings.PAYMENT_IS_TEST,
        "refund_policies": REFUND_POLICIES,
        "presets": presets(typed["opens_at"]),
        "discount_units": UNITS,
        "redirect_uri": _redirect_uri(draft, typed),
        "is_owners": drafts.is_owners(draft),
    }
    return render(request, "portal/drafts/form.html", context, status=status)


def _redirect_uri(draft: RequirementDraft, typed: FormState) -> str:
    """Where a provider sends buyers back to; empty while the address of the buyer site is open."""
    slug = typed["slug"].strip()
    if draft.system:
        return draft.system.sign_in_redirect_uri
    return draft_site(slug).public_url + CALLBACK if SLUG.fullmatch(slug) else ""


@require_GET
@with_draft
def review(request: AuthenticatedRequest, draft: RequirementDraft) -> HttpResponse:
    """What was chosen and why, what the runtime says to it, what it costs, and the button."""
    checked = drafts.draft_check(draft, runtime=bootstrap.runtime())
    if checked.problems:
        return redirect(f"{reverse('portal:draft', args=[draft.pk])}?check=1")
    return render(request, "portal/drafts/review.html", _review_context(draft, checked))


def _review_context(draft: RequirementDraft, checked: drafts.Checked) -> dict[str, Any]:
    now = selectors.requirement_of(draft.system) if draft.system else {}
    return {
        "draft": draft,
        "preview": checked.preview,
        "summary": checked.preview.summary,
        "allowance": caps.allowance(draft.system.seller if draft.system else draft.seller),
        "begins": {item["id"]: item["starts_at"] for item in checked.requirement["performances"] if "id" in item},
        "differences": requirement_diff(now, checked.requirement) if draft.system else [],
        "is_told_by_mail": bool(
            settings.MAIL_URL and draft.system and draft.system.live_revision_id and is_moved(now, checked.requirement)
        ),
        "is_behind": draft.system is not None and draft.system_generation != draft.system.generation,
    }


@require_POST
@login_required
def deploy(request: AuthenticatedRequest, draft_id: UUID) -> HttpResponse:
    """Deploy a new booking system or update the one the draft is of.

    Sent twice, for the first answer was lost, the second finds the draft gone and leads to the events, where what became of it stands.
    """
    try:
        draft = drafts.draft_for(request.user, draft_id)
    except drafts.DraftNotFound:
        if RequirementDraft.objects.filter(pk=draft_id).exists():
            raise Http404 from None
        messages.info(request, gettext("This draft was deployed or deleted already. Your events are below."))
        return redirect("portal:systems")
    seen = request.POST.get("generation", "")
    generation = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else None
    try:
        system = drafts.draft_deploy(draft=draft, user=request.user, seen_generation=generation)
    except drafts.DraftRefused:
        return redirect(f"{reverse('portal:draft', args=[draft.pk])}?check=1")
    except GenerationConflict:
        messages.error(request, gettext("This booking system was changed meanwhile. Your draft is kept: look at what it would change now."))
        return redirect("portal:draft-review", draft.pk)
    except Refused as error:
        messages.error(request, say_reason(error.reason))
        return redirect("portal:draft", draft.pk)
    return redirect("portal:system", system.pk)


@require_POST
@with_draft
def delete(request: AuthenticatedRequest, draft: RequirementDraft) -> HttpResponse:
    drafts.draft_delete(draft=draft)
    messages.success(request, gettext("The draft is deleted."))
    return redirect("portal:system", draft.system_id) if draft.system_id else redirect("portal:systems")


def _plan_etag(request: HttpRequest, draft: RequirementDraft) -> str | None:
    digest = draft.plan_summary.get("digest")
    return f'"{digest}"' if digest else None


@require_GET
@with_draft
@condition(etag_func=_plan_etag)
def plan_svg(request: HttpRequest, draft: RequirementDraft) -> HttpResponse:
    """The draft's seating plan, drawn."""
    if not draft.plan:
        raise Http404
    return HttpResponse(
        plan_drawing.drawing(json.loads(draft.plan)), content_type="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"}
    )
