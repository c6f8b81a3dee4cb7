"""What the API takes and gives. Input is only unpacked here; a requirement is validated where requirements are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from controlplane.lib import reasons
from controlplane.rendering.seating import MAX_SEATS
from controlplane.systems import shop
from controlplane.systems.models import BookingSystem, Operation, OperationStep, Revision
from controlplane.systems.selectors import STEPS


class ReasonField(serializers.Field):
    """A stored reason in the reader's language; null when there is none. `prefix` is that of its columns."""

    def __init__(self, prefix: str = "reason", **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)
        self.prefix = prefix

    def to_representation(self, value: Any) -> dict[str, Any] | None:
        code, text = getattr(value, f"{self.prefix}_code"), getattr(value, self.prefix)
        if not code and not text:
            return None
        params = getattr(value, f"{self.prefix}_params")
        return {"code": code, "message": reasons.words(code, params, gettext, otherwise=text) if code else text, "params": params}


class SystemSerializer(serializers.ModelSerializer):
    seller = serializers.CharField(source="seller.email", read_only=True)
    public_url = serializers.CharField(read_only=True, help_text="Address of the buyer site; empty once deleted.")
    live_revision = serializers.SerializerMethodField(help_text="Number of the revision that serves, or null.")
    role = serializers.CharField(source="access.role", read_only=True, help_text="What the caller is: owner, manager, viewer or admin.")
    reason = ReasonField(help_text="Why the last wish failed, or null.")

    class Meta:
        model = BookingSystem
        fields = [
            "id", "title", "slug", "seller", "role", "public_url", "state", "desired_state", "health", "reason", "generation",
            "observed_generation", "live_revision", "created_at", "live_at", "deleted_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_live_revision(self, system: BookingSystem) -> int | None:
        numbers: dict[int, int] | None = self.context.get("revision_numbers")
        if not system.live_revision_id:
            return None
        if numbers is not None:
            return numbers.get(system.live_revision_id)
        return Revision.objects.filter(pk=system.live_revision_id).values_list("number", flat=True).first()


class StepSerializer(serializers.ModelSerializer):
    message = ReasonField("message")

    class Meta:
        model = OperationStep
        fields = ["name", "state", "message", "progress", "started_at", "ended_at"]
        read_only_fields = fields


class OperationSerializer(serializers.ModelSerializer):
    system = serializers.IntegerField(source="system_id", read_only=True)
    revision = serializers.IntegerField(source="revision.number", read_only=True, default=None)
    reason = ReasonField()
    created_by = serializers.CharField(source="created_by.email", read_only=True, default=None)
    paused_at = serializers.SerializerMethodField(help_text="Since when its rollout is held, or null.")

    class Meta:
        model = Operation
        fields = ["id", "system", "kind", "state", "generation", "revision", "reason", "created_by", "started_at", "ended_at", "paused_at"]
        read_only_fields = fields

    def get_paused_at(self, operation: Operation) -> datetime | None:
        return operation.paused_at if operation.is_paused else None


class OperationDetailSerializer(OperationSerializer):
    steps = StepSerializer(many=True, read_only=True)
    steps_to_come = serializers.SerializerMethodField()

    class Meta(OperationSerializer.Meta):
        fields = [*OperationSerializer.Meta.fields, "steps", "steps_to_come"]
        read_only_fields = fields

    def get_steps_to_come(self, operation: Operation) -> list[str]:
        if not operation.is_running:
            return []
        begun = {step.name for step in operation.steps.all()}
        return [name for name in STEPS.get(operation.kind, ()) if name not in begun]


class RevisionSerializer(serializers.ModelSerializer):
    created_by = serializers.CharField(source="created_by.email", read_only=True, default=None)

    class Meta:
        model = Revision
        fields = ["number", "created_by", "created_at"]
        read_only_fields = fields


class RevisionDetailSerializer(RevisionSerializer):
    class Meta(RevisionSerializer.Meta):
        fields = [*RevisionSerializer.Meta.fields, "plan", "manifests"]
        read_only_fields = fields


class CreateSerializer(serializers.Serializer):
    requirement = serializers.JSONField(help_text="The requirement document, version 1.")
    deploy = serializers.BooleanField(default=True, help_text="Deploy at once; without it a draft is stored.")


class PreviewRequestSerializer(serializers.Serializer):
    requirement = serializers.JSONField(help_text="The requirement document, version 1.")
    system = serializers.IntegerField(default=None, allow_null=True, help_text="The booking system that this would update.")


class UpdateSerializer(serializers.Serializer):
    requirement = serializers.JSONField(help_text="The whole requirement as it shall be from now on.")


class RollbackSerializer(serializers.Serializer):
    revision = serializers.IntegerField(min_value=1, help_text="Number of the revision to bring back.")


class AutoscaleSerializer(serializers.Serializer):
    lowest = serializers.IntegerField(min_value=1)
    highest = serializers.IntegerField(min_value=1)
    cpu_percent = serializers.IntegerField(min_value=1, max_value=100, help_text="Of the CPU that is requested.")


class ResourcesSerializer(serializers.Serializer):
    """Of one copy: millicores and MiB."""

    cpu_request_m = serializers.IntegerField(min_value=1)
    cpu_limit_m = serializers.IntegerField(min_value=1)
    memory_request_mib = serializers.IntegerField(min_value=1)
    memory_limit_mib = serializers.IntegerField(min_value=1)
    scratch_mib = serializers.IntegerField(min_value=1)


class ScaleSerializer(serializers.Serializer):
    replicas = serializers.IntegerField(required=False, min_value=1, help_text="Ends autoscaling.")
    autoscale = AutoscaleSerializer(required=False)
    resources = ResourcesSerializer(required=False)

    def validate(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if not wanted:
            raise serializers.ValidationError(gettext("Give replicas, autoscale or resources."))
        if "replicas" in wanted and "autoscale" in wanted:
            raise serializers.ValidationError({"autoscale": gettext("Give replicas or autoscale, not both.")})
        return wanted


class MoveSerializer(serializers.Serializer):
    node = serializers.CharField(max_length=253, allow_blank=True, help_text="Name of a node; empty for any.")


class RestoreSerializer(serializers.Serializer):
    backup = serializers.CharField(max_length=60, help_text="`latest`, or a file of its volume with backups.")


class EventSerializer(serializers.Serializer):
    """A live event, for everybody."""

    slug = serializers.CharField()
    title = serializers.CharField()
    field = serializers.CharField()
    venue = serializers.CharField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    sales_open_at = serializers.DateTimeField()
    sales_close_at = serializers.DateTimeField()
    price_from_krw = serializers.IntegerField()
    url = serializers.CharField()


class AttendeeFilterSerializer(serializers.Serializer):
    """Who is looked for stands in no address here: those are written down on their way."""

    q = serializers.CharField(max_length=100, default="", allow_blank=True, help_text="Name, phone, seat or booking number.")
    performance = serializers.CharField(max_length=40, default="", allow_blank=True, help_text="Id of a performance.")


class AttendeeSearchSerializer(AttendeeFilterSerializer):
    page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)


class AttendeePageSerializer(serializers.Serializer):
    rows = serializers.ListField(child=serializers.DictField(), help_text="As the ticket service gives them.")
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()


class SalesSerializer(serializers.Serializer):
    """A part that did not answer is null and named in `unavailable`."""

    ticket = serializers.DictField(allow_null=True)
    seat = serializers.DictField(allow_null=True)
    merch = serializers.DictField(allow_null=True)
    unavailable = serializers.ListField(child=serializers.CharField())


class WhySerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.SerializerMethodField()
    params = serializers.DictField()

    def get_message(self, why: reasons.Reason) -> str:
        return why.text(gettext)


class ChosenImageSerializer(serializers.Serializer):
    service = serializers.CharField()
    name = serializers.CharField()
    ref = serializers.CharField()
    why = WhySerializer(many=True)


class NearMissSerializer(serializers.Serializer):
    service = serializers.CharField()
    name = serializers.CharField()
    ref = serializers.CharField()
    why_not = WhySerializer(many=True)


class CostLineSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="cpu, memory or storage")
    quantity = serializers.FloatField()
    unit = serializers.CharField()
    price_krw = serializers.FloatField(help_text="Of one unit for an hour.")
    per_hour_krw = serializers.FloatField()


