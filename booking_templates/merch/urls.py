from django.conf import settings

from booking_templates.kit.api import route
from booking_templates.merch import export, staff, staff_orders, views
from booking_templates.merch import internal as inside
from booking_templates.merch.saga import saga
from booking_templates.payments import returns


def page_of(order_id: str) -> str:
    """The buyer's page of an order."""
    return f"{settings.ENV.public_url}/shop/orders/{order_id}"


urlpatterns = [
    route("products", GET=views.list_products),
    route("pictures/<str:digest>", GET=views.read_picture, PUT=staff.put_picture),
    route("orders", POST=views.create_order, GET=views.list_orders),
    route("orders/<uuid:order_id>", GET=views.read_order),
    route("orders/<uuid:order_id>/cancel", POST=views.cancel_order),
    route("orders/<uuid:order_id>/refunds", POST=views.create_refund),
    *returns.urls(saga, page_of),
    route("content", PUT=staff.put_content, GET=staff.read_content),
    route("pickups", GET=staff.list_pick_ups, POST=staff.hand_over),
    route("pickups/search", POST=staff.search_pick_ups),
    route("pickups/<uuid:order_id>", GET=staff_orders.read_order),
    route("pickups/<uuid:order_id>/refunds", POST=staff_orders.create_refund),
    route("summary", GET=staff.read_summary),
    route("open", GET=staff.read_open),
    route("export/<str:table>", GET=export.read_export),
]

internal = [
    route("buyers/<str:buyer_id>/erase", POST=inside.erase_buyer),
    route("ticket-orders/withdrawn", POST=inside.tickets_withdrawn),
    route("performances/<str:performance_id>/close", POST=inside.close_performance),
]
