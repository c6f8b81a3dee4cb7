"""Carries out a deploy, update or rollback as far as it goes now: plan, render, preview, apply, start, content, check, live.

Every function may be called again after a crash at any point; what is done already is found done.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import msgspec
from django.utils import timezone

from controlplane.lib import audit, together
from controlplane.lib.reasons import Reason
from controlplane.rendering.choose import NoImageFits
from controlplane.rendering.diff import changes_to_json
from controlplane.rendering.plan import Plan, Restore, from_json
from controlplane.rendering.render import render
from controlplane.rendering.requirement import Requirement as Wanted
from controlplane.rendering.schema import BadObject
from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.holding import held
from controlplane.runtime.port import ChangeKind, Endpoint, Health, Objects, Observation
from controlplane.systems import caps, checks, conflicts, content, data_loss, databases, planning, rotating
from controlplane.systems.booking_api import Answer, BookingApi, Silent
from controlplane.systems.errors import Refused, RequirementInvalid
from controlplane.systems.giving import UNKNOWN_PICTURES, body_of, missing_of, put_content
from controlplane.systems.models import Operation, Requirement, Revision, State
from controlplane.systems.orphans import HANDED_OVER, handed_over, is_closed, refuse_orphans, was_handed_over
from controlplane.systems.outcomes import Failed, Held, Retry, Waiting
from controlplane.systems.reopening import BACKUP, OVER_DATA
from controlplane.systems.secrets import UnknownKind, database_passwords, secrets_for
from controlplane.systems.staff_keys import staff_token
from controlplane.systems.steps import Run, end, no_reason, workload_json
from controlplane.systems.storing import revision_store

log = logging.getLogger(__name__)

PLATFORM_SCOPES = ("content", "probe")
ROUTED_WITHIN_S = 1.5
"""A node's proxy learns of a service up to a second after it is ready; the pause before another look would be longer."""
NO_SUCH_FIELD = "There is no such field."
"""What every service says of a field that it does not know (booking_templates/kit/api.py), in the language it is asked in here."""
TRIES = 6
"""How often a service may answer wrongly before its answer counts: right after a start a page may still fail."""


def carry_out(run: Run) -> None:
    """Returns when the system is live. Raises Outcome, RuntimeFailure or LeaseLost."""
    if not run.is_done("apply"):
        _apply(run)
    if not run.is_done("start"):
        _start(run)
    revision = _revision(run)
    endpoint = run.runtime.endpoint(run.system.ref)
    plan, wanted = from_json(revision.plan), read(revision.requirement)
    if plan.adjustments.is_suspended:
        _live(run, revision, endpoint, state=State.SUSPENDED)
        return
    with _api(run, endpoint) as api:
        if not run.is_done("content"):
            _content(run, api, wanted, plan)
        if not run.is_done("check"):
            _check(run, api, wanted, plan)
    _live(run, revision, endpoint)


def _api(run: Run, endpoint: Endpoint) -> BookingApi:
    token = staff_token(run.system, subject="platform", scopes=PLATFORM_SCOPES)
    return BookingApi(connect_url=endpoint.connect_url, host=endpoint.host, token=token, patience_s=ROUTED_WITHIN_S)


def _revision(run: Run) -> Revision:
    return run.operation.revision or _make_revision(run)


def _apply(run: Run) -> None:
    _refuse_taken_place(run)
    revision = _revision(run)
    if rotating.is_rotation(run.operation):
        rotating.make_known(run, kept=lambda plan: _kept(run, plan))
    _preview(run, revision)
    _hand_over(run, revision)
    run.done("apply", "step_objects", count=len(revision.manifests), then="start")


def _refuse_taken_place(run: Run) -> None:
    """A database that was restored gives numbers out again that booking systems have which it no longer knows: a new one must neither
    take over the data of such a one nor clear them away."""
    if run.system.live_revision_id or was_handed_over(run.system):
        return
    # One that is ending is waited for: the runtime says so by itself.
    if run.runtime.observe(run.system.ref).health not in (Health.ABSENT, Health.DELETING):
        place = run.system.namespace
        raise Failed("owned_by_another", detail=f"In {place} there is a booking system that this platform has no record of.")