class CostSerializer(serializers.Serializer):
    """An estimate of what is reserved, with 730 hours to a month."""

    lines = CostLineSerializer(many=True)
    per_hour_krw = serializers.FloatField()
    per_month_krw = serializers.IntegerField()


class TrialSerializer(serializers.Serializer):
    """What the runtime (on Kubernetes the API server, Pod Security and admission included) said to a dry run."""

    objects = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())
    refused = WhySerializer(allow_null=True, help_text="Why it would not take them as things stand.")
    is_passing = serializers.BooleanField(help_text="With `refused`: it could not tell; ask again later.")


class PreviewSerializer(serializers.Serializer):
    """What a requirement would become; nothing was written."""

    problems = serializers.ListField(child=serializers.DictField(), help_text="Empty: it can be deployed as it is.")
    chosen = ChosenImageSerializer(many=True)
    near_misses = NearMissSerializer(many=True, help_text="Images that were not chosen, and why not.")
    summary = serializers.DictField()
    cost = CostSerializer(allow_null=True)
    changes = serializers.ListField(child=serializers.DictField(), help_text="With `system`: what would change, object by object.")
    trial = TrialSerializer(allow_null=True, help_text="Null with `problems`.")


class DescriptionSerializer(serializers.Serializer):
    description = serializers.JSONField(help_text="Text of at most 10,000 characters.")


