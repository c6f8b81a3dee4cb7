"""What an admin does with one booking system: asked for on a form, shown as what it would change, and done once that was confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane import bootstrap
from controlplane.accounts.models import User
from controlplane.console.forms import AskForm, MoveForm, ReopenForm, RestoreForm, ScaleForm, TakeForm
from controlplane.console.running import find
from controlplane.console.words import service_words
from controlplane.lib.reasons import Reason
from controlplane.rendering.choose import NoImageFits
from controlplane.rendering.plan import ServicePlan
from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.port import Node, Runtime
from controlplane.systems import operating, reopening, rollouts, selectors, services
from controlplane.systems.asks import Ask, Move, Restart, Resume, RotateKeys, Suspend
from controlplane.systems.errors import Refused, RequirementInvalid
from controlplane.systems.models import BookingSystem, Revision
from controlplane.systems.planning import live_plan
from controlplane.systems.preview import ChangePreview, ask_preview, rollback_preview


@dataclass(frozen=True)
class Doing:
    """One thing that is about to be done with SYSTEM: `about` is the service or revision that the address names."""

    system: BookingSystem
    about: str
    user: User
    runtime: Runtime

    @property
    def service(self) -> ServicePlan:
        """The service it is about, as it runs. Raises Http404."""
        plan = live_plan(self.system)
        found = plan.service(self.about) if plan else None
        if found is None:
            raise Http404
        return found

    @property
    def revision(self) -> Revision:
        """The revision it is about. Raises Http404."""
        number = int(self.about) if self.about.isdecimal() and len(self.about) < 9 else 0
        found = self.system.revisions.filter(number=number).first()
        if found is None:
            raise Http404
        return found


@dataclass(frozen=True)
class Action:
    """What the address `systems/<id>/<name>/[<about>/]` does.

    `form` is None where there is nothing to fill in; `look` is what it would change, `act` does it if the system is of that generation.
    """

    title: Any
    about: Any
    button: Any
    act: Callable[[Doing, Any, int | None], object]
    look: Callable[[Doing, Any], ChangePreview] | None = None
    form: Callable[[Doing, Any], AskForm] | None = None
    is_of_service: bool = False
    is_of_revision: bool = False


def _asking(make: Callable[[Doing, Any], Ask], **words: Any) -> Action:
    """An action that is an ask, made of what the form has."""

    def look(doing: Doing, form: Any) -> ChangePreview:
        ask = make(doing, form)
        if isinstance(ask, Move):
            operating.check_node(ask.node, doing.runtime)
        return ask_preview(system=doing.system, ask=ask, runtime=doing.runtime)

    def act(doing: Doing, form: Any, generation: int | None) -> None:
        ask = make(doing, form)
        if isinstance(ask, Move):
            operating.check_node(ask.node, doing.runtime)
        operating.system_ask(system=doing.system, ask=ask, acting_user=doing.user, expected_generation=generation)

    return Action(act=act, look=look, **words)


def _done_by(do: Callable[..., object], **more: Any) -> Callable[[Doing, Any, int | None], object]:
    """The act of an action that is one call of DO, whatever the form has."""
    return lambda doing, form, generation: do(system=doing.system, acting_user=doing.user, expected_generation=generation, **more)


def _roll_back(doing: Doing, form: Any, generation: int | None) -> None:
    services.system_rollback(system=doing.system, revision=doing.revision, acting_user=doing.user, expected_generation=generation)


ACTIONS: dict[str, Action] = {
    "scale": _asking(
        lambda doing, form: form.ask(),
        title=_("Scale %(what)s"),
        about=_(
            "How many copies run and how large each is. Once an autoscaler decides, the manifest names no number any more; a fixed number "
            "ends the autoscaler first and is then taken by force."
        ),
        button=_("Scale"),
        form=lambda doing, data: ScaleForm(doing.service, data),
        is_of_service=True,
    ),
    "move": _asking(
        lambda doing, form: form.ask(),
        title=_("Move %(what)s"),
        about=_("The new copies are ready on the other node before the old ones end here: buyers notice nothing."),
        button=_("Move"),
        form=lambda doing, data: MoveForm(doing.service, data),
        is_of_service=True,
    ),
    "restart": _asking(
        lambda doing, form: Restart(doing.service.name),
        title=_("Restart %(what)s"),
        about=_("Every copy is replaced as in an update, the new one ready before the old one ends."),
        button=_("Restart"),
        is_of_service=True,
    ),
    "rotate": _asking(
        lambda doing, form: RotateKeys(),
        title=_("Change the keys of %(what)s"),
        about=_(
            "New signing keys are made known to every service first, which takes a few minutes on a cluster. Then every copy is replaced, "
            "the new one ready before the old one ends. Logins go on and tickets stay valid: buyers notice nothing."
        ),
        button=_("Change the keys"),
    ),
    "suspend": _asking(
        lambda doing, form: Suspend(),
        title=_("Suspend %(what)s"),
        about=_("Nothing runs any more but what keeps the data. Buyers find nobody until it is resumed."),
        button=_("Suspend"),
    ),
    "resume": _asking(
        lambda doing, form: Resume(),
        title=_("Resume %(what)s"),
        about=_("Everything runs again as it did."),
        button=_("Resume"),
    ),
    "pause": Action(
        title=_("Hold the rollout of %(what)s"),
        about=_(
            "Copies of the old and of the new revision stay as they are, and what serves goes on serving. However long it takes, the "
            "change is not given up meanwhile."
        ),
        button=_("Hold it"),
        act=_done_by(rollouts.rollout_pause),
    ),
    "unpause": Action(
        title=_("Go on with the rollout of %(what)s"),
        about=_("It goes on from where it was held."),
        button=_("Go on"),
        act=_done_by(rollouts.rollout_resume),
    ),
    "abandon": Action(
        title=_("Give up the rollout of %(what)s"),
        about=_("The live revision is brought back, as after a change that failed. What was asked for can be tried again."),
        button=_("Give it up"),
        act=_done_by(rollouts.rollout_abandon),
    ),
    "leave": Action(
        title=_("Leave what is changed by hand in %(what)s"),
        about=_(
            "What somebody changes or deletes on the cluster itself is shown here and stays, until the next change of the booking system "
            "puts everything in its place."
        ),
        button=_("Keep what hands change"),
        act=_done_by(operating.drift_leave, leaves=True),
    ),
    "mend": Action(
        title=_("Put right what is changed by hand in %(what)s"),
        about=_("What somebody changed or deleted on the cluster itself is put back now, and from now on whenever it is found."),
        button=_("Put it right"),
        act=_done_by(operating.drift_leave, leaves=False),
    ),
    "take": Action(
        title=_("Take back what others manage in %(what)s"),
        about=_(
            "It is taken from who has it now, by force and once, and is Clove's from then on; a change that failed over it is tried again. "
            "A controller that insists writes it again and is told of again: end that one first."
        ),
        button=_("Take it over"),
        act=_done_by(operating.conflict_take),
        form=lambda doing, data: TakeForm(doing.system, data or {}),
    ),
    "restore": Action(
        title=_("Put a backup of %(what)s back"),
        about=_(
            "An empty database is made where there is none, and the backup is put back into it. Everything rests afterwards, to be looked "
            "at and resumed. What was sold since that backup is in no record: the tickets of those buyers are not admitted, their seats "
            "are for sale again, and what they paid is known to the payment provider alone."
        ),
        button=_("Put it back"),
        act=lambda doing, form, generation: reopening.system_restore(
            system=doing.system, backup=form.cleaned_data["backup"], acting_user=doing.user, expected_generation=generation
        ),
        form=lambda doing, data: RestoreForm(data),
    ),
    "reopen": Action(
        title=_("Go on with %(what)s without its data"),
        about=_(
            "It goes on with the volume that is there now, and where there is none with an empty database. Then every seat is for sale "
            "again, the tickets that buyers hold are not admitted, and what they paid is known to the payment provider alone."
        ),
        button=_("Go on without its data"),
        act=lambda doing, form, generation: reopening.system_reopen(
            system=doing.system, rests=form.cleaned_data["rests"], acting_user=doing.user, expected_generation=generation
        ),
        form=lambda doing, data: ReopenForm(doing.system.title, data),
    ),
    "rollback": Action(
        title=_("Back to %(what)s"),
        about=_("What that revision ran runs again, as a new revision. What was edited live since then stays."),
        button=_("Bring it back"),
        act=_roll_back,
        look=lambda doing, form: rollback_preview(system=doing.system, revision=doing.revision, runtime=doing.runtime),
        is_of_revision=True,
    ),
}


def operate(request: HttpRequest, system_id: int, action: str, about: str = "") -> HttpResponse:
    """GET: the form, or what would change where nothing is to be filled in. POST: what would change; with `confirm`, it is done."""
    chosen = ACTIONS.get(action)
    if chosen is None or bool(about) != (chosen.is_of_service or chosen.is_of_revision):
        raise Http404
    doing = Doing(find(system_id), about, request.user, bootstrap.runtime())  # type: ignore[arg-type]
    title = str(chosen.title) % {"what": _named(doing, chosen)}
    form = chosen.form(doing, request.POST or None) if chosen.form else AskForm(request.POST or {})
    shown, is_looked_at = None, False
    if form.is_valid():
        try:
            if request.method == "POST" and "confirm" in request.POST:
                chosen.act(doing, form, _generation(request))
                messages.success(request, gettext("Begun: %(title)s.") % {"title": title})
                return redirect("admin:system", doing.system.pk)
            shown = chosen.look(doing, form) if chosen.look else None
            is_looked_at = True
        except Refused as refused:
            form.refuse(refused.reason)
        except RequirementInvalid as invalid:
            form.add_error(None, "; ".join(problem.text(gettext) for problem in invalid.problems))
        except NoImageFits as error:
            form.refuse(error.reason)
        except RuntimeFailure as failure:
            form.refuse(Reason(failure.code, {"detail": failure.reason}))
    context = {
        **admin.site.each_context(request),
        "title": title,
        "system": doing.system,
        "action": chosen,
        "form": form,
        "shown": shown,
        "costs": [f"{cost.per_month_krw:,}" for cost in (shown.cost_now, shown.cost_then)] if shown and shown.cost_now else [],
        "is_looked_at": is_looked_at,
        "has_fields": bool(chosen.form),
        "places": _places(doing) if isinstance(form, MoveForm) and not is_looked_at else [],
    }
    return render(request, "console/operate.html", context, status=422 if request.method == "POST" and form.errors else 200)


def _named(doing: Doing, action: Action) -> str:
    if action.is_of_service:
        words = service_words(doing.service.name)
        return f"{words} ({doing.service.name})" if words else doing.service.name
    if action.is_of_revision:
        return gettext("revision %(number)s") % {"number": doing.revision.number}
    return doing.system.title


def _generation(request: HttpRequest) -> int | None:
    text = request.POST.get("generation", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


@dataclass(frozen=True)
class Place:
    """A node that a service may move to, with what runs there by now."""

    node: Node
    systems: list[tuple[BookingSystem, list[str]]]

    @property
    def memory_gib(self) -> str:
        return f"{self.node.memory_bytes / (1 << 30):.1f}"

    @property
    def cores(self) -> str:
        return f"{self.node.cpu_m / 1000:g}"


def _places(doing: Doing) -> list[Place]:
    """The runtime's nodes; none when it does not answer, which the form says then."""
    try:
        nodes = doing.runtime.nodes()
    except RuntimeFailure:
        return []
    there = selectors.services_by_node()
    return [Place(node, there.get(node.name, [])) for node in nodes]