def _hand_over(run: Run, revision: Revision) -> None:
    """Give the runtime the objects of REVISION with their secrets, and remember by which fingerprint it will know them."""
    plan = from_json(revision.plan)
    keeps = _kept(run, plan)
    if rotating.is_rotation(run.operation):
        rotating.take_into_use(run.lease)
    try:
        secrets = secrets_for(run.system, plan)
    except UnknownKind as error:
        raise Failed("broken_plan", detail=f"no secret of kind {error}") from error
    if plan.database and plan.database.server is None:
        run.lease.renew()
        databases.make_outside(plan.database, database_passwords(run.system, plan))
    objects = held(revision.manifests) if run.operation.is_paused else revision.manifests
    with run.lease.transaction():
        run.operation.fingerprint = fingerprint(objects, secrets)
        run.operation.result = run.operation.result | {HANDED_OVER: True}
        run.operation.save(update_fields=["fingerprint", "result"])
    with conflicts.overruled(run.lease) as takes:
        run.runtime.apply(run.system.ref, objects, secrets, keeps=keeps, takes=takes)


def _kept(run: Run, plan: Plan) -> dict[str, str]:
    """The volumes that PLAN must find. Raises Failed when data of the system are gone already, unless somebody said to go on without."""
    if not run.system.live_revision_id:
        return {}
    if _opens(run.operation):
        _refuse_over_data(run)
        return {}
    run.lease.renew()
    lost = data_loss.lost_outside(run.system, plan)
    if not lost and not data_loss.is_noted(run.system):
        lost = data_loss.loss(run.system, run.runtime.observe(run.system.ref))
    if lost:
        raise Failed(lost.code, **lost.params)
    return data_loss.keeps_for(run.system, plan)


def _opens(operation: Operation) -> bool:
    """Whether it goes on with other data than those of before: volumes are made where there are none."""
    return operation.kind in data_loss.OPENING and not operation.result.get(OVER_DATA)


def _refuse_over_data(run: Run) -> None:
    """Somebody said to go on without the data of before. Raises Failed when these are there again by now: nothing is put over them."""
    if run.operation.result.get(HANDED_OVER):
        return  # what is there may be of its own making
    run.lease.renew()
    seen = run.runtime.observe(run.system.ref)
    if seen.volumes is not None and data_loss.loss(run.system, seen) is None:
        raise Failed("data_there")


def read(stored: Requirement) -> Wanted:
    """The requirement as rendering takes it. Raises Failed when it no longer holds by today's rules."""
    try:
        return planning.read_stored(stored)
    except RequirementInvalid as error:
        raise Failed("broken_plan", detail=str(error)) from error


def _make_revision(run: Run) -> Revision:
    """Plan and render, and store both. A rollback takes them from the revision it goes back to, but for the database."""
    run.begin("plan")
    operation, old = run.operation, run.operation.rollback_to
    assert operation.requirement is not None  # noqa: S101  (only a deletion has none)
    objects: Objects
    try:
        if old:
            halfway = handed_over(run.system, but=operation)
            database = databases.serving(halfway, run.runtime.observe(run.system.ref)) if halfway else None
            plan, objects = planning.plan_back(run.system, old, database=database)
        else:
            plan = planning.plan_for(read(operation.requirement), planning.site_of(run.system), system=run.system).plan
            if operation.kind == Operation.Kind.RESTORE:
                plan = replace(plan, restore=Restore(operation.result[BACKUP], operation.pk))
            objects = render(plan)
    except NoImageFits as error:
        raise Failed(error.reason.code, **error.reason.params) from error
    except (BadObject, msgspec.ValidationError) as error:
        raise Failed("broken_plan", detail=str(error)) from error
    with run.lease.transaction() as system:
        try:
            run.lease.write(**caps.let_have(system, plan, live=planning.live_plan(system)))
        except Refused as error:
            # The pool, or a limit, is another than when it was asked for.
            raise Failed(error.reason.code, **error.reason.params) from error
        revision = revision_store(system, requirement=operation.requirement, plan=plan, objects=objects, created_by=operation.created_by)
        operation.revision = revision
        operation.save(update_fields=["revision"])
        run.mark_done("plan", "step_images", count=len(plan.services), services=", ".join(service.name for service in plan.services))
        run.mark_done("render", "step_objects", count=len(objects))
    return revision


