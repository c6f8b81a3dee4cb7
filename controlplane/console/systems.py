"""Booking systems across sellers."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane.console.base import ReadOnlyAdmin, badge, column, stored_words, titled
from controlplane.console.words import health_words
from controlplane.systems import operating, services
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem
from controlplane.systems.words import HEALTH


class HealthFilter(admin.SimpleListFilter):
    """By how it runs, in the words that the list has for it."""

    title = _("health")
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(name, str(words)) for name, words in HEALTH.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BookingSystem]) -> QuerySet[BookingSystem]:
        return queryset.filter(health=self.value()) if self.value() else queryset


@admin.register(BookingSystem)
class BookingSystemAdmin(ReadOnlyAdmin):
    label = _("Booking systems")
    number = column("id", _("number"))
    seller_shown = column("seller", _("seller"))
    health_told = column("health_message", _("health in words"))
    namespace_shown = column("namespace", _("namespace"))
    generation_shown = column("generation", _("generation"))
    observed = column("observed_generation", _("generation that was made so"))
    revision_shown = column("live_revision", _("live revision"))
    created = column("created_at", _("created"))
    went_live = column("live_at", _("live since"))
    deleted = column("deleted_at", _("deleted"))
    attempts_shown = column("attempts", _("failed attempts in a row"))
    next_check = column("next_check_at", _("next look"))
    lease = column("lease_owner", _("lease of"))
    lease_end = column("lease_until", _("lease until"))

    list_display = ["title_shown", "number", "state_shown", "health_shown", "address", "seller_shown", "generation_shown", "created"]
    list_filter = [("state", titled(_("state"))), HealthFilter, ("created_at", titled(_("created")))]
    search_fields = ["title", "slug", "=id", "seller__email", "seller__name"]
    list_select_related = ["seller"]
    list_display_links = None
    actions = ["retry", "suspend", "resume"]
    fields = [
        "title_shown", "number", "seller_shown", "state_shown", "why", "health_shown", "health_told", "address", "namespace_shown",
        "generation_shown", "observed", "revision_shown", "look_at", "created", "went_live", "deleted", "attempts_shown", "next_check",
        "lease", "lease_end",
    ]  # fmt: skip

    @admin.display(description=_("title"), ordering="title")
    def title_shown(self, system: BookingSystem) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:system", args=[system.pk]), system.title)

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, system: BookingSystem) -> SafeString:
        return badge(system.state, system.get_state_display())

    @admin.display(description=_("health"), ordering="health")
    def health_shown(self, system: BookingSystem) -> SafeString:
        return badge(system.health, health_words(system.health))

    @admin.display(description=_("reason"))
    def why(self, system: BookingSystem) -> str:
        return stored_words(system)

    @admin.display(description=_("address"), ordering="slug")
    def address(self, system: BookingSystem) -> SafeString | str:
        return format_html('<a href="{0}/">{0}</a>', system.public_url) if system.public_url else ""

    @admin.display(description=_("look at"))
    def look_at(self, system: BookingSystem) -> SafeString:
        links = [
            (reverse("admin:system", args=[system.pk]), gettext("how it runs, and what can be done")),
            (reverse("admin:systems_operation_changelist") + f"?system__id__exact={system.pk}", gettext("operations")),
            (reverse("admin:systems_revision_changelist") + f"?system__id__exact={system.pk}", gettext("revisions")),
            (reverse("admin:lib_auditrow_changelist") + f"?subject=systems.bookingsystem&subject_id={system.pk}", gettext("audit trail")),
            (f"/systems/{system.pk}", gettext("page in the portal")),
        ]
        return format_html(" · ".join(['<a href="{}">{}</a>'] * len(links)), *[part for link in links for part in link])

    @admin.action(description=_("Try again what failed last"), permissions=["view"])
    def retry(self, request: HttpRequest, chosen: QuerySet[BookingSystem]) -> None:
        self._wish(request, chosen, services.system_retry, gettext("%(title)s: trying again."))

    @admin.action(description=_("Suspend: let nothing run but what keeps the data"), permissions=["view"])
    def suspend(self, request: HttpRequest, chosen: QuerySet[BookingSystem]) -> None:
        self._wish(request, chosen, operating.system_suspend, gettext("%(title)s: suspending."))

    @admin.action(description=_("Resume what is suspended"), permissions=["view"])
    def resume(self, request: HttpRequest, chosen: QuerySet[BookingSystem]) -> None:
        self._wish(request, chosen, operating.system_resume, gettext("%(title)s: resuming."))

    def _wish(self, request: HttpRequest, chosen: QuerySet[BookingSystem], act: Callable[..., object], told: str) -> None:
        for system in chosen:
            try:
                act(system=system, acting_user=request.user)
            except Refused as error:
                self.message_user(request, f"{system.title}: {error.reason.text(gettext)}", messages.WARNING)
            else:
                self.message_user(request, told % {"title": system.title}, messages.SUCCESS)
