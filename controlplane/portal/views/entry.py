"""Signing up, logging in and out, and resetting a forgotten password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as start_session
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from controlplane.accounts.errors import EmailTaken
from controlplane.accounts.forms import LoginForm, SignUpForm
from controlplane.accounts.services import user_sign_up
from controlplane.accounts.throttling import PasswordResetThrottle, SignUpThrottle, wait_s

INVITATION = "invitation"
"""Where the session keeps which invitation waits for somebody to log in."""


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def signup(request: HttpRequest) -> HttpResponse:
    """A new seller, logged in at once."""
    if request.user.is_authenticated:
        return redirect("portal:systems")
    if request.method == "POST" and (seconds := wait_s(SignUpThrottle(), request)):
        return too_many(request, seconds)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = user_sign_up(**form.cleaned_data)
        except EmailTaken:
            form.add_error("email", gettext("This e-mail address already has an account. Log in, or reset its password."))
        else:
            start_session(request, user, backend="django.contrib.auth.backends.ModelBackend")
            if INVITATION in request.session:
                return redirect("portal:invitation")
            messages.success(request, gettext("Welcome! Your first event is one form away."))
            return redirect("portal:systems")
    return render(request, "portal/account/signup.html", {"form": form}, status=422 if form.errors else 200)


class LoginView(auth_views.LoginView):
    form_class = LoginForm
    template_name = "portal/account/login.html"
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        """Back to the invitation that somebody logs in to accept; else to their booking systems."""
        return reverse("portal:invitation") if INVITATION in self.request.session else super().get_default_redirect_url()

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """What django-axes answers after too many wrong passwords."""
    minutes = round(float(settings.AXES_COOLOFF_TIME) * 60)
    response = render(request, "portal/account/locked_out.html", {"minutes": minutes, "is_password": True}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """One address asked too often; it may come back after SECONDS."""
    response = render(request, "portal/account/locked_out.html", {"minutes": -(-seconds // 60)}, status=429)
    response["Retry-After"] = str(seconds)
    return response


class PasswordResetView(auth_views.PasswordResetView):
    template_name = "portal/account/reset.html"
    email_template_name = "portal/account/reset_mail.txt"
    subject_template_name = "portal/account/reset_subject.txt"
    success_url = reverse_lazy("portal:password-reset-sent")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(sends_mail=bool(settings.MAIL_URL), **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.MAIL_URL:
            return self.get(request, *args, **kwargs)
        seconds = wait_s(PasswordResetThrottle(), request)
        return too_many(request, seconds) if seconds else super().post(request, *args, **kwargs)


class PasswordResetSentView(auth_views.PasswordResetDoneView):
    template_name = "portal/account/reset_sent.html"


class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    template_name = "portal/account/reset_confirm.html"
    success_url = reverse_lazy("portal:login")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, gettext("Your new password is set. Log in with it."))
        return super().form_valid(form)