class ConcessionsSerializer(serializers.Serializer):
    concessions = serializers.JSONField(
        help_text=(
            "At most 30, in the order shown; [] for none. Each has `name`, and `percent` (1–100, rounded down to the won) or `off_krw`;"
            " and may have `id`, `grades`, `performances` (none: all), `proof` (what is shown at the door), `at_least`, `at_most`"
            " (places of one booking), `from` and `until` (when it can be booked)."
        )
    )


class WaitingRoomSerializer(serializers.Serializer):
    is_on = serializers.BooleanField(help_text="Whether there is a waiting room.")
    is_paused = serializers.BooleanField(help_text="Nobody is let in at the moment.")
    per_minute = serializers.IntegerField(help_text="How many come in.")
    waiting = serializers.IntegerField(help_text="People with a number who are not in yet.")
    admitted = serializers.IntegerField(help_text="People whose number has come, in all.")
    admit_per_minute = serializers.IntegerField(source="written", allow_null=True, help_text="What the requirement says; null: nothing.")


class AdmissionSerializer(serializers.Serializer):
    admit_per_minute = serializers.JSONField(
        required=False, allow_null=True, help_text="A number of people; 0 for no waiting room, null for as many as is usual."
    )
    is_paused = serializers.BooleanField(required=False)


class PresaleSerializer(serializers.Serializer):
    presale = serializers.JSONField(
        allow_null=True,
        help_text="`name` (at most 40 characters) and `opens_at`, which is before the sale opens to all; null: there is none.",
    )


class CodeFiguresSerializer(serializers.Serializer):
    given = serializers.IntegerField(help_text="Codes that were made.")
    used = serializers.IntegerField(help_text="Codes that an account has used.")
    withdrawn = serializers.IntegerField(help_text="Codes that were taken back, used or not.")


class PresaleNowSerializer(CodeFiguresSerializer):
    presale = serializers.DictField(allow_null=True, help_text="`name` and `opens_at`; null: there is none.")
    sales_open_at = serializers.DateTimeField(help_text="When the sale opens to all.")


class CodesSerializer(serializers.Serializer):
    count = serializers.JSONField(help_text="So many codes more: 1 to 100,000.")
    after = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, help_text="Only if so many were made before: what is sent twice makes them once."
    )


class CodeSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    code = serializers.CharField()


class CodeListSerializer(serializers.Serializer):
    results = CodeSerializer(many=True, help_text="Without those that were taken back.")


