"""What the console's pages share."""

from __future__ import annotations

import json
from typing import Any

import yaml
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at. Whatever changes something is an action that calls a service."""

    list_per_page = 50
    show_full_result_count = False

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
