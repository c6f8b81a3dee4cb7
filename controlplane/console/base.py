"""What the console's pages share."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import yaml
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from controlplane.lib import reasons
from controlplane.systems.runtime_words import say_runtime


def column(name: str, label: Any) -> Callable[[Any, Any], Any]:
    """A column or line that shows the attribute NAME under LABEL: the models' own columns have no names for people."""

    def show(_self: Any, row: Any) -> Any:
        words = getattr(row, f"get_{name}_display", None)
        value = words() if words else getattr(row, name)
        if isinstance(value, datetime):
            return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
        return "" if value is None else value

    show.__name__ = f"{name}_column"
    return admin.display(description=label, ordering=name, empty_value="")(show)


def titled(label: Any) -> type[admin.FieldListFilter]:
    """The filter that fits a column, under LABEL: `("state", titled(_("state")))`."""

    class Titled(admin.FieldListFilter):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            fitting = admin.FieldListFilter.create(*args, **kwargs)
            fitting.title = label
            return fitting

    return Titled


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at. Whatever changes something is an action that calls a service."""

    list_per_page = 50
    show_full_result_count = False

    label: Any = ""
    """What the rows are called, as a heading."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "title": self.label})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "title": self.label})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_admin", False))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_admin", False))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def as_yaml(documents: Any) -> SafeString:
    """Objects as YAML documents, escaped."""
    dumped = yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False, width=120)
    return format_html('<pre class="code">{}</pre>', dumped)


def as_json(value: Any) -> SafeString:
    return format_html('<pre class="code">{}</pre>', json.dumps(value, ensure_ascii=False, indent=2, default=str))


def badge(state: str, words: str) -> SafeString:
    return format_html('<span class="state state--{}">{}</span>', state, words)


def stored_words(owner: Any, prefix: str = "reason") -> str:
    """The reason that OWNER keeps in the columns `<prefix>_code`, `<prefix>` and `<prefix>_params`, in the reader's language."""
    code = getattr(owner, f"{prefix}_code")
    text: str = getattr(owner, prefix)
    params = dict(getattr(owner, f"{prefix}_params"))
    if "message" in params:
        params["message"] = say_runtime(params["message"])
    return reasons.words(code, params, gettext, otherwise=text) if code else text