class WithdrawalSerializer(serializers.Serializer):
    code = serializers.CharField(max_length=60, help_text="However it is typed.")


class WithdrawnSerializer(serializers.Serializer):
    was_used = serializers.BooleanField(help_text="An account had used it. What it holds or has bought stays.")


class NoticeSerializer(serializers.Serializer):
    title = serializers.CharField(max_length=200)
    body = serializers.CharField(max_length=5_000, allow_blank=True, default="")
    pinned = serializers.BooleanField(default=False, help_text="Keep it above the others.")


class EventPageSerializer(serializers.Serializer):
    """The event's page as buyers see it; notices are as the event service gives them."""

    title = serializers.CharField()
    description = serializers.CharField()
    poster = serializers.DictField(allow_null=True, help_text="url, width, height")
    notices = serializers.ListField(child=serializers.DictField())
    updated_at = serializers.CharField()


class GradeLineSerializer(serializers.Serializer):
    grade = serializers.CharField()
    tickets = serializers.IntegerField(help_text="Those that stand, paid or due at the door.")
    price_krw = serializers.IntegerField()
    arrived = serializers.IntegerField()
    concession = serializers.CharField(help_text="Its name; empty: the full price. A grade has a line for each.")
    due_krw = serializers.IntegerField(help_text="Still to be paid at the door.")
    taken_at_door_krw = serializers.IntegerField(help_text="Paid there and not given back; for tickets that were cancelled, too.")


class PerformanceSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField(help_text="When it begins by the venue's clock; what has to be typed to call it off.")
    starts_at = serializers.DateTimeField()
    is_called_off = serializers.BooleanField()
    tickets = serializers.IntegerField()
    price_krw = serializers.IntegerField()
    arrived = serializers.IntegerField()
    due_krw = serializers.IntegerField(help_text="Still to be paid at the door.")
    taken_at_door_krw = serializers.IntegerField(help_text="Paid there and not given back; for tickets that were cancelled, too.")
    grades = GradeLineSerializer(many=True)


class SeatsSerializer(serializers.Serializer):
    seats = serializers.ListField(child=serializers.CharField(max_length=80), max_length=MAX_SEATS, help_text="By their ids in the plan.")


class CallOffSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=100, help_text="The performance's `name`, to be sure.")
    compensation_percent = serializers.IntegerField(
        min_value=0, max_value=100, default=10, help_text="Owed to buyers on top of the refund, outside the payment provider."
    )


class CallingOffSerializer(serializers.Serializer):
    performance_id = serializers.CharField()
    cancelled_at = serializers.DateTimeField(allow_null=True)
    compensation_percent = serializers.IntegerField()
    orders_left = serializers.IntegerField()
    refunds_open = serializers.IntegerField()
    refunded_krw = serializers.IntegerField()
    compensation_krw = serializers.IntegerField()
    is_over = serializers.BooleanField(help_text="Everybody has their money back.")


class SettlementLineSerializer(serializers.Serializer):
    performance_id = serializers.CharField()
    grade = serializers.CharField()
    sold = serializers.IntegerField()
    sold_krw = serializers.IntegerField()
    given_back = serializers.IntegerField()
    given_back_krw = serializers.IntegerField()
    concession = serializers.CharField(help_text="Its name; empty: the full price. A grade has a line for each.")


class AfterCloseSerializer(serializers.Serializer):
    """What moved after sales had closed; no part of the statement's sums."""

    captured_krw = serializers.IntegerField()
    refunded_krw = serializers.IntegerField()
    fees_krw = serializers.IntegerField()
    compensation_krw = serializers.IntegerField()
    by_organiser_krw = serializers.IntegerField(help_text="What of `refunded_krw` was given back by hand.")
    outside_krw = serializers.IntegerField(help_text="What of it was cancelled at the payment provider, not through Clove.")
    due_krw = serializers.IntegerField(
        help_text="What came to be paid at the door, less what is not to be paid any more, or was paid there since."
    )
    taken_at_door_krw = serializers.IntegerField(help_text="What was paid at the door, less what was given back of it.")
    to_give_back_at_door_krw = serializers.IntegerField(help_text="What of that came to be given back, less what was.")
    sold = serializers.IntegerField(help_text="Tickets that were issued then, paid for or not.")
    given_back = serializers.IntegerField(help_text="Tickets that were given back then.")


