"""What a seller does with a live event: its page, its performances, its statement, its door, its shop. And what is kept when it is gone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api import door_serializers, serializers
from controlplane.api.parsers import PictureParser, picture_in
from controlplane.api.problems import Invalid
from controlplane.api.views.base import Endpoint, if_match, page_of, paged
from controlplane.systems import (
    archives,
    concessions,
    door,
    door_money,
    event_page,
    off_sale,
    performances,
    settlement,
    shop,
    staff,
    waiting_room,
)
from controlplane.systems.access import Need
from controlplane.systems.archiving import tables_of
from controlplane.systems.errors import SystemNotFound
from controlplane.systems.models import BookingSystem

CSV = "text/csv; charset=utf-8"


class OneAnswer(BaseContentNegotiation):
    """For files: whatever is asked for, there is this one form."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class EventPage(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """The event's page as buyers see it now."""
        return Response(_page(event_page.event_page(system=self.system(system_id, Need.VIEW), user=self.user)))

    def patch(self, request: Request, system_id: int) -> Response:
        """Publish another description at once, without a deployment. The requirement gets it too, and its generation rises."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.DescriptionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        event_page.description_edit(system=system, description=wanted.validated_data["description"], acting_user=self.user)
        return Response(_page(event_page.event_page(system=system, user=self.user)), headers={"ETag": f'"{system.generation}"'})


class Poster(Endpoint):
    parser_classes = (PictureParser,)

    def put(self, request: Request, system_id: int) -> Response:
        """Make the picture in the body (PNG, JPEG or WebP, at most 4 MB) the poster."""
        return Response(event_page.poster_put(system=self.system(system_id, Need.MANAGE), image=picture_in(request), acting_user=self.user))

    def delete(self, request: Request, system_id: int) -> Response:
        """Take the poster away; none is fine."""
        event_page.poster_delete(system=self.system(system_id, Need.MANAGE), acting_user=self.user)
        return Response(status=204)


class Notices(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Publish a notice."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.NoticeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        made = event_page.notice_add(
            system=system, title=given["title"], body=given["body"], is_pinned=given["pinned"], acting_user=self.user
        )
        return Response(made, status=201)


class Notice(Endpoint):
    def patch(self, request: Request, system_id: int, notice_id: int) -> Response:
        """Change a notice; what is left out stays."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.NoticeSerializer(data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        changes = {name: value for name, value in wanted.validated_data.items() if name in request.data}
        return Response(event_page.notice_change(system=system, notice_id=notice_id, changes=changes, acting_user=self.user))

    def delete(self, request: Request, system_id: int, notice_id: int) -> Response:
        """Take a notice away; one that is gone is fine."""
        event_page.notice_delete(system=self.system(system_id, Need.MANAGE), notice_id=notice_id, acting_user=self.user)
        return Response(status=204)


