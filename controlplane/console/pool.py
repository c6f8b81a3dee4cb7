"""The container pool."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from controlplane.console.base import ReadOnlyAdmin, as_json
from controlplane.pool import services
from controlplane.pool.models import Image

CAPABILITY = "dev.clove.capability."


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    label = _("Container pool")
    list_display = ["name", "service", "version", "can", "enabled", "registered_at"]
    list_filter = ["enabled", "service"]
    search_fields = ["name", "ref", "digest"]
    actions = ["enable", "disable"]
    fields = ["name", "service", "version", "ref", "digest", "enabled", "registered_at", "labels_shown"]

    @admin.display(description=_("can do"))
    def can(self, image: Image) -> SafeString:
        found = [(key.removeprefix(CAPABILITY), value) for key, value in sorted(image.labels.items()) if key.startswith(CAPABILITY)]
        return format_html_join(" ", '<span class="tag">{} = {}</span>', found)

    @admin.display(description=_("labels"))
    def labels_shown(self, image: Image) -> SafeString:
        return as_json(image.labels)

    @admin.action(description=_("Enable: may be chosen for new plans"), permissions=["view"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Image]) -> None:
        self._set(request, chosen, is_enabled=True)

    @admin.action(description=_("Disable: chosen for no new plan; what runs it goes on"), permissions=["view"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Image]) -> None:
        self._set(request, chosen, is_enabled=False)

    def _set(self, request: HttpRequest, chosen: QuerySet[Image], *, is_enabled: bool) -> None:
        images = list(chosen.exclude(enabled=is_enabled))
        for image in images:
            services.image_enable(image=image, is_enabled=is_enabled, acting_user=request.user)
        text = ngettext("%(count)d image changed.", "%(count)d images changed.", len(images)) % {"count": len(images)}
        self.message_user(request, text, messages.SUCCESS)
