"""What was done: operations, revisions, the audit trail."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane.console.base import ReadOnlyAdmin, as_json, as_yaml, badge, column, stored_words, titled
from controlplane.console.words import step_words
from controlplane.lib.models import AuditRow
from controlplane.systems.models import Operation, Revision


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    label = _("Operations")
    number = column("id", _("number"))
    kind_shown = column("kind", _("kind"))
    system_shown = column("system", _("booking system"))
    generation_shown = column("generation", _("generation"))
    revision_shown = column("revision", _("revision"))
    begun_by = column("created_by", _("begun by"))
    begun = column("started_at", _("begun"))
    held = column("paused_s", _("held for seconds"))
    moved = column("progress_at", _("moved last"))
    ended = column("ended_at", _("ended"))

    list_display = ["number", "kind_shown", "system_shown", "state_shown", "why", "begun_by", "begun", "took"]
    list_filter = [("state", titled(_("state"))), ("kind", titled(_("kind"))), ("started_at", titled(_("begun")))]
    search_fields = ["=id", "=system__id", "system__title", "system__slug", "created_by__email"]
    list_select_related = ["system", "created_by"]
    fields = [
        "number", "kind_shown", "system_shown", "state_shown", "why", "generation_shown", "revision_shown", "begun_by", "begun", "moved",
        "held", "ended", "steps_shown", "result_shown",
    ]  # fmt: skip

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, operation: Operation) -> SafeString:
        return badge("paused", gettext("held")) if operation.is_paused else badge(operation.state, operation.get_state_display())

    @admin.display(description=_("reason"))
    def why(self, operation: Operation) -> str:
        return stored_words(operation)

    @admin.display(description=_("took"))
    def took(self, operation: Operation) -> str:
        return f"{(operation.ended_at - operation.started_at).total_seconds():.1f} s" if operation.ended_at else ""

    @admin.display(description=_("steps"))
    def steps_shown(self, operation: Operation) -> SafeString:
        rows = [
            (
                step_words(step.name),
                badge(step.state, step.get_state_display()),
                f"{(step.ended_at - step.started_at).total_seconds():.1f} s" if step.ended_at else "",
                stored_words(step, "message"),
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
    label = _("Revisions")
    system_shown = column("system", _("booking system"))
    number_shown = column("number", _("number"))
    made_by = column("created_by", _("made by"))
    made = column("created_at", _("made"))

    list_display = ["number_shown", "system_shown", "made_by", "made"]
    list_filter = [("created_at", titled(_("made")))]
    search_fields = ["=system__id", "system__title", "system__slug"]
    list_select_related = ["system", "created_by"]
    fields = ["number_shown", "system_shown", "made_by", "made", "plan_shown", "manifests_shown"]

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
    label = _("Audit trail")
    when = column("at", _("when"))
    who = column("actor_label", _("who"))
    did = column("action", _("did"))
    what = column("subject", _("what"))
    which = column("subject_id", _("which"))

    list_display = ["when", "who", "did", "what", "which"]
    list_filter = [("action", titled(_("did"))), ("subject", titled(_("what"))), ("at", titled(_("when")))]
    search_fields = ["actor_label", "action", "=subject_id"]
    fields = ["when", "who", "did", "what", "which", "details_shown"]

    @admin.display(description=_("details"))
    def details_shown(self, row: AuditRow) -> SafeString:
        return as_json(row.details)
