"""Addresses of the REST API."""

from __future__ import annotations

from django.urls import path, re_path

from controlplane.api.views import base, bookings, history, live, operating, others, pictures, reference, secrets, shop_orders, systems

app_name = "api"

endpoints = [
    path("me", others.Me.as_view(), name="me"),
    path("events", others.Events.as_view(), name="events"),
    path("pictures", pictures.Pictures.as_view(), name="pictures"),
    path("pictures/<slug:digest>", pictures.Picture.as_view(), name="picture"),
    path("secrets", secrets.Secrets.as_view(), name="secrets"),
    path("preview", systems.Preview.as_view(), name="preview"),
    path("systems", systems.Systems.as_view(), name="systems"),
    path("systems/<int:system_id>", systems.System.as_view(), name="system"),
    path("systems/<int:system_id>/requirement", systems.SystemRequirement.as_view(), name="requirement"),
    path("systems/<int:system_id>/deploy", systems.Deploy.as_view(), name="deploy"),
    path("systems/<int:system_id>/retry", systems.Retry.as_view(), name="retry"),
    path("systems/<int:system_id>/rollback", systems.Rollback.as_view(), name="rollback"),
    path("systems/<int:system_id>/rotate-keys", operating.RotateKeys.as_view(), name="rotate-keys"),
    path("systems/<int:system_id>/suspend", operating.Suspend.as_view(), name="suspend"),
    path("systems/<int:system_id>/resume", operating.Resume.as_view(), name="resume"),
    path("systems/<int:system_id>/rollout/pause", operating.PauseRollout.as_view(), name="rollout-pause"),
    path("systems/<int:system_id>/rollout/resume", operating.ResumeRollout.as_view(), name="rollout-resume"),
    path("systems/<int:system_id>/rollout/abandon", operating.AbandonRollout.as_view(), name="rollout-abandon"),
    path("systems/<int:system_id>/services/<slug:service>/scale", operating.Scale.as_view(), name="scale"),
    path("systems/<int:system_id>/services/<slug:service>/move", operating.Move.as_view(), name="move"),
    path("systems/<int:system_id>/services/<slug:service>/restart", operating.Restart.as_view(), name="restart"),
    path("systems/<int:system_id>/attendees", systems.Attendees.as_view(), name="attendees"),
    path("systems/<int:system_id>/sales", systems.Sales.as_view(), name="sales"),
    path("systems/<int:system_id>/attendees.<str:kind>", live.AttendeesFile.as_view(), name="attendees-file"),
    path("systems/<int:system_id>/bookings/<uuid:order_id>", bookings.Booking.as_view(), name="booking"),
    path("systems/<int:system_id>/bookings/<uuid:order_id>/quote", bookings.RefundQuote.as_view(), name="booking-quote"),
    path("systems/<int:system_id>/bookings/<uuid:order_id>/refunds", bookings.Refunds.as_view(), name="booking-refunds"),
    path("systems/<int:system_id>/event", live.EventPage.as_view(), name="event-page"),
    path("systems/<int:system_id>/event/poster", live.Poster.as_view(), name="poster"),
    path("systems/<int:system_id>/event/notices", live.Notices.as_view(), name="notices"),
    path("systems/<int:system_id>/event/notices/<int:notice_id>", live.Notice.as_view(), name="notice"),
    path("systems/<int:system_id>/concessions", live.Concessions.as_view(), name="concessions"),
    path("systems/<int:system_id>/performances", live.Performances.as_view(), name="performances"),
    path("systems/<int:system_id>/waiting-room", live.WaitingRoom.as_view(), name="waiting-room"),
    path("systems/<int:system_id>/performances/<str:performance_id>/off-sale", live.OffSale.as_view(), name="off-sale"),
    path("systems/<int:system_id>/performances/<str:performance_id>/cancellation", live.CallingOff.as_view(), name="calling-off"),
    path("systems/<int:system_id>/settlement", live.Settlement.as_view(), name="settlement"),
    path("systems/<int:system_id>/settlement.csv", live.SettlementFile.as_view(), name="settlement-file"),
    path("systems/<int:system_id>/scanners", live.Scanners.as_view(), name="scanners"),
    path("systems/<int:system_id>/scanners/<uuid:scanner_id>", live.Scanner.as_view(), name="scanner"),
    path("systems/<int:system_id>/pickups", live.PickUps.as_view(), name="pickups"),
    path("systems/<int:system_id>/pickups/<uuid:order_id>", shop_orders.ShopOrder.as_view(), name="pickup"),
    path("systems/<int:system_id>/pickups/<uuid:order_id>/refunds", shop_orders.Refunds.as_view(), name="pickup-refunds"),
    path("systems/<int:system_id>/stock", live.Stock.as_view(), name="stock"),
    path("systems/<int:system_id>/products/<slug:product>/picture", pictures.ProductPicture.as_view(), name="product-picture"),
    path("systems/<int:system_id>/archive", live.Archive.as_view(), name="archive"),
    path("systems/<int:system_id>/archive/<slug:service>/<slug:table>", live.ArchiveTable.as_view(), name="archive-table"),
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