def _preview(run: Run, revision: Revision) -> None:
    run.begin("preview")
    with conflicts.overruled(run.lease, is_trial=True) as takes:
        changes = run.runtime.preview(run.system.ref, revision.manifests, takes=takes)
    count = {kind.value: sum(change.kind is kind for change in changes) for kind in ChangeKind}
    if live := run.system.live_revision:
        rests = run.system.state in (State.SUSPENDED, State.DATA_GONE)
        wanted, halfway = read(revision.requirement), handed_over(run.system, but=run.operation)
        if live.requirement_id != revision.requirement_id:
            refuse_orphans(run.lease, before=live, wanted=wanted, is_suspended=rests)
        if halfway and halfway.revision and not rests:
            refuse_orphans(run.lease, before=halfway.revision, wanted=wanted, is_suspended=False)
        if not rests and not from_json(revision.plan).adjustments.is_suspended:
            _ask_first(run, revision)
    with run.lease.transaction():
        run.operation.result = run.operation.result | {"changes": changes_to_json(changes)}
        run.operation.save(update_fields=["result"])
        run.mark_done("preview", "step_changes", **count)
        run.mark_begun("apply")


def _ask_first(run: Run, revision: Revision) -> None:
    """Let those have their new content that may refuse it, before anything is applied: then nothing has changed.

    Only while the same image goes on running: another variant may not take what the old one does not understand. A service that is down
    is asked when it is up again: this very change may be what mends it. One that was closed stays so until the new revision runs.
    """
    live, plan = run.system.live_revision, from_json(revision.plan)
    running = {service.name: service.image for service in from_json(live.plan).services} if live else {}
    asked = [name for name in content.MAY_REFUSE if not is_closed(run.system, name)]
    same = [service.name for service in plan.services if service.name in asked and running.get(service.name) == service.image]
    documents = content.documents_for(read(revision.requirement), plan)
    with BookingApi.of(run.system, scopes=PLATFORM_SCOPES) as api:
        try:
            give_content(run, api, {name: document for name, document in documents.items() if name in same})
        except Retry as silent:
            log.info("system %s: content waits for the new revision: %s", run.system.pk, silent.reason.message)


def _start(run: Run) -> None:
    """Done when everything is ready; Waiting otherwise, with each workload's state on the step."""
    seen = run.runtime.observe(run.system.ref)
    if not run.operation.fingerprint or seen.fingerprint != run.operation.fingerprint:
        # Somebody else's hand, a runtime that lost what it was given, or a rollout that is to be held or to go on from now on.
        _hand_over(run, _revision(run))
        seen = run.runtime.observe(run.system.ref)
    is_suspended = from_json(_revision(run).plan).adjustments.is_suspended
    ready = sum(workload.health in (Health.READY, Health.SUSPENDED) for workload in seen.workloads)
    counts = {"ready": ready, "wanted": len(seen.workloads)}
    code = "step_stopped" if is_suspended else "step_held" if run.operation.is_paused else "step_ready"
    _show(run, seen, Reason(code, counts))
    if run.operation.is_paused:
        # Also when a new copy fails: whoever holds it is looking, and decides.
        raise Held(code, **counts)
    if seen.health is Health.FAILED:
        raise _why_failed(seen)
    if not _is_as_wanted(seen, is_suspended=is_suspended) or seen.fingerprint != run.operation.fingerprint:
        _give_early(run, seen)
        raise Waiting(code, **counts)
    told = _resized(seen) or Reason(code)
    run.done("start", told.code, **counts, **told.params, then="" if is_suspended else "content")


