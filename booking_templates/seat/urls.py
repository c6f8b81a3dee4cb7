from booking_templates.kit.api import route
from booking_templates.seat import internal as between
from booking_templates.seat import presale_views, room_views, staff, views

urlpatterns = [
    route("performances", GET=views.list_performances),
    route("plan", GET=views.read_plan),
    route("performances/<str:performance_id>/availability", GET=views.read_availability),
    route("performances/<str:performance_id>/holds", POST=views.create_hold),
    route("performances/<str:performance_id>/blocked", GET=staff.read_blocked, PUT=staff.put_blocked),
    route("holds", GET=views.list_holds),
    route("holds/<str:hold_id>", GET=views.read_hold, DELETE=views.release_hold),
    route("holds/<str:hold_id>/extend", POST=views.extend_hold),
    route("room", GET=room_views.read_room, PUT=room_views.put_room),
    route("room/turns", POST=room_views.take_turn),
    route("presale", GET=presale_views.read_presale, POST=presale_views.use_code),
    route("presale/codes", GET=presale_views.read_codes, POST=presale_views.give_out_codes),
    route("presale/codes/list", GET=presale_views.list_codes),
    route("presale/withdrawals", POST=presale_views.withdraw_code),
    route("content", GET=staff.read_content, PUT=staff.put_content),
    route("summary", GET=staff.read_summary),
    route("probe", POST=staff.probe),
]

internal = [
    route("holds", POST=between.ask_for_holds),
    route("holds/<str:hold_id>", GET=between.read_hold),
    route("holds/<str:hold_id>/pin", POST=between.pin),
    route("holds/<str:hold_id>/unpin", POST=between.unpin),
    route("holds/<str:hold_id>/confirm", POST=between.confirm),
    route("orders/<str:order_id>/release", POST=between.release_order),
    route("performances/<str:performance_id>/close", POST=between.close_performance),
    route("buyers/<str:buyer_id>/erase", POST=between.erase_buyer),
]
