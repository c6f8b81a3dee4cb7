from django.urls import path

from booking_templates.standin import admin, page, protocol, schemas

urlpatterns: list[object] = []

pages = [
    path("online/v1/payment/ready", protocol.serve("ready", schemas.Ready, protocol.ready)),
    path("online/v1/payment/approve", protocol.serve("approve", schemas.Approve, protocol.approve)),
    path("online/v1/payment/order", protocol.serve("order", schemas.Order, protocol.order)),
    path("online/v1/payment/cancel", protocol.serve("cancel", schemas.Cancel, protocol.cancel)),
    path("pay/<str:device>/<str:page>", page.pay),
    path("admin/faults", admin.guarded(GET=admin.list_faults, POST=admin.add_fault, DELETE=admin.clear_faults)),
    path("admin/age", admin.guarded(POST=admin.make_older)),
    path("admin/ledger", admin.guarded(GET=admin.read_ledger)),
]
