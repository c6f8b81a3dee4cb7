"""What an admin fills in to change a running service. Each form makes an ask of what differs from how things are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane.lib.reasons import Reason
from controlplane.rendering.adjustments import MAX_REPLICAS, Autoscale
from controlplane.rendering.images import ResourcesPlan
from controlplane.rendering.plan import ServicePlan
from controlplane.systems.asks import Move, Scale
from controlplane.systems.conflicts import REASON
from controlplane.systems.models import BookingSystem
from controlplane.systems.runtime_words import say_runtime
from controlplane.systems.services import is_name_of

NUMBER, AUTOSCALE = "number", "autoscale"
SIZES = ("cpu_request_m", "cpu_limit_m", "memory_request_mib", "memory_limit_mib", "scratch_mib")
_SCALER = ("lowest", "highest", "cpu_percent")
_AT_FIRST = {"lowest": 1, "highest": 3, "cpu_percent": 70}


class AskForm(forms.Form):
    """FIELD_OF names the field beside which a refusal is shown; whatever it does not name is said above the form."""

    FIELD_OF: dict[str, str] = {}
    fields_template = "console/plain_fields.html"

    def refuse(self, reason: Reason) -> None:
        """Show why the ask was refused."""
        field = self.FIELD_OF.get(reason.code)
        self.add_error(field if field in self.fields else None, reason.text(gettext))

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What was filled in, to be sent again with the confirmation."""
        return [(name, str(self.data.get(name, ""))) for name in self.fields if name in self.data]


class DataForm(AskForm):
    """How a system goes on whose data are gone; what was chosen is shown again where it is confirmed."""

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """Label and value of each field but the one that only confirms."""
        said = {True: gettext("yes"), False: gettext("no")}
        found = [(field, self.cleaned_data[field.name]) for field in self if field.name != "typed_name"]
        return [(str(field.label), said.get(value, str(value))) for field, value in found]


class ScaleForm(AskForm):
    """How many copies of a service, decided by whom, and how large each is."""

    fields_template = "console/scale_fields.html"
    FIELD_OF = {
        "bad_replicas": "replicas",
        "bad_range": "highest",
        "bad_resources": "cpu_limit_m",
        "needs_database": "replicas",
        "needs_kubernetes": "by",
        "too_many_copies": "replicas",
        "too_much_cpu": "cpu_limit_m",
        "too_much_cpu_for_one": "cpu_limit_m",
        "too_much_memory": "memory_limit_mib",
        "too_much_memory_for_one": "memory_limit_mib",
    }

    by = forms.ChoiceField(
        label=_("Number of copies"),
        choices=[(NUMBER, _("a fixed number")), (AUTOSCALE, _("as many as its processor use asks for"))],
        widget=forms.RadioSelect,
    )
    replicas = forms.IntegerField(label=_("Copies"), min_value=1, max_value=MAX_REPLICAS, required=False)
    lowest = forms.IntegerField(label=_("At least"), min_value=1, max_value=MAX_REPLICAS, required=False)
    highest = forms.IntegerField(label=_("At most"), min_value=1, max_value=MAX_REPLICAS, required=False)
    cpu_percent = forms.IntegerField(
        label=_("Processor use to aim at (% of what is requested)"), min_value=1, max_value=100, required=False
    )
    cpu_request_m = forms.IntegerField(label=_("Processor requested (thousandths of a core)"), min_value=1, max_value=64_000)
    cpu_limit_m = forms.IntegerField(label=_("Processor at most"), min_value=1, max_value=64_000)
    memory_request_mib = forms.IntegerField(label=_("Memory requested (MiB)"), min_value=1, max_value=262_144)
    memory_limit_mib = forms.IntegerField(label=_("Memory at most"), min_value=1, max_value=262_144)
    scratch_mib = forms.IntegerField(label=_("Temporary files at most (MiB)"), min_value=1, max_value=65_536)

    def __init__(self, service: ServicePlan, data: Any = None) -> None:
        self.service = service
        self.can_autoscale = settings.RUNTIME != "local" and not service.storage_mib
        scaler = service.autoscale
        initial: dict[str, Any] = {"by": AUTOSCALE if scaler else NUMBER, "replicas": service.replicas, **vars(service.resources)}
        initial |= {name: getattr(scaler, name) if scaler else _AT_FIRST[name] for name in _SCALER}
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name in ("replicas",) if given.get("by") == NUMBER else _SCALER if given.get("by") == AUTOSCALE else ():
            if given.get(name) is None and name not in self.errors:
                self.add_error(name, gettext("This is needed."))
        for requested, limit in (("cpu_request_m", "cpu_limit_m"), ("memory_request_mib", "memory_limit_mib")):
            if requested in given and limit in given and given[requested] > given[limit]:
                self.add_error(limit, gettext("This is less than what is requested."))
        if given.get("by") == AUTOSCALE and given.get("lowest") and given.get("highest") and given["lowest"] > given["highest"]:
            self.add_error("highest", gettext("The lowest number is above the highest."))
        if not self.errors and self._ask(given) == Scale(self.service.name):
            self.add_error(None, gettext("This is how it runs already."))
        return given

    def refuse(self, reason: Reason) -> None:
        by_autoscale = reason.code == "too_many_copies" and self.cleaned_data.get("by") == AUTOSCALE
        if by_autoscale:
            self.add_error("highest", reason.text(gettext))
        else:
            super().refuse(reason)

    def ask(self) -> Scale:
        """What was filled in, as far as it differs from how the service runs."""
        return self._ask(self.cleaned_data)

    def _ask(self, given: dict[str, Any]) -> Scale:
        scaler = Autoscale(*(given[name] for name in _SCALER)) if given["by"] == AUTOSCALE else None
        resources = ResourcesPlan(*(given[name] for name in SIZES))
        is_other_number = scaler is None and (self.service.autoscale or given["replicas"] != self.service.replicas)
        return Scale(
            self.service.name,
            replicas=given["replicas"] if is_other_number else None,
            autoscale=scaler if scaler != self.service.autoscale else None,
            resources=resources if resources != self.service.resources else None,
        )


