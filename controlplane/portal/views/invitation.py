"""Accepting an invitation to run somebody's event together.

The key of the link stands behind its `#`: a script takes it from there, or people paste the link. The session keeps its hash, and so the
invitation waits while somebody logs in or signs up. Nothing happens before the button is pressed: some programs open links by themselves.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.accounts.throttling import InvitationLinkThrottle, wait_s
from controlplane.portal.http import AuthenticatedRequest
from controlplane.portal.speech import say_reason
from controlplane.portal.views.entry import INVITATION, too_many
from controlplane.systems import inviting
from controlplane.systems.errors import InvitationOver, Refused


@sensitive_post_parameters("link")
@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Which event, as what, and by whom; a POST brings the link."""
    if request.method == "POST":
        if seconds := wait_s(InvitationLinkThrottle(), request):
            return too_many(request, seconds)
        digest = inviting.digest_in(request.POST.get("link", ""))
        try:
            inviting.invitation_of(digest)
        except InvitationOver:
            return _over(request)
        request.session[INVITATION] = digest
        return redirect("portal:invitation")
    digest = request.session.get(INVITATION, "")
    if not digest:
        return render(request, "portal/invitation.html")
    try:
        invitation = inviting.invitation_of(digest)
    except InvitationOver:
        return _over(request)
    user = request.user
    context = {
        "invitation": invitation,
        "is_mine": user.is_authenticated and inviting.is_for(invitation, user),
        "address": inviting.veiled(invitation.email),
    }
    return render(request, "portal/invitation.html", context)


@login_required
@require_POST
def accept(request: AuthenticatedRequest) -> HttpResponse:
    """Take part from now on. A second click finds it done."""
    try:
        system = inviting.invitation_accept(digest=request.session.get(INVITATION, ""), user=request.user)
    except InvitationOver:
        return _over(request)
    except Refused as error:
        messages.error(request, say_reason(error.reason))
        return redirect("portal:invitation")
    messages.success(request, gettext("You take part in “%(title)s” now.") % {"title": system.title})
    return redirect("portal:system", system.pk)


def _over(request: HttpRequest) -> HttpResponse:
    request.session.pop(INVITATION, None)
    return render(request, "portal/invitation.html", {"is_over": True}, status=404)
