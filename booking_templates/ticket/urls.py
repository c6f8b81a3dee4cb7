from django.conf import settings

from booking_templates.kit.api import route
from booking_templates.payments import returns
from booking_templates.ticket import bookings, door, export, staff, tallies, views
from booking_templates.ticket import internal as inside
from booking_templates.ticket.saga import saga


def page_of(order_id: str) -> str:
    """The buyer's page of an order."""
    return f"{settings.ENV.public_url}/orders/{order_id}"


urlpatterns = [
    route("orders", POST=views.create_order, GET=views.list_orders),
    route("orders/<uuid:order_id>", GET=views.read_order),
    route("orders/<uuid:order_id>/cancel", POST=views.cancel_order),
    route("orders/<uuid:order_id>/cancellation", GET=views.read_quote),
    route("orders/<uuid:order_id>/terms", GET=views.read_order_terms),
    route("orders/<uuid:order_id>/refunds", POST=views.create_refund),
    *returns.urls(saga, page_of),
    route("tickets", GET=views.list_tickets),
    route("tickets/<uuid:ticket_id>", GET=views.read_ticket),
    route("tickets/<uuid:ticket_id>/qr.svg", GET=views.read_qr),
    route("tickets/<uuid:ticket_id>/ticket.pdf", GET=views.read_pdf),
    route("tickets/<uuid:ticket_id>/event.ics", GET=views.read_calendar),
    route("orders/<uuid:order_id>/tickets.pdf", GET=views.read_order_pdf),
    route("terms", GET=views.read_terms),
    route("keys.json", GET=views.read_keys),
    route("content", PUT=staff.put_content, GET=staff.read_content),
    route("performances/<str:performance_id>/cancellation", POST=staff.call_off, GET=staff.read_calling_off),
    route("bookings", GET=bookings.find_booking),
    route("bookings/<uuid:order_id>", GET=bookings.read_booking),
    route("bookings/<uuid:order_id>/quote", GET=bookings.read_quote_by_hand),
    route("bookings/<uuid:order_id>/refunds", POST=bookings.create_refund_by_hand),
    route("attendees", GET=staff.list_attendees, POST=staff.search_attendees),
    route("attendees.csv", GET=staff.export_csv, POST=staff.search_csv),
    route("attendees.xlsx", GET=staff.export_xlsx, POST=staff.search_xlsx),
    route("settlement", GET=staff.read_settlement),
    route("scanners", POST=door.create_scanner, GET=door.list_scanners),
    route("scanners/<uuid:scanner_id>", DELETE=door.delete_scanner),
    route("door", GET=door.read_door),
    route("door/conflicts", GET=door.list_door_conflicts),
    route("door/owed", GET=door.list_door_owed),
    route("door/given-back", POST=door.create_given_back),
    route("door/payments", POST=door.create_door_payments),
    route("scans", POST=door.create_scans),
    route("scan", GET=door.read_scan_page),
    route("scan.js", GET=door.read_scan_script),
    route("scan-worker.js", GET=door.read_scan_worker),
    route("scan-<slug:part>.js", GET=door.read_scan_part),
    route("scan-qr/decode.js", GET=door.read_scan_decoder),
    route("scan-qr/index.js", GET=door.read_scan_tables),
    route("summary", GET=staff.read_summary),
    route("tallies", GET=tallies.read_tallies),
    route("export/<str:table>", GET=export.read_export),
    route("open", GET=staff.read_open),
]

internal = [
    route("buyers/<str:buyer_id>/erase", POST=inside.erase_buyer),
    route("orders/<uuid:order_id>/<str:buyer_id>", GET=inside.read_order_status),
]