class Concessions(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """The concessions that buyers are offered now. The ETag is that of the booking system."""
        return _concessions(self.system(system_id, Need.VIEW))

    def put(self, request: Request, system_id: int) -> Response:
        """Offer exactly these from now on, without a deployment; the requirement gets them too, and its generation rises.

        What is sold keeps its price. One without an id keeps that of the one with its name. With `If-Match` refused when the system was
        changed since.
        """
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.ConcessionsSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        concessions.concessions_edit(
            system=system, concessions=wanted.validated_data["concessions"], acting_user=self.user, expected_generation=if_match(request)
        )
        return _concessions(system)


def _concessions(system: BookingSystem) -> Response:
    return Response({"concessions": concessions.concessions_of(system)}, headers={"ETag": f'"{system.generation}"'})


class Performances(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """Performances with tickets, price and arrivals by grade and concession."""
        found = performances.performances(system=self.system(system_id, Need.VIEW), user=self.user)
        return Response({"results": serializers.PerformanceSerializer(found, many=True).data})


class WaitingRoom(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """The waiting room before the seats: how many wait, how many are in, and how many a minute come in."""
        return Response(
            serializers.WaitingRoomSerializer(waiting_room.waiting_room(system=self.system(system_id, Need.VIEW), user=self.user)).data
        )

    def patch(self, request: Request, system_id: int) -> Response:
        """Let in another number a minute, or nobody for now, at once and without a deployment; what is left out stays.

        0 a minute is no waiting room, null as many as is usual. The requirement gets the number too, and its generation rises.
        """
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.AdmissionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        waiting_room.check_rate(given.get("admit_per_minute"))  # before anything is done: what is wrong in part does nothing
        if "is_paused" in given:
            waiting_room.admission_pause(system=system, is_paused=given["is_paused"], acting_user=self.user)
        if "admit_per_minute" in given:
            waiting_room.admission_edit(system=system, per_minute=given["admit_per_minute"], acting_user=self.user)
        found = waiting_room.waiting_room(system=system, user=self.user)
        return Response(serializers.WaitingRoomSerializer(found).data, headers={"ETag": f'"{system.generation}"'})


class CallingOff(Endpoint):
    def get(self, request: Request, system_id: int, performance_id: str) -> Response:
        """How far the refunds are of a performance that was called off."""
        found = performances.calling_off(system=self.system(system_id, Need.VIEW), performance_id=performance_id, user=self.user)
        return Response(serializers.CallingOffSerializer(found).data)

    def post(self, request: Request, system_id: int, performance_id: str) -> Response:
        """Call a performance off: everybody is refunded whole, and it cannot be taken back. `name` must be when it begins."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.CallOffSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        found = performances.performance_call_off(
            system=system,
            performance_id=performance_id,
            typed_name=wanted.validated_data["name"],
            compensation_percent=wanted.validated_data["compensation_percent"],
            acting_user=self.user,
        )
        return Response(serializers.CallingOffSerializer(found).data, status=202)


class OffSale(Endpoint):
    def get(self, request: Request, system_id: int, performance_id: str) -> Response:
        """The seats that are off sale at a performance. The ETag is for who changes them."""
        return _seats(off_sale.off_sale(system=self.system(system_id, Need.VIEW), performance_id=performance_id, user=self.user))

    def put(self, request: Request, system_id: int, performance_id: str) -> Response:
        """Keep exactly these seats of a performance from sale, at once. Refused by name when somebody has one of them.

        With `If-Match` also when somebody else has changed them since they were read.
        """
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.SeatsSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        seats = wanted.validated_data["seats"]
        found = off_sale.off_sale_put(
            system=system,
            performance_id=performance_id,
            seats=seats,
            acting_user=self.user,
            if_match=request.headers.get("If-Match", "")[:200],
        )
        return _seats(found)


def _seats(found: off_sale.OffSale) -> Response:
    return Response({"seats": found.seats}, headers={"ETag": found.etag} if found.etag else None)


class AttendeesFile(Endpoint):
    content_negotiation_class = OneAnswer

    def get(self, request: Request, system_id: int, kind: str) -> StreamingHttpResponse:
        """The whole list of attendees as a file. Search for a buyer by POST: addresses are written down on their way."""
        query = {"q": request.query_params.get("q", "")[:100], "performance": request.query_params.get("performance", "")[:40]}
        return self._file(system_id, kind, query)

    def post(self, request: Request, system_id: int, kind: str) -> StreamingHttpResponse:
        """The list as a file, with what is looked for in no address. Changes nothing."""
        self.system(system_id, Need.VIEW)
        wanted = serializers.AttendeeFilterSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return self._file(system_id, kind, wanted.validated_data)

    def _file(self, system_id: int, kind: str, query: dict[str, str]) -> StreamingHttpResponse:
        if kind not in ("csv", "xlsx"):
            raise SystemNotFound
        found = staff.download(self.system(system_id, Need.VIEW), self.user, "attendees", f"/api/ticket/attendees.{kind}", **query)
        return StreamingHttpResponse(found[1], content_type=found[0], headers=_file(f"attendees.{kind}"))


class Settlement(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """The settlement statement as of now; provisional until `is_final`."""
        found = settlement.settlement(system=self.system(system_id, Need.VIEW), user=self.user)
        return Response(serializers.SettlementSerializer(found).data)


class SettlementFile(Endpoint):
    content_negotiation_class = OneAnswer

    def get(self, request: Request, system_id: int) -> HttpResponse:
        """The settlement statement as CSV."""
        system = self.system(system_id, Need.VIEW)
        found = settlement.settlement(system=system, user=self.user)
        names = {item.id: item.name for item in performances.performances(system=system, user=self.user)}
        text = settlement.as_csv(found, title=system.title, starts=names)
        return HttpResponse(text, content_type=CSV, headers=_file("settlement.csv"))


class Scanners(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """The links with which door staff scan now."""
        found = door.scanners(system=self.system(system_id, Need.VIEW), user=self.user)
        return Response({"results": door_serializers.ScannerSerializer(found, many=True).data})

    def post(self, request: Request, system_id: int) -> Response:
        """Make a link for a person or device; its `url` is told this once."""
        system = self.system(system_id, Need.MANAGE)
        wanted = door_serializers.NewScannerSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        made = door.scanner_create(system=system, name=given["name"], until=given["until"], acting_user=self.user)
        return Response(door_serializers.ScannerSerializer(made).data, status=201)


class Scanner(Endpoint):
    def delete(self, request: Request, system_id: int, scanner_id: object) -> Response:
        """Take a link back; it stops scanning at once."""
        door.scanner_revoke(system=self.system(system_id, Need.MANAGE), scanner_id=str(scanner_id), acting_user=self.user)
        return Response(status=204)


class DoorOwed(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """What was taken at the door and is to be given back: paid twice, or for tickets that were cancelled."""
        found = door_money.owed(system=self.system(system_id, Need.VIEW), user=self.user)
        return Response(door_serializers.DoorOwedSerializer(found).data)


class DoorGivenBack(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Say that payments at the door were given back by hand. Saying it again changes nothing."""
        system = self.system(system_id, Need.MANAGE)
        wanted = door_serializers.NewGivenBackSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        made = door_money.door_give_back(system=system, payments=wanted.validated_data["payments"], acting_user=self.user)
        return Response(door_serializers.GivenBackSerializer(made).data)


class Shop(Endpoint):
    """An endpoint of an event that sells merchandise."""

    def shop(self, system_id: int, need: Need) -> BookingSystem:
        """Raises SystemNotFound where nothing is sold."""
        system = self.system(system_id, need)
        if not shop.has_shop(system):
            raise SystemNotFound
        return system


class PickUpSearch(Shop):
    def post(self, request: Request, system_id: int) -> Response:
        """Orders of merchandise, with what is looked for in no address. Changes nothing."""
        system = self.shop(system_id, Need.VIEW)
        wanted = serializers.PickUpSearchSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        return _pick_ups(shop.pick_ups(system=system, user=self.user, query=given["q"], state=given["state"], page=given["page"]))


def _pick_ups(found: shop.PickUps) -> Response:
    return Response({"results": found.orders, "total": found.total, "page": found.page, "pages": found.pages})


class PickUps(Shop):
    def get(self, request: Request, system_id: int) -> Response:
        """Orders of merchandise to hand over. Search for a buyer by `pickups/search`: addresses are written down on their way."""
        state = request.query_params.get("state", "waiting")
        if state not in shop.STATES:
            raise Invalid({"state": [gettext("This must be one of: %(options)s.") % {"options": ", ".join(shop.STATES)}]})
        number, _size = page_of(request)
        found = shop.pick_ups(
            system=self.shop(system_id, Need.VIEW), user=self.user, query=request.query_params.get("q", "")[:100], state=state, page=number
        )
        return _pick_ups(found)

    def post(self, request: Request, system_id: int) -> Response:
        """Hand an order over to who shows its code: once."""
        system = self.shop(system_id, Need.MANAGE)
        wanted = serializers.PickUpSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response(shop.hand_over(system=system, code=wanted.validated_data["code"], acting_user=self.user))


class Stock(Endpoint):
    def patch(self, request: Request, system_id: int) -> Response:
        """Say how much there ever was of products, those sold included. Holds at once, and in the requirement too."""
        system = self.system(system_id, Need.MANAGE)
        wanted = serializers.StockSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        shop.stock_edit(system=system, stock=wanted.validated_data["stock"], acting_user=self.user)
        return Response(shop.shop_summary(system=system, user=self.user), headers={"ETag": f'"{system.generation}"'})


class Archive(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """What is kept of a booking system that was deleted."""
        archive = archives.opened(self.system(system_id, Need.OWN), self.user, "api")
        return Response(
            {
                "state": archive.state,
                "completed_at": archive.completed_at,
                "kept_until": archive.kept_until,
                "tables": {name: archive.counts[name] for name in tables_of(archive)},
                "settlement": archive.settlement or None,
                "summaries": archive.summaries,
            }
        )


class ArchiveTable(Endpoint):
    def get(self, request: Request, system_id: int, service: str, table: str) -> Response:
        """Rows of one table, as the service gave them; buyers are pseudonyms. Each look is written down."""
        name = f"{service}/{table}"
        rows = archives.rows_of(archives.opened(self.system(system_id, Need.OWN), self.user, name), name)
        return paged(request, rows, lambda found: [row.data for row in found])


def _page(found: event_page.EventPage) -> dict[str, Any]:
    return asdict(found)


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
