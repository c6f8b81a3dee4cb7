from django.conf import settings

from booking_templates.kit.api import route
from booking_templates.payments import returns
from booking_templates.ticket import internal as inside
from booking_templates.ticket import staff, views
from booking_templates.ticket.saga import saga


def page_of(order_id: str) -> str:
    """The buyer's page of an order."""
    return f"{settings.ENV.public_url}/orders/{order_id}"


urlpatterns = [
    route("orders", POST=views.create_order, GET=views.list_orders),
    route("orders/<uuid:order_id>", GET=views.read_order),
    route("orders/<uuid:order_id>/cancel", POST=views.cancel_order),
    *returns.urls(saga, page_of),
    route("tickets", GET=views.list_tickets),
    route("tickets/<uuid:ticket_id>", GET=views.read_ticket),
    route("tickets/<uuid:ticket_id>/qr.svg", GET=views.read_qr),
    route("keys.json", GET=views.read_keys),
    route("content", PUT=staff.put_content, GET=staff.read_content),
    route("attendees", GET=staff.list_attendees),
    route("summary", GET=staff.read_summary),
    route("open", GET=staff.read_open),
]

internal = [route("buyers/<str:buyer_id>/erase", POST=inside.erase_buyer)]
