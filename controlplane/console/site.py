"""The admin console: Django's admin for those with the role admin, and for nobody else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
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
        """The portal's login, where failures are counted, and back to where one wanted to go. Without the role there is no way in."""
        wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
            wanted = reverse("admin:index")
        if self.has_permission(request):
            return redirect(wanted)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect(f"{settings.LOGIN_URL}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The operations page is where an admin begins; the models are one click away on every page."""
        return redirect("admin:overview")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from controlplane.console.limits import limits
        from controlplane.console.operate import operate
        from controlplane.console.overview import overview
        from controlplane.console.running import system_page

        return [
            path("overview/", self.admin_view(overview), name="overview"),
            path("sellers/<int:user_id>/limits/", self.admin_view(limits), name="limits"),
            path("systems/<int:system_id>/", self.admin_view(system_page), name="system"),
            path("systems/<int:system_id>/<slug:action>/", self.admin_view(operate), name="operate"),
            path("systems/<int:system_id>/<slug:action>/<slug:about>/", self.admin_view(operate), name="operate"),
            *super().get_urls(),
        ]
