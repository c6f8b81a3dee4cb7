"""Makes the OpenAPI document from the endpoints. Imported on demand only; see views.reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers as fields

from controlplane.api import booking_serializers, door_serializers, people_serializers, serializers, shop_serializers
from controlplane.api.urls import endpoints
from controlplane.api.views import bookings, history, live, operating, others, people, pictures, presale, secrets, shop_orders, systems
from controlplane.systems import shop
from controlplane.systems.bookings import TERMS
from controlplane.systems.models import State

PREFIX = "/api/v1/"


# Not as a class: there `errors` would hide the serializer's own property.
_PROBLEM = inline_serializer(
    "Problem",
    {
        **{key: fields.CharField() for key in ("type", "title", "detail")},
        "status": fields.IntegerField(),
        "code": fields.CharField(help_text="Stable; for programs."),
        "params": fields.DictField(required=False, help_text="What the words say in numbers: `asked`, `used` and `allowed`, say."),
        "errors": fields.DictField(
            child=fields.ListField(child=fields.CharField()),
            required=False,
            help_text="Messages by the path of the value, e.g. `grades[1].price_krw`.",
        ),
    },
)


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "controlplane.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, made on the account page of the portal."}


_REASON = {
    "type": ["object", "null"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "params": {"type": "object", "additionalProperties": {}}},
}

_WORDS = {
    400: "The body is no JSON.",
    401: "No token, or one that is not valid.",
    403: "Not with this role or this part in the event, or the CSRF token is missing.",
    404: "No such thing, or another's in which the caller takes no part.",
    409: "Refused, and nothing was changed; `code` says why.",
    412: "`If-Match` names an older state; nothing was changed.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "Values that cannot be used; `errors` says where and why.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "A service of the booking system does not answer.",
}

_BY_CALLER = (401, 403)
_OF_ONE = (404,)
_WITH_BODY = (400, 413, 415, 422)
_SYSTEMS, _SALES, _HISTORY = "Booking systems", "Sales", "History"

_PAGING = [
    OpenApiParameter("page", int, description="From 1."),
    OpenApiParameter("page_size", int, description="At most 200; 50 when left out."),
]
_SOME_CODES = [
    OpenApiParameter("first", int, description="Number of the first one; 1 when left out."),
    OpenApiParameter("count", int, description="At most 100,000, and so many when left out."),
]
_STATE = OpenApiParameter("state", str, enum=State.values)
_NAME = OpenApiParameter("name", str, required=True, description="Title or slug of the system, to be sure.")
_FORCE = OpenApiParameter("force", str, enum=["yes"], description="Admins only: delete although the ticket service does not answer.")
_IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="ETag of the system as it was read.")
_IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="ETag of the file as it was read.")
_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text, at most 100 characters. The same request under one key makes one system, however often it is sent.",
)
_REFUND_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text, at most 100 characters. The same request under one key is one refund of that booking, however often it is sent.",
)
_REFUND_QUERY = [
    OpenApiParameter("tickets", str, description="Ids with commas between them; all that are left when left out."),
    OpenApiParameter("terms", str, enum=TERMS, description="The whole price (`full`, the default), or less the fee of the refund policy."),
    OpenApiParameter("used", bool, description="Tickets that somebody was let in with, too."),
]
_ATTENDEES = [
    OpenApiParameter("q", str, description="Name, phone, seat or booking number."),
    OpenApiParameter("performance", str, description="Id of a performance."),
    OpenApiParameter("page", int, description="From 1."),
]
_DOCUMENT = OpenApiResponse({"type": "object", "additionalProperties": {}}, description="The requirement document.")
_GONE = OpenApiResponse(description="A draft; gone at once.")


def _page(of: type[fields.BaseSerializer], name: str) -> Any:
    counts = {key: fields.IntegerField() for key in ("total", "page", "pages")}
    return inline_serializer(name, {"results": of(many=True), **counts})


_ALLOWED = inline_serializer("Allowed", {"used": fields.FloatField(), "allowed": fields.IntegerField()})
_ME = inline_serializer(
    "Me",
    {
        "id": fields.IntegerField(),
        **{key: fields.CharField() for key in ("email", "name", "role")},
        "allowance": fields.DictField(child=_ALLOWED, help_text="`systems` that run, `cpu` in cores and `memory` in GiB of all of them."),
    },
)
_EVENTS = inline_serializer("Events", {"results": serializers.EventSerializer(many=True)})
_DIFF = inline_serializer(
    "RevisionDiff",
    {"from": fields.IntegerField(), "to": fields.IntegerField(), "changes": fields.ListField(child=fields.DictField())},
)
_SYSTEM, _OPERATION = serializers.SystemSerializer, serializers.OperationSerializer


@dataclass(frozen=True)
class Words:
    """What cannot be read off an endpoint: its good answers by status, and the problems besides 429 and those of a missing login."""

    name: str
    view: Any
    method: str
    tag: str
    answers: Mapping[int, Any]
    problems: tuple[int, ...] = ()
    parameters: Sequence[OpenApiParameter] = ()
    body: Any = None
    is_public: bool = False


_LIVE, _GONE_ALREADY = "Live events", OpenApiResponse(description="Done, or done before.")
_AT = (404, 409, 503)
"""What asking a live booking system may end in."""
_CHANGED = (*_AT, *_WITH_BODY)
_OBJECT = OpenApiResponse({"type": "object", "additionalProperties": {}}, description="As the service gives it.")
_LISTED = {name: fields.IntegerField() for name in ("total", "page", "pages")}
_KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=["csv", "xlsx"])
_PICTURE = {"image/*": {"type": "string", "format": "binary"}}


def _results(name: str, of: type[fields.BaseSerializer]) -> Any:
    return inline_serializer(name, {"results": of(many=True)})


def _rows(name: str) -> Any:
    return inline_serializer(name, {"results": fields.ListField(child=fields.DictField()), **_LISTED})


def _bytes(*media: str) -> dict[Any, Any]:
    return {(200, kind): OpenApiResponse({"type": "string", "format": "binary"}, description="The file.") for kind in media}


_PICK_UPS = _rows("PickUpPage")
_EXPORT = {**_bytes("application/gzip"), 304: OpenApiResponse(description="As the ETag says that the caller has it.")}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OF_LIVE = (
    Words("event_page_read", live.EventPage, "get", _LIVE, {200: serializers.EventPageSerializer}, _AT),
    Words(
        "event_page_change",
        live.EventPage,
        "patch",
        _LIVE,
        {200: serializers.EventPageSerializer},
        _CHANGED,
        body=serializers.DescriptionSerializer,
    ),
    Words("poster_put", live.Poster, "put", _LIVE, {200: _OBJECT}, (*_AT, 413, 422), body=_PICTURE),
    Words("poster_delete", live.Poster, "delete", _LIVE, {204: _GONE_ALREADY}, _AT),
    Words("notices_add", live.Notices, "post", _LIVE, {201: _OBJECT}, _CHANGED, body=serializers.NoticeSerializer),
    Words("notices_change", live.Notice, "patch", _LIVE, {200: _OBJECT}, _CHANGED, body=serializers.NoticeSerializer(partial=True)),
    Words("notices_delete", live.Notice, "delete", _LIVE, {204: _GONE_ALREADY}, _AT),
    Words("concessions_read", live.Concessions, "get", _LIVE, {200: serializers.ConcessionsSerializer}, _OF_ONE),
    Words(
        "concessions_put",
        live.Concessions,
        "put",
        _LIVE,
        {200: serializers.ConcessionsSerializer},
        (*_CHANGED, 412),
        [_IF_MATCH],
        body=serializers.ConcessionsSerializer,
    ),
    Words("performances_list", live.Performances, "get", _LIVE, {200: _results("PerformanceList", serializers.PerformanceSerializer)}, _AT),
    Words("waiting_room_read", live.WaitingRoom, "get", _LIVE, {200: serializers.WaitingRoomSerializer}, _AT),
    Words(
        "waiting_room_change",
        live.WaitingRoom,
        "patch",
        _LIVE,
        {200: serializers.WaitingRoomSerializer},
        _CHANGED,
        body=serializers.AdmissionSerializer,
    ),
    Words("presale_read", presale.Presale, "get", _LIVE, {200: serializers.PresaleNowSerializer}, _AT),
    Words(
        "presale_put",
        presale.Presale,
        "put",
        _LIVE,
        {200: serializers.PresaleNowSerializer},
        (*_CHANGED, 412),
        [_IF_MATCH],
        body=serializers.PresaleSerializer,
    ),
    Words("presale_codes_list", presale.Codes, "get", _LIVE, {200: serializers.CodeListSerializer}, (*_AT, 422), _SOME_CODES),
    Words(
        "presale_codes_make",
        presale.Codes,
        "post",
        _LIVE,
        {201: serializers.CodeFiguresSerializer},
        _CHANGED,
        body=serializers.CodesSerializer,
    ),
    Words(
        "presale_code_withdraw",
        presale.Withdrawals,
        "post",
        _LIVE,
        {200: serializers.WithdrawnSerializer},
        _CHANGED,
        body=serializers.WithdrawalSerializer,
    ),
    Words("off_sale_read", live.OffSale, "get", _LIVE, {200: serializers.SeatsSerializer}, _AT),
    Words(
        "off_sale_put",
        live.OffSale,
        "put",
        _LIVE,
        {200: serializers.SeatsSerializer},
        (*_CHANGED, 412),
        [OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="ETag of the seats as they were read.")],
        body=serializers.SeatsSerializer,
    ),
    Words("calling_off_read", live.CallingOff, "get", _LIVE, {200: serializers.CallingOffSerializer}, _AT),
    Words(
        "calling_off_start",
        live.CallingOff,
        "post",
        _LIVE,
        {202: serializers.CallingOffSerializer},
        _CHANGED,
        body=serializers.CallOffSerializer,
    ),
    Words("bookings_read", bookings.Booking, "get", _SALES, {200: booking_serializers.BookingSerializer}, _AT),
    Words(
        "bookings_quote", bookings.RefundQuote, "get", _SALES, {200: booking_serializers.RefundQuoteSerializer}, (*_AT, 422), _REFUND_QUERY
    ),
    Words(
        "bookings_refund",
        bookings.Refunds,
        "post",
        _SALES,
        {201: booking_serializers.RefundSerializer},
        _CHANGED,
        [_REFUND_KEY],
        booking_serializers.NewRefundSerializer,
    ),
    Words("attendees_file", live.AttendeesFile, "get", _SALES, _bytes("text/csv", _XLSX), (*_AT, 422), [_KIND, *_ATTENDEES[:2]]),
    Words(
        "attendees_file_search",
        live.AttendeesFile,
        "post",
        _SALES,
        _bytes("text/csv", _XLSX),
        _CHANGED,
        [_KIND],
        serializers.AttendeeFilterSerializer,
    ),
    Words("settlement_read", live.Settlement, "get", _SALES, {200: serializers.SettlementSerializer}, _AT),
    Words("settlement_file", live.SettlementFile, "get", _SALES, _bytes("text/csv"), _AT),
    Words("door_owed", live.DoorOwed, "get", _LIVE, {200: door_serializers.DoorOwedSerializer}, _AT),
    Words(
        "door_given_back",
        live.DoorGivenBack,
        "post",
        _LIVE,
        {200: door_serializers.GivenBackSerializer},
        _CHANGED,
        body=door_serializers.NewGivenBackSerializer,
    ),
    Words("scanners_list", live.Scanners, "get", _LIVE, {200: _results("ScannerList", door_serializers.ScannerSerializer)}, _AT),
    Words(
        "scanners_make",
        live.Scanners,
        "post",
        _LIVE,
        {201: door_serializers.ScannerSerializer},
        _CHANGED,
        body=door_serializers.NewScannerSerializer,
    ),
    Words("scanners_revoke", live.Scanner, "delete", _LIVE, {204: _GONE_ALREADY}, _AT),
    Words(
        "pickups_list",
        live.PickUps,
        "get",
        _LIVE,
        {200: _PICK_UPS},
        (*_AT, 422),
        [OpenApiParameter("q", str), OpenApiParameter("state", str, enum=list(shop.STATES)), _PAGING[0]],
    ),
    Words("pickups_search", live.PickUpSearch, "post", _LIVE, {200: _PICK_UPS}, _CHANGED, body=serializers.PickUpSearchSerializer),
    Words("pickups_read", shop_orders.ShopOrder, "get", _LIVE, {200: shop_serializers.ShopOrderSerializer}, _AT),
    Words(
        "pickups_refund",
        shop_orders.Refunds,
        "post",
        _LIVE,
        {201: shop_serializers.ShopRefundSerializer},
        _CHANGED,
        [_REFUND_KEY],
        shop_serializers.NewShopRefundSerializer,
    ),
    Words("pickups_hand_over", live.PickUps, "post", _LIVE, {200: _OBJECT}, _CHANGED, body=serializers.PickUpSerializer),
    Words("stock_change", live.Stock, "patch", _LIVE, {200: _OBJECT}, _CHANGED, body=serializers.StockSerializer),
    Words(
        "product_picture_put",
        pictures.ProductPicture,
        "put",
        _LIVE,
        {200: serializers.PictureSerializer},
        (*_AT, 413, 422),
        body=_PICTURE,
    ),
    Words("product_picture_delete", pictures.ProductPicture, "delete", _LIVE, {204: _GONE_ALREADY}, _AT),
    Words("archive_read", live.Archive, "get", _SALES, {200: serializers.ArchiveSerializer}, _OF_ONE),
    Words("archive_table", live.ArchiveTable, "get", _SALES, {200: _rows("ArchivePage")}, (*_OF_ONE, 422), _PAGING),
)

_PEOPLE = "People"
_OF_PEOPLE = (
    Words("members_list", people.Members, "get", _PEOPLE, {200: _results("MemberList", people_serializers.MemberSerializer)}, _OF_ONE),
    Words(
        "members_change",
        people.Member,
        "patch",
        _PEOPLE,
        {200: people_serializers.MemberSerializer},
        (*_OF_ONE, *_WITH_BODY, 409),
        body=people_serializers.RoleSerializer,
    ),
    Words("members_remove", people.Member, "delete", _PEOPLE, {204: OpenApiResponse(description="Their access has ended.")}, _OF_ONE),
    Words(
        "invitations_list",
        people.Invitations,
        "get",
        _PEOPLE,
        {200: _results("InvitationList", people_serializers.InvitationSerializer)},
        _OF_ONE,
    ),
    Words(
        "invitations_make",
        people.Invitations,
        "post",
        _PEOPLE,
        {201: people_serializers.InvitedSerializer},
        (*_OF_ONE, *_WITH_BODY, 409),
        body=people_serializers.NewInvitationSerializer,
    ),
    Words("invitations_withdraw", people.Invitation, "delete", _PEOPLE, {204: _GONE_ALREADY}, (*_OF_ONE, 409)),
)

_WORDS_OF = (
    Words("me", others.Me, "get", "Account", {200: _ME}),
    Words("events_list", others.Events, "get", "Events", {200: _EVENTS}, is_public=True),
    Words(
        "pictures_keep",
        pictures.Pictures,
        "post",
        _SYSTEMS,
        {201: serializers.PictureSerializer},
        (404, 409, 413, 422),
        [OpenApiParameter("system", int, description="The booking system whose owner it is kept for; left out, the caller.")],
        _PICTURE,
    ),
    Words(
        "secrets_keep",
        secrets.Secrets,
        "post",
        _SYSTEMS,
        {201: serializers.SecretSerializer},
        (409, *_WITH_BODY),
        body=serializers.NewSecretSerializer,
    ),
    Words("pictures_read", pictures.Picture, "get", _SYSTEMS, _bytes("image/png", "image/jpeg", "image/webp"), _OF_ONE),
    Words(
        "preview",
        systems.Preview,
        "post",
        _SYSTEMS,
        {200: serializers.PreviewSerializer},
        (*_OF_ONE, *_WITH_BODY),
        body=serializers.PreviewRequestSerializer,
    ),
    Words("systems_list", systems.Systems, "get", _SYSTEMS, {200: _page(_SYSTEM, "SystemPage")}, (422,), [_STATE, *_PAGING]),
    Words(
        "systems_create", systems.Systems, "post", _SYSTEMS, {201: _SYSTEM}, (*_WITH_BODY, 409), [_KEY], body=serializers.CreateSerializer
    ),
    Words("systems_read", systems.System, "get", _SYSTEMS, {200: _SYSTEM}, _OF_ONE),
    Words("systems_delete", systems.System, "delete", _SYSTEMS, {202: _OPERATION, 204: _GONE}, (*_OF_ONE, 409, 422), [_NAME, _FORCE]),
    Words("requirement_read", systems.SystemRequirement, "get", _SYSTEMS, {200: _DOCUMENT}, _OF_ONE),
    Words(
        "requirement_replace",
        systems.SystemRequirement,
        "put",
        _SYSTEMS,
        {200: _SYSTEM, 202: _OPERATION},
        (*_OF_ONE, *_WITH_BODY, 409, 412),
        [_IF_MATCH],
        serializers.UpdateSerializer,
    ),
    Words("systems_deploy", systems.Deploy, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words("systems_retry", systems.Retry, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words(
        "systems_rollback",
        systems.Rollback,
        "post",
        _SYSTEMS,
        {202: _OPERATION},
        (*_OF_ONE, *_WITH_BODY, 409),
        body=serializers.RollbackSerializer,
    ),
    Words("systems_rotate_keys", operating.RotateKeys, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words("systems_suspend", operating.Suspend, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words("systems_resume", operating.Resume, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words(
        "systems_restore",
        operating.Restore,
        "post",
        _SYSTEMS,
        {202: _OPERATION},
        (*_OF_ONE, *_WITH_BODY, 409),
        body=serializers.RestoreSerializer,
    ),
    Words("rollouts_pause", operating.PauseRollout, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words("rollouts_resume", operating.ResumeRollout, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words("rollouts_abandon", operating.AbandonRollout, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words(
        "services_scale",
        operating.Scale,
        "post",
        _SYSTEMS,
        {202: _OPERATION},
        (*_OF_ONE, *_WITH_BODY, 409),
        body=serializers.ScaleSerializer,
    ),
    Words(
        "services_move",
        operating.Move,
        "post",
        _SYSTEMS,
        {202: _OPERATION},
        (*_OF_ONE, *_WITH_BODY, 409, 503),
        body=serializers.MoveSerializer,
    ),
    Words("services_restart", operating.Restart, "post", _SYSTEMS, {202: _OPERATION}, (*_OF_ONE, 409)),
    Words("attendees_list", systems.Attendees, "get", _SALES, {200: serializers.AttendeePageSerializer}, (*_OF_ONE, 503), _ATTENDEES),
    Words(
        "attendees_search",
        systems.Attendees,
        "post",
        _SALES,
        {200: serializers.AttendeePageSerializer},
        (*_OF_ONE, 503, *_WITH_BODY),
        body=serializers.AttendeeSearchSerializer,
    ),
    Words("sales_read", systems.Sales, "get", _SALES, {200: serializers.SalesSerializer}, _OF_ONE),
    *_OF_LIVE,
    *_OF_PEOPLE,
    Words("operations_list", history.Operations, "get", _HISTORY, {200: _page(_OPERATION, "OperationPage")}, (*_OF_ONE, 422), _PAGING),
    Words("operations_read", history.Operation, "get", _HISTORY, {200: serializers.OperationDetailSerializer}, _OF_ONE),
    Words(
        "revisions_list",
        history.Revisions,
        "get",
        _HISTORY,
        {200: _page(serializers.RevisionSerializer, "RevisionPage")},
        (*_OF_ONE, 422),
        _PAGING,
    ),
    Words("revisions_read", history.RevisionDetail, "get", _HISTORY, {200: serializers.RevisionDetailSerializer}, _OF_ONE),
    Words("revisions_export", history.RevisionExport, "get", _HISTORY, _EXPORT, _OF_ONE, [_IF_NONE_MATCH]),
    Words("export_read", history.Export, "get", _HISTORY, _EXPORT, _OF_ONE, [_IF_NONE_MATCH]),
    Words("revisions_diff", history.RevisionDiff, "get", _HISTORY, {200: _DIFF}, _OF_ONE),
)


@cache
def schema() -> dict[str, Any]:
    """The document; made once a process."""
    extend_schema_field(_REASON)(serializers.ReasonField)
    for words in _WORDS_OF:
        _describe(words)
    document: dict[str, Any] = SchemaGenerator(patterns=endpoints).get_schema(request=None, public=True)
    document["paths"] = {PREFIX + path.lstrip("/"): item for path, item in document["paths"].items()}
    return document


def _describe(words: Words) -> None:
    """Hang WORDS on the endpoint's method, where the generator looks."""
    answers: dict[Any, Any] = dict(words.answers)
    for status in sorted({*words.problems, *(() if words.is_public else _BY_CALLER), 429}):
        answers[(status, "application/problem+json")] = OpenApiResponse(_PROBLEM, description=_WORDS[status])
    annotate = extend_schema(
        operation_id=words.name,
        tags=[words.tag],
        parameters=list(words.parameters),
        request=words.body,
        responses=answers,
        auth=[] if words.is_public else None,
    )
    setattr(words.view, words.method, annotate(getattr(words.view, words.method)))
