"""The admin console: Django's admin for those with the role admin, and for nobody else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _


class ConsoleSite(AdminSite):
    site_title = _("Clove console")
    site_header = _("Clove console")
    site_url = "/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return user.is_active and getattr(user, "is_admin", False)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The portal's login, where failures are counted; somebody logged in without the role has no way in."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The operations page is where an admin begins; the models are one click away on every page."""
        return redirect("admin:overview")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from controlplane.console.overview import overview

        return [path("overview/", self.admin_view(overview), name="overview"), *super().get_urls()]