class MoveForm(AskForm):
    """On which node a service runs; empty for any."""

    fields_template = "console/move_fields.html"
    FIELD_OF = {"no_such_node": "node", "needs_database": "node", "needs_kubernetes": "node"}

    node = forms.CharField(label=_("Node"), max_length=253, required=False)

    def __init__(self, service: ServicePlan, data: Any = None) -> None:
        self.service = service
        super().__init__(data, initial={"node": service.node})

    def clean_node(self) -> str:
        if self.cleaned_data["node"] == self.service.node:
            raise forms.ValidationError(gettext("This is how it runs already."))
        return str(self.cleaned_data["node"])

    def ask(self) -> Move:
        return Move(self.service.name, self.cleaned_data["node"])


class TakeForm(DataForm):
    """What is taken from whom; there is nothing to fill in."""

    def __init__(self, system: BookingSystem, data: Any) -> None:
        self.system = system
        super().__init__(data)

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """What the runtime said of it."""
        known = self.system.conflict
        return [(gettext("What stands in the way"), say_runtime(known[REASON]))] if known else []

    def clean(self) -> dict[str, Any]:
        if not self.system.conflict:
            raise forms.ValidationError(Reason("no_conflict").text(gettext))
        return super().clean() or {}


class RestoreForm(DataForm):
    """Which backup is put back."""

    FIELD_OF = {"bad_backup": "backup"}

    backup = forms.CharField(
        label=_("Backup"),
        max_length=60,
        initial="latest",
        help_text=_("latest, or the name of a file of the volume with its backups: clove-20270110T040000Z.sql.gz"),
    )


class ReopenForm(DataForm):
    """Going on without the data of before; whoever says so types the title, for nobody can take it back."""

    rests = forms.BooleanField(
        label=_("Let its services rest"),
        required=False,
        help_text=_("Nothing runs but the database, for a backup that is kept elsewhere to be put back by hand before it is resumed."),
    )
    typed_name = forms.CharField(label=_("To confirm, type the title"), max_length=300)

    def __init__(self, title: str, data: Any = None) -> None:
        self.title = title
        super().__init__(data)

    def clean_typed_name(self) -> str:
        if not is_name_of(self.title, self.cleaned_data["typed_name"]):
            raise forms.ValidationError(gettext("The name typed is not %(title)s.") % {"title": self.title})
        return str(self.cleaned_data["typed_name"])
