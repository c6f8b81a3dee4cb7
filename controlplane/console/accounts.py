"""People."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from controlplane.accounts import services
from controlplane.accounts.errors import NotOneself
from controlplane.accounts.models import Role, User
from controlplane.console.base import ReadOnlyAdmin
from controlplane.systems import people
from controlplane.systems.models import State

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    label = _("Users")
    list_display = ["email", "name", "role", "is_active", "standing", "last_login", "created_at"]
    list_filter = ["role", "is_active"]
    search_fields = ["email", "name"]
    ordering = ["-created_at"]
    actions = ["activate", "deactivate", "make_admin", "make_seller"]
    fields = ["email", "name", "phone", "role", "is_active", "standing", "limits", "last_login", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        standing = Count("systems", filter=~Q(systems__state=State.DELETED))
        return super().get_queryset(request).annotate(standing_count=standing)

    @admin.display(description=_("booking systems"), ordering="standing_count")
    def standing(self, user: Any) -> int:
        return int(user.standing_count)

    @admin.display(description=_("limits"))
    def limits(self, user: User) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:limits", args=[user.pk]), gettext("what they may have, and have"))

    @admin.action(description=_("Let log in again"), permissions=["view"])
    def activate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        self._set(request, chosen, is_active=True)

    @admin.action(description=_("Lock out: no login, no API, no part in others' events; booking systems go on"), permissions=["view"])
    def deactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        self._set(request, chosen, is_active=False)

    @admin.action(description=_("Make admin"), permissions=["view"])
    def make_admin(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        self._set(request, chosen, role=Role.ADMIN)

    @admin.action(description=_("Make seller"), permissions=["view"])
    def make_seller(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        self._set(request, chosen, role=Role.SELLER)

    def _set(self, request: HttpRequest, chosen: QuerySet[User], **changes: Any) -> None:
        count = 0
        for user in chosen:
            try:
                with transaction.atomic():
                    services.user_set(user=user, acting_user=request.user, **changes)  # type: ignore[arg-type]
                    if changes.get("is_active") is False:
                        people.leave_all(user=user, acting_user=request.user)  # type: ignore[arg-type]
                count += 1
            except NotOneself:
                self.message_user(request, gettext("Your own account is changed by another admin."), messages.WARNING)
        text = ngettext("%(count)d user changed.", "%(count)d users changed.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)
