"""Who runs an event together: its owner, those who take part, and those who are invited."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.accounts.throttling import InvitationThrottle, wait_s
from controlplane.portal.http import AuthenticatedRequest, open_system
from controlplane.portal.speech import say_reason
from controlplane.portal.views.entry import too_many
from controlplane.systems import door, inviting, people
from controlplane.systems.access import Need
from controlplane.systems.errors import Refused, SystemNotFound
from controlplane.systems.inviting import Invited
from controlplane.systems.models import BookingSystem, MemberRole

TAB = "people"


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("Only an account with exactly this address can accept."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=MemberRole.choices, initial=MemberRole.VIEWER)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def page(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """A POST invites, and shows the link this once: no redirect, for its key is kept nowhere."""
    system = open_system(request, system_id, Need.OWN if request.method == "POST" else Need.VIEW)
    if request.method == "GET":
        return _page(request, system)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _page(request, system, form)
    if seconds := wait_s(InvitationThrottle(), request):
        return too_many(request, seconds)
    address = request.build_absolute_uri(reverse("portal:invitation"))
    try:
        made = inviting.invite(system=system, page=address, acting_user=request.user, **form.cleaned_data)
    except Refused as error:
        form.add_error("email" if error.reason.code != "being_deleted" else None, say_reason(error.reason))
        return _page(request, system, form)
    return _page(request, system, made=made)


@login_required
@require_POST
def member(request: AuthenticatedRequest, system_id: int, user_id: int) -> HttpResponse:
    """Another role for somebody who takes part, or none any more."""
    system = open_system(request, system_id, Need.OWN)
    role = request.POST.get("role", "")
    try:
        if "remove" in request.POST:
            people.member_remove(system=system, user_id=user_id, acting_user=request.user)
            messages.success(request, gettext("Removed. Their access has ended."))
        elif role in MemberRole.values:
            people.member_set(system=system, user_id=user_id, role=role, acting_user=request.user)
            messages.success(request, gettext("Saved."))
    except SystemNotFound:
        raise Http404 from None
    except Refused as error:
        messages.error(request, say_reason(error.reason))
    return redirect("portal:system-people", system.pk)


@login_required
@require_POST
def withdraw(request: AuthenticatedRequest, system_id: int, invitation_id: int) -> HttpResponse:
    """End an invitation before it is accepted."""
    system = open_system(request, system_id, Need.OWN)
    try:
        inviting.invitation_withdraw(system=system, invitation_id=invitation_id, acting_user=request.user)
        messages.success(request, gettext("The invitation is withdrawn: its link leads nowhere now."))
    except Refused as error:
        messages.error(request, say_reason(error.reason))
    return redirect("portal:system-people", system.pk)


@login_required
@require_POST
def leave(request: AuthenticatedRequest, system_id: int) -> HttpResponse:
    """Take part no more, of one's own accord. The owner stays."""
    system = open_system(request, system_id, Need.VIEW)
    try:
        people.member_remove(system=system, user_id=request.user.pk, acting_user=request.user)
    except SystemNotFound:
        raise Http404 from None
    messages.success(request, gettext("You take part in “%(title)s” no more.") % {"title": system.title})
    return redirect("portal:systems")


def _page(
    request: AuthenticatedRequest, system: BookingSystem, form: InvitationForm | None = None, made: Invited | None = None
) -> HttpResponse:
    assert system.access is not None  # noqa: S101  (it was read for somebody)
    members = list(people.members_of(system))
    context: dict[str, Any] = {"system": system, "members": members, "roles": MemberRole.choices, "tab": TAB}
    if system.access.may_own:
        makers = door.makers(system, [member.user_id for member in members])
        context |= {
            "form": form or InvitationForm(),
            "made": made,
            "invitations": inviting.open_invitations(system),
            "makers": makers,
        }
    return render(request, "portal/systems/people.html", context, status=422 if form and form.errors else 200)
