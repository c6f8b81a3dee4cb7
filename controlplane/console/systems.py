"""Booking systems across sellers."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane.console.base import ReadOnlyAdmin, badge
from controlplane.lib import reasons
from controlplane.systems import services
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem


@admin.register(BookingSystem)
class BookingSystemAdmin(ReadOnlyAdmin):
    list_display = ["title", "id", "state_shown", "health", "address", "seller", "generation", "created_at"]
    list_filter = ["state", "health", "desired_state", "created_at"]
    search_fields = ["title", "slug", "=id", "seller__email", "seller__name"]
    list_select_related = ["seller"]
    actions = ["retry"]
    fields = [
        "title", "seller", "state_shown", "why", "health", "health_message", "address", "namespace", "generation", "observed_generation",
        "live_revision", "look_at", "created_at", "live_at", "deleted_at", "attempts", "next_check_at", "lease_owner", "lease_until",
    ]  # fmt: skip

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, system: BookingSystem) -> SafeString:
        return badge(system.state, system.get_state_display())

    @admin.display(description=_("reason"))
    def why(self, system: BookingSystem) -> str:
        return reasons.words(system.reason_code, system.reason_params, gettext, otherwise=system.reason) if system.reason_code else ""

    @admin.display(description=_("address"), ordering="slug")
    def address(self, system: BookingSystem) -> SafeString | str:
        return format_html('<a href="{0}/">{0}</a>', system.public_url) if system.public_url else ""

    @admin.display(description=_("look at"))
    def look_at(self, system: BookingSystem) -> SafeString:
        links = [
            (reverse("admin:systems_operation_changelist") + f"?system__id__exact={system.pk}", gettext("operations")),
            (reverse("admin:systems_revision_changelist") + f"?system__id__exact={system.pk}", gettext("revisions")),
            (reverse("admin:lib_auditrow_changelist") + f"?subject=systems.bookingsystem&subject_id={system.pk}", gettext("audit trail")),
            (f"/systems/{system.pk}", gettext("page in the portal")),
        ]
        return format_html(" · ".join(['<a href="{}">{}</a>'] * len(links)), *[part for link in links for part in link])

    @admin.action(description=_("Try again what failed last"), permissions=["view"])
    def retry(self, request: HttpRequest, chosen: QuerySet[BookingSystem]) -> None:
        for system in chosen:
            try:
                services.system_retry(system=system, acting_user=request.user)  # type: ignore[arg-type]
            except Refused as error:
                self.message_user(request, f"{system.title}: {error.reason.text(gettext)}", messages.WARNING)
            else:
                self.message_user(request, gettext("%(title)s: trying again.") % {"title": system.title}, messages.SUCCESS)
