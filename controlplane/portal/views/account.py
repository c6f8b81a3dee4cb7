"""One's own account: profile, password, API tokens, closing it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from controlplane.accounts import services
from controlplane.accounts.errors import AdminStays, NoSuchToken, SystemsStanding, TooManyTokens
from controlplane.accounts.forms import CloseAccountForm, ProfileForm, TokenForm
from controlplane.accounts.models import User
from controlplane.accounts.selectors import tokens_of
from controlplane.portal import drafts
from controlplane.portal.http import AuthenticatedRequest
from controlplane.systems import access, forgetting, people


@login_required
@never_cache
@require_GET
def account(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request)


@login_required
@require_POST
def profile(request: AuthenticatedRequest) -> HttpResponse:
    # A copy: a ModelForm writes into its instance even when it is wrong, and the page's head shows the user.
    form = ProfileForm(request.POST, instance=User.objects.get(pk=request.user.pk), auto_id="profile-%s")
    if not form.is_valid():
        return _page(request, profile_form=form)
    form.save()
    messages.success(request, gettext("Saved."))
    return redirect("portal:account")


@sensitive_post_parameters()
@login_required
@require_POST
def password(request: AuthenticatedRequest) -> HttpResponse:
    """A new password ends every other session."""
    form = PasswordChangeForm(request.user, request.POST, auto_id="password-%s")
    if not form.is_valid():
        return _page(request, password_form=form)
    form.save()
    update_session_auth_hash(request, form.user)
    messages.success(request, gettext("Your password is changed. Other devices have to log in again."))
    return redirect("portal:account")


@login_required
@never_cache
@require_POST
def token_create(request: AuthenticatedRequest) -> HttpResponse:
    """Answers with the page itself, not a redirect: the token's text is shown this once and kept nowhere."""
    form = TokenForm(request.POST, auto_id="token-%s")
    if not form.is_valid():
        return _page(request, token_form=form)
    try:
        _token, text = services.token_create(user=request.user, **form.cleaned_data)
    except TooManyTokens:
        form.add_error(None, gettext("You have as many tokens as one may have. Revoke one first."))
        return _page(request, token_form=form)
    return _page(request, fresh_token=text)


@login_required
@require_POST
def token_revoke(request: AuthenticatedRequest, token_id: int) -> HttpResponse:
    try:
        services.token_revoke(user=request.user, token_id=token_id)
    except NoSuchToken:
        raise Http404 from None
    messages.success(request, gettext("The token is revoked. Programs that use it are refused from now on."))
    return redirect("portal:account")


@sensitive_post_parameters()
@login_required
@require_POST
def close(request: AuthenticatedRequest) -> HttpResponse:
    form = CloseAccountForm(request.user, request.POST, auto_id="close-%s")
    if not form.is_valid():
        return _page(request, close_form=form)
    try:
        with transaction.atomic():
            # Nothing is opened in another tab meanwhile: that waits for this lock, too.
            User.objects.select_for_update().get(pk=request.user.pk)
            people.leave_all(user=request.user, acting_user=request.user)
            services.user_close(user=request.user, standing=_standing(request.user))
            forgetting.forget_name(was=request.user.email, now=services.closed_label(request.user.pk))
            drafts.drafts_forget(user=request.user)
    except SystemsStanding as error:
        form.add_error(None, gettext("These booking systems still stand; delete them first: %(names)s") % {"names": ", ".join(error.names)})
        return _page(request, close_form=form)
    except AdminStays:
        form.add_error(None, gettext("An admin's account is not closed here. Ask another admin."))
        return _page(request, close_form=form)
    logout(request)
    messages.success(request, gettext("Your account is closed and your personal data erased."))
    return redirect("portal:events")


def _standing(user: User) -> list[str]:
    """Titles of USER's own booking systems that are not deleted."""
    return [system.title for system in access.own_systems(user)]


def _page(request: AuthenticatedRequest, **forms_: Any) -> HttpResponse:
    """The account page; a bound form that is wrong makes it a 422."""
    password_form = PasswordChangeForm(request.user, auto_id="password-%s")
    password_form.fields["old_password"].widget.attrs.pop("autofocus", None)  # it is one form of several on this page
    context = {
        "profile_form": ProfileForm(instance=User.objects.get(pk=request.user.pk), auto_id="profile-%s"),
        "password_form": password_form,
        "token_form": TokenForm(auto_id="token-%s"),
        "close_form": CloseAccountForm(request.user, auto_id="close-%s"),
        "tokens": tokens_of(request.user),
        "standing": _standing(request.user),
        **forms_,
    }
    is_wrong = any(isinstance(form, forms.BaseForm) and form.errors for form in forms_.values())
    return render(request, "portal/account/account.html", context, status=422 if is_wrong else 200)