def _give_early(run: Run, seen: Observation) -> None:
    """Content to those services of a new system that are up, while others still start: nobody sees it yet.

    Whatever is wrong now may be right once all have started, and is told then.
    """
    up = {workload.name for workload in seen.workloads if workload.health is Health.READY}
    if run.system.live_revision_id or not up & content.SERVICES - run.system.content_given.keys():
        return
    revision = _revision(run)
    documents = content.documents_for(read(revision.requirement), from_json(revision.plan))
    try:
        endpoint = run.runtime.endpoint(run.system.ref)
        with _api(run, endpoint) as api:
            give_content(run, api, {name: document for name, document in documents.items() if name in up})
    except (Failed, Retry, RuntimeFailure) as error:
        log.info("system %s: content waits until all is up: %s", run.system.pk, error.reason)


def _resized(seen: Observation) -> Reason | None:
    """What became of another size, if there was one."""
    resizes = [(workload.name, workload.resize) for workload in seen.workloads if workload.resize]
    if not resizes:
        return None
    for name, resize in resizes:
        if not resize.is_in_place:
            return Reason("step_resized_anew", {"service": name, "why": resize.why})
    return Reason("step_resized", {"services": ", ".join(name for name, _ in resizes)})


def _is_as_wanted(seen: Observation, *, is_suspended: bool) -> bool:
    if not is_suspended:
        return seen.health is Health.READY
    # Its database runs on.
    services = [workload for workload in seen.workloads if workload.kind == "Deployment"]
    return seen.health in (Health.READY, Health.SUSPENDED) and all(workload.health is Health.SUSPENDED for workload in services)


def _show(run: Run, seen: Observation, said: Reason) -> None:
    workloads = [workload_json(workload) for workload in seen.workloads]
    moved = [(item["name"], item["ready"], item["updated"]) for item in workloads]
    was = [(item["name"], item["ready"], item["updated"]) for item in run.progress("start").get("workloads", [])]
    run.say("start", said, progress={"workloads": workloads}, has_moved=moved != was)


def _why_failed(seen: Observation) -> Failed:
    for workload in seen.workloads:
        if workload.health is Health.FAILED:
            return Failed("workload_failed", service=workload.name, reason=workload.reason, message=workload.message or workload.reason)
    return Failed("system_failed", reason=seen.reason, message=seen.message or seen.reason)


def _content(run: Run, api: BookingApi, wanted: Wanted, plan: Plan) -> None:
    run.begin("content")
    documents = content.documents_for(wanted, plan)
    given = give_content(run, api, documents)
    if not run.system.live_revision_id:
        given = list(documents)  # some of them before
    if given:
        run.done("content", "step_content", services=", ".join(given), then="check")
    else:
        run.done("content", "step_content_same", then="check")


def give_content(run: Run, api: BookingApi, documents: dict[str, content.Document]) -> list[str]:
    """PUT what a service was not given yet, and remember it at once. Returns the services that were given something.

    Raises Failed for a refusal, Retry when a service does not answer or breaks.
    """
    pending = {service: digest for service, digest in content.digests(documents).items() if run.system.content_given.get(service) != digest}
    # A new system refuses nothing for what is sold, so none need be asked before another.
    answers = {} if run.system.live_revision_id else _put_together(run, api, {service: documents[service] for service in pending})
    for service, digest in pending.items():
        run.lease.renew()
        try:
            answer = put_content(api, run.system, service, documents[service], first=answers.get(service), between=run.lease.renew)
        except Silent as error:
            raise Retry("service_silent", service=service, detail=str(error)) from error
        if answer.status == 404 and answer.is_away:
            raise Retry("service_silent", service=service, detail=answer.detail)
        if not answer.is_success:
            refusal = _refusal(service, answer)
            raise refusal if answer.status < 500 or run.system.attempts >= TRIES else Retry(refusal.reason.code, **refusal.reason.params)
        with run.lease.transaction():
            run.lease.write(content_given=run.system.content_given | {service: digest})
    return list(pending)


