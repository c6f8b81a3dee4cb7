"""What is kept of booking systems that are gone, across sellers. Rows and files are the portal's pages, which admins may open too."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane.accounts.models import User
from controlplane.console.base import ReadOnlyAdmin, as_json, badge, column, titled
from controlplane.systems import archives
from controlplane.systems.archive_models import Archive
from controlplane.systems.archiving import tables_of


@admin.register(Archive)
class ArchiveAdmin(ReadOnlyAdmin):
    label = _("Archives")
    system_shown = column("system", _("booking system"))
    completed = column("completed_at", _("archived"))
    until = column("kept_until", _("kept until"))
    erased = column("erased_at", _("erased"))

    list_display = ["system_shown", "seller_shown", "state_shown", "orders", "captured", "refunded", "completed", "until"]
    list_filter = [("state", titled(_("state"))), ("completed_at", titled(_("archived"))), ("kept_until", titled(_("kept until")))]
    search_fields = ["=system__id", "system__title", "system__seller__email", "system__seller__name"]
    list_select_related = ["system__seller"]
    ordering = ["-pk"]
    fields = [
        "system_shown", "seller_shown", "state_shown", "completed", "until", "erased", "orders", "captured", "refunded", "tables_shown",
        "settlement_shown",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Archive]:
        """Those that are done with; one that is being made is a step of its deletion."""
        return super().get_queryset(request).exclude(state=Archive.State.RUNNING).defer("settlement", "cursors")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """One archive; the look is written down as in the portal."""
        archive = self.get_object(request, object_id)
        if archive is not None and self.has_view_permission(request, archive) and isinstance(request.user, User):
            archives.opened(archive.system, request.user, "console")
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description=_("seller"), ordering="system__seller__email")
    def seller_shown(self, archive: Archive) -> str:
        return str(archive.system.seller)

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, archive: Archive) -> SafeString:
        return badge(archive.state, archive.get_state_display())

    @admin.display(description=_("orders"))
    def orders(self, archive: Archive) -> str:
        return f"{sum(each.orders for each in archives.sums_of(archive)):,}"

    @admin.display(description=_("paid by buyers"))
    def captured(self, archive: Archive) -> str:
        return f"₩{sum(each.captured_krw for each in archives.sums_of(archive)):,}"

    @admin.display(description=_("refunded"))
    def refunded(self, archive: Archive) -> str:
        return f"₩{sum(each.refunded_krw for each in archives.sums_of(archive)):,}"

    @admin.display(description=_("tables"))
    def tables_shown(self, archive: Archive) -> SafeString:
        place = reverse("portal:system-archive", args=[archive.system_id])
        rows = [(f"{place}/{name}", name, f"{archive.counts[name]:,}") for name in tables_of(archive)]
        lines = format_html_join(
            "", '<tr><th><a href="{0}">{1}</a></th><td>{2}</td><td><a href="{0}.csv">CSV</a> <a href="{0}.xlsx">Excel</a></td></tr>', rows
        )
        return format_html('<table>{}</table><a href="{}">{}</a>', lines, place, gettext("page in the portal"))

    @admin.display(description=_("settlement"))
    def settlement_shown(self, archive: Archive) -> SafeString:
        return as_json(archive.settlement)
