from booking_templates.event import internal as between
from booking_templates.event import views
from booking_templates.kit.api import route

urlpatterns = [
    route("", GET=views.read_event),
    route("content", GET=views.read_content, PUT=views.put_content),
    route("notices", POST=views.add_notice),
    route("notices/<int:notice_id>", PATCH=views.change_notice, DELETE=views.delete_notice),
    route("poster", PUT=views.put_poster, DELETE=views.delete_poster),
    route("poster/<str:digest>", GET=views.read_poster),
]

internal = [route("performances/<str:performance_id>/close", POST=between.close_performance)]