def _put_together(run: Run, api: BookingApi, documents: dict[str, content.Document]) -> dict[str, Answer]:
    """PUT all at once, for the first request takes a service longest. The answers of those that answered."""
    run.lease.renew()
    bodies = {service: body_of(run.system, service, document) for service, document in documents.items()}

    def put(service: str) -> Answer | None:
        try:
            return api.put(content.path_of(service), bodies[service])
        except Silent:
            return None

    return {service: answer for service, answer in zip(documents, together.each(put, list(documents)), strict=True) if answer}


def _refusal(service: str, answer: Answer) -> Failed:
    document = answer.document
    if answer.code == UNKNOWN_PICTURES:
        return Failed("pictures_missing", count=len(missing_of(answer)))
    if answer.code == "would_orphan" and isinstance(document, dict):
        lost = document.get("places") or document.get("performances") or []
        names = [f"{item.get('label')} ({item.get('performance')})" if isinstance(item, dict) else str(item) for item in lost]
        return Failed("would_orphan", places=", ".join(names[:10]) or answer.detail)
    if unknown := _unknown_fields(answer):
        return Failed("content_unknown", service=service, fields=", ".join(unknown))
    return Failed("content_refused", service=service, detail=answer.detail)


def _unknown_fields(answer: Answer) -> list[str]:
    """The fields for which alone a service refused its content, for its image knows none of them: it is older than the control plane."""
    errors = answer.document.get("errors") if isinstance(answer.document, dict) else None
    if not isinstance(errors, dict) or any(said != [NO_SUCH_FIELD] for said in errors.values()):
        return []
    return sorted(map(str, errors))


def _check(run: Run, api: BookingApi, wanted: Wanted, plan: Plan) -> None:
    run.begin("check")
    run.lease.renew()
    try:
        checks.check(run.system, plan, api, performance_id=wanted.performances[0].id)
    except Silent as error:
        raise Retry("service_silent", service="web", detail=str(error)) from error
    except Failed as failed:
        if run.system.attempts >= TRIES:
            raise
        raise Retry(failed.reason.code, **failed.reason.params) from failed
    run.done("check", "step_checked", then="live")


def _live(run: Run, revision: Revision, endpoint: Endpoint, *, state: State = State.LIVE) -> None:
    with run.lease.transaction() as system:
        fingerprint_of = run.operation.fingerprint
        if run.operation.kind == Operation.Kind.RESTORE:
            # What is live from now on says nothing of the backup: the next look takes the Job away, and nothing brings it back.
            plan, objects = planning.plan_back(system, revision, database=from_json(revision.plan).database)
            revision, fingerprint_of = revision_store(system, requirement=revision.requirement, plan=plan, objects=objects), ""
        run.lease.write(
            live_revision=revision,
            live_fingerprint=fingerprint_of,
            **caps.columns(caps.amounts_of(from_json(revision.plan))),
            content_live=system.content_given,
            state=state,
            health=(Health.READY if state == State.LIVE else Health.SUSPENDED).value,
            health_message="",
            connect_url=endpoint.connect_url,
            connect_host=endpoint.host,
            observed_generation=run.operation.generation,
            data_marks=None if _opens(run.operation) else system.data_marks,
            attempts=0,
            live_at=system.live_at or timezone.now(),
            **no_reason(),
        )
        if state == State.LIVE:
            run.mark_done("live", "step_live", url=endpoint.public_url)
        else:
            run.mark_done("suspended", "step_suspended")
        if rotating.is_rotation(run.operation):
            rotating.replaced(run)
        end(run, Operation.State.SUCCEEDED)
        audit.record("system.live", system, revision=revision.number, operation=run.operation.pk)
