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

NUMBER, AUTOSCALE = "number", "autoscale"
SIZES = ("cpu_request_m", "cpu_limit_m", "memory_request_mib", "memory_limit_mib", "scratch_mib")
_SCALER = ("lowest", "highest", "cpu_percent")
_AT_FIRST = {"lowest": 1, "highest": 3, "cpu_percent": 70}


class AskForm(forms.Form):
    """FIELD_OF names the field beside which a refusal is shown; whatever it does not name is said above the form."""

    FIELD_OF: dict[str, str] = {}

    def refuse(self, reason: Reason) -> None:
        """Show why the ask was refused."""
        field = self.FIELD_OF.get(reason.code)
        self.add_error(field if field in self.fields else None, reason.text(gettext))

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What was filled in, to be sent again with the confirmation."""
        return [(name, str(self.data.get(name, ""))) for name in self.fields if name in self.data]


class ScaleForm(AskForm):
    """How many copies of a service, decided by whom, and how large each is."""

    FIELD_OF = {
        "bad_replicas": "replicas",
        "bad_range": "highest",
        "bad_resources": "cpu_limit_m",
        "needs_database": "replicas",
        "needs_kubernetes": "by",
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
