"""Addresses of the portal."""

from __future__ import annotations

from django.urls import path

from controlplane.portal.views import account, door, drafts, entry, event_page, events, language, papers, performances, revisions, systems

app_name = "portal"

urlpatterns = [
    path("", events.events, name="events"),
    path("language", language.language, name="language"),
    path("signup", entry.signup, name="signup"),
    path("login", entry.LoginView.as_view(), name="login"),
    path("logout", entry.auth_views.LogoutView.as_view(), name="logout"),
    path("password-reset", entry.PasswordResetView.as_view(), name="password-reset"),
    path("password-reset/sent", entry.PasswordResetSentView.as_view(), name="password-reset-sent"),
    path("password-reset/<uidb64>/<token>", entry.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("account", account.account, name="account"),
    path("account/profile", account.profile, name="account-profile"),
    path("account/password", account.password, name="account-password"),
    path("account/tokens", account.token_create, name="token-create"),
    path("account/tokens/<int:token_id>/revoke", account.token_revoke, name="token-revoke"),
    path("account/close", account.close, name="account-close"),
    path("systems", systems.systems, name="systems"),
    path("systems/new", drafts.new, name="draft-new"),
    path("drafts/<uuid:draft_id>", drafts.form, name="draft"),
    path("drafts/<uuid:draft_id>/plan.svg", drafts.plan_svg, name="draft-plan"),
    path("drafts/<uuid:draft_id>/review", drafts.review, name="draft-review"),
    path("drafts/<uuid:draft_id>/deploy", drafts.deploy, name="draft-deploy"),
    path("drafts/<uuid:draft_id>/delete", drafts.delete, name="draft-delete"),
    path("systems/<int:system_id>", systems.system, name="system"),
    path("systems/<int:system_id>/progress", systems.progress, name="system-progress"),
    path("systems/<int:system_id>/sales", systems.sales, name="system-sales"),
    path("systems/<int:system_id>/attendees", systems.attendees, name="system-attendees"),
    path("systems/<int:system_id>/attendees.<str:kind>", papers.attendees, name="system-attendees-file"),
    path("systems/<int:system_id>/event", event_page.page, name="system-event"),
    path("systems/<int:system_id>/event/description", event_page.description, name="system-description"),
    path("systems/<int:system_id>/event/poster", event_page.poster, name="system-poster"),
    path("systems/<int:system_id>/event/poster/image", event_page.poster_image, name="system-poster-image"),
    path("systems/<int:system_id>/event/notices", event_page.notice_add, name="system-notices"),
    path("systems/<int:system_id>/event/notices/<int:notice_id>", event_page.notice_change, name="system-notice"),
    path("systems/<int:system_id>/performances", performances.all_of, name="system-performances"),
    path("systems/<int:system_id>/performances/<str:performance_id>/cancellation", performances.call_off, name="system-call-off"),
    path(
        "systems/<int:system_id>/performances/<str:performance_id>/cancellation/progress",
        performances.call_off_progress,
        name="system-call-off-progress",
    ),
    path("systems/<int:system_id>/settlement", papers.settled, name="system-settlement"),
    path("systems/<int:system_id>/settlement.csv", papers.settled_csv, name="system-settlement-file"),
    path("systems/<int:system_id>/door", door.page, name="system-door"),
    path("systems/<int:system_id>/door/<uuid:scanner_id>/revoke", door.revoke, name="system-scanner-revoke"),
    path("systems/<int:system_id>/edit", systems.edit, name="system-edit"),
    path("systems/<int:system_id>/retry", systems.retry, name="system-retry"),
    path("systems/<int:system_id>/delete", systems.delete, name="system-delete"),
    path("systems/<int:system_id>/qr.svg", systems.qr, name="system-qr"),
    path("systems/<int:system_id>/history", revisions.revisions, name="system-history"),
    path("systems/<int:system_id>/revisions/<int:number>", revisions.revision, name="revision"),
    path("systems/<int:system_id>/revisions/<int:number>/rollback", revisions.rollback, name="rollback"),
    path("systems/<int:system_id>/operations/<int:operation_id>", revisions.operation, name="operation"),
]
