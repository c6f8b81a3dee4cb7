"""Addresses of the REST API."""

from __future__ import annotations

from django.urls import path, re_path

from controlplane.api.views import base, history, others, reference, systems

app_name = "api"

endpoints = [
    path("me", others.Me.as_view(), name="me"),
    path("events", others.Events.as_view(), name="events"),
    path("preview", systems.Preview.as_view(), name="preview"),
    path("systems", systems.Systems.as_view(), name="systems"),
    path("systems/<int:system_id>", systems.System.as_view(), name="system"),
    path("systems/<int:system_id>/requirement", systems.SystemRequirement.as_view(), name="requirement"),
    path("systems/<int:system_id>/deploy", systems.Deploy.as_view(), name="deploy"),
    path("systems/<int:system_id>/retry", systems.Retry.as_view(), name="retry"),
    path("systems/<int:system_id>/rollback", systems.Rollback.as_view(), name="rollback"),
    path("systems/<int:system_id>/attendees", systems.Attendees.as_view(), name="attendees"),
    path("systems/<int:system_id>/sales", systems.Sales.as_view(), name="sales"),
    path("systems/<int:system_id>/operations", history.Operations.as_view(), name="operations"),
    path("systems/<int:system_id>/operations/<int:operation_id>", history.Operation.as_view(), name="operation"),
    path("systems/<int:system_id>/revisions", history.Revisions.as_view(), name="revisions"),
    path("systems/<int:system_id>/revisions/<int:number>", history.RevisionDetail.as_view(), name="revision"),
    path("systems/<int:system_id>/revisions/<int:number>/diff/<int:against>", history.RevisionDiff.as_view(), name="revision-diff"),
]

urlpatterns = [
    *endpoints,
    path("schema", reference.schema, name="schema"),
    path("docs", reference.docs, name="docs"),
    re_path(r"^.*$", base.NoSuchAddress.as_view()),
]
