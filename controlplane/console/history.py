"""What was done: operations, revisions, the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane.console.base import ReadOnlyAdmin, as_json, as_yaml, badge
from controlplane.lib import reasons
from controlplane.lib.models import AuditRow
from controlplane.systems.models import Operation, Revision


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "system", "state_shown", "why", "created_by", "started_at", "took"]
    list_filter = ["state", "kind", "started_at"]
    search_fields = ["=id", "=system__id", "system__title", "system__slug", "created_by__email"]
    list_select_related = ["system", "created_by"]
    fields = [
        "system", "kind", "state_shown", "why", "generation", "revision", "created_by", "started_at", "progress_at", "ended_at",
        "steps_shown", "result_shown",
    ]  # fmt: skip

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, operation: Operation) -> SafeString:
        return badge(operation.state, operation.get_state_display())

    @admin.display(description=_("reason"))
    def why(self, operation: Operation) -> str:
        return _words(operation, "reason")

    @admin.display(description=_("took"))
    def took(self, operation: Operation) -> str:
        return f"{(operation.ended_at - operation.started_at).total_seconds():.1f} s" if operation.ended_at else ""

    @admin.display(description=_("steps"))
    def steps_shown(self, operation: Operation) -> SafeString:
        rows = [
            (
                step.name,
                badge(step.state, step.get_state_display()),
                f"{(step.ended_at - step.started_at).total_seconds():.1f} s" if step.ended_at else "",
                _words(step, "message"),
            )
            for step in operation.steps.all()
        ]
        lines = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        return format_html("<table>{}</table>", lines)

    @admin.display(description=_("result"))
    def result_shown(self, operation: Operation) -> SafeString:
        return as_json(operation.result)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "system", "number", "created_by", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["=system__id", "system__title", "system__slug"]
    list_select_related = ["system", "created_by"]
    fields = ["system", "number", "created_by", "created_at", "plan_shown", "manifests_shown"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        """Without the JSON; a detail page reads it when it shows it."""
        return super().get_queryset(request).defer("plan", "manifests", "requirement")

    @admin.display(description=_("plan"))
    def plan_shown(self, revision: Revision) -> SafeString:
        return as_json(revision.plan)

    @admin.display(description=_("manifests"))
    def manifests_shown(self, revision: Revision) -> SafeString:
        return as_yaml(revision.manifests)


@admin.register(AuditRow)
class AuditRowAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_label", "action", "subject", "subject_id"]
    list_filter = ["action", "subject", "at"]
    search_fields = ["actor_label", "action", "=subject_id"]
    fields = ["at", "actor", "actor_label", "action", "subject", "subject_id", "details_shown"]

    @admin.display(description=_("details"))
    def details_shown(self, row: AuditRow) -> SafeString:
        return as_json(row.details)


def _words(owner: Any, kind: str) -> str:
    code = getattr(owner, f"{kind}_code")
    text: str = getattr(owner, kind)
    return reasons.words(code, getattr(owner, f"{kind}_params"), gettext, otherwise=text) if code else text