class OutsideSerializer(serializers.Serializer):
    """Money that was cancelled at the payment provider, not through Clove."""

    order = serializers.CharField(source="order_id")
    number = serializers.CharField()
    amount_krw = serializers.IntegerField()
    at = serializers.DateTimeField(help_text="When it was found out.")


class PeriodSerializer(serializers.Serializer):
    """Tickets by performance, grade and concession, paid for or not, and the money at the provider, in won."""

    as_of = serializers.DateTimeField()
    since = serializers.DateTimeField(allow_null=True, help_text="Where this period of sales begins; null for the first.")
    sales_close_at = serializers.DateTimeField(allow_null=True)
    is_final = serializers.BooleanField(help_text="False: provisional.")
    lines = SettlementLineSerializer(many=True)
    captured_krw = serializers.IntegerField()
    refunded_krw = serializers.IntegerField()
    fees_krw = serializers.IntegerField()
    kept_krw = serializers.IntegerField()
    compensation_krw = serializers.IntegerField()
    returning_krw = serializers.IntegerField(help_text="What of `kept_krw` is on its way back to buyers.")
    by_organiser_krw = serializers.IntegerField(help_text="What of `refunded_krw` was given back by hand.")
    outside_krw = serializers.IntegerField(help_text="What of it was cancelled at the payment provider, not through Clove.")
    due_krw = serializers.IntegerField(help_text="Still to be paid at the door: no part of `kept_krw`.")
    taken_at_door_krw = serializers.IntegerField(help_text="Paid at the door and not given back: no part of `kept_krw` either.")
    to_give_back_at_door_krw = serializers.IntegerField(help_text="What of that was paid twice, or for tickets that were cancelled.")
    uncovered_krw = serializers.IntegerField(help_text="What of `outside_krw` is for tickets that stand still.")
    after_close = AfterCloseSerializer(allow_null=True)


class SettlementSerializer(PeriodSerializer):
    """The statement of the event; once it is final it stays, and sales that go on after all are a later period of their own."""

    outside = OutsideSerializer(many=True, help_text="What `outside_krw` is made of, the newest first; at most 100.")
    later = PeriodSerializer(many=True, help_text="Further periods, where sales went on after they had ended.")


class PickUpSearchSerializer(serializers.Serializer):
    """A page of what waits to be picked up; who is looked for stands in no address."""

    q = serializers.CharField(max_length=100, default="", allow_blank=True, help_text="Name, phone or order number.")
    state = serializers.ChoiceField(choices=list(shop.STATES), default="waiting")
    page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)


class PickUpSerializer(serializers.Serializer):
    code = serializers.CharField(max_length=20, help_text="What the buyer shows.")


class StockSerializer(serializers.Serializer):
    stock = serializers.DictField(child=serializers.IntegerField(), help_text="Product, or `product/option`, -> how much there ever was.")


class NewSecretSerializer(serializers.Serializer):
    secret = serializers.CharField(max_length=1_000, write_only=True, trim_whitespace=False, help_text="Such as an OpenID client's secret.")


class SecretSerializer(serializers.Serializer):
    reference = serializers.CharField(help_text="What `sign_in.client_secret_ref` of a requirement says.")


class PictureSerializer(serializers.Serializer):
    digest = serializers.CharField(help_text="SHA-256 of the bytes; what `products[].picture` of a requirement says.")
    media_type = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ArchiveSerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=["complete", "missing", "erased"])
    completed_at = serializers.DateTimeField(allow_null=True)
    kept_until = serializers.DateTimeField(allow_null=True, help_text="Then it is erased.")
    tables = serializers.DictField(child=serializers.IntegerField(), help_text="Table (`ticket/orders`) -> number of rows.")
    settlement = serializers.DictField(allow_null=True, help_text="The ticket service's last statement.")
    summaries = serializers.DictField(child=serializers.DictField(), help_text="Service -> its last figures.")
